"""Einstein summation: any product of tensors summed over any of its indices."""

from __future__ import annotations

from collections.abc import Callable
from string import ascii_letters
from typing import Any

import numpy as np

from engine.broadcasting import unbroadcast
from engine.errors import ShapeError
from engine.functions.keywords import stands_for
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn


def _einsum(equation: str, *operands: Array) -> Array:
    """The products of the operands' elements, summed over the indices that the result lacks."""
    try:
        return np.array(np.einsum(equation, *operands, optimize=len(operands) > 1))
    except ValueError as error:
        raise ValueError(f"{equation!r} does not fit{_why_not(equation, operands)}") from error


def _why_not(equation: str, operands: tuple[Array, ...]) -> str:
    """Where an equation and its operands disagree; nothing where the equation itself is wrong."""
    lengths: dict[str, int] = {}
    for number, (indices, operand) in enumerate(
        zip(_spelled_out(equation, operands)[0], operands, strict=True)
    ):
        if len(indices) != operand.ndim:
            return f": operand {number} has {operand.ndim} dimensions and {len(indices)} indices"
        for index, length in zip(indices, operand.shape, strict=True):
            if length != 1 and lengths.setdefault(index, length) != length:
                return f": {index} has length {lengths[index]}, and in operand {number} {length}"
    return ""


def einsum_back(position: int) -> Callable[..., Array]:
    """The backward function of `einsum`'s argument `position`: operand `position - 1`."""

    def back(grad_out: Array, out: Array, equation: str, *operands: Array) -> Array:
        """einsum of grad_out with the other operands"""
        inputs, result = _spelled_out(equation, operands)
        own = inputs.pop(position - 1)
        x, others = operands[position - 1], operands[: position - 1] + operands[position:]
        kept = "".join(dict.fromkeys(own))
        found = "".join(index for index in kept if index in "".join([result, *inputs]))
        grad = _einsum(f"{','.join([result, *inputs])}->{found}", grad_out, *others)
        # An index that only this operand has was summed over: its elements all get the same.
        grad = grad.reshape([grad.shape[found.index(i)] if i in found else 1 for i in kept])
        return _onto_diagonal(_of_lengths(grad, [x.shape[own.index(i)] for i in kept]), x, own)

    back.__name__ = f"einsum_back{position}"
    return back


def _of_lengths(grad: Array, lengths: list[int]) -> Array:
    """Summed where `einsum` repeated a length of 1, repeated where it summed."""
    wide = [to if has == 1 else has for has, to in zip(grad.shape, lengths, strict=True)]
    return unbroadcast(np.broadcast_to(grad, wide), np.empty(lengths))


def _onto_diagonal(grad: Array, x: Array, own: str) -> Array:
    """Where an index stands twice in an operand, only its diagonal was used."""
    kept = "".join(dict.fromkeys(own))
    if kept == own:
        return grad
    whole = np.zeros(x.shape, grad.dtype)
    diagonal = np.einsum(f"{own}->{kept}", whole)  # a view
    diagonal[...] = grad
    return whole


def _spelled_out(equation: str, operands: tuple[Array, ...]) -> tuple[list[str], str]:
    """The indices of each operand and of the result, without an ellipsis and with a result."""
    left, arrow, result = equation.replace(" ", "").partition("->")
    inputs = left.split(",")
    free = [letter for letter in ascii_letters if letter not in equation]
    deepest = 0
    for number, (indices, operand) in enumerate(zip(inputs, operands, strict=True)):
        if "..." in indices:
            depth = max(operand.ndim - len(indices) + len("..."), 0)
            deepest = max(deepest, depth)
            inputs[number] = indices.replace("...", "".join(reversed(free[:depth])))
    stack = "".join(reversed(free[:deepest]))
    if not arrow:
        named = left.replace(",", "").replace("...", "")
        result = "..." + "".join(sorted(i for i in set(named) if named.count(i) == 1))
    return inputs, result.replace("...", stack)


_einsum_of_arrays = wrap_forward_fn(_einsum, name="einsum")
BACK_FUNCS.add_back_func_factory(_einsum, einsum_back)


@stands_for(_einsum_of_arrays)
def einsum(equation: str, *operands: Any) -> Tensor:
    """The products of the operands' elements, summed over the indices that the result lacks.

    `einsum("ij,jk->ik", x, y)` is `x @ y`. Without an arrow the result has the indices that stand
    once, in the order of the alphabet.

    Args:
        equation: a letter for each dimension of each operand; `...` for any number of them.
        operands: one tensor for each part of the equation; a list of them will do.

    Raises:
        ShapeError: the equation does not fit the operands.
        TypeError: the equation is no string.
    """
    if not isinstance(equation, str):
        raise TypeError(
            f'einsum: the equation comes first, as in "ij,jk->ik", not {type(equation).__name__}'
        )
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    parts = equation.partition("->")[0].split(",")
    if len(parts) != len(operands):
        raise ShapeError(
            f"einsum: {equation!r} is for {len(parts)} operands, and {len(operands)} were given"
        )
    return _einsum_of_arrays(equation, *operands)
