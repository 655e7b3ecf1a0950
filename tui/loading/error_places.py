"""Where in the user's own code an exception came from, and what is to be read there."""

from __future__ import annotations

import functools
import inspect
import linecache
import traceback
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

import engine
from tui.loading import own_code
from tui.loading.own_code import Place

AROUND = 2
"""So many lines before and after a line belong to it."""
AT_MOST = 16
"""So many lines of a function are told."""


def place_of(path: Path, error: BaseException) -> Place | None:
    """The innermost line of the user's own code that an exception came through; of a backward
    function of theirs that returned something wrong, its first line.

    Args:
        path: the scenario's file, absolute.
        error: what was raised.
    """
    if not isinstance(error, engine.BackwardError):
        return _innermost(path, error)
    cause = error.__cause__
    return (
        (cause and _innermost(path, cause))
        or _first_line(path, error.function)
        or _innermost(path, error)
    )


def lines_at(place: Place, error: BaseException) -> list[tuple[int, str]]:
    """The lines around a place in the user's code, with their numbers: all of the backward function
    that is wrong, where it is in that."""
    lines = linecache.getlines(place.filename)
    first, last = place.line - AROUND, place.line + AROUND
    code = code_of(getattr(error, "function", None))
    if code is not None and code.co_filename == place.filename:
        of_code = [line for _, _, line in code.co_lines() if line]
        if min(of_code) <= place.line <= max(of_code):
            first = max(min(of_code), place.line - AT_MOST // 2)
            last = min(max(of_code), first + AT_MOST - 1)
    numbered = enumerate((line.rstrip() for line in lines), start=1)
    return [(number, text) for number, text in numbered if first <= number <= last]


def _innermost(path: Path, error: BaseException) -> Place | None:
    frames = reversed(traceback.extract_tb(error.__traceback__))
    places = [Place(f.filename, f.lineno, f.name) for f in frames if f.lineno is not None]
    return own_code.innermost(path, [(place.filename, place) for place in places])


def _first_line(path: Path, function: Callable[..., Any] | None) -> Place | None:
    code = code_of(function)
    if code is None:
        return None
    place = Place(code.co_filename, code.co_firstlineno, code.co_name)
    return own_code.innermost(path, [(place.filename, place)])


def code_of(function: Callable[..., Any] | None) -> CodeType | None:
    """The code of a function, also of one with some arguments given or with a wrapper around it;
    None for one that is not written in Python."""
    while isinstance(function, functools.partial):
        function = function.func
    code = None if function is None else getattr(inspect.unwrap(function), "__code__", None)
    return code if isinstance(code, CodeType) else None
