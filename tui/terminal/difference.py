"""The shortest sequences found that make a terminal show other cells (ECMA-48; all of them are
understood by a VT100 and whatever calls itself one)."""

from __future__ import annotations

from functools import lru_cache
from itertools import takewhile

from tui.terminal.cells import BLANK, PLAIN, Cell, Look

ERASE_LINE = "\x1b[K"
"""Makes all cells from the cursor to the end of its line blank."""

CLEAR = "\x1b[m\x1b[2J"
"""Makes all cells blank, whatever they were."""


class Pen:
    """Where the terminal's cursor is, and how what comes next would look, as far as is known."""

    def __init__(self) -> None:
        self.place: tuple[int, int] | None = None
        self.look: Look | None = None
        self._written: list[str] = []

    def take(self) -> str:
        """What was written since the last time."""
        text = "".join(self._written)
        self._written.clear()
        return text

    def lose(self) -> None:
        """Something else was written, and nothing is known any more."""
        self.place = self.look = None

    def clear(self) -> None:
        """Make all cells blank."""
        self._written.append(CLEAR)
        self.look, self.place = PLAIN, None

    def move(self, x: int, y: int) -> None:
        """Go to a cell."""
        if self.place != (x, y):
            self._written.append(_motion(self.place, x, y))
            self.place = (x, y)

    def write(self, cells: list[Cell], width: int) -> None:
        """Write cells at the cursor, in a line of so many columns."""
        assert self.place is not None
        x, y = self.place
        certain = True
        for text, look in cells:
            if not text:
                continue
            if look != self.look:
                self._written.append(restyled(self.look, look))
                self.look = look
            self._written.append(text)
            certain = certain and len(text) == 1
        x += len(cells)
        # Terminals differ in what they hold for wide, and in where they are at the end of a line.
        certain = certain and x < width and all(text for text, _ in cells)
        self.place = (x, y) if certain else None

    def erase_line(self) -> None:
        """Make all cells from the cursor to the end of its line blank."""
        if self.look != PLAIN:  # some terminals would erase in the present background
            self._written.append(restyled(self.look, PLAIN))
            self.look = PLAIN
        self._written.append(ERASE_LINE)


def write_row(pen: Pen, y: int, old: list[Cell], new: list[Cell]) -> None:
    """Write what makes a row of the terminal that shows `old` show `new`, of the same width."""
    if old == new:
        return
    width = len(new)
    blanks = sum(1 for _ in takewhile(lambda cell: cell == BLANK, reversed(new)))
    end = next(x for x in range(width, 0, -1) if old[x - 1] != new[x - 1])
    text_end = width - blanks
    to_erase = sum(a != BLANK for a in old[text_end:end])
    erases = end - text_end > len(ERASE_LINE) and to_erase > 0
    runs = _runs(old, new, text_end if erases else end)
    for first, last in runs:
        pen.move(first, y)
        pen.write(new[first:last], width)
    if erases:
        pen.move(text_end, y)
        pen.erase_line()


def _runs(old: list[Cell], new: list[Cell], end: int) -> list[tuple[int, int]]:
    """From where to where a row is written, up to a column: the cells that differ, and between
    them those that are written in less than it takes to go past them."""
    runs: list[tuple[int, int]] = []
    for x in range(end):
        if old[x] == new[x]:
            continue
        # A wide character is written whole.
        first = x if new[x][0] else x - 1
        last = x + 2 if x + 1 < len(new) and not new[x + 1][0] else x + 1
        if runs and (first <= runs[-1][1] or _is_cheap(new, runs[-1][1], first)):
            runs[-1] = (runs[-1][0], last)
        else:
            runs.append((first, last))
    return runs


def _is_cheap(cells: list[Cell], first: int, end: int) -> bool:
    """Whether cells between two others are written in no more than the sequence that skips them."""
    if end - first > len(_forward(9)) or any(c[1] != cells[first - 1][1] for c in cells[first:end]):
        return False
    length = sum(len(text.encode(errors="replace")) for text, _ in cells[first:end])
    return length <= len(_forward(end - first))


def _motion(place: tuple[int, int] | None, x: int, y: int) -> str:
    straight = f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"
    if place is None or place[1] > y:
        return straight
    if place[1] == y and place[0] <= x:
        return min(_forward(x - place[0]), straight, key=len)
    if place[0] == x:
        return f"\x1b[{y - place[1]}B" if y - place[1] > 1 else "\x1b[B"
    # The end of a line goes out with a carriage return of its own, as terminals are set up.
    lines = "\r" + "\n" * (y - place[1])
    return min(straight, lines + (_forward(x) if x else ""), key=lambda s: len(s) + s.count("\n"))


def _forward(columns: int) -> str:
    return "\x1b[C" if columns == 1 else f"\x1b[{columns}C"


@lru_cache(maxsize=1024)
def restyled(old: Look | None, new: Look) -> str:
    """The sequence that changes the look of what comes next."""
    anew = [*new.attributes, *filter(None, (new.foreground, new.background))]
    from_nothing = f"\x1b[{';'.join(['0', *anew] if anew else [])}m"
    if old is None or not set(old.attributes) <= set(new.attributes):
        return from_nothing
    changed = [number for number in new.attributes if number not in old.attributes]
    if new.foreground != old.foreground:
        changed.append(new.foreground or "39")
    if new.background != old.background:
        changed.append(new.background or "49")
    return min(from_nothing, f"\x1b[{';'.join(changed)}m", key=len)
