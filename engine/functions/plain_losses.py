"""The squared error, and what all losses have in common."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.functions.keywords import stands_for
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

__all__ = ["mse_loss", "mse_loss_back0", "mse_loss_back1"]

REDUCTIONS = ("mean", "sum", "none")


def _mse_loss(input: Array, target: Array, reduction: str = "mean") -> Array:
    """(input - target)**2"""
    check_same_shape(input, target)
    difference = np.subtract(input, target)
    return reduced(np.multiply(difference, difference), reduction)


def mse_loss_back0(
    grad_out: Array, out: Array, input: Array, target: Array, reduction: str = "mean"
) -> Array:
    """grad_out * 2 * (input - target), divided by the number of elements for their mean"""
    return np.asarray(share(grad_out, input.size, reduction) * 2 * (input - target))


def mse_loss_back1(
    grad_out: Array, out: Array, input: Array, target: Array, reduction: str = "mean"
) -> Array:
    """grad_out * 2 * (target - input), divided by the number of elements for their mean"""
    return np.asarray(share(grad_out, input.size, reduction) * 2 * (target - input))


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
    check_reduction("mse_loss", reduction)
    return _mse_loss_of_arrays(input, target, reduction=reduction)


def check_reduction(loss: str, reduction: str) -> None:
    """Refuse a reduction that there is not.

    Raises:
        ValueError: it is one.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"{loss}: reduction is one of {REDUCTIONS}, not {reduction!r}")


def check_same_shape(input: Any, target: Any) -> None:
    """Refuse what would have to be broadcast.

    Raises:
        ShapeError: the shapes differ.
    """
    if np.shape(input) != np.shape(target):
        raise ShapeError(
            f"the input has shape {np.shape(input)} and the target {np.shape(target)}; "
            "they have to be the same"
        )


def reduced(losses: Any, reduction: str) -> Array:
    """The losses, their sum or their mean."""
    if reduction == "none":
        return np.asarray(losses)
    total = np.sum(losses)
    return np.asarray(total / np.size(losses) if reduction == "mean" else total)


def share(grad_out: Array, count: int, reduction: str) -> Any:
    """The gradient that each of `count` losses gets."""
    return grad_out / count if reduction == "mean" else grad_out
