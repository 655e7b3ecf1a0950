"""Where the debugged process is, or was when it crashed, in the user's own code."""

from __future__ import annotations

import linecache
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tui.loading import own_code
from tui.loading.own_code import Place

_FRAME = re.compile(r'^  File "(.*)", line (\d+) in (.*)$', re.MULTILINE)
"""A frame as faulthandler writes it; what is no ASCII in a name is escaped."""


def of_main_thread(path: Path) -> Place | None:
    """The innermost place in the user's code where this process's main thread is now.

    Args:
        path: the scenario's file, absolute.
    """
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    places: list[tuple[str, Place]] = []
    while frame is not None:
        code = frame.f_code
        line = frame.f_lineno or code.co_firstlineno
        places.append((code.co_filename, Place(code.co_filename, line, code.co_name)))
        frame = frame.f_back
    return own_code.innermost(path, places)


def of_crash(path: Path, report: str) -> Place | None:
    """The innermost place in the user's code that a report of faulthandler's names.

    Args:
        path: the scenario's file, absolute.
        report: what faulthandler has written.
    """
    return own_code.innermost(path, _reported(path, report))


def _reported(path: Path, report: str) -> Iterator[tuple[str, Place]]:
    escaped = str(path).encode("ascii", "backslashreplace").decode()
    for name, line, function in _FRAME.findall(report):
        filename = str(path) if name == escaped else name
        yield filename, Place(filename, int(line), function)


def facts(place: Place | None) -> dict[str, Any]:
    """A place as the user is told it: the file and line, that line's text, and the function."""
    if place is None:
        return {"filename": None, "line": None, "excerpt": None, "function": ""}
    linecache.checkcache(place.filename)  # it may have been mended since the last crash
    return {
        "filename": own_code.shown(place.filename),
        "line": place.line,
        "excerpt": linecache.getline(place.filename, place.line).strip() or None,
        "function": "" if place.function == "<module>" else place.function,
    }
