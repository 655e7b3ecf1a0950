"""Backward functions on bare arrays: checklist part 1."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from engine_reference import examples
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import engine
from engine import BACK_FUNCS, log_back, multiply_back0, multiply_back1, unbroadcast


def test_log_back_divides_by_the_argument() -> None:
    x = np.array([1.0, 2.0, 4.0])
    np.testing.assert_array_equal(log_back(np.array([2.0, 2.0, 2.0]), np.log(x), x), [2, 1, 0.5])


@pytest.mark.parametrize(
    ("wide", "original", "expected"),
    [
        ((2, 3), (2, 3), (2, 3)),
        ((4, 2, 3), (2, 3), (2, 3)),
        ((2, 3), (1, 3), (1, 3)),
        ((4, 2, 3), (2, 1), (2, 1)),
        ((4, 2, 3), (1, 1, 1), (1, 1, 1)),
        ((2, 3), (), ()),
        ((0, 3), (1, 3), (1, 3)),
        ((1, 3), (3,), (3,)),
    ],
)
def test_unbroadcast_sums_to_the_original_shape(
    wide: tuple[int, ...], original: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    result = unbroadcast(np.ones(wide), np.ones(original))
    assert isinstance(result, np.ndarray)
    assert result.shape == expected
    copies = np.prod(wide) / max(np.prod(original), 1)
    np.testing.assert_array_equal(result, np.full(expected, copies))


@examples(60)
@given(
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=3),
    st.integers(0, 99),
)
def test_unbroadcast_is_the_adjoint_of_broadcasting(
    shapes: hnp.BroadcastableShapes, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(-9, 9, shapes.input_shapes[0]).astype(float)
    wide = rng.integers(-9, 9, shapes.result_shape).astype(float)
    before = wide.copy()
    narrow = unbroadcast(wide, x)
    assert narrow.shape == x.shape
    assert (narrow * x).sum() == (wide * np.broadcast_to(x, wide.shape)).sum()
    np.testing.assert_array_equal(wide, before)


def test_unbroadcast_takes_a_number_as_the_original() -> None:
    assert unbroadcast(np.ones((2, 3)), 5.0).shape == ()
    assert unbroadcast(np.ones((2, 3)), 5.0) == 6


@pytest.mark.parametrize("original", [(4,), (2, 3), (1, 1, 3), (3, 1)])
def test_unbroadcast_refuses_what_does_not_broadcast(original: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="does not broadcast"):
        unbroadcast(np.ones((3,)) if len(original) > 1 else np.ones((2, 3)), np.ones(original))


def test_multiply_backs_unbroadcast_and_take_plain_floats() -> None:
    x, y = np.array([[1.0], [2.0]]), np.array([10.0, 20.0, 30.0])
    grad_out = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(multiply_back0(grad_out, x * y, x, y), [[80.0], [260.0]])
    np.testing.assert_array_equal(multiply_back1(grad_out, x * y, x, y), [6.0, 9.0, 12.0])
    np.testing.assert_array_equal(multiply_back0(grad_out[:1], y * 2.0, y, 2.0), [0.0, 2.0, 4.0])
    with_float = multiply_back1(grad_out[0], 2.0 * y, 2.0, y)
    np.testing.assert_array_equal(with_float, [0.0, 2.0, 4.0])
    assert np.shape(multiply_back0(grad_out, 2.0 * grad_out, 2.0, grad_out)) == ()
    assert multiply_back0(grad_out, 2.0 * grad_out, 2.0, grad_out) == 55.0


@pytest.mark.parametrize(
    "name",
    [
        *("negative_back", "exp_back", "log_back", "sum_back", "reshape_back", "permute_back"),
        *("expand_back", "getitem_back", "add_back0", "add_back1", "subtract_back0"),
        *("subtract_back1", "multiply_back0", "multiply_back1", "true_divide_back0"),
        *("true_divide_back1", "maximum_back0", "maximum_back1", "matmul_back0", "matmul_back1"),
    ],
)
def test_each_argument_has_its_backward_function_in_the_registry(name: str) -> None:
    function, _, position = name.rpartition("_back")
    back: Callable[..., Any] = getattr(engine, name)
    assert BACK_FUNCS.get_back_func(getattr(engine, function), int(position or 0)) is back
    assert list(inspect.signature(back).parameters)[:3] == ["grad_out", "out", "x"]
