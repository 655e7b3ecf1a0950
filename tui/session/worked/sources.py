"""Which elements of grad_out come to an element of a contribution, for the backward functions that
only move, copy and add up: by the sentence that stands for their formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tui.session.protocol import Array
from tui.session.tensors.slices import Index
from tui.session.worked.windows import Arguments, where_largest

MOST = 1 << 22
"""Above so many elements in an index it is not looked through."""


def copied(grad_out: Array, args: Arguments, at: Index) -> list[Index]:
    """Of a sum: the element of the sum that this one went into."""
    dims = _dims(args.get("dim"), len(at))
    if grad_out.ndim == len(at):
        return [tuple(0 if axis in dims else i for axis, i in enumerate(at))]
    return [tuple(i for axis, i in enumerate(at) if axis not in dims)]


def permuted(grad_out: Array, args: Arguments, at: Index) -> list[Index]:
    """Of a tensor whose dimensions were put in another order."""
    order = args["dims"] if isinstance(args["dims"], (tuple, list)) else (args["dims"],)
    return [tuple(at[dim] for dim in order)]


def transposed(grad_out: Array, args: Arguments, at: Index) -> list[Index]:
    """Of a tensor of which two dimensions changed places."""
    place = list(at)
    first, second = args["dim0"], args["dim1"]
    if place:
        place[first], place[second] = place[second], place[first]
    return [tuple(place)]


def reshaped(grad_out: Array, args: Arguments, at: Index) -> list[Index]:
    """Of a tensor that got another shape."""
    if not at:
        return [(0,) * grad_out.ndim]
    number = int(np.ravel_multi_index(at, args["x"].shape))
    return [tuple(map(int, np.unravel_index(number, grad_out.shape)))]


def indexed(grad_out: Array, args: Arguments, at: Index) -> list[Index] | None:
    """Of a tensor that was indexed: everywhere in the result where this element was taken to."""
    if grad_out.size > MOST:
        return None
    taken = np.ones(grad_out.shape, bool)
    shape = args["x"].shape
    for axis, i in enumerate(at):
        along = np.arange(shape[axis]).reshape([-1 if a == axis else 1 for a in range(len(shape))])
        taken &= np.asarray(np.broadcast_to(along == i, shape)[args["index"]])
    return _where(taken)


def looked_up(grad_out: Array, args: Arguments, at: Index) -> list[Index] | None:
    """Of the weights of an embedding: every place where this row was looked up."""
    rows, padding = np.asarray(args["input"]), args.get("padding_idx")
    if rows.size > MOST or (padding is not None and at[0] == padding % len(args["weight"])):
        return None
    return [(*place, at[1]) for place in _where(rows == at[0])]


def joined(grad_out: Array, args: Arguments, at: Index) -> list[Index]:
    """Of one of the tensors that were put one after the other, or side by side."""
    parts, number = args["parts"], args["arg"]
    dim = args.get("dim", 0)
    if grad_out.ndim > len(at):
        dim %= grad_out.ndim
        return [(*at[:dim], number, *at[dim:])]
    dim %= len(at)
    before = sum(part.shape[dim] for part in parts[:number])
    return [tuple(i + before if axis == dim else i for axis, i in enumerate(at))]


def unpadded(grad_out: Array, args: Arguments, at: Index) -> list[Index] | None:
    """Of a tensor that got a border."""
    place = list(at)
    for axis in range(len(args["pad"]) // 2):
        place[-1 - axis] += args["pad"][2 * axis]
    inside = all(0 <= i < length for i, length in zip(place, grad_out.shape, strict=True))
    return [tuple(place)] if inside else None


def from_here_on(grad_out: Array, args: Arguments, at: Index) -> list[Index]:
    """Of a cumulative sum: its elements from this one on."""
    dim = args["dim"] % len(at)
    return [(*at[:dim], i, *at[dim + 1 :]) for i in range(at[dim], grad_out.shape[dim])]


SOURCES: dict[str, Callable[[Array, Arguments, Index], list[Index] | None]] = {
    "grad_out, copied to each element": copied,
    "grad_out, put where the largest element is": copied,
    "grad_out, put where the smallest element is": copied,
    "grad_out, its dimensions put back": permuted,
    "grad_out, the two dimensions put back": transposed,
    "grad_out, reshaped to x.shape": reshaped,
    "zeros(x.shape) with grad_out added at index": indexed,
    "zeros(weight.shape) with grad_out added at the rows of input": looked_up,
    "grad_out, the part that came from here": joined,
    "grad_out where input was the largest of the window": where_largest,
    "grad_out without the border": unpadded,
    "For each element, the sum of grad_out from it on": from_here_on,
}
"""By the first line of the backward function's docstring."""


def _dims(dim: Any, ndim: int) -> tuple[int, ...]:
    if dim is None:
        return tuple(range(ndim))
    return tuple(d % ndim for d in (dim if isinstance(dim, (tuple, list)) else (dim,)))


def _where(taken: Array) -> list[Index]:
    return [tuple(map(int, place)) for place in np.argwhere(taken)]
