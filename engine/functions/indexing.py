"""Taking elements out of a tensor."""

from __future__ import annotations

from types import EllipsisType
from typing import Any

import numpy as np

from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor, parts_of
from engine.wrapping import wrap_forward_fn


def coerce_index(index: Any) -> Any:
    """`index` with its Tensors replaced by their values: 0-d ones by numbers, others by arrays."""
    if isinstance(index, tuple):
        return tuple(coerce_index(part) for part in index)
    if isinstance(index, Tensor):
        if index.ndim == 0 and index.array.dtype.kind in "iu":
            return index.item()
        return index.array
    if isinstance(index, list):
        return parts_of(index)
    return index


def _getitem(x: Array, index: Any) -> Array:
    return np.asarray(x[index])


_getitem_of_arrays = wrap_forward_fn(_getitem, name="getitem")


def getitem(x: Any, index: Any) -> Tensor:
    """`x[index]`, for every index that NumPy takes; Tensors in it count as their values.

    Raises:
        IndexError: the index does not fit.
    """
    return _getitem_of_arrays(x, coerce_index(index))


def getitem_back(grad_out: Array, out: Array, x: Array, index: Any) -> Array:
    """zeros(x.shape) with grad_out added at index

    An element that was taken several times gets the sum of what comes back.
    """
    grad = np.zeros(x.shape, grad_out.dtype)
    if _takes_each_once(index):
        grad[index] = grad_out
    else:
        np.add.at(grad, index, grad_out)
    return grad


BACK_FUNCS.add_back_func(_getitem, 0, getitem_back)


def _takes_each_once(index: Any) -> bool:
    """Whether the index is made of numbers and slices only, which cannot name an element twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or isinstance(part, (int, slice, EllipsisType)) for part in parts)
