"""Minus the log-probability of the right one of two answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.broadcasting import unbroadcast
from engine.errors import ShapeError
from engine.functions.arithmetic import multiply
from engine.functions.class_weights import weight_tensor
from engine.functions.keywords import array_of, stands_for
from engine.functions.plain_losses import check_reduction, check_same_shape, reduced, share
from engine.functions.reduction import mean, sum
from engine.origin import composite
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

__all__ = [
    "bce_with_logits_back0",
    "bce_with_logits_back1",
    "bce_with_pos_weight_back0",
    "bce_with_pos_weight_back1",
    "bce_with_pos_weight_back2",
    "binary_cross_entropy_with_logits",
]

_NAME = "binary_cross_entropy_with_logits"


def _bce(input: Array, target: Array, reduction: str = "mean") -> Array:
    """max(input, 0) - input * target + log(1 + exp(-abs(input)))"""
    check_same_shape(input, target)
    losses = np.maximum(input, 0) - input * target + np.log1p(np.exp(-np.abs(input)))
    return reduced(losses, reduction)


def bce_with_logits_back0(
    grad_out: Array, out: Array, input: Array, target: Array, reduction: str = "mean"
) -> Array:
    """grad_out * (sigmoid(input) - target), divided by the number of elements for their mean"""
    return np.asarray(share(grad_out, input.size, reduction) * (_sigmoid(input) - target))


def bce_with_logits_back1(
    grad_out: Array, out: Array, input: Array, target: Array, reduction: str = "mean"
) -> Array:
    """-grad_out * input, divided by the number of elements for their mean"""
    return np.asarray(-share(grad_out, input.size, reduction) * input)


_bce_of_arrays = wrap_forward_fn(_bce, name=_NAME)
BACK_FUNCS.add_back_func(_bce, 0, bce_with_logits_back0)
BACK_FUNCS.add_back_func(_bce, 1, bce_with_logits_back1)


def _bce_with_pos_weight(
    input: Array, target: Array, pos_weight: Array, reduction: str = "mean"
) -> Array:
    """(1 - target) * softplus(input) + pos_weight * target * softplus(-input)"""
    check_same_shape(input, target)
    small = np.log1p(np.exp(-np.abs(input)))
    no, yes = np.maximum(input, 0) + small, np.maximum(-input, 0) + small
    return reduced((1 - target) * no + pos_weight * target * yes, reduction)


def bce_with_pos_weight_back0(
    grad_out: Array,
    out: Array,
    input: Array,
    target: Array,
    pos_weight: Array,
    reduction: str = "mean",
) -> Array:
    """grad_out * ((1 - target) * sigmoid(input) - pos_weight * target * sigmoid(-input))

    Divided by the number of elements for their mean.
    """
    slope = (1 - target) * _sigmoid(input) - pos_weight * target * _sigmoid(-input)
    return np.asarray(share(grad_out, input.size, reduction) * slope)


def bce_with_pos_weight_back1(
    grad_out: Array,
    out: Array,
    input: Array,
    target: Array,
    pos_weight: Array,
    reduction: str = "mean",
) -> Array:
    """grad_out * (pos_weight * softplus(-input) - softplus(input))

    Divided by the number of elements for their mean.
    """
    slope = pos_weight * _softplus(-input) - _softplus(input)
    return np.asarray(share(grad_out, input.size, reduction) * slope)


def bce_with_pos_weight_back2(
    grad_out: Array,
    out: Array,
    input: Array,
    target: Array,
    pos_weight: Array,
    reduction: str = "mean",
) -> Array:
    """grad_out * target * softplus(-input)

    Divided by the number of elements for their mean.
    """
    grad = share(grad_out, input.size, reduction) * target * _softplus(-input)
    return unbroadcast(np.asarray(grad), pos_weight)


_bce_with_pos_weight_of_arrays = wrap_forward_fn(_bce_with_pos_weight, name=_NAME)
BACK_FUNCS.add_back_func(_bce_with_pos_weight, 0, bce_with_pos_weight_back0)
BACK_FUNCS.add_back_func(_bce_with_pos_weight, 1, bce_with_pos_weight_back1)
BACK_FUNCS.add_back_func(_bce_with_pos_weight, 2, bce_with_pos_weight_back2)


@stands_for(_bce_of_arrays)
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Tensor:
    """Minus the log of the probability that sigmoid(input) gives to the right one of two answers.

    For any finite input it is finite: exp is taken of negative numbers only. Where a weight is
    given, weighing and reducing are operations of their own.

    Args:
        input: any numbers, any shape.
        target: the same shape; 0 or 1, or a probability between.
        weight: what each element counts for; a shape that broadcasts to the input's.
        reduction: "mean" (over the number of elements, whatever their weights), "sum", or "none"
            for a loss an element.
        pos_weight: what the answer 1 counts for against the answer 0; a shape that broadcasts.

    Raises:
        ShapeError: the shapes do not belong together.
        ValueError: there is no such reduction.
    """
    check_reduction(_NAME, reduction)
    if pos_weight is not None:
        pos_weight = _broadcasting("pos_weight", pos_weight, array_of(input))
    if weight is None:
        return _unweighted(input, target, pos_weight, reduction)
    return weighted_binary_cross_entropy(input, target, weight, pos_weight, reduction)


def _unweighted(input: Any, target: Any, pos_weight: Tensor | None, reduction: str) -> Tensor:
    if pos_weight is None:
        return _bce_of_arrays(input, target, reduction=reduction)
    return _bce_with_pos_weight_of_arrays(input, target, pos_weight, reduction=reduction)


@composite
def weighted_binary_cross_entropy(
    input: Any, target: Any, weight: Any, pos_weight: Tensor | None, reduction: str
) -> Tensor:
    """Where the elements do not count alike."""
    losses = _unweighted(input, target, pos_weight, "none")
    losses = multiply(losses, _broadcasting("weight", weight, losses.array))
    if reduction == "none":
        return losses
    return sum(losses) if reduction == "sum" else mean(losses)


def _broadcasting(name: str, weight: Any, input: Array) -> Tensor:
    tensor = weight_tensor(_NAME, weight, input.dtype, name)
    try:
        fits = np.broadcast_shapes(tensor.shape, input.shape) == input.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeError(
            f"{_NAME}: {name} has shape {tensor.shape}, which does not broadcast to the input's "
            f"{input.shape}"
        )
    return tensor


def _sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1, small) / (1 + small))


def _softplus(x: Array) -> Array:
    return np.asarray(np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))))
