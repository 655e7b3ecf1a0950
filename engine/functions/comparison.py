"""Functions that no gradient flows through: comparisons, truth values, rounding, places."""

from __future__ import annotations

import numpy as np

from engine.functions.dims import Dims, axes_of, axis_of, require_elements
from engine.registry import Array
from engine.wrapping import wrap_forward_fn

eq = wrap_forward_fn(np.equal, is_differentiable=False, name="eq")
ne = wrap_forward_fn(np.not_equal, is_differentiable=False, name="ne")
lt = wrap_forward_fn(np.less, is_differentiable=False, name="lt")
le = wrap_forward_fn(np.less_equal, is_differentiable=False, name="le")
gt = wrap_forward_fn(np.greater, is_differentiable=False, name="gt")
ge = wrap_forward_fn(np.greater_equal, is_differentiable=False, name="ge")

logical_not = wrap_forward_fn(np.logical_not, is_differentiable=False)
logical_and = wrap_forward_fn(np.logical_and, is_differentiable=False)
logical_or = wrap_forward_fn(np.logical_or, is_differentiable=False)
bitwise_not = wrap_forward_fn(np.bitwise_not, is_differentiable=False, name="bitwise_not")
bitwise_and = wrap_forward_fn(np.bitwise_and, is_differentiable=False)
bitwise_or = wrap_forward_fn(np.bitwise_or, is_differentiable=False)

isnan = wrap_forward_fn(np.isnan, is_differentiable=False)
isinf = wrap_forward_fn(np.isinf, is_differentiable=False)
isfinite = wrap_forward_fn(np.isfinite, is_differentiable=False)
floor = wrap_forward_fn(np.floor, is_differentiable=False)
ceil = wrap_forward_fn(np.ceil, is_differentiable=False)
sign = wrap_forward_fn(np.sign, is_differentiable=False)


def _round(x: Array, decimals: int = 0) -> Array:
    """The nearest number with so many decimals; a half goes to the even neighbour."""
    return np.asarray(np.round(x, decimals))


def _all(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """Whether all elements along `dim` (all of them where it is None) are true, or not 0."""
    return np.asarray(np.all(x, axis=axes_of(x, dim), keepdims=keepdim))


def _any(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """Whether any element along `dim` (of all where it is None) is true, or not 0."""
    return np.asarray(np.any(x, axis=axes_of(x, dim), keepdims=keepdim))


def _argmax(x: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """Where the largest element along `dim` (or of all, flattened) is; the first of equals."""
    require_elements(x, dim)
    axis = None if dim is None else axis_of(x, dim)
    return np.asarray(np.argmax(x, axis=axis, keepdims=keepdim))


def _argmin(x: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """Where the smallest element along `dim` (or of all, flattened) is; the first of equals."""
    require_elements(x, dim)
    axis = None if dim is None else axis_of(x, dim)
    return np.asarray(np.argmin(x, axis=axis, keepdims=keepdim))


def sorting_indices(x: Array, dim: int = -1, descending: bool = False) -> Array:
    """The places of the elements along `dim` in their order; equal ones keep theirs."""
    axis = axis_of(x, dim)
    if x.ndim == 0:
        return np.zeros((), np.intp)
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    upwards = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return np.asarray(x.shape[axis] - 1 - np.flip(upwards, axis))


round = wrap_forward_fn(_round, is_differentiable=False, name="round")
all = wrap_forward_fn(_all, is_differentiable=False, name="all")
any = wrap_forward_fn(_any, is_differentiable=False, name="any")
argmax = wrap_forward_fn(_argmax, is_differentiable=False, name="argmax")
argmin = wrap_forward_fn(_argmin, is_differentiable=False, name="argmin")
argsort = wrap_forward_fn(sorting_indices, is_differentiable=False, name="argsort")
