"""Element by element, one of several: maximum, minimum, clamp, where."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.broadcasting import unbroadcast
from engine.functions.arithmetic import Operand
from engine.functions.constants import zero_for, zeros_for
from engine.functions.keywords import stands_for
from engine.fusion import Fusion
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

maximum = wrap_forward_fn(np.maximum)


def maximum_back0(grad_out: Array, out: Array, x: Operand, y: Operand) -> Array:
    """grad_out * ((x > y) + (x >= y)) / 2

    1 where it is the one, 0 where it is not; where both are equal a half, the mean of the slopes.
    """
    return unbroadcast(_to_winner(grad_out, out, x, y, np.greater), x)


def maximum_back1(grad_out: Array, out: Array, x: Operand, y: Operand) -> Array:
    """grad_out * ((y > x) + (y >= x)) / 2

    1 where it is the one, 0 where it is not; where both are equal a half, the mean of the slopes.
    """
    return unbroadcast(_to_winner(grad_out, out, y, x, np.greater), y)


BACK_FUNCS.add_back_func(np.maximum, 0, maximum_back0)
BACK_FUNCS.add_back_func(np.maximum, 1, maximum_back1)


minimum = wrap_forward_fn(np.minimum)


def minimum_back0(grad_out: Array, out: Array, x: Operand, y: Operand) -> Array:
    """grad_out * ((x < y) + (x <= y)) / 2

    1 where it is the one, 0 where it is not; where both are equal a half, the mean of the slopes.
    """
    return unbroadcast(_to_winner(grad_out, out, x, y, np.less), x)


def minimum_back1(grad_out: Array, out: Array, x: Operand, y: Operand) -> Array:
    """grad_out * ((y < x) + (y <= x)) / 2

    1 where it is the one, 0 where it is not; where both are equal a half, the mean of the slopes.
    """
    return unbroadcast(_to_winner(grad_out, out, y, x, np.less), y)


BACK_FUNCS.add_back_func(np.minimum, 0, minimum_back0)
BACK_FUNCS.add_back_func(np.minimum, 1, minimum_back1)


def _to_winner(
    grad_out: Array, out: Array, mine: Operand, other: Operand, wins: Callable[..., Any]
) -> Array:
    """The gradient where `mine` wins, half of it where both are equal.

    NaN on either side makes the result NaN, and belongs to whoever is NaN.
    """
    won, ties = wins(mine, other), np.equal(mine, other)
    if not math.isfinite(np.vdot(out, grad_out)):  # the quickest way to find NaN or Inf in either
        return _to_winner_with_nan(grad_out, won, ties, np.isnan(mine), np.isnan(other))
    grad: Array = np.asarray(grad_out * won)
    if np.count_nonzero(ties):
        grad += 0.5 * grad_out * ties
    return grad


def _to_winner_with_nan(
    grad_out: Array, won: Array, ties: Array, mine_nan: Array, other_nan: Array
) -> Array:
    """The same where an element, or a gradient, is NaN or infinite, so that no product will do."""
    half = np.where(ties | (mine_nan & other_nan), grad_out / 2, 0)
    return np.where(won | (mine_nan & ~other_nan), grad_out, half).astype(grad_out.dtype)


@stands_for(maximum)
def relu(x: Any, inplace: bool = False) -> Tensor:
    """`maximum(x, 0)`: exactly at 0 half of the gradient comes through.

    Args:
        x: any shape.
        inplace: whether `x` itself is changed, as by `x.relu_()`, and given back.

    Raises:
        RuntimeError: in place, of a leaf that requires grad or of a view, where the graph is
            being recorded.
    """
    if inplace:
        if not isinstance(x, Tensor):
            raise TypeError(f"relu: only a Tensor can be changed in place, not {type(x).__name__}")
        return x.relu_()
    if _RELU_FUSION.allowed():
        return _relu(x)
    return maximum(x, 0.0)


def _rectified(x: Array) -> Array:
    return np.asarray(np.maximum(x, zeros_for(x)))


def relu_back(grad_out: Array, out: Array, x: Array) -> Array:
    """grad_out * ((x > 0) + (x >= 0)) / 2"""
    zero = zero_for(x)
    ties = np.equal(x, zero)
    if np.count_nonzero(ties) or not math.isfinite(np.vdot(out, grad_out)):
        return _to_winner(grad_out, out, x, zero, np.greater)
    return np.asarray(grad_out * np.greater(x, zero))


_RELU_FUSION = Fusion(maximum)
_relu = wrap_forward_fn(_rectified, name="relu")
BACK_FUNCS.add_back_func(_rectified, 0, relu_back)


def _clamp(x: Array, min: Operand | None, max: Operand | None) -> Array:
    """Each element brought into the range from `min` to `max`; above `min`, `max` wins."""
    if min is not None:
        x = np.maximum(x, min)
    return x if max is None else np.minimum(x, max)


def clamp_back0(
    grad_out: Array, out: Array, x: Operand, min: Operand | None, max: Operand | None
) -> Array:
    """grad_out * (min <= x <= max)"""
    inside = np.ones(out.shape, bool)
    if min is not None:
        inside &= np.greater_equal(x, min)
    if max is not None:
        inside &= np.less_equal(x, max)
    return unbroadcast(np.where(inside, grad_out, 0), x)


def clamp_back1(
    grad_out: Array, out: Array, x: Operand, min: Operand, max: Operand | None
) -> Array:
    """grad_out * (x < min < max)"""
    too_small = np.less(x, min)
    if max is not None:
        too_small = too_small & np.less(min, max)
    return unbroadcast(np.where(too_small, grad_out, 0), min)


def clamp_back2(
    grad_out: Array, out: Array, x: Operand, min: Operand | None, max: Operand
) -> Array:
    """grad_out * ((x > max) | (min > max))"""
    too_large = np.greater(x, max)
    if min is not None:
        too_large = too_large | np.greater(min, max)
    return unbroadcast(np.where(too_large, grad_out, 0), max)


_clamp_between = wrap_forward_fn(_clamp, name="clamp")
BACK_FUNCS.add_back_func(_clamp, 0, clamp_back0)
BACK_FUNCS.add_back_func(_clamp, 1, clamp_back1)
BACK_FUNCS.add_back_func(_clamp, 2, clamp_back2)


@stands_for(_clamp_between)
def clamp(x: Any, min: Any = None, max: Any = None) -> Tensor:
    """Each element brought into the range from `min` to `max`.

    Args:
        x: any shape.
        min: a number or a tensor; None for no limit.
        max: likewise; where it is below `min`, it wins.

    Raises:
        ValueError: there is no limit at all.
    """
    if min is None and max is None:
        raise ValueError("clamp: give min or max, or both")
    return _clamp_between(x, min, max)


clip = clamp


def _where(condition: Array, x: Operand, y: Operand) -> Array:
    """`x` where the condition holds, `y` elsewhere."""
    if np.asarray(condition).dtype != bool:
        raise TypeError(
            f"where: the condition holds {np.asarray(condition).dtype}, not truth values; compare "
            "it with something, as in x > 0"
        )
    return np.asarray(np.where(condition, x, y))


def where_back1(grad_out: Array, out: Array, condition: Array, x: Operand, y: Operand) -> Array:
    """where(condition, grad_out, 0)"""
    return unbroadcast(np.where(condition, grad_out, 0), x)


def where_back2(grad_out: Array, out: Array, condition: Array, x: Operand, y: Operand) -> Array:
    """where(condition, 0, grad_out)"""
    return unbroadcast(np.where(condition, 0, grad_out), y)


where = wrap_forward_fn(_where, name="where")
BACK_FUNCS.add_back_func(_where, 1, where_back1, reads=(0,))
BACK_FUNCS.add_back_func(_where, 2, where_back2, reads=(0,))
