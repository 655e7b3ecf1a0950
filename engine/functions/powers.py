"""Powers and roots."""

from __future__ import annotations

import numpy as np

from engine.broadcasting import unbroadcast
from engine.functions.arithmetic import Operand
from engine.registry import BACK_FUNCS, OUT, Array
from engine.wrapping import wrap_forward_fn


def _pow(x: Operand, y: Operand) -> Array:
    """`x` to the power of `y`."""
    if isinstance(y, (int, float)) and y == 3:
        return np.asarray(x * x * x)  # much faster than the general power, as x**2 is already
    try:
        return np.asarray(x**y)
    except ValueError as error:
        if "Integers" not in str(error):
            raise
        raise ValueError(
            "whole numbers to a negative power are no whole numbers; make one of the two float"
        ) from None


def pow_back0(grad_out: Array, out: Array, x: Operand, y: Operand) -> Array:
    """grad_out * y * x ** (y - 1)

    0 where y is 0: x ** 0 is 1 whatever x is.
    """
    base = np.asarray(x, grad_out.dtype)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = y * _pow(base, y - 1)
    if np.any(np.equal(y, 0)):
        slope = np.where(np.equal(y, 0), 0, slope)
    return unbroadcast(grad_out * slope, x)


def pow_back1(grad_out: Array, out: Array, x: Operand, y: Operand) -> Array:
    """grad_out * out * log(x)

    0 where x is 0 and y is not negative, the limit from the right.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = out * np.log(np.asarray(x, grad_out.dtype))
    if np.any(np.equal(x, 0)):
        slope = np.where(np.equal(x, 0) & np.greater_equal(y, 0), 0, slope)
    return unbroadcast(grad_out * slope, y)


pow = wrap_forward_fn(_pow, name="pow")
BACK_FUNCS.add_back_func(_pow, 0, pow_back0)
BACK_FUNCS.add_back_func(_pow, 1, pow_back1)


sqrt = wrap_forward_fn(np.sqrt)


def sqrt_back(grad_out: Array, out: Array, x: Array) -> Array:
    """grad_out / (2 * out)"""
    grad: Array = grad_out / (2 * out)
    return grad


BACK_FUNCS.add_back_func(np.sqrt, 0, sqrt_back, reads=(OUT,), on_scalars=True)
