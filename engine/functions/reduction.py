"""Adding up elements."""

from __future__ import annotations

import numpy as np

from engine.registry import BACK_FUNCS, Array
from engine.wrapping import wrap_forward_fn

Dims = int | tuple[int, ...] | list[int] | None
"""The dimensions to reduce; None for all of them."""


def _sum(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """The sum of the elements along `dim` (all of them where it is None)."""
    return np.asarray(np.sum(x, axis=_axes(dim), keepdims=keepdim))


def sum_back(
    grad_out: Array, out: Array, x: Array, dim: Dims = None, keepdim: bool = False
) -> Array:
    """grad_out, copied to each element"""
    if not keepdim and dim is not None:
        grad_out = np.expand_dims(grad_out, tuple(d % x.ndim for d in _listed(dim)))
    return np.broadcast_to(grad_out, x.shape)


sum = wrap_forward_fn(_sum, name="sum")
BACK_FUNCS.add_back_func(_sum, 0, sum_back)


def _axes(dim: Dims) -> int | tuple[int, ...] | None:
    return tuple(dim) if isinstance(dim, list) else dim


def _listed(dim: int | tuple[int, ...] | list[int]) -> tuple[int, ...]:
    return (dim,) if isinstance(dim, int) else tuple(dim)
