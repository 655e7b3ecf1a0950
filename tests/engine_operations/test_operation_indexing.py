"""x[index] for every index that NumPy takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from operation_checks import check_torch, leaves, seed_for

from engine import Tensor, coerce_index
from engine.functions.indexing import getitem_back

SHAPES = st.sampled_from([(), (0,), (1,), (5,), (3, 4), (2, 0), (2, 3, 4), (1, 2, 3, 2)])


def places(length: int, shape: tuple[int, ...]) -> st.SearchStrategy[np.ndarray]:
    return hnp.arrays(np.int64, shape, elements=st.integers(-length, length - 1))


@st.composite
def advanced(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """A part for each dimension: numbers, slices, arrays that broadcast, None, an ellipsis."""
    together = draw(st.sampled_from([(), (1,), (3,), (2, 3), (0,)]))
    parts: list[Any] = []
    for length in shape[: draw(st.integers(0, len(shape)))]:
        kind = draw(st.sampled_from(["slice", "number", "array", "tensor", "mask", "new"]))
        if kind == "new":
            parts.append(None)
        if kind == "mask" and together == (3,) and length >= 3:
            mask = np.zeros(length, bool)
            mask[draw(st.permutations(range(length)))[:3]] = True
            parts.append(mask)
        elif length and kind == "number":
            parts.append(draw(st.integers(-length, length - 1)))
        elif length and kind in ("array", "tensor"):
            array = draw(places(length, draw(st.sampled_from([together, (), (1,)]))))
            parts.append(Tensor(array) if kind == "tensor" else array)
        else:
            parts.append(draw(st.slices(length)))
    if draw(st.booleans()):
        place = draw(st.integers(0, len(parts)))
        missing = len(shape) - sum(part is not None for part in parts)
        if place == len(parts) or not missing:
            parts.insert(place, ...)
    return tuple(parts)


@st.composite
def indices(draw: st.DrawFn) -> tuple[tuple[int, ...], Any]:
    """A shape and an index for it."""
    shape = draw(SHAPES)
    kinds = [
        hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True),
        advanced(shape),
        hnp.arrays(bool, shape),
    ]
    if shape and shape[0]:
        kinds.append(places(shape[0], draw(st.sampled_from([(), (4,), (2, 3), (0,)]))))
        kinds.append(st.lists(st.integers(-shape[0], shape[0] - 1), max_size=4))
    return shape, draw(st.one_of(kinds))


@settings(deadline=None, max_examples=500)
@given(indices())
def test_value_and_gradient(drawn: tuple[tuple[int, ...], Any]) -> None:
    shape, index = drawn
    plain = coerce_index(index)
    (x,) = leaves([np.arange(np.prod(shape, dtype=int)).reshape(shape)])
    out = x[index]
    np.testing.assert_array_equal(out.array, x.array[plain])
    seed = seed_for(out.shape)
    out.backward(seed)
    # The adjoint, from the matrix of the linear map: one row for each element taken.
    taken = np.arange(x.array.size).reshape(shape)[plain].reshape(-1)
    wanted = np.zeros(x.array.size)
    for place, amount in zip(taken, seed.reshape(-1), strict=True):
        wanted[place] += amount
    np.testing.assert_allclose(x.grad.array, wanted.reshape(shape))


@pytest.mark.parametrize(
    "index",
    [
        2,
        -1,
        slice(1, 3),
        (slice(None), 1),
        (..., 0),
        (None, 1, None),
        [0, 2, 0],
        (slice(None), [1, 1, 3]),
        ([0, 1, 0], [1, 2, 1]),
        ([[0], [2]], [1, 3]),
        (1, slice(None, None, 2)),
    ],
    ids=str,
)
def test_as_pytorch(index: Any) -> None:
    pytest.importorskip("torch")
    array = np.random.default_rng(0).standard_normal((3, 4))
    check_torch(lambda t: t[0][index], lambda t: t[0][index], [array])


def test_repeats_add_up() -> None:
    x = Tensor([1.0, 2.0, 3.0], requires_grad=True)
    x[[0, 0, 2, 0]].backward([1.0, 10.0, 100.0, 1000.0])
    np.testing.assert_array_equal(x.grad.array, [1011, 0, 100])


def test_rows_named_from_either_end_are_the_same_rows() -> None:
    x = Tensor(np.zeros((3, 2)), requires_grad=True)
    x[np.array([[2, -1], [0, -3]])].backward(np.ones((2, 2, 2)))
    np.testing.assert_array_equal(x.grad.array, [[2, 2], [0, 0], [2, 2]])


def test_unsigned_places() -> None:
    x = Tensor(np.zeros((3, 2)), requires_grad=True)
    x[np.array([2, 2], np.uint8)].backward()
    np.testing.assert_array_equal(x.grad.array, [[0, 0], [0, 0], [2, 2]])


def test_an_index_array_may_be_changed_afterwards() -> None:
    x, places = Tensor([1.0, 2.0, 3.0], requires_grad=True), np.array([0, 1])
    mask = Tensor([True, False, True])
    out = x[places].sum() + x[mask].sum()
    places[:] = 2
    mask.array[:] = False
    out.backward()
    np.testing.assert_array_equal(x.grad.array, [2, 1, 1])


def test_the_backward_function_alone() -> None:
    grad = getitem_back(np.array([1.0, 2.0]), np.zeros(2), np.zeros(3), np.array([1, 1]))
    np.testing.assert_array_equal(grad, [0, 3, 0])


@pytest.mark.parametrize("index", [3, (0, 0, 0), [5], np.array([0.5]), "a"], ids=str)
def test_an_index_that_does_not_fit(index: Any) -> None:
    with pytest.raises(IndexError, match=r"getitem: a tensor of shape \(2, 2\)"):
        Tensor(np.zeros((2, 2)))[index]


def test_iteration_gives_rows() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    first, second = x
    (first * 2 + second).sum().backward()
    np.testing.assert_array_equal(x.grad.array, [[2, 2], [1, 1]])
    with pytest.raises(TypeError, match="0-d"):
        iter(Tensor(1.0))
    assert list(Tensor(np.zeros((0, 2)))) == []
