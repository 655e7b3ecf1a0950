"""The largest, the smallest, and elements put in order."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engine.functions.comparison import argmax, argmin, argsort, sorting_indices
from engine.functions.dims import Dims, axes_of, axis_of, keeping_dims, put_along, require_elements
from engine.functions.extremes import maximum, minimum
from engine.functions.keywords import stands_for
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn


class ValuesAndIndices(NamedTuple):
    """Elements, and where along the dimension they stood."""

    values: Tensor
    """The elements; gradients flow through them."""
    indices: Tensor
    """Their places; nothing flows through these."""


def _amax(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """The largest element along `dim` (of all where it is None); equal ones share its gradient."""
    require_elements(x, dim)
    return np.asarray(np.max(x, axis=axes_of(x, dim), keepdims=keepdim))


def _amin(x: Array, dim: Dims = None, keepdim: bool = False) -> Array:
    """The smallest element along `dim` (of all where it is None); equal ones share its gradient."""
    require_elements(x, dim)
    return np.asarray(np.min(x, axis=axes_of(x, dim), keepdims=keepdim))


def amax_back(
    grad_out: Array, out: Array, x: Array, dim: Dims = None, keepdim: bool = False
) -> Array:
    """grad_out * (x == out) / the number of equal ones"""
    chosen = keeping_dims(out, x, dim)
    equal = (x == chosen) | (np.isnan(x) & np.isnan(chosen))
    count = np.sum(equal, axis=axes_of(x, dim), keepdims=True, dtype=grad_out.dtype)
    return np.where(equal, keeping_dims(grad_out, x, dim) / count, 0)


amin_back = amax_back

amax = wrap_forward_fn(_amax, name="amax")
BACK_FUNCS.add_back_func(_amax, 0, amax_back)
amin = wrap_forward_fn(_amin, name="amin")
BACK_FUNCS.add_back_func(_amin, 0, amin_back)


def _max(x: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """The largest element along `dim` (of all where it is None)."""
    return _amax(x, dim, keepdim)


def _min(x: Array, dim: int | None = None, keepdim: bool = False) -> Array:
    """The smallest element along `dim` (of all where it is None)."""
    return _amin(x, dim, keepdim)


def max_back(
    grad_out: Array, out: Array, x: Array, dim: int | None = None, keepdim: bool = False
) -> Array:
    """grad_out, put where the largest element is

    Along a dimension the first of equal ones gets it; over all elements they share it.
    """
    if dim is None:
        return amax_back(grad_out, out, x)
    first = np.argmax(x, axis=dim, keepdims=True)
    return put_along(keeping_dims(grad_out, x, dim), first, x, dim)


def min_back(
    grad_out: Array, out: Array, x: Array, dim: int | None = None, keepdim: bool = False
) -> Array:
    """grad_out, put where the smallest element is

    Along a dimension the first of equal ones gets it; over all elements they share it.
    """
    if dim is None:
        return amin_back(grad_out, out, x)
    first = np.argmin(x, axis=dim, keepdims=True)
    return put_along(keeping_dims(grad_out, x, dim), first, x, dim)


_max_of_arrays = wrap_forward_fn(_max, name="max")
BACK_FUNCS.add_back_func(_max, 0, max_back)
_min_of_arrays = wrap_forward_fn(_min, name="min")
BACK_FUNCS.add_back_func(_min, 0, min_back)


@stands_for(_max_of_arrays)
def max(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest of all elements; along `dim`, the largest and where they are.

    Args:
        x: any shape.
        dim: None, a dimension, or another tensor, for `maximum` of the two.
        keepdim: whether the reduced dimension stays, with length 1.

    Returns:
        A Tensor; with a dimension, `(values, indices)`.
    """
    if isinstance(dim, Tensor):
        return maximum(x, dim)
    if dim is None:
        return _max_of_arrays(x)
    values = _max_of_arrays(x, dim=dim, keepdim=keepdim)
    return ValuesAndIndices(values, argmax(x, dim=dim, keepdim=keepdim))


@stands_for(_min_of_arrays)
def min(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest of all elements; along `dim`, the smallest and where they are.

    Args and result: as of `max`; another tensor asks for `minimum`.
    """
    if isinstance(dim, Tensor):
        return minimum(x, dim)
    if dim is None:
        return _min_of_arrays(x)
    values = _min_of_arrays(x, dim=dim, keepdim=keepdim)
    return ValuesAndIndices(values, argmin(x, dim=dim, keepdim=keepdim))


def _sort(x: Array, dim: int = -1, descending: bool = False) -> Array:
    """The elements in order along `dim`; equal ones keep theirs."""
    if x.ndim == 0:
        return x.copy()
    return np.take_along_axis(x, sorting_indices(x, dim, descending), axis_of(x, dim))


def sort_back(
    grad_out: Array, out: Array, x: Array, dim: int = -1, descending: bool = False
) -> Array:
    """grad_out, put back where the elements came from"""
    return put_along(grad_out, sorting_indices(x, dim, descending), x, dim)


_sort_of_arrays = wrap_forward_fn(_sort, name="sort")
BACK_FUNCS.add_back_func(_sort, 0, sort_back)


@stands_for(_sort_of_arrays)
def sort(x: Any, dim: int = -1, descending: bool = False) -> Any:
    """The elements in order along `dim`, and where they stood; NaN counts as the largest.

    Returns:
        `(values, indices)`.
    """
    values = _sort_of_arrays(x, dim=dim, descending=descending)
    return ValuesAndIndices(values, argsort(x, dim=dim, descending=descending))
