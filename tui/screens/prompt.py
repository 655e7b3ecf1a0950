"""One line in which the user types; plain Python, drawn by the screen that holds it."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len

from tui.widgets import styles
from tui.widgets.lines import Line, Part

LONGEST = 500
"""Characters; nobody means to type more, but a paste may bring it."""


class Prompt:
    """What has been typed, where the next character goes, and what is wrong with it.

    Args:
        label: what is asked for.
        then: called with the text when Enter is pressed.
        text: what stands there at first.
        hint: what can be typed, shown below.
        is_present: whether the text tells how it is now: what is typed first takes its place.
    """

    def __init__(
        self,
        label: str,
        then: Callable[[str], object],
        text: str = "",
        hint: str = "",
        is_present: bool = False,
    ) -> None:
        self.label = label
        self.hint = hint
        self.then = then
        self.text = text
        self.error = ""
        """Why the text was refused; empty where it was not, or has been changed since."""
        self._at = len(text)
        self._is_present = is_present

    def paste(self, text: str) -> None:
        """Insert the first line of what is pasted."""
        self.insert("".join(text.strip().splitlines()[:1]))

    def insert(self, text: str) -> None:
        """Insert text, of which control characters are left out."""
        if self._is_present:
            self._become("", "")
            self._is_present = False
        kept = "".join(char for char in text if char.isprintable())
        kept = kept[: max(0, LONGEST - len(self.text))]
        self.text = self.text[: self._at] + kept + self.text[self._at :]
        self._at += len(kept)
        self.error = ""

    def type(self, key: str, character: str | None) -> None:
        """Take one key: a character, or one that moves or deletes."""
        if character is not None:
            self.insert(character)
            return
        self._is_present = False
        before, after = self.text[: self._at], self.text[self._at :]
        if key in ("backspace", "ctrl+h"):
            self._become(before[:-1], after)
        elif key in ("delete", "ctrl+d"):
            self._become(before, after[1:])
        elif key == "ctrl+u":
            self._become("", after)
        elif key == "ctrl+k":
            self._become(before, "")
        elif key == "ctrl+w":
            self._become(before.rstrip().rpartition(" ")[0], after)
        elif key in ("left", "ctrl+b"):
            self._at = max(0, self._at - 1)
        elif key in ("right", "ctrl+f"):
            self._at = min(len(self.text), self._at + 1)
        elif key in ("home", "ctrl+a"):
            self._at = 0
        elif key in ("end", "ctrl+e"):
            self._at = len(self.text)

    def line(self, width: int) -> Line:
        """The label and the text, scrolled so that the place of the next character is seen; what
        is wrong stands at the right where there is room."""
        label = f" {self.label}  "
        room = max(8, width - cell_len(label) - 1)
        first = max(0, self._at - room + 1)
        shown = self.text[first : first + room]
        at = self._at - first
        parts: list[Part] = [
            (label, styles.SHOWN),
            (shown[:at], styles.PLAIN),
            (shown[at : at + 1] or " ", styles.CURSOR),
            (shown[at + 1 :], styles.PLAIN),
        ]
        if self.error and self._fits(width):
            parts.append((f"  {self.error}", styles.PROBLEM))
        return parts

    def below(self, width: int) -> Line:
        """The line below: what is wrong, where it had no room above; else the keys."""
        if self.error and not self._fits(width):
            return [(f" {self.error}", styles.PROBLEM)]
        return [
            (" Enter", styles.KEY),
            (" done ", styles.QUIET),
            (" Esc", styles.KEY),
            (" cancel ", styles.QUIET),
            (f"  {self.hint}" if self.hint else "", styles.QUIET),
        ]

    def _fits(self, width: int) -> bool:
        used = cell_len(self.label) + cell_len(self.text) + cell_len(self.error)
        return used + 7 <= width

    def _become(self, before: str, after: str) -> None:
        self.text, self._at, self.error = before + after, len(before), ""
