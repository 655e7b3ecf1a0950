"""Putting tensors together, and taking one apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.functions.dims import axis_among, axis_of
from engine.functions.indexing import getitem
from engine.functions.keywords import array_of, stands_for
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn


def _cat(*arrays: Array, dim: int = 0) -> Array:
    """The arrays one after the other along `dim`."""
    if any(array.ndim == 0 for array in arrays):
        raise ValueError("a 0-d tensor has no dimension to be extended; stack makes a new one")
    axis, wanted = axis_of(arrays[0], dim), arrays[0].shape
    for number, array in enumerate(arrays):
        shape = array.shape
        if len(shape) != len(wanted) or _without(shape, axis) != _without(wanted, axis):
            raise ValueError(f"tensor {number} differs from tensor 0 not only along dim {dim}")
    return np.concatenate(arrays, axis=axis)


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return shape[:axis] + shape[axis + 1 :]


def cat_back(position: int) -> Callable[..., Array]:
    """The backward function of `cat`'s tensor number `position`."""

    def back(grad_out: Array, out: Array, *arrays: Array, dim: int = 0) -> Array:
        """grad_out, the part that came from here"""
        axis = axis_of(out, dim)
        start = sum(array.shape[axis] for array in arrays[:position])
        part = slice(start, start + arrays[position].shape[axis])
        return grad_out[(slice(None),) * axis + (part,)]

    back.__name__ = f"cat_back{position}"
    return back


_cat_all = wrap_forward_fn(_cat, name="cat")
BACK_FUNCS.add_back_func_factory(_cat, cat_back)


@stands_for(_cat_all)
def cat(tensors: Sequence[Any], dim: int = 0) -> Tensor:
    """Tensors one after the other along `dim`; the other lengths have to be the same.

    Raises:
        ShapeError: the shapes do not go together, or there is no tensor.
    """
    _require_one("cat", tensors)
    return _cat_all(*tensors, dim=dim)


concat = cat


def _stack(*arrays: Array, dim: int = 0) -> Array:
    """The arrays side by side along a new dimension at `dim`."""
    axis = axis_among(arrays[0].ndim + 1, dim)
    for number, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise ValueError(f"tensor {number} has not the shape of tensor 0")
    return np.stack(arrays, axis=axis)


def stack_back(position: int) -> Callable[..., Array]:
    """The backward function of `stack`'s tensor number `position`."""

    def back(grad_out: Array, out: Array, *arrays: Array, dim: int = 0) -> Array:
        """grad_out, the part that came from here"""
        return grad_out[(slice(None),) * axis_of(out, dim) + (position,)]

    back.__name__ = f"stack_back{position}"
    return back


_stack_all = wrap_forward_fn(_stack, name="stack")
BACK_FUNCS.add_back_func_factory(_stack, stack_back)


@stands_for(_stack_all)
def stack(tensors: Sequence[Any], dim: int = 0) -> Tensor:
    """Tensors of one shape side by side along a new dimension at `dim`.

    Raises:
        ShapeError: the shapes differ, or there is no tensor.
    """
    _require_one("stack", tensors)
    return _stack_all(*tensors, dim=dim)


def _require_one(name: str, tensors: Sequence[Any]) -> None:
    if not len(tensors):
        raise ShapeError(f"{name}: there has to be at least one tensor")


def split(x: Any, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """The parts of `x` along `dim`: of one length (the last one may be shorter), or of several.

    Raises:
        ShapeError: the lengths do not add up to what there is.
    """
    array = array_of(x)
    if array.ndim == 0:
        raise ShapeError("split: a 0-d tensor has no dimension to be split along")
    try:
        axis = axis_of(array, dim)
    except ValueError as error:
        raise ShapeError(f"split: {array.shape}: {error}") from None
    length = array.shape[axis]
    if isinstance(split_size_or_sections, Sequence):
        lengths = list(split_size_or_sections)
        if any(part < 0 for part in lengths) or sum(lengths) != length:
            raise ShapeError(
                f"split: the lengths {lengths} do not add up to {length}, that of dim {dim} of "
                f"{array.shape}"
            )
        ends = list(accumulate(lengths, initial=0))
    else:
        size = split_size_or_sections
        if size < 1:
            raise ShapeError(f"split: the parts have at least length 1, not {size}")
        ends = [*range(0, max(length, 1), size), length]
    before = (slice(None),) * axis
    return tuple(getitem(x, (*before, slice(start, end))) for start, end in pairwise(ends))


def chunk(x: Any, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """So many parts of `x` along `dim`, of one length except the last; fewer where `x` is short.

    Raises:
        ShapeError: there is no such dimension.
        ValueError: not even one part is wanted.
    """
    if chunks < 1:
        raise ValueError(f"chunk: there is at least 1 part, not {chunks}")
    array = array_of(x)
    length = array.shape[dim] if -array.ndim <= dim < array.ndim else 1
    return split(x, max(1, -(-length // chunks)), dim)
