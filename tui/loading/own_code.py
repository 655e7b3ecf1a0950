"""Which code is the user's own: the scenario's file, and what else lies in its folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

from tui.places import ENGINE, ROOT, TUI

INSTALLED = {"site-packages", "dist-packages"}


class Place(NamedTuple):
    """Where code is being run, or was when something went wrong."""

    filename: str
    """Absolute."""
    line: int
    function: str
    """`<module>` for a file's own statements."""


AnyPlace = TypeVar("AnyPlace")


def innermost(path: Path, places: Iterable[tuple[str, AnyPlace]]) -> AnyPlace | None:
    """Of places in code the first that is the user's own.

    Args:
        path: the scenario's file, absolute.
        places: each with the name of its file, the innermost first.
    """
    folder = path.resolve().parent
    return next((p for name, p in places if name == str(path) or _is_near(folder, name)), None)


def shown(filename: str) -> str:
    """A file's name as the user knows it: relative to where the program was started, where it lies
    there."""
    inside = len(_start) > 1 and filename.startswith(_start)
    return filename[len(_start) :] if inside else filename


def _is_near(folder: Path, filename: str) -> bool:
    """Whether a file in the scenario's folder is the user's own, nothing that is installed."""
    return (
        filename.startswith(f"{folder}{os.sep}")
        and not filename.startswith(_our_folders())
        and not INSTALLED.intersection(Path(filename).relative_to(folder).parts)
    )


def _our_folders() -> tuple[str, ...]:
    """What is not the user's own, even where it lies in the scenario's folder."""
    standard_library = os.path.dirname(os.__file__) + os.sep
    data = os.path.join(ROOT, "scenarios", "data")
    return standard_library, *(folder + os.sep for folder in (ENGINE, TUI, data))


def note_start() -> None:
    """Note the folder that we are in as the one in which the program was started."""
    global _start
    try:
        _start = os.path.join(os.getcwd(), "")
    except OSError:  # it is gone
        _start = ""


_start = ""
note_start()
