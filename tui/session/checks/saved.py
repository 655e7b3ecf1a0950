"""Whether what a node keeps for its step is still what it was when the session was opened.

The engine notices the changes that it makes itself. Who writes into `.array` goes around it, so
the bytes are compared.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tui.session import numbers
from tui.session.protocol import Array

KEPT = 256
"""Arrays of at most so many bytes are kept as they are, so that it can be said what was there."""

Mark = bytes | int


class Saved:
    """Remembers arrays by their bytes, or by a checksum (CRC-32) where they are many.

    Args:
        arrays: what is to be remembered; what shares its memory is looked at once.
    """

    def __init__(self, arrays: Iterable[Any]) -> None:
        self._marks: dict[int, tuple[Array, Mark]] = {}
        marks = self._marks
        for value in arrays:
            for array in (value,) if value.__class__ is np.ndarray else arrays_in(value):
                key = array if array.base is None else _memory(array)
                if id(key) not in marks:
                    marks[id(key)] = (key, _mark(key))

    def difference(self, value: Any) -> str | None:
        """How an array, or those in a tuple or list, differ from what they were; None: not."""
        for array in arrays_in(value):
            key = _memory(array)
            known = self._marks.get(id(key))
            if known is not None and _mark(key) != known[1]:
                return _in_words(array, key, known[1])
        return None


def arrays_in(value: Any) -> Iterator[Array]:
    """The arrays in an argument: itself, or those in a tuple or list."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from arrays_in(part)


def _memory(array: Array) -> Array:
    """What stands for an array: the one whose memory it shows, unless it shows only a part."""
    base = array.base
    return base if isinstance(base, np.ndarray) and base.nbytes <= array.nbytes else array


def _mark(array: Array) -> Mark:
    if array.nbytes <= KEPT or array.dtype.hasobject:
        return array.tobytes()
    if array.flags.c_contiguous:
        return zlib.crc32(array.reshape(-1).view(np.uint8).data)
    turned = array.T
    if not turned.flags.c_contiguous:
        turned = np.ascontiguousarray(array)
    return zlib.crc32(turned.reshape(-1).view(np.uint8).data)


def _in_words(array: Array, key: Array, mark: Mark) -> str:
    if isinstance(mark, int) or array is not key:
        return f"{numbers.in_words(array)} now"
    then = np.frombuffer(mark, key.dtype).reshape(key.shape)
    if numbers.is_inline(array):
        return f"{numbers.inline(then)} then, {numbers.inline(array)} now"
    differs = np.argwhere((then != array) & ~((then != then) & (array != array)))
    if not len(differs):  # the sign of a zero, or of a NaN
        return f"{numbers.in_words(array)} now"
    first = tuple(int(i) for i in differs[0])
    more = f", and at {len(differs) - 1} more" if len(differs) > 1 else ""
    where = numbers.place(first)
    return (
        f"at {where} {numbers.number(then[first])} then, {numbers.number(array[first])} now{more}"
    )
