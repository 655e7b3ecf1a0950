"""Errors that are told to the user, not traced."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from tui.loading.own_code import shown


@dataclass
class ScenarioError(Exception):
    """A scenario that cannot be used."""

    message: str
    """What is wrong and what to do, in one sentence or two."""
    filename: str | None = None
    """The file in which it is wrong; from where the program was started, where it lies there."""
    line: int | None = None
    """The line in that file, from 1."""
    excerpt: str | None = None
    """That line's text."""
    nearby: list[tuple[int, str]] = field(default_factory=list)
    """What is to be read to understand it: lines of the file with their numbers."""

    def __post_init__(self) -> None:
        if self.filename is not None:
            self.filename = shown(self.filename)

    def __str__(self) -> str:
        if self.filename is None:
            return self.message
        where = self.filename if self.line is None else f"{self.filename}, line {self.line}"
        return f"{where}: {self.message}"

    @property
    def notice(self) -> str:
        """The same in few words, for one who has the file before them."""
        return f"{self.message} ({self.place})" if self.place else self.message

    @property
    def place(self) -> str:
        """The file without its folder, and the line; nothing where they are not known."""
        if self.filename is None or self.line is None:
            return ""
        return f"{os.path.basename(self.filename)}, line {self.line}"


class Refused(Exception):
    """A command that cannot be carried out as it was typed; the message says why, and what would
    do."""
