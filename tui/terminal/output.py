"""Writing to the terminal: the newest screen wins, however slowly the terminal takes it."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from rich.color import ColorSystem
from rich.segment import Segment

from tui.terminal.cells import Cell, Cells
from tui.terminal.difference import Pen, write_row

LAST_WORDS = 2.0
"""Seconds that a terminal which takes nothing is given to take the end of what is said to it."""

LAST_LINE = "\x1b[m\x1b[{}H\x1b[K"
"""Goes to a row, and makes it blank."""

SYNCHRONISED = ("\x1b[?2026h", "\x1b[?2026l")
"""Between these a terminal that knows them draws nothing, so that it shows a screen at once."""


class Output:
    """Writes in a thread of its own, so that whoever draws never waits.

    What is drawn while the terminal is still taking what was written before is not queued: once it
    is ready again, it is sent the difference to the newest screen.

    Args:
        file: the terminal.
        pace: how many bytes a second to send at the most; None for as many as it takes. That a
            line is slow is not felt here where an SSH server takes everything at once.
    """

    def __init__(self, file: TextIO, pace: float | None = None) -> None:
        self._descriptor = file.fileno()
        self._encoding = file.encoding
        self._pace = pace
        self._changed = threading.Condition()
        self._texts: list[str] = []
        self._wanted = Cells(0, 0)
        self._shown: list[list[Cell]] = []
        """The rows of the terminal; none where nothing is known of it."""
        self._pen = Pen()
        self._drawn = self._takes_drawings = self._closing = self._synchronised = False
        self._ready_at = 0.0
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to write, or go on after `close`; nothing is known of what the terminal shows, and
        what was drawn before is sent again only after `forget`."""
        with self._changed:
            self._closing, self._takes_drawings = False, True
            self._shown, self._pen = [], Pen()
        if self._thread is not None and self._thread.is_alive():
            return  # the terminal has not taken the last words yet
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)
        self._thread.start()

    def forget(self) -> None:
        """Nothing is known any more of what the terminal shows: all is sent again."""
        with self._changed:
            self._shown, self._pen = [], Pen()
            self._drawn = self._takes_drawings and bool(self._wanted.rows)
            self._changed.notify()

    def resized(self, size: tuple[int, int]) -> None:
        """The terminal has, or has again, so many columns and rows. What it makes of its cells on
        the way there is its own; where the size is another one, the next drawing starts blank."""
        with self._changed:
            if self._wanted.size == size:
                self.forget()

    def say(self, text: str) -> None:
        """Write a text as it is, in its turn: what sets the terminal up, and the like."""
        with self._changed:
            self._texts.append(text)
            self._changed.notify()

    def draw(
        self,
        size: tuple[int, int],
        segments: Iterable[Segment],
        colours: ColorSystem,
        synchronised: bool,
    ) -> None:
        """Draw on the screen.

        Args:
            size: columns and rows of the terminal; with another size the screen starts blank.
            segments: what to draw, see `Cells.draw`.
            colours: what the terminal has.
            synchronised: whether it can be told to show a screen at once.
        """
        with self._changed:
            if self._wanted.size != size:
                self._wanted, self._shown = Cells(*size), []
            self._wanted.draw(segments, colours)
            self._synchronised = synchronised
            self._drawn = self._takes_drawings
            self._changed.notify()

    def draw_lines(
        self,
        size: tuple[int, int],
        place: tuple[int, int],
        lines: Mapping[int, Sequence[Segment]],
        colours: ColorSystem,
    ) -> bool:
        """Draw lines on what was drawn before; they go out after `send_lines`, or with the next
        drawing. Whether that was possible: it is not where nothing of this size was drawn.

        Args:
            size: columns and rows of the terminal.
            place: column and row where line 0 begins.
            lines: the parts of each, without any control segment, by its number.
            colours: what the terminal has.
        """
        with self._changed:
            if self._wanted.size != size:
                return False
            for y, segments in lines.items():
                self._wanted.draw_line(place[0], place[1] + y, segments, colours)
            return True

    def send_lines(self) -> None:
        """Have the lines that were drawn sent."""
        with self._changed:
            self._drawn = self._takes_drawings
            self._changed.notify()

    def stop_drawing(self) -> None:
        """From here on the screen is not ours, until the next start. What is written there next
        has the terminal's own look, and a line for itself: not every terminal has a second screen
        that is put away."""
        with self._changed:
            self._drawn, self._takes_drawings = False, False
            if self._shown:
                self._texts.append(LAST_LINE.format(len(self._shown)))
                self._changed.notify()

    def close(self) -> None:
        """Write what there still is to say, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(LAST_WORDS)

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # the terminal has gone
            while (text := self._next()) is not None:
                self._write(text.encode(self._encoding, "replace"))

    def _next(self) -> str | None:
        """What to write next, once there is something; None at the end."""
        with self._changed:
            while True:
                wait = None
                if self._texts:
                    text = "".join(self._texts)
                    self._texts.clear()
                    self._pen.lose()
                    return text
                if self._closing:
                    return None
                if self._drawn:
                    wait = self._ready_at - time.monotonic()
                    if wait <= 0:
                        self._drawn, wait = False, None
                        if text := self._difference():
                            return text
                self._changed.wait(wait)

    def _difference(self) -> str:
        """What makes the terminal show what is wanted; from here on it is taken to show that."""
        if len(self._shown) != len(self._wanted.rows):
            self._pen.clear()
            self._shown = Cells(*self._wanted.size).rows
            self._wanted.draw_all()
        for y, row in self._wanted.take_drawn():
            write_row(self._pen, y, self._shown[y], row)
            self._shown[y] = row
        text = self._pen.take()
        return text.join(SYNCHRONISED) if text and self._synchronised else text

    def _write(self, data: bytes) -> None:
        if self._pace is not None:
            self._ready_at = max(time.monotonic(), self._ready_at) + len(data) / self._pace
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # somebody who has the terminal, too, made it so
                select.select([], [self._descriptor], [])
