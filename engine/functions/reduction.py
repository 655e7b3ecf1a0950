"""Adding up, averaging and multiplying elements."""

from __future__ import annotations

import numpy as np

from engine.functions.dims import (
    Dims,
    accumulating,
    axes_of,
    axis_of,
    count_along,
    keeping_dims,
)
from engine.registry import BACK_FUNCS, Array
from engine.wrapping import wrap_forward_fn


def _sum(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """The sum of the elements along `dim` (all of them where it is None)."""
    return np.asarray(np.sum(x, axis=None if dim is None else axes_of(x, dim), keepdims=keepdim))


def sum_back(
    grad_out: Array, out: Array, x: Array, dim: Dims = None, keepdim: bool = False
) -> Array:
    """grad_out, copied to each element"""
    return np.broadcast_to(keeping_dims(grad_out, x, dim), x.shape)


sum = wrap_forward_fn(_sum, name="sum")
BACK_FUNCS.add_back_func(_sum, 0, sum_back, reads=(1,))


def _mean(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """The mean of the elements along `dim` (of all where it is None); NaN where there are none."""
    total = np.asarray(np.sum(accumulating(x), axis=axes_of(x, dim), keepdims=keepdim))
    with np.errstate(invalid="ignore"):
        mean = total / count_along(x, dim)
    return np.asarray(mean.astype(x.dtype) if x.dtype.kind == "f" else mean)


def mean_back(
    grad_out: Array, out: Array, x: Array, dim: Dims = None, keepdim: bool = False
) -> Array:
    """grad_out / count, copied to each element"""
    count = max(count_along(x, dim), 1)
    return np.broadcast_to(keeping_dims(grad_out / count, x, dim), x.shape)


mean = wrap_forward_fn(_mean, name="mean")
BACK_FUNCS.add_back_func(_mean, 0, mean_back, reads=(1,))


def _prod(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """The product of the elements along `dim` (of all where it is None)."""
    return np.asarray(np.prod(x, axis=axes_of(x, dim), keepdims=keepdim))


def prod_back(
    grad_out: Array, out: Array, x: Array, dim: Dims = None, keepdim: bool = False
) -> Array:
    """grad_out * the product of the other elements

    Multiplied from both sides, without a division, so that zeros do no harm.
    """
    axes = axes_of(x, dim)
    last = tuple(range(x.ndim - len(axes), x.ndim))
    moved = np.moveaxis(x.astype(grad_out.dtype), axes, last)
    rows = moved.reshape((*moved.shape[: x.ndim - len(axes)], count_along(x, dim)))
    others = _product_before(rows) * _product_before(rows[..., ::-1])[..., ::-1]
    slope = np.moveaxis(others.reshape(moved.shape), last, axes)
    return np.asarray(keeping_dims(grad_out, x, dim) * slope)


def _product_before(rows: Array) -> Array:
    """For each element of a row, the product of those in front of it."""
    before = np.ones_like(rows)
    np.cumprod(rows[..., :-1], axis=-1, out=before[..., 1:])
    return before


prod = wrap_forward_fn(_prod, name="prod")
BACK_FUNCS.add_back_func(_prod, 0, prod_back)


def _cumsum(x: Array, dim: int) -> Array:
    """For each element, the sum of those up to it along `dim`."""
    return np.cumsum(x, axis=axis_of(x, dim)).reshape(x.shape)


def cumsum_back(grad_out: Array, out: Array, x: Array, dim: int) -> Array:
    """For each element, the sum of grad_out from it on"""
    if x.ndim == 0:
        return grad_out
    return np.flip(np.cumsum(np.flip(grad_out, dim), axis=dim), dim)


cumsum = wrap_forward_fn(_cumsum, name="cumsum")
BACK_FUNCS.add_back_func(_cumsum, 0, cumsum_back, reads=(1,))
