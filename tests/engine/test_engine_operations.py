"""Each operation's value and what is special about its gradient: checklist part 3."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from engine_reference import grad_of, leaf

import engine
from engine import ShapeError, Tensor, coerce_index, cross_entropy, log, maximum, relu


def check(out: Tensor, value: Any, *gradients: tuple[Tensor, Any], end_grad: Any = None) -> None:
    """The value of an operation, then the gradients of its arguments."""
    np.testing.assert_allclose(out.array, value, rtol=1e-6)
    assert out.shape == np.shape(value)
    out.backward(end_grad)
    for tensor, gradient in gradients:
        np.testing.assert_allclose(grad_of(tensor), gradient, rtol=1e-6)


def test_negative_exp_and_log() -> None:
    x = leaf([0.0, 2.0])
    check(-x, [0, -2], (x, [-3, -4]), end_grad=[3.0, 4.0])
    y = leaf([0.0, 1.0])
    check(y.exp(), [1, np.e], (y, [3, 4 * np.e]), end_grad=[3.0, 4.0])
    z = leaf([1.0, 2.0])
    check(log(z), [0, np.log(2)], (z, [3, 2]), end_grad=[3.0, 4.0])


def test_arithmetic_broadcasts_both_ways() -> None:
    def pair() -> tuple[Tensor, Tensor]:
        return leaf([[6.0], [8.0]]), leaf([1.0, 2.0, 4.0])

    x, y = pair()
    check(
        x + y, [[7, 8, 10], [9, 10, 12]], (x, [[3], [3]]), (y, [2, 2, 2]), end_grad=np.ones((2, 3))
    )
    x, y = pair()
    check(x - y, [[5, 4, 2], [7, 6, 4]], (x, [[3], [3]]), (y, [-2, -2, -2]))
    x, y = pair()
    check(x * y, [[6, 12, 24], [8, 16, 32]], (x, [[7], [7]]), (y, [14, 14, 14]))
    x, y = pair()
    check(x / y, [[6, 3, 1.5], [8, 4, 2]], (x, [[1.75], [1.75]]), (y, [-14, -3.5, -0.875]))


def test_the_same_tensor_as_both_operands() -> None:
    x = leaf([3.0, -2.0])
    check(x * x, [9, 4], (x, [6, -4]))
    for out, gradient in ((x - x, 0), (x / x, 0), (maximum(x, x), 1), (x + x, 2)):
        x.grad = None
        out.backward()
        np.testing.assert_allclose(grad_of(x), [gradient, gradient], atol=1e-6)


def test_maximum_gives_half_at_a_tie() -> None:
    x, y = leaf([1.0, 2.0, 3.0]), leaf([2.0, 2.0, 2.0])
    check(maximum(x, y), [2, 2, 3], (x, [0, 5, 10]), (y, [10, 5, 0]), end_grad=[10.0, 10.0, 10.0])
    z = leaf([[1.0], [2.0]])
    check(z.maximum(Tensor([1.0, 2.0])), [[1, 2], [2, 2]], (z, [[0.5], [1.5]]))


def test_maximum_hands_nan_on_to_whoever_is_nan() -> None:
    x, y = leaf([np.nan, 1.0, np.nan]), leaf([1.0, np.nan, np.nan])
    out = maximum(x, y)
    assert np.isnan(out.array).all()
    out.backward()
    np.testing.assert_array_equal(grad_of(x), [1, 0, 0.5])
    np.testing.assert_array_equal(grad_of(y), [0, 1, 0.5])


def test_no_gradient_comes_through_where_the_other_is_larger() -> None:
    """Not even an infinite one (times 0 it would be NaN), as that of log at 0."""
    x = leaf([-1.0, 2.0])
    relu(x).backward([np.inf, 3.0])
    assert grad_of(x).tolist() == [0, 3]


@pytest.mark.parametrize(("x", "slope"), [(-2.0, 0), (0.0, 0.5), (-0.0, 0.5), (3.0, 1)])
def test_relu_gives_half_at_0(x: float, slope: float) -> None:
    row, number = leaf([x]), leaf(x)
    check(relu(row), [max(x, 0)], (row, [slope]))
    check(number.relu(), max(x, 0), (number, slope))


def test_reshape_permute_and_expand() -> None:
    values, weights = np.arange(6.0).reshape(2, 3), np.arange(10.0, 16.0)
    x = leaf(values)
    check(
        x.reshape(3, -1),
        values.reshape(3, 2),
        (x, weights.reshape(2, 3)),
        end_grad=weights.reshape(3, 2),
    )
    x = leaf(values)
    check(x.permute(1, 0), values.T, (x, weights.reshape(3, 2).T), end_grad=weights.reshape(3, 2))
    x = leaf(values.reshape(1, 2, 3))
    check(
        x.permute((2, -3, 1)),
        values.reshape(1, 2, 3).transpose(2, 0, 1),
        (x, weights.reshape(3, 1, 2).transpose(1, 2, 0)),
        end_grad=weights.reshape(3, 1, 2),
    )
    x = leaf([[1.0], [2.0]])
    check(x.expand(4, -1, 3), np.broadcast_to([[1.0], [2.0]], (4, 2, 3)), (x, [[12], [12]]))
    for shape in ((2, 3, 5), (3,), (-1, 2, 3, 3), (3, 2)):
        with pytest.raises(ShapeError, match="expand"):
            leaf(values).expand(*shape)


def test_sum() -> None:
    values, each = np.arange(6.0).reshape(1, 2, 3), np.array([10.0, 20.0, 30.0])
    x = leaf(values)
    check(x.sum(), 15.0, (x, np.full((1, 2, 3), 7.0)), end_grad=7.0)
    x = leaf(values)
    check(x.sum(1), [[3, 5, 7]], (x, [[each, each]]), end_grad=each[None])
    x = leaf(values)
    check(
        x.sum((0, -2), keepdim=True), [[[3, 5, 7]]], (x, [[each, each]]), end_grad=each[None, None]
    )
    assert leaf(values).sum(dim=(0, 1, 2)).shape == ()
    assert leaf(np.ones((0, 3))).sum(dim=0).tolist() == [0, 0, 0]


@pytest.mark.parametrize("dim", [0, -1])
def test_sum_of_a_number_over_its_only_dimension(dim: int) -> None:
    x = leaf(3.0)
    check(x.sum(dim=dim), 3.0, (x, 5.0), end_grad=5.0)


@pytest.mark.parametrize("dim", [np.int64(1), np.int32(-1), (np.int64(1),)], ids=repr)
def test_sum_over_a_dimension_that_is_a_numpy_integer(dim: Any) -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    check(x.sum(dim=dim), [3, 7], (x, [[5, 5], [6, 6]]), end_grad=[5.0, 6.0])


def test_matmul_of_vectors_matrices_and_stacks() -> None:
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    check(x @ y, 11.0, (x, [3, 4]), (y, [1, 2]))
    x, y = leaf([[1.0, 2.0]]), leaf([[3.0, 5.0], [4.0, 6.0]])
    check(x @ y, [[11, 17]], (x, [[53, 64]]), (y, [[1, 10], [2, 20]]), end_grad=[[1.0, 10.0]])
    x, y = leaf(np.ones((5, 2, 3))), leaf(np.ones((3, 4)))
    check(x @ y, np.full((5, 2, 4), 3.0), (x, np.full((5, 2, 3), 4.0)), (y, np.full((3, 4), 10.0)))
    for left, right in (((2, 3), (2, 3)), ((3,), (2,)), ((), (2,)), ((2, 2, 3), (3, 3, 1))):
        with pytest.raises(ShapeError, match="matmul"):
            leaf(np.ones(left)) @ leaf(np.ones(right))


def test_getitem() -> None:
    values = np.arange(12.0).reshape(3, 4)
    for index in (
        *(1, -1, (1, 2), (..., 0), (slice(None), None, 1), slice(2, 0, -1), ()),
        *([0, 0, 2], (np.array([0, 0, 2]), np.array([1, 1, 3])), values > 5, (1, [0, 0])),
        *(np.int64(1), (np.int64(1), slice(1, 3)), True, (slice(None), np.array([[0, 1], [1, 1]]))),
    ):
        x = leaf(values)
        taken, counts = values[index], np.zeros((3, 4))
        np.add.at(counts, index, 1)
        check(x[index], taken, (x, counts))
    for wrong in (3, (0, 4), 1.5, [5], (0, 0, 0), "x"):
        with pytest.raises(IndexError):
            leaf(values)[wrong]


def test_getitem_adds_up_what_is_taken_several_times() -> None:
    x = leaf([1.0, 2.0, 3.0])
    index = Tensor([0, 2, 0, 0])
    check(x[index], [1, 3, 1, 1], (x, [8, 0, 2]), end_grad=[1.0, 2.0, 3.0, 4.0])
    y = leaf([[1.0, 2.0], [3.0, 4.0]])
    check(y[Tensor([1, 1]), Tensor([0, 0])], [3, 3], (y, [[0, 0], [3, 0]]), end_grad=[1.0, 2.0])
    check(y[y > 2.5], [3, 4])


def test_coerce_index() -> None:
    assert coerce_index((Tensor(1), Tensor(2))) == (1, 2)
    assert coerce_index(Tensor(1)) == 1
    assert coerce_index(3) == 3
    assert coerce_index(slice(1, 2)) == slice(1, 2)
    array, rest = coerce_index((Tensor([1, 0]), ...))
    assert isinstance(array, np.ndarray)
    assert array.tolist() == [1, 0]
    assert rest is Ellipsis
    assert np.asarray(coerce_index([Tensor(1), 2])).tolist() == [1, 2]


def test_argmax_is_the_first_of_equals() -> None:
    x = leaf([[1.0, 5.0, 5.0], [7.0, 0.0, 7.0]])
    assert x.argmax(dim=1).tolist() == [1, 0]
    assert x.argmax(dim=0, keepdim=True).tolist() == [[1, 0, 1]]
    assert x.argmax().item() == 3
    assert not x.argmax().requires_grad


# Cross-entropy


def test_cross_entropy_is_minus_the_log_of_the_softmax() -> None:
    logits = np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 4.0]])
    labels = [2, 0]
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    each = -np.log(softmax[[0, 1], labels])
    slope = softmax - np.eye(3)[labels]
    x = leaf(logits)
    check(cross_entropy(x, Tensor(labels)), each.mean(), (x, slope / 2))
    x = leaf(logits)
    check(cross_entropy(x, np.array(labels), reduction="sum"), each.sum(), (x, slope))
    x = leaf(logits)
    weights = np.array([2.0, 3.0])
    check(
        cross_entropy(x, labels, reduction="none"),
        each,
        (x, slope * weights[:, None]),
        end_grad=weights,
    )


@pytest.mark.parametrize(
    ("logits", "label", "loss", "gradient"),
    [
        ([1000.0, 0, 0, 0], 0, 0, [0, 0, 0, 0]),
        ([1000.0, 0, 0, 0], 1, 1000, [1, -1, 0, 0]),
        ([-1000.0, -1000.0], 1, np.log(2), [0.5, -0.5]),
        ([3e38, -3e37], 0, 0, [0, 0]),
        ([-np.inf, 0.0, 0.0], 1, np.log(2), [0, -0.5, 0.5]),
        ([7.0], 0, 0, [0]),
    ],
)
def test_cross_entropy_is_stable(
    logits: list[float], label: int, loss: float, gradient: list[float]
) -> None:
    x = leaf([logits])
    with np.errstate(all="raise", under="ignore"):
        check(cross_entropy(x, [label], reduction="none"), [loss], (x, [gradient]))


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int32, np.uint64])
def test_cross_entropy_takes_labels_of_any_integer_type(dtype: Any, recorded: bool) -> None:
    """MNIST's come as uint8; no place computed from them may overflow."""
    rng = np.random.default_rng(0)
    values, labels = rng.normal(size=(200, 10)), rng.integers(0, 10, 200)
    results = []
    for given in (labels, labels.astype(dtype), Tensor(labels.astype(dtype))):
        x = leaf(values)
        with engine.record_origins(recorded):
            loss = cross_entropy(x, given)
        loss.backward()
        results.append((loss.tolist(), grad_of(x).tolist()))
    assert results[1] == results[0]
    assert results[2] == results[0]


@pytest.mark.parametrize(
    ("logits", "labels", "reduction", "error", "words"),
    [
        (np.ones((2, 3)), [0], "mean", ShapeError, r"\(batch, classes\).*\(2, 3\).*\(1,\)"),
        (np.ones(3), [0, 1, 2], "mean", ShapeError, r"\(3,\)"),
        (np.ones((2, 3)), [[0], [1]], "mean", ShapeError, r"\(2, 1\)"),
        (np.ones((2, 3)), [0.0, 1.0], "mean", TypeError, "integers.*float"),
        (np.ones((2, 3)), [0, 3], "mean", IndexError, "label 3 .* 3 classes"),
        (np.ones((2, 3)), [-1, 0], "mean", IndexError, "label -1"),
        (np.ones((2, 3)), [0, 1], "avg", ValueError, "'mean', 'sum', 'none'.*'avg'"),
    ],
)
def test_cross_entropy_says_what_is_wrong(
    logits: Any, labels: Any, reduction: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=f"cross_entropy.*{words}"):
        cross_entropy(leaf(logits), labels, reduction=reduction)


def test_cross_entropy_takes_whole_numbers_as_logits() -> None:
    wanted = cross_entropy(Tensor([[1.0, 2.0, 3.0]]), [0])
    got = engine.cross_entropy(Tensor([[1, 2, 3]]), [0])
    assert got.dtype == np.float32
    np.testing.assert_allclose(got.array, wanted.array, rtol=1e-6)
