"""The same elements in another shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.broadcasting import unbroadcast
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

Shape = int | tuple[int, ...]


def _reshape(x: Array, shape: Shape) -> Array:
    """The elements in another shape; one length may be -1."""
    return np.reshape(x, shape)


def reshape_back(grad_out: Array, out: Array, x: Array, shape: Shape) -> Array:
    """grad_out, reshaped to x.shape"""
    return np.reshape(grad_out, x.shape)


reshape = wrap_forward_fn(_reshape, name="reshape")
BACK_FUNCS.add_back_func(_reshape, 0, reshape_back)


def _permute(x: Array, dims: tuple[int, ...]) -> Array:
    """The dimensions in another order."""
    return np.transpose(x, dims)


def permute_back(grad_out: Array, out: Array, x: Array, dims: tuple[int, ...]) -> Array:
    """grad_out, its dimensions put back"""
    return np.transpose(grad_out, np.argsort([d % x.ndim for d in dims]))


permute = wrap_forward_fn(_permute, name="permute")
BACK_FUNCS.add_back_func(_permute, 0, permute_back)


def transposed(x: Any) -> Tensor:
    """The dimensions in reverse order."""
    return permute(x, tuple(range(x.ndim - 1, -1, -1)))


def _expand(x: Array, shape: tuple[int, ...]) -> Array:
    """Dimensions of length 1 repeated, and new ones in front; -1 keeps a length."""
    prepended = len(shape) - x.ndim
    if prepended < 0 or -1 in shape[:prepended]:
        raise ValueError(f"expand: {shape} has to keep the {x.ndim} dimensions of {x.shape}")
    own = (1,) * prepended + x.shape
    return np.broadcast_to(
        x, tuple(has if to == -1 else to for has, to in zip(own, shape, strict=True))
    )


def expand_back(grad_out: Array, out: Array, x: Array, shape: tuple[int, ...]) -> Array:
    """grad_out"""
    return unbroadcast(grad_out, x)


expand = wrap_forward_fn(_expand, name="expand")
BACK_FUNCS.add_back_func(_expand, 0, expand_back)
