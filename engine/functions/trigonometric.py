"""Waves and the curves that saturate: sin, cos, tanh, and sigmoid, which is tanh moved."""

from __future__ import annotations

import numpy as np

from engine.registry import BACK_FUNCS, OUT, Array
from engine.tensor import FLOAT32
from engine.wrapping import wrap_forward_fn

sin = wrap_forward_fn(np.sin)


def sin_back(grad_out: Array, out: Array, x: Array) -> Array:
    """grad_out * cos(x)"""
    return grad_out * np.cos(x)


BACK_FUNCS.add_back_func(np.sin, 0, sin_back, reads=(0,), on_scalars=True)


cos = wrap_forward_fn(np.cos)


def cos_back(grad_out: Array, out: Array, x: Array) -> Array:
    """-grad_out * sin(x)"""
    return -grad_out * np.sin(x)


BACK_FUNCS.add_back_func(np.cos, 0, cos_back, reads=(0,), on_scalars=True)


tanh = wrap_forward_fn(np.tanh)


def tanh_back(grad_out: Array, out: Array, x: Array) -> Array:
    """grad_out * (1 - out * out)"""
    grad: Array = grad_out * (1 - out * out)
    return grad


BACK_FUNCS.add_back_func(np.tanh, 0, tanh_back, reads=(OUT,), on_scalars=True)


def _sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), from an exp that cannot overflow."""
    if x.dtype.kind != "f":
        x = x.astype(FLOAT32)
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(np.greater_equal(x, 0), 1, e) / (1 + e))


def sigmoid_back(grad_out: Array, out: Array, x: Array) -> Array:
    """grad_out * out * (1 - out)"""
    return np.asarray(grad_out * out * (1 - out))


sigmoid = wrap_forward_fn(_sigmoid, name="sigmoid")
BACK_FUNCS.add_back_func(_sigmoid, 0, sigmoid_back, reads=(OUT,))
