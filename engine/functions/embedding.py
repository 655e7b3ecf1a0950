"""Rows of a table, looked up by number."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.functions.keywords import stands_for
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

__all__ = ["embedding", "embedding_back1"]


def _embedding(input: Array, weight: Array, padding_idx: int | None = None) -> Array:
    """weight[input]"""
    _check(input, weight, padding_idx)
    return np.asarray(weight[input])


def embedding_back1(
    grad_out: Array, out: Array, input: Array, weight: Array, padding_idx: int | None = None
) -> Array:
    """zeros(weight.shape) with grad_out added at the rows of input

    A row that was looked up several times gets the sum; the row `padding_idx` gets nothing.
    """
    grad = np.zeros(weight.shape, grad_out.dtype)
    length = weight.shape[1]
    places = np.asarray(input, np.intp)[..., None] * length + np.arange(length)
    np.add.at(grad.reshape(-1), places.reshape(-1), grad_out.reshape(-1))
    if padding_idx is not None:
        grad[padding_idx] = 0
    return grad


_embedding_of_arrays = wrap_forward_fn(_embedding, name="embedding")
BACK_FUNCS.add_back_func(_embedding, 1, embedding_back1)


@stands_for(_embedding_of_arrays)
def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Tensor:
    """The rows of `weight` that `input` names.

    Args:
        input: integers of any shape, 0 to rows - 1.
        weight: (rows, length).
        padding_idx: a row that gets no gradient; negative counts from the end.

    Returns:
        (*input's shape, length).

    Raises:
        TypeError: the input is not integers.
        IndexError: there is no such row.
        ShapeError: the weight is no table.
    """
    return _embedding_of_arrays(input, weight, padding_idx=padding_idx)


def _check(input: Any, weight: Array, padding_idx: int | None) -> None:
    numbers = np.asarray(input)
    if numbers.dtype.kind not in "iu":
        raise TypeError(f"embedding: the input holds integers, not {numbers.dtype}")
    if weight.ndim != 2:
        raise ShapeError("the weight is a table, (rows, length)")
    rows = len(weight)
    wrong = numbers[(numbers < 0) | (numbers >= rows)]
    if wrong.size:
        raise IndexError(f"embedding: there is no row {wrong[0]}: the weight has {rows}, from 0")
    if padding_idx is not None and not -rows <= padding_idx < rows:
        raise IndexError(f"embedding: padding_idx={padding_idx} is none of the {rows} rows")
