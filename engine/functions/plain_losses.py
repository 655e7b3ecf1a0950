"""Losses that are one operation each."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.functions.keywords import stands_for
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

__all__ = [
    "bce_with_logits_back0",
    "bce_with_logits_back1",
    "binary_cross_entropy_with_logits",
    "mse_loss",
    "mse_loss_back0",
    "mse_loss_back1",
    "nll_loss",
    "nll_loss_back",
]

REDUCTIONS = ("mean", "sum", "none")


def _mse_loss(input: Array, target: Array, reduction: str = "mean") -> Array:
    """(input - target)**2"""
    _check_same_shape(input, target)
    difference = np.subtract(input, target)
    return _reduced(np.multiply(difference, difference), reduction)


def mse_loss_back0(
    grad_out: Array, out: Array, input: Array, target: Array, reduction: str = "mean"
) -> Array:
    """grad_out * 2 * (input - target), divided by the number of elements for their mean"""
    return np.asarray(_share(grad_out, input.size, reduction) * 2 * (input - target))


def mse_loss_back1(
    grad_out: Array, out: Array, input: Array, target: Array, reduction: str = "mean"
) -> Array:
    """grad_out * 2 * (target - input), divided by the number of elements for their mean"""
    return np.asarray(_share(grad_out, input.size, reduction) * 2 * (target - input))


_mse_loss_of_arrays = wrap_forward_fn(_mse_loss, name="mse_loss")
BACK_FUNCS.add_back_func(_mse_loss, 0, mse_loss_back0)
BACK_FUNCS.add_back_func(_mse_loss, 1, mse_loss_back1)


@stands_for(_mse_loss_of_arrays)
def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """The squared difference.

    Args:
        input: any shape.
        target: the same shape; a difference that has to be broadcast is nearly always a mistake.
        reduction: "mean", "sum", or "none" for a loss an element.

    Raises:
        ShapeError: the shapes differ.
        ValueError: there is no such reduction.
    """
    return _mse_loss_of_arrays(input, target, reduction=reduction)


def _bce(input: Array, target: Array, reduction: str = "mean") -> Array:
    """max(input, 0) - input * target + log(1 + exp(-abs(input)))"""
    _check_same_shape(input, target)
    losses = np.maximum(input, 0) - input * target + np.log1p(np.exp(-np.abs(input)))
    return _reduced(losses, reduction)


def bce_with_logits_back0(
    grad_out: Array, out: Array, input: Array, target: Array, reduction: str = "mean"
) -> Array:
    """grad_out * (sigmoid(input) - target), divided by the number of elements for their mean"""
    small = np.exp(-np.abs(input))
    sigmoid = np.where(input >= 0, 1, small) / (1 + small)
    return np.asarray(_share(grad_out, input.size, reduction) * (sigmoid - target))


def bce_with_logits_back1(
    grad_out: Array, out: Array, input: Array, target: Array, reduction: str = "mean"
) -> Array:
    """-grad_out * input, divided by the number of elements for their mean"""
    return np.asarray(-_share(grad_out, input.size, reduction) * input)


_bce_of_arrays = wrap_forward_fn(_bce, name="binary_cross_entropy_with_logits")
BACK_FUNCS.add_back_func(_bce, 0, bce_with_logits_back0)
BACK_FUNCS.add_back_func(_bce, 1, bce_with_logits_back1)


@stands_for(_bce_of_arrays)
def binary_cross_entropy_with_logits(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Minus the log of the probability that sigmoid(input) gives to the right one of two answers.

    For any finite input it is finite: exp is taken of negative numbers only.

    Args:
        input: any numbers, any shape.
        target: the same shape; 0 or 1, or a probability between.
        reduction: "mean", "sum", or "none" for a loss an element.

    Raises:
        ShapeError: the shapes differ.
        ValueError: there is no such reduction.
    """
    return _bce_of_arrays(input, target, reduction=reduction)


def _nll_loss(input: Array, target: Array, reduction: str = "mean") -> Array:
    """-input[row, target[row]]"""
    _check_classes(input, target)
    losses = np.negative(np.take_along_axis(input, target[..., None], axis=-1)[..., 0])
    return _reduced(losses, reduction)


def nll_loss_back(
    grad_out: Array, out: Array, input: Array, target: Array, reduction: str = "mean"
) -> Array:
    """-grad_out at the targets, 0 elsewhere, divided by the length of the batch for the mean"""
    grad = np.zeros(input.shape, grad_out.dtype)
    share = np.broadcast_to(-_share(grad_out, target.size, reduction), target.shape)
    np.put_along_axis(grad, target[..., None], share[..., None], axis=-1)
    return grad


_nll_loss_of_arrays = wrap_forward_fn(_nll_loss, name="nll_loss")
BACK_FUNCS.add_back_func(_nll_loss, 0, nll_loss_back)


@stands_for(_nll_loss_of_arrays)
def nll_loss(input: Any, target: Any, reduction: str = "mean") -> Tensor:
    """Minus the input at the right class: of log-probabilities, the negative log-likelihood.

    Args:
        input: (batch, classes), log-probabilities; or one row of them.
        target: (batch,) integers, 0 to classes - 1; or one of them.
        reduction: "mean", "sum", or "none" for a loss per example.

    Raises:
        ShapeError: the shapes do not belong together.
        TypeError: the targets are not integers.
        IndexError: a target is no class.
        ValueError: there is no such reduction.
    """
    targets = target if isinstance(target, Tensor) else np.asarray(target)
    return _nll_loss_of_arrays(input, targets, reduction=reduction)


def _check_same_shape(input: Any, target: Any) -> None:
    if np.shape(input) != np.shape(target):
        raise ShapeError(
            f"the input has shape {np.shape(input)} and the target {np.shape(target)}; "
            "they have to be the same"
        )


def _check_classes(input: Array, target: Array) -> None:
    if input.ndim not in (1, 2) or target.shape != input.shape[:-1]:
        raise ShapeError(
            "nll_loss: the input has shape (batch, classes) and the target (batch,), not "
            f"{input.shape} and {target.shape}"
        )
    if target.dtype.kind not in "iu":
        raise TypeError(f"nll_loss: targets are integers, not {target.dtype}")
    classes = input.shape[-1]
    wrong = target[(target < 0) | (target >= classes)]
    if wrong.size:
        raise IndexError(f"nll_loss: target {wrong[0]} is none of the {classes} classes")


def _reduced(losses: Any, reduction: str) -> Array:
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction is one of {REDUCTIONS}, not {reduction!r}")
    if reduction == "none":
        return np.asarray(losses)
    total = np.sum(losses)
    return np.asarray(total / np.size(losses) if reduction == "mean" else total)


def _share(grad_out: Array, count: int, reduction: str) -> Any:
    """The gradient that each loss gets."""
    return grad_out / count if reduction == "mean" else grad_out
