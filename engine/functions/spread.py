"""How far elements lie from their mean: variance and standard deviation."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.functions.dims import Dims, accumulating, axes_of, count_along, keeping_dims
from engine.functions.keywords import stands_for
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn


def _from_mean(x: Array, dim: Dims) -> Array:
    """The elements less their mean."""
    wide = accumulating(x)
    count = max(count_along(x, dim), 1)
    return np.asarray(wide - np.sum(wide, axis=axes_of(x, dim), keepdims=True) / count)


def _divisor(x: Array, dim: Dims, correction: float) -> float:
    return max(count_along(x, dim) - correction, 0)


def _var(x: Array, dim: Dims = None, correction: float = 1, keepdim: bool = False) -> Array:
    """The squared distances from the mean, summed and divided by their number less `correction`.

    NaN where that leaves nothing to divide by.
    """
    squares = _from_mean(x, dim) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        total = np.asarray(np.sum(squares, axis=axes_of(x, dim), keepdims=keepdim))
        variance = np.asarray(total / np.float64(_divisor(x, dim, correction)))
    return variance.astype(x.dtype if x.dtype.kind == "f" else np.float64)


def var_back(
    grad_out: Array,
    out: Array,
    x: Array,
    dim: Dims = None,
    correction: float = 1,
    keepdim: bool = False,
) -> Array:
    """grad_out * 2 * (x - mean) / (count - correction)"""
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = 2 * _from_mean(x, dim) / np.float64(_divisor(x, dim, correction))
    return np.asarray(keeping_dims(grad_out, x, dim) * slope, grad_out.dtype)


_var_of_arrays = wrap_forward_fn(_var, name="var")
BACK_FUNCS.add_back_func(_var, 0, var_back)


def _std(x: Array, dim: Dims = None, correction: float = 1, keepdim: bool = False) -> Array:
    """The square root of the variance."""
    return np.asarray(np.sqrt(_var(x, dim, correction, keepdim)))


def std_back(
    grad_out: Array,
    out: Array,
    x: Array,
    dim: Dims = None,
    correction: float = 1,
    keepdim: bool = False,
) -> Array:
    """grad_out * (x - mean) / ((count - correction) * out)

    0 where all elements are equal: nothing pulls them apart there.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        shared = np.where(out == 0, 0, grad_out / (2 * out))
    return var_back(shared.astype(grad_out.dtype), out, x, dim, correction, keepdim)


_std_of_arrays = wrap_forward_fn(_std, name="std")
BACK_FUNCS.add_back_func(_std, 0, std_back)


@stands_for(_var_of_arrays)
def var(
    x: Any,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float = 1,
) -> Tensor:
    """The variance along `dim` (of all elements where it is None).

    Args:
        x: any shape.
        dim: the dimensions to reduce; True or False stands for `unbiased`.
        unbiased: an older way to ask for a correction of 1 (True) or 0 (False).
        keepdim: whether the reduced dimensions stay, with length 1.
        correction: what the number of elements is reduced by before the division.
    """
    dim, correction = _dim_and_correction(dim, unbiased, correction)
    return _var_of_arrays(x, dim=dim, correction=correction, keepdim=keepdim)


@stands_for(_std_of_arrays)
def std(
    x: Any,
    dim: Dims = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float = 1,
) -> Tensor:
    """The standard deviation along `dim`: the square root of `var`, with the same arguments."""
    dim, correction = _dim_and_correction(dim, unbiased, correction)
    return _std_of_arrays(x, dim=dim, correction=correction, keepdim=keepdim)


def _dim_and_correction(dim: Dims, unbiased: bool | None, correction: float) -> tuple[Dims, float]:
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    return dim, correction if unbiased is None else int(unbiased)
