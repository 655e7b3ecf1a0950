"""Which arrays were changed in place, and when.

The engine's clock ticks once for each change in place that it makes. An array's last change is
kept by the memory that it lives in, so everything that shares an array (views, a Parameter and
the Tensor it was made of) shares the record. A node remembers the time at which it was made; a
backward pass refuses an array that was changed after that.

Writing into `.array` oneself is not seen here.
"""

from __future__ import annotations

import functools
import weakref
from dataclasses import dataclass
from typing import Any

from engine.origin import user_frame
from engine.registry import Array


@dataclass(frozen=True, slots=True)
class Change:
    """One change in place."""

    time: int
    """The clock's reading after it."""
    op: str
    """What changed the array, as its user calls it."""
    filename: str | None
    line: int | None
    """The user's line that did it."""


class _Clock:
    time = 0


CLOCK = _Clock()
"""`CLOCK.time` counts the changes in place made so far."""

_changes: dict[int, tuple[weakref.ref[Array], Change]] = {}


def mark_changed(array: Array, op: str) -> None:
    """Note that `op` has just written into `array`."""
    frame = user_frame()
    CLOCK.time += 1
    change = Change(
        CLOCK.time,
        op,
        frame.f_code.co_filename if frame else None,
        frame.f_lineno if frame else None,
    )
    owner = _owner(array)
    key = id(owner)
    known = _changes.get(key)
    if known is None or known[0]() is not owner:
        _changes[key] = (weakref.ref(owner, functools.partial(_forget, key)), change)
    else:
        _changes[key] = (known[0], change)


def last_change(array: Any) -> Change | None:
    """The last change in place of the memory that `array` lives in."""
    owner = _owner(array)
    known = _changes.get(id(owner))
    return known[1] if known is not None and known[0]() is owner else None


def _forget(key: int, _: object) -> None:
    _changes.pop(key, None)


def _owner(array: Any) -> Any:
    """The array at the end of the chain of views, which owns (or borrows) the memory."""
    while isinstance(array.base, type(array)):
        array = array.base
    return array
