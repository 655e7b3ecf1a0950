"""The losses, dropout and embedding: values, gradients, what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_reference import check_differences, check_torch, normal

from engine import ShapeError, Tensor, cross_entropy, get_rng_state, manual_seed, set_rng_state
from engine import nn as layers
from engine.functions.dropout import dropout
from engine.functions.embedding import embedding
from engine.functions.plain_losses import binary_cross_entropy_with_logits, mse_loss, nll_loss

REDUCTIONS = ["mean", "sum", "none"]
LABELS = np.array([0, 3, 1, 3, 2])


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gradients_are_central_differences(reduction: str) -> None:
    for shape in ((), (3,), (2, 3)):
        check_differences(lambda x, y: mse_loss(x, y, reduction), normal(*shape), normal(*shape))
        check_differences(
            lambda x, y: binary_cross_entropy_with_logits(x, y, reduction),
            3 * normal(*shape),
            normal(*shape) ** 2,
        )
    check_differences(lambda x: nll_loss(x, LABELS, reduction), normal(5, 4))
    check_differences(lambda x: nll_loss(x, 2, reduction), normal(4))
    check_differences(lambda x: cross_entropy(x, LABELS, reduction), normal(5, 4))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_modules_as_pytorch(reduction: str) -> None:
    torch = pytest.importorskip("torch")
    for name in ("MSELoss", "BCEWithLogitsLoss"):
        check_torch(
            getattr(layers, name)(reduction),
            getattr(torch.nn, name)(reduction=reduction),
            100 * normal(4, 3),
            normal(4, 3),
        )
    for name in ("NLLLoss", "CrossEntropyLoss"):
        ours = getattr(layers, name)(reduction=reduction)
        theirs = getattr(torch.nn, name)(reduction=reduction)
        check_torch(
            lambda x, f=ours: f(x, Tensor(LABELS)),
            lambda x, f=theirs: f(x, torch.tensor(LABELS)),
            normal(5, 4),
        )


def test_bce_is_finite_for_large_logits() -> None:
    x = Tensor([1000.0, -1000.0, 0.0], requires_grad=True)
    loss = binary_cross_entropy_with_logits(x, [0.0, 1.0, 1.0], reduction="none")
    np.testing.assert_allclose(loss.array, [1000, 1000, np.log(2)], rtol=1e-6)
    loss.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [1, -1, -0.5]


@pytest.mark.parametrize(
    ("loss", "target", "error", "words"),
    [
        (mse_loss, normal(3), ShapeError, r"\(3, 1\).*target \(3,\)"),
        (binary_cross_entropy_with_logits, normal(3), ShapeError, r"\(3, 1\).*target \(3,\)"),
        (nll_loss, np.array([0, 0]), ShapeError, r"not \(3, 1\) and \(2,\)"),
        (nll_loss, np.array([0, 1, 0]), IndexError, "target 1 is none of the 1 classes"),
        (nll_loss, np.array([0, -1, 0]), IndexError, "target -1"),
        (nll_loss, np.zeros(3), TypeError, "targets are integers, not float"),
    ],
)
def test_what_losses_refuse(loss: Any, target: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        loss(Tensor(normal(3, 1)), target)


def test_unknown_reductions_are_refused() -> None:
    for loss in (mse_loss, binary_cross_entropy_with_logits):
        with pytest.raises(ValueError, match=r"reduction is one of .*, not 'avg'"):
            loss(Tensor(normal(3)), normal(3), reduction="avg")
    with pytest.raises(ValueError, match="NLLLoss: reduction is one of"):
        layers.NLLLoss("avg")


def test_dropout_is_seeded_and_keeps_the_mean() -> None:
    x = Tensor(np.ones((200, 200)), requires_grad=True)
    manual_seed(3)
    out = dropout(x, 0.3)
    assert out.array.mean() == pytest.approx(1, abs=0.02)
    assert set(np.unique(out.array)) == {np.float32(0), np.float32(1 / 0.7)}
    manual_seed(3)
    np.testing.assert_array_equal(dropout(x, 0.3).array, out.array)
    out.backward(np.full(out.shape, 2.0))
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.array, 2 * out.array)


def test_dropout_gradient_with_the_draw_fixed() -> None:
    state = get_rng_state()

    def fixed(x: Tensor) -> Tensor:
        set_rng_state(state)
        return dropout(x, 0.4)

    check_differences(fixed, normal(4, 5))


def test_dropout_does_nothing_in_evaluation() -> None:
    layer = layers.Dropout(0.9).eval()
    x = Tensor(normal(3), requires_grad=True)
    state = get_rng_state()
    assert layer(x) is x
    assert get_rng_state() == state
    assert dropout(x, 0.0) is x
    assert not dropout(x, 1.0).array.any()
    with pytest.raises(ValueError, match=r"p is a probability, 0 to 1, not 1.5"):
        dropout(x, 1.5)


@pytest.mark.parametrize("padding", [None, 1, -1])
def test_embedding(padding: int | None) -> None:
    torch = pytest.importorskip("torch")
    numbers = np.array([[0, 2, 2], [4, 1, 2]])
    check_torch(
        lambda w: embedding(Tensor(numbers), w, padding),
        lambda w: torch.nn.functional.embedding(torch.tensor(numbers), w, padding),
        normal(5, 3),
    )
    if padding is None:
        check_differences(lambda w: embedding(numbers, weight=w), normal(5, 2))
        check_differences(lambda w: embedding(3, w), normal(5, 2))
        check_differences(lambda w: embedding(np.zeros((0, 2), int), w), normal(5, 2))


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint64", "int32"])
def test_numbers_of_any_integer_type(dtype: str) -> None:
    numbers = np.array([100, 3, 100], dtype)
    check_differences(lambda w: embedding(numbers, w), normal(101, 3))
    check_differences(lambda x: nll_loss(x, numbers), normal(3, 101))


def test_what_embedding_refuses() -> None:
    weight = Tensor(normal(5, 3))
    with pytest.raises(IndexError, match="no row 5: the weight has 5"):
        embedding(np.array([1, 5]), weight)
    with pytest.raises(IndexError, match="no row -1"):
        embedding(np.array([-1]), weight)
    with pytest.raises(TypeError, match="holds integers, not float32"):
        embedding(Tensor([1.0]), weight)
    with pytest.raises(ShapeError, match="a table"):
        embedding(np.array([0]), Tensor(normal(3)))
    with pytest.raises(IndexError, match="padding_idx=7"):
        embedding(np.array([0]), weight, 7)
