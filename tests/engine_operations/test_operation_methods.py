"""A Tensor's methods are the functions of the same name."""

from __future__ import annotations

import numpy as np
import pytest
from operation_cases import ALL, Case
from operation_checks import leaves

import engine
from engine import ShapeError, Tensor
from engine.methods import TensorMethods

AS_METHODS = [case for case in ALL if case.name in vars(TensorMethods) and not case.listed]


@pytest.mark.parametrize("case", AS_METHODS, ids=str)
def test_as_the_function(case: Case) -> None:
    tensors = leaves(case.arrays())
    method = case.call(getattr(Tensor, case.name), tensors)
    np.testing.assert_array_equal(method.array, case.ours(tensors).array)


def test_lengths_and_dims_one_by_one_or_together() -> None:
    x = Tensor(np.arange(6.0).reshape(1, 2, 3))
    for name in ("reshape", "view"):
        for lengths in ((3, 2), ((3, 2),), ([3, 2],), (-1, 2)):
            assert getattr(x, name)(*lengths).shape == (3, 2)
    for dims in ((2, 0, 1), ((2, 0, 1),), ([2, 0, 1],)):
        assert x.permute(*dims).shape == (3, 1, 2)
    for lengths in ((4, 2, 3), ((4, -1, 3),)):
        assert x.expand(*lengths).shape == (4, 2, 3)
    assert x.T.shape == (3, 2, 1)
    assert x.reshape(6).shape == x.view(-1).shape == x.flatten().shape == (6,)
    assert x.reshape(x.size(2), 2).shape == (3, 2)


def test_split_gives_all_its_parts() -> None:
    x = Tensor(np.arange(10.0).reshape(2, 5), requires_grad=True)
    parts = x.split(2, dim=1)
    assert [part.shape for part in parts] == [(2, 2), (2, 2), (2, 1)]
    (parts[0].sum() + 3 * parts[2].sum()).backward()
    np.testing.assert_array_equal(x.grad.array, [[1, 1, 0, 0, 3]] * 2)
    np.testing.assert_array_equal(engine.cat(parts, dim=-1).array, x.array)
    assert [part.shape for part in Tensor(np.zeros(0)).split(3)] == [(0,)]


def test_views_share_memory() -> None:
    x = Tensor(np.zeros((2, 3)))
    for out in (
        x.view(6),
        x.T,
        x[0],
        x.transpose(0, 1),
        x.unsqueeze(0),
        x.flatten(),
        x.expand(2, 3),
    ):
        assert np.shares_memory(out.array, x.array)


def test_arithmetic_and_comparisons_by_name() -> None:
    x, y = Tensor([[1.0, -2.0], [0.5, 4.0]]), Tensor([2.0, 4.0])
    for name in ("add", "sub", "mul", "div", "subtract", "multiply", "true_divide"):
        np.testing.assert_array_equal(getattr(x, name)(y).array, getattr(engine, name)(x, y).array)
    for name in ("eq", "ne", "lt", "le", "gt", "ge"):
        np.testing.assert_array_equal(getattr(x, name)(y).array, getattr(engine, name)(x, y).array)
    assert x.add(y, alpha=3).tolist() == [[7, 10], [6.5, 16]]
    assert x.sub([1, 1], alpha=2).tolist() == [[-1, -4], [-1.5, 2]]
    assert x.neg().tolist() == x.negative().tolist() == (-x).tolist()
    assert +x is x
    assert x.clip(0, 1).tolist() == [[1, 0], [0.5, 1]]


def test_transposes_and_shapes_of_others() -> None:
    x = Tensor(np.arange(24.0).reshape(2, 3, 4), requires_grad=True)
    assert x.mT.shape == (2, 4, 3)
    assert x[0].t().shape == (4, 3)
    assert x[0, 0].t().shape == (4,)
    assert x[0].expand_as(x).shape == (2, 3, 4)
    with pytest.raises(ShapeError, match="t: 3 dimensions have no one transpose"):
        x.t()
    with pytest.raises(
        ShapeError, match=r"mm: x \(2, 3, 4\) and .* have to be matrices; see matmul"
    ):
        x.mm(x)
    with pytest.raises(ShapeError, match=r"bmm: x \(2, 3, 4\) and \(1, 4, 3\) do not have as many"):
        x.bmm(x[:1].mT)
    with pytest.raises(ShapeError, match=r"split: \(2, 3, 4\): there is no dim 3"):
        x.chunk(2, 3)
    with pytest.raises(ValueError, match="at least 1 part, not 0"):
        x.chunk(0)


@pytest.mark.parametrize("start", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("end", [np.float16, np.float32, np.float64])
def test_another_dtype_lets_the_gradient_back(start: type, end: type) -> None:
    x = Tensor([0.5, 2.0], requires_grad=True, dtype=start)
    out = x.to(end)
    assert (out is x) == (start is end)
    assert out.dtype == end
    (out * out).sum().backward()
    assert x.grad.dtype == start
    assert x.grad.tolist() == [1, 4]
    name = {np.float16: "half", np.float32: "float", np.float64: "double"}[end]
    assert getattr(x, name)().dtype == end
    with engine.no_grad():
        assert not x.to(end if end is not start else np.int64).requires_grad


def test_nothing_flows_through_integers_and_truth_values() -> None:
    x = Tensor([0.5, -2.7, 0.0], requires_grad=True)
    assert x.long().tolist() == x.int().tolist() == [0, -2, 0]
    assert x.bool().tolist() == [True, True, False]
    assert (x.long().dtype, x.int().dtype, x.bool().dtype) == (np.int64, np.int32, np.bool_)
    assert not any(y.requires_grad for y in (x.long(), x.int(), x.bool()))
    assert (x > 0).float().mean().item() == pytest.approx(1 / 3)
    with pytest.raises(TypeError):
        x.to("float33")


def test_copies_have_memory_of_their_own() -> None:
    x = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    assert not np.shares_memory(x.clone().array, x.array)
    assert x.contiguous() is x
    straight = x.T.contiguous()
    assert straight.array.flags.c_contiguous
    (straight * straight).sum().backward()
    np.testing.assert_array_equal(x.grad.array, 2 * x.array)
