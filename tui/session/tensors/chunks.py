"""Walking through an array of any size and layout without copying it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tui.session.protocol import Array

CHUNK = 1 << 14
"""Elements that are looked at together: enough to be quick, and little to hold."""


def chunks(array: Array, start: int = 0, stop: int | None = None) -> Iterator[tuple[int, Array]]:
    """The elements from `start` to `stop`, in the order in which they are written down.

    Yields:
        The place of a chunk's first element, and its elements in a row; they may be overwritten
        by the next chunk's.
    """
    stop = array.size if stop is None else min(stop, array.size)
    if start >= stop:
        return
    if array.flags.c_contiguous:
        flat = array.reshape(-1)
        for first in range(start, stop, CHUNK):
            yield first, flat[first : min(first + CHUNK, stop)]
        return
    iterator: Any = np.nditer(
        array, flags=["external_loop", "buffered", "ranged"], order="C", buffersize=CHUNK
    )
    iterator.iterrange = (start, stop)
    first = start
    for chunk in iterator:
        yield first, chunk
        first += len(chunk)


def place_of(array: Array, position: int) -> tuple[int, ...]:
    """The index of the element that is written down as number `position`."""
    return tuple(int(i) for i in np.unravel_index(position, array.shape))


def sample(array: Array, most: int) -> Array:
    """At most so many elements in a row, evenly spread; all of them where there are no more."""
    if array.size <= most:
        return array.reshape(-1)
    places = np.linspace(0, array.size - 1, most).astype(np.intp)
    return np.asarray(array[np.unravel_index(places, array.shape)])
