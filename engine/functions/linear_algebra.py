"""Products of matrices and vectors."""

from __future__ import annotations

import numpy as np

from engine.broadcasting import unbroadcast
from engine.registry import BACK_FUNCS, Array
from engine.wrapping import wrap_forward_fn

matmul = wrap_forward_fn(np.matmul, name="matmul")


def matmul_back0(grad_out: Array, out: Array, x: Array, y: Array) -> Array:
    """grad_out @ y.T

    A vector counts as a row on the left and as a column on the right; further dimensions in
    front are a stack of matrices.
    """
    if y.ndim == 1:
        grad = grad_out[..., None] * y
    else:
        row = grad_out[..., None, :] if x.ndim == 1 else grad_out
        grad = row @ np.swapaxes(y, -1, -2)
        if x.ndim == 1:
            grad = grad[..., 0, :]
    return unbroadcast(grad, x)


def matmul_back1(grad_out: Array, out: Array, x: Array, y: Array) -> Array:
    """x.T @ grad_out

    A vector counts as a row on the left and as a column on the right; further dimensions in
    front are a stack of matrices.
    """
    if x.ndim == 1:
        column = grad_out[..., None, None] if y.ndim == 1 else grad_out[..., None, :]
        grad = x[:, None] * column
        if y.ndim == 1:
            grad = grad[..., 0]
    else:
        column = grad_out[..., None] if y.ndim == 1 else grad_out
        grad = np.swapaxes(x, -1, -2) @ column
        if y.ndim == 1:
            grad = grad[..., 0]
    return unbroadcast(grad, y)


BACK_FUNCS.add_back_func(np.matmul, 0, matmul_back0)
BACK_FUNCS.add_back_func(np.matmul, 1, matmul_back1)
