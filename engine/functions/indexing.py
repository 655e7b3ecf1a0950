"""Taking elements out of a tensor."""

from __future__ import annotations

from types import EllipsisType
from typing import Any

import numpy as np

from engine.functions.keywords import stands_for
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor, parts_of
from engine.wrapping import wrap_forward_fn


def coerce_index(index: Any) -> Any:
    """`index` with its Tensors replaced by their values: 0-d ones by numbers, others by arrays.

    Arrays are copied, so that a change of one afterwards does not move what was taken.
    """
    if isinstance(index, tuple):
        return tuple(coerce_index(part) for part in index)
    if isinstance(index, Tensor):
        if index.ndim == 0 and index.array.dtype.kind in "iu":
            return index.item()
        return index.array.copy()
    if isinstance(index, np.ndarray):
        return index.copy()
    if isinstance(index, list):
        places = np.asarray(parts_of(index))
        return places if places.size else places.astype(np.intp)
    return index


def _getitem(x: Array, index: Any) -> Array:
    return np.asarray(x[index])


_getitem_of_arrays = wrap_forward_fn(_getitem, name="getitem")


@stands_for(_getitem_of_arrays)
def getitem(x: Any, index: Any) -> Tensor:
    """`x[index]`, for every index that NumPy takes; Tensors in it count as their values.

    Raises:
        IndexError: the index does not fit.
    """
    try:
        return _getitem_of_arrays(x, coerce_index(index))
    except IndexError as error:
        raise IndexError(f"getitem: a tensor of shape {np.shape(x)}: {error}") from None


def getitem_back(grad_out: Array, out: Array, x: Array, index: Any) -> Array:
    """zeros(x.shape) with grad_out added at index

    An element that was taken several times gets the sum of what comes back.
    """
    grad = np.zeros(x.shape, grad_out.dtype)
    if _takes_each_once(index):
        grad[index] = grad_out
    elif _is_rows(index) and x.ndim > 1:
        _add_rows(grad, index, grad_out)
    else:
        np.add.at(grad, index, grad_out)
    return grad


BACK_FUNCS.add_back_func(_getitem, 0, getitem_back, reads=(1,))


def _takes_each_once(index: Any) -> bool:
    """Whether the index is made of numbers, slices and at most one mask, and no other array:
    such an index cannot name an element twice."""
    parts = index if isinstance(index, tuple) else (index,)
    masks = 0
    for part in parts:
        if isinstance(part, np.ndarray) and part.dtype == bool:
            masks += 1
        elif part is not None and not isinstance(part, (int, slice, EllipsisType)):
            return False
    return masks <= 1


def _is_rows(index: Any) -> bool:
    """Whether the index is one array of places along the first dimension."""
    return isinstance(index, np.ndarray) and index.dtype.kind in "iu"


def _add_rows(grad: Array, rows: Array, grad_out: Array) -> None:
    """`np.add.at(grad, rows, grad_out)`, several times faster: on flat memory NumPy need not
    work out the place of each element one by one."""
    length = grad[0].size if len(grad) else 0
    starts = np.where(rows < 0, rows + len(grad), rows).reshape(-1, 1) * length
    places = (starts + np.arange(length)).reshape(-1)
    np.add.at(grad.reshape(-1), places, grad_out.reshape(-1))
