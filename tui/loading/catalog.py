"""The bundled scenarios, and finding the one that is meant."""

from __future__ import annotations

import ast
import contextlib
import difflib
import os
from dataclasses import dataclass
from pathlib import Path

import scenarios
from tui.errors import ScenarioError

FOLDER = Path(scenarios.__file__).parent


@dataclass(frozen=True)
class Entry:
    """A bundled scenario."""

    name: str
    title: str
    path: Path


def bundled() -> list[Entry]:
    """The scenarios that come with the program, in the order of the lessons, with what else lies
    in their folder behind them; they are read, not run."""
    place = {name: i for i, name in enumerate(scenarios.LESSONS)}
    paths = [path for path in FOLDER.glob("*.py") if not path.name.startswith("_")]
    paths.sort(key=lambda path: (place.get(path.stem, len(place)), path.stem))
    return [
        Entry(path.stem, docstring_title(path.read_text(encoding="utf-8")), path) for path in paths
    ]


def docstring_title(source: str) -> str:
    """The title of a scenario by its source text; nothing where it is no Python."""
    try:
        return title_of(ast.get_docstring(ast.parse(source)) or "")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def title_of(docstring: str) -> str:
    """The first line of a scenario's docstring."""
    return docstring.strip().partition("\n")[0].strip()


def find(wanted: str) -> Path:
    """The file of a scenario given as a path or as a bundled one's name: its absolute path, which
    stays what it is when the scenario changes to another folder.

    Raises:
        ScenarioError: there is no such file or name.
    """
    path = Path(wanted)
    if os.path.isfile(wanted):  # unlike path.is_file() also where the name is too long
        with contextlib.suppress(OSError):  # the folder that we are in is gone
            return path.absolute()
        return path
    names = [entry.name for entry in bundled()]
    if wanted in names:
        return FOLDER / f"{wanted}.py"
    if os.path.isdir(wanted):
        raise ScenarioError(f"{wanted} is a folder; a scenario is a Python file")
    if path.suffix == ".py" or len(path.parts) > 1:
        mend = _nearest(path.stem, names, "There is a bundled scenario of that name: bp-tui {}")
        raise ScenarioError(f"there is no file {wanted}.{mend}")
    mend = _nearest(wanted, names, "Did you mean {}?")
    raise ScenarioError(
        f"there is no scenario {wanted!r}.{mend or ' Bundled are: ' + ', '.join(names) + '.'}"
    )


def reference(path: Path) -> str:
    """What `find` finds a scenario's file by, also from another folder: the bundled one's name, or
    the whole path."""
    whole = path.absolute()
    if whole.parent == FOLDER.absolute():
        return whole.stem
    return str(whole)


def _nearest(wanted: str, names: list[str], sentence: str) -> str:
    exact = sentence.startswith("There")
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.95 if exact else 0.5)
    return " " + sentence.format(" or ".join(near)) if near else ""
