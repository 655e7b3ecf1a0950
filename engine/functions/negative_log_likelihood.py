"""Minus the log-probability of the right class."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.functions.class_weights import ClassWeights, widened
from engine.functions.keywords import array_of, stands_for
from engine.functions.plain_losses import check_reduction, reduced, share
from engine.origin import composite
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

__all__ = ["nll_loss", "nll_loss_back"]


def _nll_loss(input: Array, target: Array, reduction: str = "mean") -> Array:
    """-input[row, target[row]]"""
    losses = np.negative(np.take_along_axis(input, target[..., None], axis=-1)[..., 0])
    return reduced(losses, reduction)


def nll_loss_back(
    grad_out: Array, out: Array, input: Array, target: Array, reduction: str = "mean"
) -> Array:
    """-grad_out at the targets, 0 elsewhere, divided by the length of the batch for the mean"""
    grad = np.zeros(input.shape, grad_out.dtype)
    each = np.broadcast_to(-share(grad_out, target.size, reduction), target.shape)
    np.put_along_axis(grad, target[..., None], each[..., None], axis=-1)
    return grad


_nll_loss_of_arrays = wrap_forward_fn(_nll_loss, name="nll_loss")
BACK_FUNCS.add_back_func(_nll_loss, 0, nll_loss_back)


@stands_for(_nll_loss_of_arrays)
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Minus the input at the right class: of log-probabilities, the negative log-likelihood.

    Where a weight is given or a target is ignored, the loss of each example is computed first,
    and weighing and reducing are operations of their own.

    Args:
        input: (batch, classes), log-probabilities; or one row of them.
        target: (batch,) integers, 0 to classes - 1; or one of them.
        weight: (classes,), what an example of each class counts for; None for 1.
        ignore_index: examples with this target do not count.
        reduction: "mean" (weighted: the sum divided by the weights of the targets), "sum", or
            "none" for a loss per example.

    Raises:
        ShapeError: the shapes do not belong together.
        TypeError: the targets are not integers.
        IndexError: a target is no class.
        ValueError: there is no such reduction.
    """
    check_reduction("nll_loss", reduction)
    values, targets = array_of(input), array_of(target)
    if values.ndim not in (1, 2) or targets.shape != values.shape[:-1]:
        raise ShapeError(
            "nll_loss: the input has shape (batch, classes) and the target (batch,), not "
            f"{values.shape} and {targets.shape}"
        )
    if targets.dtype.kind not in "iu":
        raise TypeError(f"nll_loss: targets are integers, not {targets.dtype}")
    wide = widened(targets)
    classes = values.shape[-1]
    counts = ClassWeights("nll_loss", "target", wide, classes, weight, ignore_index, values.dtype)
    if counts.weight is None and counts.kept is None:
        given = target if isinstance(target, Tensor) else targets
        return _nll_loss_of_arrays(input, given, reduction=reduction)
    return weighted_nll_loss(input, counts, reduction)


@composite
def weighted_nll_loss(input: Any, counts: ClassWeights, reduction: str) -> Tensor:
    """Where the examples do not count alike."""
    losses = _nll_loss_of_arrays(input, Tensor(counts.targets), reduction="none")
    return counts.reduce(counts.weigh(losses), reduction)
