"""Textual's reading of what is typed, with sequences cut as it suits us."""

from __future__ import annotations

import re
from collections.abc import Iterable

from textual import constants, events
from textual._time import get_time
from textual._xterm_parser import XTermParser
from textual.message import Message

from tui.terminal.input_sequences import PASTE_ENDS, InputSequences

KNOWN = re.compile(
    r"""\x1b\[(
        <?[-\d;]+[Mm] | M... |  # the mouse
        \d+;\d+R |  # where the cursor is
        \?\d+;\d\$y |  # whether a mode is known
        48;[\d:;]+t |  # the size
        [IO]  # the focus
    )""",
    re.VERBOSE | re.DOTALL,
)
"""Sequences that Textual reads, besides keys."""


class InputParser(XTermParser):
    """Reads keys, the mouse, pasted text and what Textual has asked the terminal."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._sequences = InputSequences(self._is_known, constants.ESCAPE_DELAY)

    def feed(self, data: str) -> Iterable[Message]:
        """Take what has arrived; nothing for the end of it."""
        if not data:
            yield from super().feed(data)
            return
        yield from self._read(self._sequences.feed(data, get_time()))

    def tick(self) -> Iterable[Message]:
        """To be called now and then."""
        yield from self._read(self._sequences.tick(get_time()))
        yield from super().tick()

    def _read(self, pieces: Iterable[str]) -> Iterable[Message]:
        for piece in pieces:
            if piece:
                yield from super().feed(piece)
            else:
                yield events.Key("escape", "\x1b")

    def _is_known(self, sequence: str) -> bool:
        if sequence == PASTE_ENDS or KNOWN.fullmatch(sequence):
            return True
        return any(True for _ in self._sequence_to_key_events(sequence))

    def _parse_extended_key(  # type: ignore[override]  # what it caches does not take long
        self, sequence: str
    ) -> list[events.Key] | None:
        """A key with a number that no character has is none: broken lines and pasted rubbish bring
        such sequences."""
        try:
            return super()._parse_extended_key(sequence)
        except (ValueError, OverflowError):
            return None
