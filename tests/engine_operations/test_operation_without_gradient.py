"""Comparisons, rounding, truth and places: usable in graphs, and nothing flows through them."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest

import engine
from engine import Tensor

VALUES = np.array([[1.5, -2.5, 0.0], [np.inf, np.nan, -0.4]])
FLAT = ["floor", "ceil", "round", "sign", "isnan", "isinf", "isfinite", "logical_not"]


@pytest.mark.parametrize("name", FLAT)
def test_element_by_element(name: str) -> None:
    torch = pytest.importorskip("torch")
    values = np.nan_to_num(VALUES) if name == "sign" else VALUES  # of NaN: NaN here, 0 there
    out = getattr(engine, name)(Tensor(values, requires_grad=True))
    wanted = getattr(torch, name)(torch.tensor(values, dtype=torch.float32)).numpy()
    np.testing.assert_array_equal(out.array, wanted)
    assert out.dtype == wanted.dtype
    assert out.is_leaf
    assert not out.requires_grad


@pytest.mark.parametrize("name", ["all", "any", "argmax", "argmin"])
@pytest.mark.parametrize("kwargs", [{}, {"dim": 0}, {"dim": -1, "keepdim": True}], ids=str)
def test_along_a_dimension(name: str, kwargs: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    x = Tensor(VALUES, requires_grad=True)
    out = getattr(x, name)(**kwargs)
    wanted = getattr(torch.tensor(VALUES), name)(**kwargs).numpy()
    np.testing.assert_array_equal(out.array, wanted)
    assert out.dtype == wanted.dtype
    assert out.is_leaf


def test_a_graph_goes_on_around_them() -> None:
    x = Tensor([1.7, -0.2], requires_grad=True)
    (x * x.floor() + x * (x > 0) + x.round() * x.sign()).sum().backward()
    np.testing.assert_array_equal(x.grad.array, [1 + 1, -1 + 0])


def test_logic() -> None:
    a, b = Tensor([True, True, False]), Tensor([True, False, False])
    assert (~a).tolist() == [False, False, True]
    assert (a & b).tolist() == (b & a).tolist() == [True, False, False]
    assert (a | b).tolist() == [True, True, False]
    assert (True & a).tolist() == a.tolist()
    assert (False | b).tolist() == b.tolist()
    assert (~Tensor([0, 1])).tolist() == [-1, -2]
    assert engine.logical_and(Tensor([0.0, 2.0]), Tensor([1, 1])).tolist() == [False, True]
    assert engine.logical_or(Tensor([0.0, 0.0]), Tensor([0, 1])).tolist() == [False, True]
    with pytest.raises(TypeError):
        ~Tensor([1.0])


def test_python_functions() -> None:
    x = Tensor([-1.26, 2.5])
    np.testing.assert_allclose(builtins.round(x, 1).array, [-1.3, 2.5], rtol=1e-6)
    np.testing.assert_array_equal(builtins.round(x).array, [-1, 2])
    np.testing.assert_allclose(builtins.abs(x).array, [1.26, 2.5], rtol=1e-6)
    assert builtins.all(row > -2 for row in x)
    assert 2.5 in x
    assert 3.0 not in x


def test_places_in_order() -> None:
    x = Tensor([3.0, 1.0, 2.0], requires_grad=True)
    assert x.argsort().tolist() == [1, 2, 0]
    assert x.argsort(descending=True).tolist() == [0, 2, 1]
    assert not x.argsort().requires_grad
    assert Tensor(4.0).argsort().tolist() == 0
