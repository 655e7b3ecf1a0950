"""Lists of what stops a run: an entry is removed, or switched off and on, by its number."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol, TypeVar

from tui.errors import Refused

CHANGE = re.compile(r"\s*([-!])\s*(\d{1,9})\s*", re.ASCII)
"""`-2` removes number 2 of the list, `!2` switches it off or on."""

Entry = TypeVar("Entry")


class Stopping(Protocol):
    """An entry that stops a run; as a text it says where."""

    enabled: bool
    hits: int
    """How often it has stopped a run."""


class Listed(Protocol):
    """A list of such entries."""

    def remove(self, number: int) -> object:
        """Remove one by its number; what it was."""

    def switch(self, number: int) -> Stopping:
        """Switch one off or on by its number."""


def changed(listed: Listed, text: str) -> str | None:
    """Carry out `-2` or `!2`; what was done. None where something else was typed.

    Raises:
        Refused: there is none of that number.
    """
    typed = CHANGE.fullmatch(text)
    if typed is None:
        return None
    number = int(typed[2])
    if typed[1] == "-":
        return f"removed: {listed.remove(number)}"
    entry = listed.switch(number)
    return f"switched {'on' if entry.enabled else 'off'}: {entry}"


def numbered(entries: Sequence[Entry], number: int) -> Entry:
    """An entry by its number, from 1.

    Raises:
        Refused: there is none of that number.
    """
    if not 1 <= number <= len(entries):
        have = f"there are {len(entries)}" if entries else "there are none"
        raise Refused(f"there is no number {number}: {have}")
    return entries[number - 1]


def told(entry: Stopping) -> list[str]:
    """What a list says of an entry besides what it is."""
    words = [] if entry.enabled else ["off"]
    if entry.hits:
        words.append(f"stopped {entry.hits} time{'s' if entry.hits > 1 else ''}")
    return words
