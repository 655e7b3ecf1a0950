"""How the user wants the stepping screen divided, and that it is remembered between runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tui import files

FILE = "panes.json"
VERSION = 1

ALONE = ("rail", "step", "tensors", "source")
"""The panes in the order in which they are maximised."""


@dataclass(frozen=True)
class Panes:
    """What was changed; for all else the layout decides by the size of the terminal."""

    columns: int = 0
    """By how many the divider between left and right was moved to the right."""
    rows: int = 0
    """By how many that between rail and step was moved down, where they stand one above the
    other."""
    source: bool | None = None
    """Whether the source is to be shown."""
    tensors: bool | None = None
    """Whether the tensors are to be shown besides the step."""
    alone: str | None = None
    """The pane that is maximised."""

    def __post_init__(self) -> None:
        """Raises ValueError where something is none of what is meant above."""
        numbers = (self.columns, self.rows)
        if not all(type(n) is int and abs(n) < 10_000 for n in numbers):
            raise ValueError("a number of columns or rows")
        if not all(wish in (None, True, False) for wish in (self.source, self.tensors)):
            raise ValueError("shown, hidden, or as the layout decides")
        if self.alone is not None and self.alone not in ALONE:
            raise ValueError("a pane")

    @property
    def next_alone(self) -> str | None:
        """The pane that is maximised next; None for all of them again."""
        following = dict(zip((None, *ALONE), (*ALONE, None), strict=True))
        return following[self.alone]


class RememberedPanes:
    """What the user wants now, the same as the last time at first."""

    def __init__(self) -> None:
        self.now, self.problem = recall()
        """`problem` is what was wrong with the file, empty where nothing was."""
        self._has_complained = False

    def change(self, panes: Panes) -> str:
        """Want something else, and remember it; what prevents that, told once."""
        if panes == self.now:
            return ""
        self.now = panes
        problem = keep(panes)
        if self._has_complained:
            return ""
        self._has_complained = bool(problem)
        return problem


def recall() -> tuple[Panes, str]:
    """What was remembered; and what is wrong with the file, empty where nothing is."""
    path = files.state_file(FILE)
    try:
        return _read(files.recall(path)), ""
    except FileNotFoundError:
        return Panes(), ""
    except OSError as error:
        return Panes(), f"the panes are as at first: {FILE}: {error.strerror}"
    except (files.Damaged, ValueError, TypeError):
        return Panes(), f"the panes are as at first: {FILE} is damaged; the next change replaces it"


def keep(panes: Panes) -> str:
    """Remember; what prevents it, empty where nothing does."""
    path = files.state_file(FILE)
    try:
        files.remember(path, {"version": VERSION, **asdict(panes)})
    except OSError as error:
        return f"the panes cannot be remembered in the state folder: {error.strerror}"
    return ""


def _read(content: Any) -> Panes:
    if not isinstance(content, Mapping):
        raise TypeError("an object")
    fields = dict(content)
    if fields.pop("version", None) != VERSION:
        raise ValueError("another version wrote it")
    return Panes(**fields)
