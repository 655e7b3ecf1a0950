"""The losses, dropout and embedding: values, gradients, what they refuse."""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
import pytest
from network_reference import Array, check_differences, check_torch, normal

from engine import (
    ShapeError,
    Tensor,
    cross_entropy,
    get_rng_state,
    manual_seed,
    record_origins,
    set_rng_state,
    sorted_computational_graph,
)
from engine import nn as layers
from engine.functions.binary_cross_entropy import binary_cross_entropy_with_logits
from engine.functions.dropout import dropout
from engine.functions.embedding import embedding
from engine.functions.negative_log_likelihood import nll_loss
from engine.functions.plain_losses import mse_loss

REDUCTIONS = ["mean", "sum", "none"]
LABELS = np.array([0, 3, 1, 3, 2])


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_gradients_are_central_differences(reduction: str) -> None:
    for shape in ((), (3,), (2, 3)):
        check_differences(
            lambda x, y: mse_loss(x, y, reduction=reduction), normal(*shape), normal(*shape)
        )
        check_differences(
            lambda x, y: binary_cross_entropy_with_logits(x, y, reduction=reduction),
            3 * normal(*shape),
            normal(*shape) ** 2,
        )
    check_differences(lambda x: nll_loss(x, LABELS, reduction=reduction), normal(5, 4))
    check_differences(lambda x: nll_loss(x, 2, reduction=reduction), normal(4))
    check_differences(lambda x: cross_entropy(x, LABELS, reduction=reduction), normal(5, 4))


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_modules_as_pytorch(reduction: str) -> None:
    torch = pytest.importorskip("torch")
    for name in ("MSELoss", "BCEWithLogitsLoss"):
        check_torch(
            getattr(layers, name)(reduction=reduction),
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


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weight", [None, np.array([0.5, 2.0, 0.1, 1.0])], ids=["even", "weighted"])
@pytest.mark.parametrize(
    ("labels", "ignored"), [(LABELS, -100), ([0, 3, -100, 3, 2], -100), (LABELS, 3)]
)
def test_class_losses_as_pytorch(
    labels: Any, ignored: int, weight: Array | None, reduction: str
) -> None:
    torch = pytest.importorskip("torch")
    given = Tensor(np.array(labels))
    ours: dict[str, Any] = {"ignore_index": ignored, "reduction": reduction}
    theirs = dict(ours)
    if weight is not None:
        ours["weight"], theirs["weight"] = Tensor(weight, dtype=float), torch.tensor(weight)
    for smoothing in (0.0, 0.2, 1.0):
        more = {"label_smoothing": smoothing} if smoothing else {}
        for function, other in (
            (cross_entropy, torch.nn.functional.cross_entropy),
            (layers.CrossEntropyLoss, torch.nn.CrossEntropyLoss),
            (nll_loss, torch.nn.functional.nll_loss),
            (layers.NLLLoss, torch.nn.NLLLoss),
        ):
            if more and "Cross" not in function.__name__ and function is not cross_entropy:
                continue
            if isinstance(function, type):
                mine, wanted = function(**ours, **more), other(**theirs, **more)
            else:
                mine = functools.partial(function, **ours, **more)
                wanted = functools.partial(other, **theirs, **more)
            check_torch(
                lambda x, f=mine: f(x, given),
                lambda x, f=wanted: f(x, torch.tensor(given.array)),
                normal(5, 4),
            )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weighted_gradients_are_central_differences(reduction: str) -> None:
    labels = np.array([0, 3, -1, 3, 2])
    options: dict[str, Any] = {"ignore_index": -1, "reduction": reduction}
    check_differences(
        lambda x, w: cross_entropy(x, labels, w, label_smoothing=0.3, **options),
        normal(5, 4),
        1 + normal(4) ** 2,
    )
    check_differences(
        lambda x, w: nll_loss(x, labels, w, **options), normal(5, 4), 1 + normal(4) ** 2
    )
    check_differences(lambda x, w: nll_loss(x, 2, w, **options), normal(4), 1 + normal(4) ** 2)
    for shape, part in (((), ()), ((2, 3), (3,)), ((2, 3), (2, 1))):
        check_differences(
            lambda x, y, w, p: binary_cross_entropy_with_logits(
                x, y, w, reduction=reduction, pos_weight=p
            ),
            3 * normal(*shape),
            normal(*shape) ** 2,
            normal(*part),
            1 + normal(*part) ** 2,
        )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weighted_binary_losses_as_pytorch(reduction: str) -> None:
    torch = pytest.importorskip("torch")
    for part, (use_weight, use_pos_weight) in itertools.product(
        ((), (3,), (4, 1)), ((True, False), (False, True), (True, True))
    ):
        weight = normal(*part) if use_weight else None
        pos_weight = normal(*part) ** 2 if use_pos_weight else None
        ours, theirs = (
            module(
                weight=None if weight is None else make(weight),
                pos_weight=None if pos_weight is None else make(pos_weight),
                reduction=reduction,
            )
            for module, make in (
                (layers.BCEWithLogitsLoss, functools.partial(Tensor, dtype=float)),
                (torch.nn.BCEWithLogitsLoss, torch.tensor),
            )
        )
        check_torch(ours, theirs, 100 * normal(4, 3), normal(4, 3) ** 2)


def test_the_plain_cross_entropy_has_no_node_more() -> None:
    x = Tensor(normal(5, 4), requires_grad=True)
    with record_origins():
        nodes = [node.op for node in sorted_computational_graph(cross_entropy(x, LABELS))]
        assert nodes.count("getitem") == 1
        assert set(nodes) == {"true_divide", "sum", "subtract", "log", "getitem", "exp", None}
    fused = cross_entropy(x, LABELS, weight=None, ignore_index=-100, label_smoothing=0.0)
    assert fused.op == "cross_entropy"


def test_a_batch_that_is_ignored_as_a_whole() -> None:
    for loss in (cross_entropy, nll_loss):
        for weight in (None, np.ones(4)):
            x = Tensor(normal(5, 4), requires_grad=True)
            mean = loss(x, [-100] * 5, weight)
            assert np.isnan(mean.item())
            mean.backward()
            assert x.grad is not None
            assert not x.grad.array.any()
            assert loss(x, [-100] * 5, weight, reduction="sum").item() == 0


def test_an_ignored_example_may_hold_anything() -> None:
    x = Tensor([[0.0, 1.0], [-np.inf, 0.0]], requires_grad=True)
    loss = cross_entropy(x, [1, 0], ignore_index=0)
    assert loss.item() == pytest.approx(np.log1p(np.exp(-1)), rel=1e-6)
    loss.backward()
    assert x.grad is not None
    assert x.grad.tolist()[1] == [0, 0]


def test_weights_are_buffers() -> None:
    loss = layers.BCEWithLogitsLoss(weight=[1.0, 2.0], pos_weight=[3.0, 4.0])
    assert {k: v.tolist() for k, v in loss.state_dict().items()} == {
        "weight": [1, 2],
        "pos_weight": [3, 4],
    }
    assert not list(loss.parameters())
    assert not layers.CrossEntropyLoss().state_dict()


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: cross_entropy(x, [0, 1], "sum"), TypeError, "cross_entropy: weight is .*'sum'"),
        (lambda x: layers.NLLLoss("sum"), TypeError, "NLLLoss: weight is .* not 'sum'"),
        (lambda x: cross_entropy(x, [0, 1], [1.0, 2.0]), ShapeError, r"\(3,\), .* not \(2,\)"),
        (lambda x: nll_loss(x, [0, 1], [1.0]), ShapeError, r"one number for each class, .*\(1,\)"),
        (lambda x: cross_entropy(x, [0, 3]), IndexError, "label 3 is none of the 3 classes"),
        (lambda x: cross_entropy(x, [0, -100], ignore_index=-1), IndexError, "label -100"),
        (lambda x: cross_entropy(x, [0, 1], label_smoothing=1.5), ValueError, "0 to 1, not 1.5"),
        (
            lambda x: binary_cross_entropy_with_logits(x, x, np.ones((3, 2))),
            ShapeError,
            r"weight has shape \(3, 2\), which does not broadcast to the input's \(2, 3\)",
        ),
        (
            lambda x: binary_cross_entropy_with_logits(x, x, pos_weight=np.ones((2, 2, 3))),
            ShapeError,
            r"pos_weight has shape \(2, 2, 3\)",
        ),
    ],
)
def test_what_weighted_losses_refuse(call: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=words):
        call(Tensor(normal(2, 3)))


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


@pytest.mark.parametrize("loss", [cross_entropy, nll_loss])
@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "int64", "uint64"])
def test_classes_in_any_integer_type(loss: Any, kind: str) -> None:
    scores = Tensor(normal(3, 200))
    classes = np.array([0, 100, 127])
    wanted = loss(scores, classes).item(), loss(scores, classes, ignore_index=100).item()
    given = Tensor(classes.astype(kind))
    assert (loss(scores, given).item(), loss(scores, given, ignore_index=100).item()) == wanted


@pytest.mark.parametrize("loss", [cross_entropy, nll_loss])
@pytest.mark.parametrize("number", [2**64 - 100, 2**63, 2**64 - 1, 3])
def test_a_large_number_is_no_class(loss: Any, number: int) -> None:
    with pytest.raises(IndexError, match=f"{number} is none of the 3 classes"):
        loss(Tensor(normal(2, 3)), Tensor(np.array([0, number], np.uint64)))


def test_unknown_reductions_are_refused() -> None:
    for loss in (mse_loss, binary_cross_entropy_with_logits):
        with pytest.raises(ValueError, match=r"reduction is one of .*, not 'avg'"):
            loss(Tensor(normal(3)), normal(3), reduction="avg")
    with pytest.raises(ValueError, match="NLLLoss: reduction is one of"):
        layers.NLLLoss(reduction="avg")


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


@pytest.mark.parametrize("batch", [3, 1000])
@pytest.mark.parametrize("label", [-1, -1000, 4, 1000])
def test_a_label_that_is_no_class_is_named_in_a_batch_of_any_size(batch: int, label: int) -> None:
    labels = np.zeros(batch, np.int64)
    labels[-1] = label
    with pytest.raises(IndexError, match=str(label)):
        cross_entropy(Tensor(np.zeros((batch, 4), np.float32), requires_grad=True), labels)
