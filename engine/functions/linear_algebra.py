"""Products of matrices and vectors."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from engine.broadcasting import unbroadcast
from engine.errors import ShapeError
from engine.functions.keywords import array_of, stands_for
from engine.naming import name_in_caller
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

_matmul = wrap_forward_fn(np.matmul, name="matmul")


@stands_for(_matmul)
def matmul(x: Any, y: Any) -> Tensor:
    """The product of matrices, of vectors, or of stacks of matrices that broadcast.

    Raises:
        ShapeError: a row of `x` is not as long as a column of `y`.
    """
    try:
        return _matmul(x, y)
    except ShapeError as error:
        why = _why_not(array_of(x).shape, array_of(y).shape)
        if why is None:
            raise
        raise ShapeError(f"matmul: {_named(x)} and {_named(y)} {why}") from error


def _named(value: Any) -> str:
    return f"{name_in_caller(value) or ''} {array_of(value).shape}".strip()


def _why_not(left: tuple[int, ...], right: tuple[int, ...]) -> str | None:
    """Why two shapes cannot be multiplied; None where their matrices could."""
    if not left or not right:
        return "are not both matrices or vectors: a number is multiplied with *"
    rows = right[-2] if len(right) > 1 else right[0]
    if left[-1] == rows:
        return None
    return (
        f"do not go together: the rows on the left have {left[-1]} elements and the columns on "
        f"the right {rows}"
    )


def matmul_back0(grad_out: Array, out: Array, x: Array, y: Array) -> Array:
    """grad_out @ y.T

    A vector counts as a row on the left and as a column on the right; further dimensions in
    front are a stack of matrices.
    """
    if y.ndim == 1:
        grad = grad_out[..., None] * y
    else:
        row = grad_out[..., None, :] if x.ndim == 1 else grad_out
        grad = row @ np.swapaxes(y, -1, -2)
        if x.ndim == 1:
            grad = grad[..., 0, :]
    return unbroadcast(grad, x)


def matmul_back1(grad_out: Array, out: Array, x: Array, y: Array) -> Array:
    """x.T @ grad_out

    A vector counts as a row on the left and as a column on the right; further dimensions in
    front are a stack of matrices.
    """
    if x.ndim > 2 and y.ndim == 2:  # one matrix for the whole stack: one product for its sum
        rows = prod(x.shape[:-1])
        return x.reshape(rows, x.shape[-1]).T @ grad_out.reshape(rows, y.shape[1])
    if x.ndim == 1:
        column = grad_out[..., None, None] if y.ndim == 1 else grad_out[..., None, :]
        grad = x[:, None] * column
    else:
        column = grad_out[..., None] if y.ndim == 1 else grad_out
        grad = np.swapaxes(x, -1, -2) @ column
    return unbroadcast(grad[..., 0] if y.ndim == 1 else grad, y)


BACK_FUNCS.add_back_func(np.matmul, 0, matmul_back0, reads=(1,))
BACK_FUNCS.add_back_func(np.matmul, 1, matmul_back1, reads=(0,))


_dot = wrap_forward_fn(np.dot, name="dot")


@stands_for(_dot)
def dot(x: Any, y: Any) -> Tensor:
    """The sum of the products of two vectors' elements.

    Raises:
        ShapeError: they are no vectors, or not of one length.
    """
    left, right = array_of(x).shape, array_of(y).shape
    if len(left) != 1 or left != right:
        raise ShapeError(f"dot: two vectors of one length are wanted, not {left} and {right}")
    return _dot(x, y)


def dot_back0(grad_out: Array, out: Array, x: Array, y: Array) -> Array:
    """grad_out * y"""
    return grad_out * y


def dot_back1(grad_out: Array, out: Array, x: Array, y: Array) -> Array:
    """grad_out * x"""
    return grad_out * x


BACK_FUNCS.add_back_func(np.dot, 0, dot_back0, reads=(1,))
BACK_FUNCS.add_back_func(np.dot, 1, dot_back1, reads=(0,))


_outer = wrap_forward_fn(np.outer, name="outer")


@stands_for(_outer)
def outer(x: Any, y: Any) -> Tensor:
    """The matrix of all products of an element of `x` and one of `y`.

    Raises:
        ShapeError: one of them is no vector.
    """
    left, right = array_of(x).shape, array_of(y).shape
    if len(left) != 1 or len(right) != 1:
        raise ShapeError(f"outer: two vectors are wanted, not {left} and {right}")
    return _outer(x, y)


def outer_back0(grad_out: Array, out: Array, x: Array, y: Array) -> Array:
    """grad_out @ y"""
    return np.asarray(grad_out @ y)


def outer_back1(grad_out: Array, out: Array, x: Array, y: Array) -> Array:
    """x @ grad_out"""
    return np.asarray(x @ grad_out)


BACK_FUNCS.add_back_func(np.outer, 0, outer_back0, reads=(1,))
BACK_FUNCS.add_back_func(np.outer, 1, outer_back1, reads=(0,))


@stands_for(_matmul)
def mm(x: Any, y: Any) -> Tensor:
    """`matmul` of two matrices, and of nothing else.

    Raises:
        ShapeError: they are no matrices, or do not go together.
    """
    return _of_rank("mm", 2, "matrices", x, y)


@stands_for(_matmul)
def bmm(x: Any, y: Any) -> Tensor:
    """`matmul` of two batches of as many matrices, and of nothing else.

    Raises:
        ShapeError: they are no such batches, or do not go together.
    """
    product = _of_rank("bmm", 3, "batches of matrices", x, y)
    if array_of(x).shape[0] != array_of(y).shape[0]:
        raise ShapeError(f"bmm: {_named(x)} and {_named(y)} do not have as many matrices")
    return product


def _of_rank(name: str, rank: int, called: str, x: Any, y: Any) -> Tensor:
    if array_of(x).ndim != rank or array_of(y).ndim != rank:
        raise ShapeError(f"{name}: {_named(x)} and {_named(y)} have to be {called}; see matmul")
    return matmul(x, y)
