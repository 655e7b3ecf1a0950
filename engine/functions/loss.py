"""What a network is trained to make small."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.functions.arithmetic import exp, log, subtract, true_divide
from engine.functions.fused_cross_entropy import fused_cross_entropy
from engine.functions.indexing import getitem
from engine.functions.reduction import sum
from engine.fusion import Fusion
from engine.origin import composite
from engine.tensor import Tensor

_FUSION = Fusion(subtract, exp, sum, log, getitem, true_divide)

REDUCTIONS = ("mean", "sum", "none")


@composite
def cross_entropy(logits: Tensor, labels: Any, reduction: str = "mean") -> Tensor:
    """Minus the log of the probability that the softmax of `logits` gives to the right label.

    For one row z of the logits and its label k this is log(sum(exp(z))) - z[k]. The row's
    largest element is subtracted first: that changes nothing (it cancels), and keeps exp finite
    for any finite logits.

    Args:
        logits: (batch, classes), any numbers.
        labels: (batch,) integers, 0 to classes - 1; a Tensor or an array.
        reduction: "mean", "sum", or "none" for a loss per example, (batch,).

    Raises:
        ShapeError: the shapes do not belong together.
        TypeError: the labels are not integers.
        IndexError: a label is no class.
        ValueError: there is no such reduction.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"cross_entropy: reduction is one of {REDUCTIONS}, not {reduction!r}")
    labels = labels if isinstance(labels, Tensor) else Tensor(labels)
    targets = labels.array
    if logits.ndim != 2 or targets.shape != logits.shape[:1] or not logits.shape[1]:
        raise ShapeError(
            "cross_entropy: logits have shape (batch, classes) and labels (batch,), not "
            f"{logits.shape} and {targets.shape}"
        )
    if targets.dtype.kind not in "iu":
        raise TypeError(f"cross_entropy: labels are integers, not {targets.dtype}")
    targets = targets.astype(np.int64, copy=False)  # a small type may not hold the comparison
    batch, classes = logits.shape
    # Without its sign a negative number is a very large one.
    if np.count_nonzero(targets.view(np.uint64) >= classes):
        wrong = targets[(targets < 0) | (targets >= classes)][0]
        raise IndexError(f"cross_entropy: label {wrong} is none of the {classes} classes")

    if _FUSION.allowed() and batch and logits.dtype.kind == "f":
        return fused_cross_entropy(logits, labels, reduction)
    largest = Tensor(logits.array.max(axis=1, keepdims=True), dtype=logits.array.dtype)
    shifted = subtract(logits, largest)
    log_sum = log(sum(exp(shifted), dim=1))
    losses = subtract(log_sum, getitem(shifted, (np.arange(batch), labels)))
    if reduction == "none":
        return losses
    total = sum(losses)
    return total if reduction == "sum" else true_divide(total, batch)
