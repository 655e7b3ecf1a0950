"""Element by element: arithmetic, exp and log."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from engine.broadcasting import unbroadcast
from engine.registry import BACK_FUNCS, OUT, Array
from engine.single_numbers import quick_on_numbers
from engine.wrapping import wrap_forward_fn

Operand = Any
"""An array or a number."""

negative = wrap_forward_fn(np.negative)


def negative_back(grad_out: Array, out: Array, x: Array) -> Array:
    """-grad_out"""
    return -grad_out


BACK_FUNCS.add_back_func(np.negative, 0, negative_back, reads=(), on_scalars=True)


abs = wrap_forward_fn(np.abs, name="abs")


def abs_back(grad_out: Array, out: Array, x: Array) -> Array:
    """grad_out * sign(x)"""
    return grad_out * np.sign(x)


BACK_FUNCS.add_back_func(np.abs, 0, abs_back, reads=(0,))


exp = wrap_forward_fn(np.exp)


def exp_back(grad_out: Array, out: Array, x: Array) -> Array:
    """grad_out * out"""
    return grad_out * out


BACK_FUNCS.add_back_func(np.exp, 0, exp_back, reads=(OUT,), on_scalars=True)


log = wrap_forward_fn(np.log)


def log_back(grad_out: Array, out: Array, x: Array) -> Array:
    """grad_out / x"""
    return grad_out / x


BACK_FUNCS.add_back_func(np.log, 0, log_back, reads=(0,), on_scalars=True)


add = quick_on_numbers(wrap_forward_fn(np.add), operator.add)


def add_back0(grad_out: Array, out: Array, x: Operand, y: Operand) -> Array:
    """grad_out"""
    return unbroadcast(grad_out, x)


def add_back1(grad_out: Array, out: Array, x: Operand, y: Operand) -> Array:
    """grad_out"""
    return unbroadcast(grad_out, y)


BACK_FUNCS.add_back_func(np.add, 0, add_back0, reads=(), on_scalars=True)
BACK_FUNCS.add_back_func(np.add, 1, add_back1, reads=(), on_scalars=True)


subtract = quick_on_numbers(wrap_forward_fn(np.subtract), operator.sub)


def subtract_back0(grad_out: Array, out: Array, x: Operand, y: Operand) -> Array:
    """grad_out"""
    return unbroadcast(grad_out, x)


def subtract_back1(grad_out: Array, out: Array, x: Operand, y: Operand) -> Array:
    """-grad_out"""
    return unbroadcast(-grad_out, y)


BACK_FUNCS.add_back_func(np.subtract, 0, subtract_back0, reads=(), on_scalars=True)
BACK_FUNCS.add_back_func(np.subtract, 1, subtract_back1, reads=(), on_scalars=True)


multiply = quick_on_numbers(wrap_forward_fn(np.multiply), operator.mul)


def multiply_back0(grad_out: Array, out: Array, x: Operand, y: Operand) -> Array:
    """grad_out * y"""
    return unbroadcast(grad_out * y, x)


def multiply_back1(grad_out: Array, out: Array, x: Operand, y: Operand) -> Array:
    """grad_out * x"""
    return unbroadcast(grad_out * x, y)


BACK_FUNCS.add_back_func(np.multiply, 0, multiply_back0, reads=(1,), on_scalars=True)
BACK_FUNCS.add_back_func(np.multiply, 1, multiply_back1, reads=(0,), on_scalars=True)


true_divide = quick_on_numbers(
    wrap_forward_fn(np.true_divide, name="true_divide"), operator.truediv
)


def true_divide_back0(grad_out: Array, out: Array, x: Operand, y: Operand) -> Array:
    """grad_out / y"""
    return unbroadcast(grad_out / y, x)


def true_divide_back1(grad_out: Array, out: Array, x: Operand, y: Operand) -> Array:
    """-grad_out * out / y"""
    return unbroadcast(-grad_out * out / y, y)


BACK_FUNCS.add_back_func(np.true_divide, 0, true_divide_back0, reads=(1,), on_scalars=True)
BACK_FUNCS.add_back_func(np.true_divide, 1, true_divide_back1, reads=(1, OUT), on_scalars=True)

# PyTorch's shorter names
neg, sub, mul, div = negative, subtract, multiply, true_divide
