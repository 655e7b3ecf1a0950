"""Where plain lines go, and how wide they are."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from typing import TextIO

from tui.widgets import glyphs
from tui.wrapping import wrap

USUAL_WIDTH = 80
"""Columns, where there is no terminal that has its own."""

NARROWEST = 20
INDENT = "  "
"""Before what goes on from the line above, besides the line's own."""


class Output:
    """Prints lines, folded at the terminal's width, in ASCII where the locale has no more.

    Args:
        out: takes what is told.
        err: takes what goes wrong in a script.
        is_script: whether the commands come from a pipe or a file, and nobody reads along.
    """

    def __init__(self, out: TextIO, err: TextIO, is_script: bool) -> None:
        self.is_script = is_script
        self.went_wrong = False
        """Whether something has been complained about."""
        self.line = 0
        """The line of the script that is carried out."""
        self._out = out
        self._err = err
        self._ascii = not glyphs.has_unicode()

    @property
    def width(self) -> int:
        """Columns of a line."""
        return max(NARROWEST, shutil.get_terminal_size((USUAL_WIDTH, 24)).columns)

    def tell(self, lines: Iterable[str]) -> None:
        """Print lines."""
        for line in lines:
            self._write(line, self._out)
        self._out.flush()

    def complain(self, message: str) -> None:
        """Say what cannot be done: to who is there, or on standard error with the script's line."""
        self.went_wrong = True
        if not self.is_script:
            self.tell(message.splitlines())
            return
        where = f"line {self.line}: " if self.line else ""
        self.hint(f"{where}{message}")

    def hint(self, text: str) -> None:
        """Say something that belongs to no result: what is waited for, how far it is."""
        stream = self._err if self.is_script else self._out
        self._out.flush()
        for line in text.splitlines():
            if self.is_script:
                stream.write(self._safe(f"bp-tui: {line}") + "\n")
            else:
                self._write(line, stream)
        stream.flush()

    def ask(self, prompt: str) -> None:
        """Print what stands before the command that is typed."""
        stream = self._out if self._out.isatty() else self._err
        if stream.isatty():
            stream.write(prompt)
            stream.flush()

    def _write(self, text: str, stream: TextIO) -> None:
        for line in folded(self._safe(text), self.width):
            stream.write(line + "\n")

    def _safe(self, text: str) -> str:
        """The text without what a terminal would obey, or could not show."""
        text = glyphs.harmless(text)
        return glyphs.to_ascii(text) if self._ascii else text


def folded(text: str, width: int) -> list[str]:
    """A line in as many as it takes, broken between words; one that fits stays as it is."""
    text = text.rstrip()
    if len(text) <= width and text.isascii():
        return [text]
    indent = text[: len(text) - len(text.lstrip())] + INDENT
    return fitting(text, width) or wrap(text, width, indent) or [""]


def fitting(text: str, width: int) -> list[str]:
    """The line alone where it fits; nothing where it does not."""
    from rich.cells import cell_len

    return [text] if cell_len(text) <= width else []
