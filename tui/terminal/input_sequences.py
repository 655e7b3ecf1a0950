"""What arrives from a terminal, cut into keys and sequences.

Three things are done here that Textual's own reading of them does otherwise. Esc and a letter are
two keys, however quickly one comes after the other: the program has no keys with Alt, and on a slow
line keys arrive in bunches. What a terminal answers to questions that another program has asked is
no key. And no sequence that was cut off, be it a paste, keeps the keyboard for itself.

The sequences are those of ECMA-48, 5.4 and 5.6, and xterm's ("XTerm Control Sequences").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

ESC = "\x1b"
PASTE_STARTS, PASTE_ENDS = "\x1b[200~", "\x1b[201~"

STRINGS = "]P_^X"
"""After Esc, these start a string: OSC, DCS, APC, PM, SOS."""
STRING_ENDS = ("\x07", "\x1b\\")

LINUX_KEY, X10_MOUSE = "\x1b[[", "\x1b[M"
"""Of these one character and three more belong to it, whatever they are."""

CTRL_C, CTRL_Q = "\x03", "\x11"
"""Terminals take them out of what is pasted."""

LONGEST = 64
"""A sequence of so many characters is none that is known; they are only skipped."""

REST = 1.0
"""Seconds after which the rest of a sequence does not come any more."""
REST_OF_PASTE = 5.0
"""And that of a paste, which a slow line may bring in pieces."""


class InputSequences:
    """Cuts up what arrives.

    It gives single characters and whole sequences as they are, and the Esc key as "".

    Args:
        is_known: whether a sequence has a meaning; others are left out.
        escape_delay: seconds after which Esc alone is the key.
    """

    def __init__(self, is_known: Callable[[str], bool], escape_delay: float) -> None:
        self._is_known = is_known
        self._escape_delay = escape_delay
        self._held = ""
        """The start of a sequence."""
        self._pasting = False
        self._latest = 0.0

    def feed(self, text: str, now: float) -> Iterator[str]:
        """Take what has arrived, at a time in seconds."""
        yield from self.tick(now)
        self._latest = now
        for character in text:
            yield from self._pasted(character) if self._pasting else self._typed(character)

    def tick(self, now: float) -> Iterator[str]:
        """Give up waiting for the rest of a sequence; to be called now and then."""
        waited, held = now - self._latest, self._held
        if self._pasting:
            if waited >= (self._escape_delay if held == ESC else REST_OF_PASTE):
                yield from self._cut_paste()
        elif held and len(held) <= 2:
            if waited >= self._escape_delay:
                self._held = ""
                yield ""
                yield from held[1:]
        elif waited >= REST:
            self._held = ""

    def _typed(self, character: str) -> Iterator[str]:
        held = self._held
        if not held:
            if character == ESC:
                self._held = ESC
            else:
                yield character
        elif held == ESC:
            yield from self._after_escape(character)
        elif self._is_broken_by(character):
            self._held = ""
            yield from self._typed(character)
        elif self._is_complete_with(character):
            self._held = ""
            if held[1] not in STRINGS:
                yield from self._completed(held + character)
        else:
            self._held = held[: LONGEST - 1] + character

    def _after_escape(self, character: str) -> Iterator[str]:
        if character == "[" or character == "O" or character in STRINGS:
            self._held = ESC + character
            return
        yield ""
        self._held = ""
        yield from self._typed(character)

    def _is_broken_by(self, character: str) -> bool:
        held = self._held
        if held.startswith((LINUX_KEY, X10_MOUSE)):
            return False
        if held[1] in STRINGS:
            return character in (CTRL_C, CTRL_Q)
        return character < " " or character == "\x7f"

    def _is_complete_with(self, character: str) -> bool:
        held = self._held
        if held[1] in STRINGS:
            return (held[-1] + character).endswith(STRING_ENDS)
        if held.startswith(X10_MOUSE):
            return len(held) == len(X10_MOUSE) + 2
        if held.startswith(LINUX_KEY):
            return True
        if held + character in (LINUX_KEY, X10_MOUSE):
            return False
        return held[1] == "O" or "@" <= character <= "~"

    def _completed(self, sequence: str) -> Iterator[str]:
        self._pasting = sequence == PASTE_STARTS
        if self._pasting or (len(sequence) < LONGEST and self._is_known(sequence)):
            yield sequence

    def _pasted(self, character: str) -> Iterator[str]:
        end = self._held + character
        if character in (CTRL_C, CTRL_Q):
            # The end was lost, and somebody tries to get out.
            yield from self._cut_paste()
            yield character
        elif end == PASTE_ENDS:
            self._held, self._pasting = "", False
            yield PASTE_ENDS
        elif PASTE_ENDS.startswith(end):
            self._held = end
        else:
            yield from self._held[1:]  # a sequence is pasted as text
            self._held = ESC if character == ESC else ""
            yield from character.strip(ESC)

    def _cut_paste(self) -> Iterator[str]:
        """End a paste whose end was lost. Esc alone is the key."""
        was_escape, self._held, self._pasting = self._held == ESC, "", False
        yield PASTE_ENDS
        if was_escape:
            yield ""
