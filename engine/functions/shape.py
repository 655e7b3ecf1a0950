"""The same elements in another shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.broadcasting import unbroadcast
from engine.functions.dims import Dims, axes_of, axis_among, axis_of, dims_in
from engine.functions.keywords import stands_for
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

Shape = int | Sequence[int]


def _reshape(x: Array, shape: Shape) -> Array:
    """The elements in another shape; one length may be -1."""
    try:
        return np.reshape(x, shape)
    except ValueError:
        raise ValueError(f"{x.size} elements do not fit the shape {shape}") from None


def _view(x: Array, shape: Shape) -> Array:
    """The same memory in another shape; one length may be -1."""
    result = _reshape(x, shape)
    if x.size and not np.may_share_memory(x, result):
        raise ValueError(
            f"the order of the elements in memory does not allow a view of shape {shape} "
            "without a copy: use reshape"
        )
    return result


def _flatten(x: Array, start_dim: int = 0, end_dim: int = -1) -> Array:
    """The dimensions from `start_dim` to `end_dim` made one; a 0-d tensor gets one dimension."""
    start, end = axis_of(x, start_dim), axis_of(x, end_dim)
    if start > end:
        raise ValueError(f"start_dim {start_dim} comes after end_dim {end_dim}")
    length = 1
    for merged in x.shape[start : end + 1]:
        length *= merged
    return np.reshape(x, (*x.shape[:start], length, *x.shape[end + 1 :]))


def _squeeze(x: Array, dim: Dims = None) -> Array:
    """The dimensions of length 1 left out, or those of `dim` that have length 1."""
    axes = axes_of(x, dim) if dim is None or dims_in(dim) else ()
    return np.squeeze(x, tuple(axis for axis in axes if x.shape[axis] == 1))


def _unsqueeze(x: Array, dim: int) -> Array:
    """A new dimension of length 1 at `dim`."""
    return np.expand_dims(x, axis_among(x.ndim + 1, dim))


def reshape_back(grad_out: Array, out: Array, x: Array, *args: Any, **kwargs: Any) -> Array:
    """grad_out, reshaped to x.shape"""
    return np.reshape(grad_out, x.shape)


reshape = wrap_forward_fn(_reshape, name="reshape")
view = wrap_forward_fn(_view, name="view")
flatten = wrap_forward_fn(_flatten, name="flatten")
squeeze = wrap_forward_fn(_squeeze, name="squeeze")
unsqueeze = wrap_forward_fn(_unsqueeze, name="unsqueeze")
for _reshaping in (_reshape, _view, _flatten, _squeeze, _unsqueeze):
    BACK_FUNCS.add_back_func(_reshaping, 0, reshape_back, reads=())


def _permute(x: Array, dims: Sequence[int]) -> Array:
    """The dimensions in another order."""
    try:
        return np.transpose(x, dims)
    except ValueError:
        if len(dims) == x.ndim:
            axes_of(x, dims)  # says which of them is wrong
        raise ValueError(
            f"dims {tuple(dims)} have to name each of the {x.ndim} dimensions once"
        ) from None


def permute_back(grad_out: Array, out: Array, x: Array, dims: Sequence[int]) -> Array:
    """grad_out, its dimensions put back"""
    return np.transpose(grad_out, np.argsort(axes_of(x, dims)))


permute = wrap_forward_fn(_permute, name="permute")
BACK_FUNCS.add_back_func(_permute, 0, permute_back, reads=(1,))


def _transpose(x: Array, dim0: int, dim1: int) -> Array:
    """Two dimensions in each other's place."""
    first, second = axis_of(x, dim0), axis_of(x, dim1)
    return np.swapaxes(x, first, second) if x.ndim else x


def transpose_back(grad_out: Array, out: Array, x: Array, dim0: int, dim1: int) -> Array:
    """grad_out, the two dimensions put back"""
    return _transpose(grad_out, dim0, dim1)


transpose = wrap_forward_fn(_transpose, name="transpose")
BACK_FUNCS.add_back_func(_transpose, 0, transpose_back, reads=(1, 2))


@stands_for(permute)
def transposed(x: Any) -> Tensor:
    """The dimensions in reverse order."""
    return permute(x, tuple(range(x.ndim - 1, -1, -1)))


def _expand(x: Array, shape: Sequence[int]) -> Array:
    """Dimensions of length 1 repeated, and new ones in front; -1 keeps a length."""
    prepended = len(shape) - x.ndim
    if prepended < 0 or -1 in shape[:prepended]:
        raise ValueError(f"{tuple(shape)} has to keep the {x.ndim} dimensions of {x.shape}")
    own = (1,) * prepended + x.shape
    wide = tuple(has if to == -1 else to for has, to in zip(own, shape, strict=True))
    try:
        return np.broadcast_to(x, wide)
    except ValueError:
        raise ValueError(f"only a length of 1 can be made longer, to be {wide}") from None


def expand_back(grad_out: Array, out: Array, x: Array, shape: Sequence[int]) -> Array:
    """grad_out"""
    return unbroadcast(grad_out, x)


expand = wrap_forward_fn(_expand, name="expand")
BACK_FUNCS.add_back_func(_expand, 0, expand_back, reads=())
