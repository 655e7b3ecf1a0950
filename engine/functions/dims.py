"""The dimensions that a function works along, as its user names them."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np

from engine.registry import Array

Dims = int | Sequence[int] | None
"""Dimensions to reduce: one, several, or all (None or none named)."""


def axis_among(count: int, dim: int) -> int:
    """A dimension of `count`, counted from the front.

    Raises:
        ValueError: there is no such dimension.
    """
    wanted = operator.index(dim)
    if not -count <= wanted < count:
        raise ValueError(f"there is no dim {wanted}: dims go from {-count} to {count - 1}")
    return wanted % count


def axis_of(x: Array, dim: int) -> int:
    """A dimension of `x`, counted from the front.

    A 0-d array is taken for one of a single element here, as in PyTorch: it has dims 0 and -1.

    Raises:
        ValueError: there is no such dimension.
    """
    return axis_among(max(x.ndim, 1), dim)


def dims_in(dim: int | Sequence[int]) -> tuple[int, ...]:
    """One dimension, or those of a tuple, list or array, as Python integers."""
    if isinstance(dim, (int, tuple)):
        return (dim,) if isinstance(dim, int) else dim
    return tuple(map(operator.index, dim)) if np.ndim(dim) else (operator.index(dim),)  # type: ignore[arg-type]


def axes_of(x: Array, dim: Dims) -> tuple[int, ...]:
    """The dimensions to reduce, counted from the front; none for a 0-d array.

    Raises:
        ValueError: a dimension does not exist, or is named twice.
    """
    if dim is None:
        return tuple(range(x.ndim))
    listed = dims_in(dim)
    axes = tuple(axis_of(x, d) for d in listed) or tuple(range(x.ndim))
    if len(set(axes)) < len(axes):
        raise ValueError(f"dim {listed} names a dimension twice")
    return axes if x.ndim else ()


def count_along(x: Array, dim: Dims) -> int:
    """How many elements of `x` are reduced to one."""
    count = 1
    for axis in axes_of(x, dim):
        count *= x.shape[axis]
    return count


def require_elements(x: Array, dim: Dims) -> None:
    """Refuse to reduce no elements to one, where there is no answer.

    Raises:
        ValueError: there are none along the dimensions.
    """
    if count_along(x, dim) == 0:
        raise ValueError("there are no elements to choose from")


def keeping_dims(reduced: Array, x: Array, dim: Dims) -> Array:
    """A reduction of `x`, with or without its dims kept, in the shape with dims kept."""
    axes = axes_of(x, dim)
    return reduced.reshape([1 if i in axes else length for i, length in enumerate(x.shape)])


def put_along(values: Array, indices: Array, x: Array, dim: int) -> Array:
    """Zeros in `x`'s shape, with `values` put at `indices` along a dimension."""
    if x.ndim == 0:
        return values.reshape(())
    grad = np.zeros(x.shape, values.dtype)
    np.put_along_axis(grad, indices, values, axis_of(x, dim))
    return grad


def accumulating(x: Array) -> Array:
    """`x` in a float type in which many elements can be added up."""
    if x.dtype.kind != "f":
        return x.astype(np.float64)
    return x.astype(np.float32) if x.dtype == np.float16 else x
