"""Looking for elements: the next one that is no number, the largest, the next largest."""

from __future__ import annotations

from itertools import chain

import numpy as np

from tui.session.protocol import Array
from tui.session.tensors.chunks import chunks, place_of


def next_not_finite(array: Array, after: int) -> int | None:
    """The place of the next NaN or Inf behind `after`, from the start again at the end; None
    where there is none."""
    if array.dtype.kind not in "fc":
        return None
    for first, chunk in chain(chunks(array, after + 1), chunks(array, 0, after + 1)):
        bad = ~np.isfinite(chunk)
        if bad.any():
            return first + int(bad.argmax())
    return None


def largest(array: Array, after: int | None = None) -> int | None:
    """The place of the element with the largest absolute value, NaN left out; the first of equal
    ones. With `after` the next largest, behind the element of that place; None where there is
    none."""
    best, place = -1.0, None
    limit = None if after is None else _sizes(array[place_of(array, after)][None])[0]
    for first, chunk in chunks(array):
        sizes = _sizes(chunk)
        if limit is not None and after is not None:
            up_to = max(0, after + 1 - first)
            sizes[:up_to][sizes[:up_to] >= limit] = -1
            sizes[sizes > limit] = -1
        at = int(sizes.argmax())
        if sizes[at] > best:
            best, place = float(sizes[at]), first + at
    return place


def most_telling(array: Array) -> int:
    """The place of the first NaN; where there is none, of the largest absolute value."""
    if array.dtype.kind == "f":
        for first, chunk in chunks(array):
            lost = np.isnan(chunk)
            if lost.any():
                return first + int(lost.argmax())
    return largest(array) or 0


def _sizes(chunk: Array) -> Array:
    """Absolute values in float64, -1 for NaN."""
    sizes = np.abs(chunk.astype(np.float64))
    sizes[np.isnan(sizes)] = -1
    return sizes
