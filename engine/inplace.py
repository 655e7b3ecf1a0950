"""Which arrays were changed in place, and when.

The engine's clock ticks once for each change in place that it makes. An array's last change is
kept by the memory that it lives in, so everything that shares an array (views, a Parameter and
the Tensor it was made of) shares the record. A node remembers the time at which it was made; a
backward pass refuses an array that was changed after that.

Writing into `.array` oneself is not seen here.
"""

from __future__ import annotations

import functools
import operator
import sys
import weakref
from collections.abc import Iterable, Iterator
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import BackwardError
from engine.naming import name_in_caller
from engine.origin import user_frame
from engine.registry import Array

if TYPE_CHECKING:
    from engine.tensor import Tensor


class Change:
    """The last change in place of some arrays.

    Args:
        op: what changes the arrays, as its user calls it.
    """

    __slots__ = ("code", "instruction", "is_theirs", "op", "time")

    def __init__(self, op: str) -> None:
        self.op = op
        self.is_theirs = True
        """Whether this is still the last change of all its arrays."""
        self.code: CodeType | None = None
        """That of the user's function that did it."""
        self.instruction = 0
        """Where in it; to find the line takes a look-up that only a message needs."""
        CLOCK.time += 1
        self.time = CLOCK.time
        """The clock's reading after it."""
        self.note_line(user_frame())

    def note_line(self, frame: FrameType | None) -> None:
        """It was done by the line that is being run in this frame, the user's."""
        self.code = frame.f_code if frame else None
        self.instruction = frame.f_lasti if frame else 0

    @property
    def filename(self) -> str | None:
        """The file of the user's line that did it."""
        return self.code.co_filename if self.code else None

    @property
    def line(self) -> int | None:
        """The number of that line."""
        for start, end, line in self.code.co_lines() if self.code else ():
            if start <= self.instruction < end:
                return line
        return None

    def __str__(self) -> str:
        where = f" ({self.filename}, line {self.line})" if self.filename else ""
        return f"{self.op}{where} changed it in place"


class _Clock:
    def __init__(self) -> None:
        self.time = 0


CLOCK = _Clock()
"""`CLOCK.time` counts the changes in place made so far."""

_changes: dict[int, tuple[weakref.ref[Array], Change]] = {}


def mark_changed(array: Array, op: str) -> None:
    """Note that `op` has just written into `array`."""
    mark_all_changed((array,), op)


def mark_all_changed(arrays: Iterable[Array], op: str) -> Change:
    """Note that `op` has just written into all these arrays; the note of it."""
    change = Change(op)
    for array in arrays:
        owner = _owner(array)
        key = id(owner)
        known = _changes.get(key)
        if known is None or known[0]() is not owner:
            _changes[key] = (weakref.ref(owner, functools.partial(_forget, key)), change)
        else:
            known[1].is_theirs = False
            _changes[key] = (known[0], change)
    return change


class RepeatedChange:
    """Notes that the same arrays are changed again and again, as by an optimiser, which costs
    next to nothing from the second time on.

    Args:
        op: what changes them.
    """

    def __init__(self, op: str) -> None:
        self._op = op
        self._arrays: list[Array] = []
        self._change: Change | None = None

    def __reduce__(self) -> tuple[type[RepeatedChange], tuple[str]]:
        return RepeatedChange, (self._op,)  # a copy's arrays are others

    def mark(self, arrays: list[Array]) -> None:
        """Note that these arrays have just been written into, by a method of the engine's."""
        change = self._change
        if (
            change is not None
            and change.is_theirs
            and len(arrays) == len(self._arrays)
            and all(map(operator.is_, arrays, self._arrays))
        ):
            CLOCK.time += 1
            change.time = CLOCK.time
            frame = sys._getframe(2)
            if frame.f_code is change.code:
                change.instruction = frame.f_lasti
            else:
                change.note_line(user_frame(frame))
        else:
            self._arrays = arrays
            self._change = mark_all_changed(arrays, self._op)


def last_change(array: Any) -> Change | None:
    """The last change in place of the memory that `array` lives in."""
    owner = _owner(array)
    known = _changes.get(id(owner))
    return known[1] if known is not None and known[0]() is owner else None


def check_unchanged(node: Tensor) -> None:
    """Refuse to go on with values that were changed in place after the node was made, and that its
    backward functions read.

    Raises:
        BackwardError: an argument or the result was changed; it names which, and by what.
    """
    assert node._op is not None
    read = _positions_read(node)
    saved = [(f"argument {i}", value) for i, value in enumerate(node._args)]
    inputs = dict(zip((what for what, _ in saved), node._inputs, strict=False))
    saved.append(("its result", node.array))
    if read is not None:
        saved = [saved[position] for position in read if position < len(node._args)]
    saved += [(f"the argument {key}", value) for key, value in node._op.kwargs.items()]
    for what, array in ((what, array) for what, value in saved for array in _arrays_in(value)):
        change = last_change(array)
        if change is not None and change.time > node._made_at:
            name = name_in_caller(inputs.get(what, node))
            named = f"{what}, {name}" if name else what
            raise BackwardError(
                f"{node.op} saved {named} (shape {array.shape}) for its backward function, and "
                f"{change} afterwards; the gradient would be wrong. Write a new tensor instead, "
                "or change it after backward()"
            )


def _positions_read(node: Tensor) -> list[int] | None:
    """The arguments whose values a node's backward functions read, -1 for its result; None where
    that is not known of all of them."""
    assert node._op is not None
    read: set[int] = set()
    for position, parent in enumerate(node._inputs):
        if getattr(parent, "_requires_grad", False):
            reads = node._op.reads.get(position)
            if reads is None:
                return None
            read.update(reads)
    return sorted(read)


def check_current(op: str, args: Iterable[Any]) -> None:
    """Refuse arguments of `op` whose values were changed behind the back of their history.

    Raises:
        BackwardError: there is one; it names what changed it.
    """
    for arg in args:
        if not hasattr(arg, "_made_at") or arg._op is None:
            continue
        change = last_change(arg.array)
        if change is not None and change.time > arg._made_at:
            name = name_in_caller(arg) or "an argument"
            raise BackwardError(
                f"{op}: {name} {arg.shape} was made by {arg.op}, and {change} afterwards: its "
                "history no longer tells how its values came about; change a copy, or detach() it"
            )


def _arrays_in(value: object) -> Iterator[Array]:
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _arrays_in(part)


def _forget(key: int, _: object) -> None:
    _changes.pop(key, None)


def _owner(array: Any) -> Any:
    """The array at the end of the chain of views, which owns (or borrows) the memory."""
    while isinstance(array.base, type(array)):
        array = array.base
    return array
