"""Where a tensor comes from: the user's line that made it, and the modules it was made in.

Off unless asked for (`with record_origins():`), because looking at the call stack at each
operation costs more than a small operation itself.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from types import FrameType
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from engine.state import STATE, SWITCHES

if TYPE_CHECKING:
    from engine.tensor import Tensor

P = ParamSpec("P")
R = TypeVar("R")

_ENGINE_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep


@dataclass(frozen=True, eq=False, slots=True)
class Call:
    """One call of a module or of a function that is made of several operations."""

    owner: object
    """The Module that was called, or the composite function."""
    caller: Call | None
    """The call around it."""


class Input(NamedTuple):
    """A tensor that an operation was given. It is not kept alive, but where it came from is."""

    tensor: weakref.ref[Tensor]
    origin: Origin | None
    requires_grad: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """How a tensor came to be."""

    op: str
    """The name of the operation."""
    filename: str | None
    """The file of the line outside the engine that asked for it, None where there is none."""
    line: int | None
    """That line's number, from 1."""
    call: Call | None
    """The innermost module or composite function that was being called."""
    grad_enabled: bool
    """Whether the graph was being recorded."""
    inputs: tuple[Input, ...] = field(default=(), compare=False, repr=False)
    """The arguments that were tensors: also of what is not in the graph."""


@contextmanager
def record_origins(enabled: bool = True) -> Iterator[None]:
    """Let the tensors made in this block (by this thread) remember their `Origin`."""
    before = STATE.origins_enabled
    SWITCHES.turn()
    STATE.origins_enabled = enabled
    try:
        yield
    finally:
        STATE.origins_enabled = before
        SWITCHES.turn_back()


def current_origin(op: str, args: tuple[Any, ...] = ()) -> Origin:
    """The origin of a tensor that `op` is making now of `args`."""
    frame = user_frame()
    inputs = tuple(
        Input(weakref.ref(arg), arg.origin, arg._requires_grad)
        for arg in args
        if hasattr(arg, "_requires_grad")
    )
    return Origin(
        op,
        frame.f_code.co_filename if frame else None,
        frame.f_lineno if frame else None,
        STATE.call,
        STATE.grad_enabled,
        inputs,
    )


def user_line() -> tuple[str, int] | None:
    """The file and the number of the line outside the engine that is being run."""
    frame = user_frame()
    return (frame.f_code.co_filename, frame.f_lineno) if frame else None


def user_frame(innermost: FrameType | None = None) -> FrameType | None:
    """The innermost frame of the call stack that is not the engine's own.

    Args:
        innermost: where to start; the caller's by default.
    """
    frame: FrameType | None = innermost or sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_ENGINE_FOLDER):
        frame = frame.f_back
    return frame


@contextmanager
def calling(owner: object) -> Iterator[None]:
    """Tensors made in this block are made inside a call of `owner`."""
    before = STATE.call
    STATE.call = Call(owner, before)
    try:
        yield
    finally:
        STATE.call = before


def composite(function: Callable[P, R]) -> Callable[P, R]:
    """Mark a function that is made of several operations, so that they can be shown as one."""

    @wraps(function)
    def marked(*args: P.args, **kwargs: P.kwargs) -> R:
        if not (SWITCHES.turned and STATE.origins_enabled):
            return function(*args, **kwargs)
        with calling(function):
            return function(*args, **kwargs)

    return marked
