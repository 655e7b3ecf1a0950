"""The Tensor by itself: construction, dtypes, Python's protocols, changes in place."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from engine_reference import grad_of, leaf

import engine
from engine import Tensor, arange, empty, no_grad, ones, tensor, zeros


@pytest.mark.parametrize(
    ("given", "dtype", "expected"),
    [
        (1.5, None, np.float32),
        ([1.0, 2.0], None, np.float32),
        (np.ones(2), None, np.float32),
        (np.float64(1), None, np.float32),
        (np.ones(2, ">f8"), None, np.float32),
        (np.ones(2, np.float32), None, np.float32),
        (np.ones(2, np.float16), None, np.float16),
        ([1, 2], None, np.int64),
        (np.ones(2, np.uint8), None, np.uint8),
        (True, None, np.bool_),
        (1.5, np.float64, np.float64),
        (np.ones(2), "float64", np.float64),
        ([1, 2], np.float16, np.float16),
    ],
)
def test_the_dtype_of_a_new_tensor(given: Any, dtype: Any, expected: Any) -> None:
    made = Tensor(given, dtype=dtype)
    assert made.dtype == np.dtype(expected)
    assert made.shape == np.shape(given)
    assert made.grad is None
    assert made.recipe is None
    assert made.is_leaf
    assert not made.requires_grad


@pytest.mark.parametrize(
    "refused", [True, 1j, "text", None, object(), np.datetime64("2020-01-01"), [b"bytes"]]
)
def test_only_numbers_can_carry_gradients(refused: Any) -> None:
    with pytest.raises(TypeError, match="cannot carry a gradient"):
        leaf(refused)
    without = Tensor(refused)
    with pytest.raises(TypeError, match=str(without.dtype).replace("[", r"\[")):
        without.requires_grad = True


def test_integers_get_gradients_that_are_not_truncated() -> None:
    x = leaf([1, 2, 3])
    assert x.dtype == np.int64
    (x * 0.5).sum().backward()
    assert grad_of(x).dtype == np.float32
    np.testing.assert_array_equal(grad_of(x), [0.5, 0.5, 0.5])
    y = leaf(np.array([3, 5], np.uint8))
    (y * y * 2).backward([0.125, 0.25])
    np.testing.assert_array_equal(grad_of(y), [1.5, 5.0])


def test_an_array_of_the_right_dtype_is_shared_and_tensor_copies() -> None:
    array = np.ones(3, np.float32)
    assert Tensor(array).array is array
    copy = tensor(array)
    array[0] = 7
    np.testing.assert_array_equal(copy.array, [1, 1, 1])
    assert tensor(Tensor([1, 2])).tolist() == [1, 2]


def test_repr() -> None:
    assert (
        repr(leaf([1.0, 2.0, 3.0]))
        == "Tensor(array([1., 2., 3.], dtype=float32), requires_grad=True)"
    )
    assert repr(Tensor([1, 2])) == "Tensor(array([1, 2]))"
    assert repr(Tensor(2.0)) == "Tensor(array(2., dtype=float32))"


def test_len_bool_hash_item_and_the_like() -> None:
    matrix = Tensor(np.arange(6.0).reshape(2, 3))
    assert len(matrix) == 2
    with pytest.raises(TypeError, match="0-d"):
        len(Tensor(1.0))
    assert bool(Tensor([[3.0]]))
    assert not Tensor(0.0)
    for several in (matrix, Tensor([])):
        with pytest.raises(RuntimeError, match="ambiguous"):
            bool(several)
    assert Tensor([2.5]).item() == 2.5
    assert type(Tensor(2).item()) is int
    with pytest.raises(RuntimeError, match=r"one element.*\(2, 3\)"):
        matrix.item()
    assert matrix.size() == matrix.shape == (2, 3)
    assert (matrix.size(1), matrix.size(-2)) == (3, 2)
    assert (matrix.ndim, matrix.dim(), matrix.numel()) == (2, 2, 6)
    assert (float(Tensor(2.5)), int(Tensor([7])), [10, 20, 30][Tensor(1)]) == (2.5, 7, 20)
    with pytest.raises(TypeError, match="index"):
        [10, 20, 30][Tensor(1.0)]


def test_hash_is_identity_and_eq_is_elementwise() -> None:
    a, b = Tensor([1.0, 2.0]), Tensor([1.0, 3.0])
    assert len({a, b, Tensor([1.0, 2.0]), a}) == 3
    equal = a == b
    assert isinstance(equal, Tensor)
    assert equal.tolist() == [True, False]
    assert equal.dtype == np.bool_


def test_T_reverses_the_dimensions() -> None:
    array = np.arange(6.0).reshape(1, 2, 3)
    np.testing.assert_array_equal(Tensor(array).T.array, array.T)
    assert Tensor(1.0).T.shape == ()
    assert leaf(array).T.requires_grad


def test_a_0d_tensor_cannot_be_iterated_over() -> None:
    assert [t.item() for t in Tensor([1.0, 2.0])] == [1.0, 2.0]
    with pytest.raises(TypeError):
        list(Tensor(1.0))


def test_creation() -> None:
    assert zeros(2, 3).tolist() == zeros((2, 3)).tolist() == [[0, 0, 0], [0, 0, 0]]
    assert ones([2]).tolist() == [1, 1]
    assert empty(2, 0).shape == (2, 0)
    assert zeros().shape == ()
    assert zeros(2, requires_grad=True).requires_grad
    assert zeros(np.int64(2)).shape == (2,)
    assert {made.dtype for made in (zeros(1), ones(1), empty(1))} == {np.dtype(np.float32)}
    assert ones(1, dtype=np.int64).dtype == np.int64
    assert arange(3).tolist() == [0, 1, 2]
    assert arange(3).dtype == np.int64
    assert arange(1, 2, 0.25).tolist() == [1.0, 1.25, 1.5, 1.75]
    assert arange(1, 2, 0.25).dtype == np.float32
    assert arange(2, requires_grad=True).requires_grad


def test_detach_shares_the_array_and_has_no_history() -> None:
    x = leaf([1.0, 2.0])
    y = (x * 2).detach()
    assert y.is_leaf
    assert not y.requires_grad
    assert x.detach().array is x.array
    with pytest.raises(RuntimeError, match="detach"):
        (x * 2).requires_grad = False
    assert not x.requires_grad_(False).requires_grad


# Changes in place


def test_add_and_sub_with_alpha_and_the_operators() -> None:
    array = np.array([1.0, 2.0], np.float32)
    x = same = Tensor(array)
    assert x.add_(Tensor([10.0, 20.0]), alpha=0.5) is x
    assert x.tolist() == [6, 12]
    assert x.sub_(1.0, alpha=2).tolist() == [4, 10]
    x += [1.0, 1.0]
    x -= Tensor([0.0, 1.0])
    assert x is same
    assert array.tolist() == [5, 10]
    assert x.dtype == np.float32
    assert Tensor([1.0, 2.0]).add_([3.0], alpha=2).tolist() == [7, 8]
    assert Tensor([1.0, 2.0]).sub_([2.0, 4.0], alpha=0.5).tolist() == [0, 0]
    assert Tensor([1.0]).add_(Tensor([2.0], dtype=np.float64)).dtype == np.float32
    whole = Tensor([1, 2])
    assert whole.add_(3, alpha=2).tolist() == [7, 8]
    with pytest.raises((TypeError, ValueError), match="int64"):
        whole.add_(0.5)
    assert whole.tolist() == [7, 8]


def test_uniform_stays_in_its_bounds_and_follows_the_seed() -> None:
    engine.manual_seed(3)
    x = empty(1000).uniform_(-2.0, 3.0)
    assert x.array.min() >= -2
    assert x.array.max() <= 3
    assert abs(float(x.array.mean()) - 0.5) < 0.2
    assert float(x.array.std()) == pytest.approx(5 / 12**0.5, rel=0.05)
    engine.manual_seed(3)
    np.testing.assert_array_equal(empty(1000).uniform_(-2.0, 3.0).array, x.array)
    assert 0 <= empty(50).uniform_().array.min() <= empty(50).uniform_().array.max() < 1


CHANGES: list[Callable[[Tensor], Tensor]] = [
    lambda x: x.add_(1.0),
    lambda x: x.sub_(1.0),
    lambda x: x.__iadd__(1.0),
    lambda x: x.__isub__(1.0),
    lambda x: x.zero_(),
    lambda x: x.uniform_(),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_leaf_that_needs_grad_changes_under_no_grad_only(
    change: Callable[[Tensor], Tensor],
) -> None:
    x = leaf([5.0, 6.0])
    with pytest.raises(RuntimeError, match=r"leaf that requires grad.*no_grad"):
        change(x)
    assert x.tolist() == [5, 6]
    with no_grad():
        assert change(x) is x
    assert x.tolist() != [5, 6]
    assert x.requires_grad
    assert x.is_leaf


def test_changes_in_place_tell_shapes_and_read_only_memory() -> None:
    with pytest.raises(engine.ShapeError, match=r"add_.*\(2,\).*\(3,\)"):
        zeros(2).add_(zeros(3))
    with pytest.raises(engine.ShapeError):
        zeros(2).add_(zeros(3, 2))
    repeated = zeros(2).expand(3, 2)
    with pytest.raises((RuntimeError, ValueError), match=r"read-only|share|memory|expand"):
        repeated.add_(1.0)


def test_a_tensor_without_gradient_is_an_array_for_numpy() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert np.asarray(x) is x.array
    assert np.shares_memory(np.array(x, copy=False), x.array)
    assert not np.shares_memory(np.array(x), x.array)
    assert np.asarray(x, np.float64).dtype == np.float64
    assert np.exp(x).dtype == np.float32
    assert isinstance(np.concatenate([x, x]), np.ndarray)
    with pytest.raises(ValueError, match="copy"):
        np.array(x, dtype=np.float64, copy=False)


@pytest.mark.parametrize("use", [np.asarray, np.array, np.exp, lambda x: np.stack([x, x])])
def test_a_tensor_that_requires_grad_is_none(use: Any) -> None:
    for x in (Tensor(1.0, requires_grad=True), Tensor(1.0, requires_grad=True) * 2):
        with pytest.raises(RuntimeError, match=r"requires grad is no NumPy array.*x\.detach\(\)"):
            use(x)
        assert np.asarray(x.detach()) == x.array


@pytest.mark.parametrize("kind", ["float16", "float32", "int64", "bool"])
def test_what_comes_out_of_a_pickle_has_numpy_s_own_dtypes(kind: str) -> None:
    """By them it is seen whether operations can be computed as one."""
    array = pickle.loads(pickle.dumps(np.ones((2, 3), kind)))
    tensor = Tensor(array)
    assert tensor.array.dtype is np.dtype(kind)
    assert np.shares_memory(tensor.array, array)
    again = pickle.loads(pickle.dumps(tensor))
    assert again.array.dtype is np.dtype(kind)
    assert again.array.tolist() == array.tolist()


def test_a_network_out_of_a_pickle_is_trained_as_the_one_before() -> None:
    network = engine.Sequential(engine.Linear(4, 3), engine.ReLU(), engine.Linear(3, 2))
    again = pickle.loads(pickle.dumps(network))
    rows = Tensor(np.random.default_rng(0).random((5, 4), np.float32))
    for one in (network, again):
        out = one(rows)
        assert out._op.take_apart is not None  # computed as one operation
        engine.cross_entropy(out, [0, 1, 0, 1, 1]).backward()
    for before, after in zip(network.parameters(), again.parameters(), strict=True):
        np.testing.assert_array_equal(after.grad.array, before.grad.array)
