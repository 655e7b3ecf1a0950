"""NumPy's warnings, with the user's lines: they are noted, and still shown as ever."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import numpy as np

from tui.places import ENGINE, TUI

_ALWAYS: Any = ("always", None, RuntimeWarning, None, 0)

_OURS = TUI + os.sep
_NOT_THE_USERS = os.path.dirname(os.path.abspath(np.__file__)) + os.sep, ENGINE + os.sep


@contextmanager
def noted(otherwise: str | None = None) -> Iterator[list[str]]:
    """Note the RuntimeWarnings of this block, each once for each line: `divide by zero encountered
    in log (nan.py, line 12)`.

    Python shows a warning once for each line that it comes from, and for NumPy's these are lines
    of the engine's. Here the innermost line of the user's own counts, if there is one. What the
    scenario or the command line says about warnings holds all the same.

    Args:
        otherwise: what is named where there is no line of the user's own: `line 12`.
    """
    found: dict[str, None] = {}
    notes: list[str] = []
    before, filters = warnings.showwarning, warnings.filters
    had = _ALWAYS in filters

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, RuntimeWarning):
            users = _users_line()
            filename, lineno = users or (filename, lineno)
            place = f"{os.path.basename(filename)}, line {lineno}"
            # The engine calculates with single numbers as arrays or as scalars, as is quicker.
            told = str(message).replace(" in scalar ", " in ")
            note = f"{told} ({place if users or otherwise is None else otherwise})"
            if note in found:
                return
            found[note] = None
            notes.append(note)
        before(message, category, filename, lineno, file, line)

    warnings.simplefilter("always", RuntimeWarning, append=True)
    warnings.showwarning = show
    try:
        yield notes
    finally:
        if warnings.showwarning is show:
            warnings.showwarning = before
        if not had and _ALWAYS in warnings.filters:
            warnings.filters.remove(_ALWAYS)  # type: ignore[attr-defined]


def _users_line() -> tuple[str, int] | None:
    frame = sys._getframe(2)
    while frame.f_back is not None:
        name = frame.f_code.co_filename
        if name.startswith(_OURS):
            break
        if os.sep in name and not name.startswith(_NOT_THE_USERS) and name != warnings.__file__:
            return name, frame.f_lineno
        frame = frame.f_back
    return None
