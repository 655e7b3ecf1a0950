"""A border around the elements of a tensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.functions.keywords import stands_for
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

__all__ = ["pad", "pad_back", "pad_with_elements_back"]

MODES = ("constant", "reflect", "replicate", "circular")


def _pad(x: Array, pad: Sequence[int], value: float = 0.0) -> Array:
    """`value` around the elements; a negative width cuts elements off."""
    inside, kept, shape = _regions(x, pad)
    out = np.full(shape, value, x.dtype)
    out[inside] = x[kept]
    return out


def pad_back(
    grad_out: Array, out: Array, x: Array, pad: Sequence[int], value: float = 0.0
) -> Array:
    """grad_out without the border"""
    inside, kept, _ = _regions(x, pad)
    grad = np.zeros(x.shape, grad_out.dtype)
    grad[kept] = grad_out[inside]
    return grad


def _regions(
    x: Array, pad: Sequence[int]
) -> tuple[tuple[slice, ...], tuple[slice, ...], tuple[int, ...]]:
    """Where the elements come to lie, which of them are kept, and the shape with the border."""
    inside, kept, shape = [], [], []
    for length, (before, after) in zip(x.shape, _widths(x, pad), strict=True):
        padded = length + before + after
        if padded < 0:
            raise ValueError(f"pad {tuple(pad)} cuts off more than there is")
        first, last = max(-before, 0), length - max(-after, 0)
        kept.append(slice(first, max(first, last)))
        start = max(before, 0)
        inside.append(slice(start, start + max(last - first, 0)))
        shape.append(padded)
    return tuple(inside), tuple(kept), tuple(shape)


_pad_constant = wrap_forward_fn(_pad, name="pad")
BACK_FUNCS.add_back_func(_pad, 0, pad_back)


def _pad_with_elements(x: Array, pad: Sequence[int], mode: str) -> Array:
    """The elements, and around them some of them once more."""
    out = x
    for axis, places in _places(x, pad, mode):
        out = np.take(out, places, axis)
    return out if out is not x else x.copy()


def pad_with_elements_back(
    grad_out: Array, out: Array, x: Array, pad: Sequence[int], mode: str
) -> Array:
    """grad_out without the border, and what is in the border added where its elements came from"""
    grad = grad_out
    for axis, places in _places(x, pad, mode):
        grad = _added_at(places, grad, axis, x.shape[axis])
    return grad


def _places(x: Array, pad: Sequence[int], mode: str) -> list[tuple[int, Array]]:
    """For each dimension that gets a border: which elements stand along it."""
    found = []
    for axis, (length, (before, after)) in enumerate(zip(x.shape, _widths(x, pad), strict=True)):
        if before == after == 0:
            continue
        kept = np.arange(length)[max(-before, 0) : length - max(-after, 0)]
        longest = {"reflect": length - 1, "circular": len(kept)}.get(mode, max(before, after))
        if max(before, after) > longest or length == 0:
            raise ValueError(
                f"pad {tuple(pad)}: with mode {mode!r} a border of dim {axis}, which has length "
                f"{length}, is at most {max(longest, 0) if length else 0} wide"
            )
        if length + before + after < 0:
            raise ValueError(f"pad {tuple(pad)} cuts off more than there is")
        places = np.arange(-before, length + after)
        if mode == "reflect":
            last = length - 1
            places = last - np.abs(last - np.abs(places))
        elif mode == "replicate":
            places = np.clip(places, 0, length - 1)
        else:  # what is cut off does not come back at the other end
            places = np.resize(np.roll(kept, max(before, 0)), len(places))
        found.append((axis, places))
    return found


def _added_at(places: Array, grad: Array, axis: int, length: int) -> Array:
    """Zeros of this length along `axis`, with each part of `grad` added at its place."""
    wide = np.moveaxis(grad, axis, 0)
    added = np.zeros((length, *wide.shape[1:]), grad.dtype)
    for position, place in enumerate(places):
        added[place] += wide[position]
    return np.moveaxis(added, 0, axis)


_pad_by_mode = wrap_forward_fn(_pad_with_elements, name="pad")
BACK_FUNCS.add_back_func(_pad_with_elements, 0, pad_with_elements_back)


def _widths(x: Array, pad: Sequence[int]) -> list[tuple[int, int]]:
    """Before and after the elements, for each dimension."""
    if len(pad) % 2 or len(pad) > 2 * x.ndim:
        raise ValueError(
            f"pad {tuple(pad)} has to hold two widths (before, after) for each dimension, the "
            f"last one first, for at most {x.ndim}"
        )
    widths = [(0, 0)] * (x.ndim - len(pad) // 2)
    return widths + [(pad[i], pad[i + 1]) for i in range(len(pad) - 2, -1, -2)]


@stands_for(_pad_constant)
def pad(x: Any, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """A border around the elements.

    Args:
        x: any shape.
        pad: two widths (before, after) for the last dimension, then for the one before it, and so
            on; a negative width cuts off.
        mode: what the border holds: "constant" for `value`; "reflect" for the elements as in a
            mirror that stands on the last one; "replicate" for the last one; "circular" for those
            at the other end.
        value: what the constant border holds; 0 where it is None.

    Raises:
        ShapeError: the widths do not fit the dimensions, or there are too few elements to fill
            the border.
        ValueError: there is no such mode, or a value for another mode than "constant".
    """
    if mode not in MODES:
        raise ValueError(f"pad: mode is one of {MODES}, not {mode!r}")
    if mode == "constant":
        return _pad_constant(x, pad=tuple(pad), value=0.0 if value is None else value)
    if value is not None:
        raise ValueError(f"pad: a border of mode {mode!r} takes no value, and {value!r} was given")
    return _pad_by_mode(x, pad=tuple(pad), mode=mode)
