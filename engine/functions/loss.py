"""What a network is trained to make small."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.functions.arithmetic import add, exp, log, multiply, subtract, true_divide
from engine.functions.class_weights import ClassWeights, widened
from engine.functions.fused_cross_entropy import CROSS_ENTROPY, computed
from engine.functions.indexing import getitem
from engine.functions.plain_losses import check_reduction
from engine.functions.reduction import sum
from engine.functions.shape import unsqueeze
from engine.fusion import Fusion
from engine.origin import calling
from engine.tensor import Tensor
from engine.wrapping import fused_node

_INT64 = np.dtype(np.int64)
_FUSION = Fusion(subtract, exp, sum, log, getitem, true_divide)


def cross_entropy(
    logits: Tensor,
    labels: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Minus the log of the probability that the softmax of `logits` gives to the right label.

    For one row z of the logits and its label k this is log(sum(exp(z))) - z[k]. The row's
    largest element is subtracted first: that changes nothing (it cancels), and keeps exp finite
    for any finite logits.

    Args:
        logits: (batch, classes), any numbers.
        labels: (batch,) integers, 0 to classes - 1; a Tensor or an array.
        weight: (classes,), what an example of each class counts for; None for 1.
        ignore_index: examples with this label do not count.
        reduction: "mean" (weighted: the sum divided by the weights of the labels), "sum", or
            "none" for a loss per example, (batch,).
        label_smoothing: 0 to 1, which part of the right answer is spread evenly over all classes.

    Raises:
        ShapeError: the shapes do not belong together.
        TypeError: the labels are not integers.
        IndexError: a label is no class.
        ValueError: there is no such reduction, or the smoothing is no part.
    """
    if reduction != "mean":
        check_reduction("cross_entropy", reduction)
    if not isinstance(labels, Tensor):
        labels = Tensor(labels)
    if weight is None and ignore_index < 0 and not label_smoothing and _FUSION.allowed():
        at_once = computed(logits.array, labels.array, reduction)
        if at_once is not None:
            return fused_node(CROSS_ENTROPY, *at_once, (logits, labels))
    with calling(cross_entropy):
        return _in_parts(logits, labels, weight, ignore_index, reduction, label_smoothing)


def _in_parts(
    logits: Tensor,
    labels: Tensor,
    weight: Any,
    ignore_index: int,
    reduction: str,
    label_smoothing: float,
) -> Tensor:
    """See `cross_entropy`."""
    if label_smoothing and not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing goes from 0 to 1, not {label_smoothing}")
    scores, targets = logits.array, labels.array
    shape = scores.shape
    if len(shape) != 2 or targets.shape != shape[:1] or not shape[1]:
        raise ShapeError(
            "cross_entropy: logits have shape (batch, classes) and labels (batch,), not "
            f"{shape} and {targets.shape}"
        )
    if targets.dtype is not _INT64:
        if targets.dtype.kind not in "iu":
            raise TypeError(f"cross_entropy: labels are integers, not {targets.dtype}")
        targets = widened(targets)
    batch, classes = shape
    strange = ((targets < 0) | (targets >= classes)).any()
    if weight is not None or label_smoothing or ignore_index >= 0 or strange:
        counts = ClassWeights(
            "cross_entropy", "label", targets, classes, weight, ignore_index, scores.dtype
        )
        return _uneven_cross_entropy(logits, counts, reduction, label_smoothing)
    log_sum, shifted = _log_sum_and_shifted(logits)
    losses = subtract(log_sum, getitem(shifted, (np.arange(batch), labels)))
    if reduction == "none":
        return losses
    total = sum(losses)
    return total if reduction == "sum" else true_divide(total, batch)


def _log_sum_and_shifted(logits: Tensor) -> tuple[Tensor, Tensor]:
    """The logits less the largest of their row, and the log of the row's sum of their exp."""
    largest = Tensor(logits.array.max(axis=1, keepdims=True), dtype=logits.array.dtype)
    shifted = subtract(logits, largest)
    return log(sum(exp(shifted), dim=1)), shifted


def _uneven_cross_entropy(
    logits: Tensor, counts: ClassWeights, reduction: str, label_smoothing: float
) -> Tensor:
    """Where the examples do not count alike, or all classes are a little right."""
    log_sum, shifted = _log_sum_and_shifted(logits)
    places = (np.arange(len(logits)), counts.targets)
    losses = counts.weigh(subtract(log_sum, getitem(shifted, places)))
    if label_smoothing:
        of_classes = subtract(unsqueeze(log_sum, dim=1), shifted)
        if counts.weight is not None:
            of_classes = multiply(of_classes, counts.weight)
        spread = multiply(sum(of_classes, dim=1), label_smoothing / logits.shape[1])
        losses = add(multiply(losses, 1 - label_smoothing), spread)
    return counts.reduce(losses, reduction)
