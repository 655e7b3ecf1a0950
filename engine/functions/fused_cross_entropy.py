"""Softmax and cross-entropy as one operation, for where nobody looks at the parts."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from engine.functions.constants import ones
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import operation_of

_INTP = np.dtype(np.intp)


def _cross_entropy(logits: Array, targets: Array, reduction: str, *saved: Array) -> Array:
    found = computed(logits, targets, reduction)
    assert found is not None  # or there would be no node
    return found[0]


def computed(logits: Array, targets: Array, reduction: str) -> tuple[Array, tuple[Any, ...]] | None:
    """The loss (see `engine.cross_entropy`) and the arguments of its node: logits, labels and
    reduction, exp(logits) up to a factor, the sums of its rows, and the places of the targets in
    it. None where one operation will not do, be it for an error or for a label to be ignored."""
    shape = logits.shape
    if targets.shape != shape[:1] or len(shape) != 2 or logits.dtype.kind != "f" or not logits.size:
        return None
    batch, classes = shape
    numbers, of_batch, of_classes = _counting(batch, classes, logits.dtype)
    labels = targets
    if labels.dtype is not _INTP:
        if labels.dtype.kind not in "iu":
            return None
        labels = labels.astype(np.intp)
    try:
        places = np.ravel_multi_index((labels, numbers), (classes, batch))
    except ValueError:  # a label that is no class
        return None
    # With the classes along dimension 0: there NumPy reduces several times faster than along the
    # last one.
    shifted = logits.T.copy()
    shifted -= np.maximum.reduce(shifted, 0)
    picked = shifted.take(places)
    exps = np.exp(shifted, shifted)
    sums = of_classes.dot(exps)
    losses: Array = np.log(sums)
    losses -= picked
    if reduction != "none":
        total = of_batch.dot(losses)
        losses = np.asarray(total / batch if reduction == "mean" else total)
    return losses, (logits, targets, reduction, exps, sums, places)


def fused_cross_entropy_back(
    grad_out: Array,
    out: Array,
    logits: Array,
    targets: Array,
    reduction: str,
    exps: Array,
    sums: Array,
    places: Array,
) -> Array:
    """grad_out * (softmax(logits) - one_hot(targets))

    Divided by the length of the batch where the reduction is the mean.
    """
    # A number taken out of its array is divided several times faster.
    share = np.asarray(grad_out[()] / len(targets)) if reduction == "mean" else grad_out
    grad: Array = exps * (share / sums)
    at_targets = grad.take(places)
    at_targets -= share
    grad.put(places, at_targets)
    return grad.T


def _joint(grad_out: Array, node: Tensor) -> list[Array | None]:
    return [fused_cross_entropy_back(grad_out, node.array, *node._kept_args), None]


@functools.lru_cache(maxsize=8)
def _counting(batch: int, classes: int, dtype: np.dtype[Any]) -> tuple[Array, Array, Array]:
    """The numbers from 0 to below `batch`, and what adds up losses, and the classes of each: see
    `ones`."""
    numbers = np.arange(batch)
    numbers.flags.writeable = False
    return numbers, ones(batch, dtype), ones(classes, dtype)


BACK_FUNCS.add_back_func(_cross_entropy, 0, fused_cross_entropy_back, reads=(3, 4, 5))
CROSS_ENTROPY = operation_of(_cross_entropy, "cross_entropy")
CROSS_ENTROPY.joint = _joint
CROSS_ENTROPY.only = fused_cross_entropy_back
