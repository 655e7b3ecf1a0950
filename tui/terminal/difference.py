"""The shortest sequences found that make a terminal show other cells (ECMA-48; all of them are
understood by a VT100 and whatever calls itself one)."""

from __future__ import annotations

import itertools
import operator
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache

from tui.terminal.cells import BLANK, PLAIN, Cell, Look

ERASE_LINE = "\x1b[K"
"""Makes all cells from the cursor to the end of its line blank."""

CLEAR = "\x1b[m\x1b[2J"
"""Makes all cells blank, whatever they were."""

DOWN = "\x1bD"
"""Goes to the cell below. What becomes of a line feed depends on how the terminal is set up."""

WIDE_GAP = 8
"""So many blanks within a row are worth going past, once they have been erased."""

NEAR = 3
"""To go past so few cells is never shorter than to write them, where that takes a byte each."""

FAR = 12
"""To go past more cells is always shorter than to write them."""


class Pen:
    """Where the terminal's cursor is, and how what comes next would look, as far as is known.

    Args:
        place: column and row.
        look: how it would look.
    """

    def __init__(self, place: tuple[int, int] | None = None, look: Look | None = None) -> None:
        self.place = place
        self.look = look
        self._written: list[str] = []

    @property
    def length(self) -> int:
        """How many bytes were written since the last time."""
        return sum(map(_length, self._written))

    def take(self) -> str:
        """What was written since the last time."""
        text = "".join(self._written)
        self._written.clear()
        return text

    def lose(self) -> None:
        """Something else was written, and nothing is known any more."""
        self.place = self.look = None

    def follow(self, other: Pen) -> None:
        """Write what was written by another, which began where this one is."""
        self._written.append(other.take())
        self.place, self.look = other.place, other.look

    def clear(self) -> None:
        """Make all cells blank."""
        self._written.append(CLEAR)
        self.look, self.place = PLAIN, None

    def move(self, x: int, y: int) -> None:
        """Go to a cell."""
        if self.place != (x, y):
            self._written.append(_motion(self.place, x, y))
            self.place = (x, y)

    def write(self, cells: Sequence[Cell], width: int) -> None:
        """Write cells at the cursor, in a line of so many columns."""
        assert self.place is not None
        x, y = self.place
        text, self.look = _written(cells, self.look)
        self._written.append(text)
        x += len(cells)
        # Terminals differ in what they hold for wide, and in where they are at the end of a line.
        certain = x < width and (text.isascii() or {len(text) for text, _ in cells} == {1})
        self.place = (x, y) if certain else None

    def erase_line(self) -> None:
        """Make all cells from the cursor to the end of its line blank."""
        if _is_seen_on_a_blank(self.look):  # some terminals would erase in it
            self._written.append(restyled(self.look, PLAIN))
            self.look = PLAIN
        self._written.append(ERASE_LINE)


def write_row(pen: Pen, y: int, old: list[Cell], new: list[Cell]) -> None:
    """Write what makes a row of the terminal that shows `old` show `new`, of the same width."""
    differing = _differing(old, new)
    if not differing:
        return
    to_erase = [x for x in differing if new[x] == BLANK]
    text_end = _text_end(new) if to_erase else len(new)
    erases_end = bool(to_erase) and to_erase[-1] + 1 - text_end > len(ERASE_LINE)
    erased = text_end if erases_end else len(new)
    best = Pen(pen.place, pen.look)
    _write_cells(best, y, differing[: bisect_left(differing, erased)], new, erased)
    for erased in _wide_gaps(to_erase, new, text_end):
        left = differing[: bisect_left(differing, erased)]
        left += [x for x in range(erased, text_end) if new[x] != BLANK]
        if len(left) + len(ERASE_LINE) < best.length:  # each takes a byte at least
            way = Pen(pen.place, pen.look)
            _write_cells(way, y, left, new, erased)
            best = min(best, way, key=_length_of)
    pen.follow(best)


def _wide_gaps(to_erase: list[int], new: list[Cell], text_end: int) -> Iterator[int]:
    """From where else it may be worth erasing a row before the rest of it is written: where many
    blanks begin, some of which have to be written."""
    end = 0
    for x in to_erase:
        if end <= x < text_end:
            first = end = x
            while first and new[first - 1] == BLANK:
                first -= 1
            while new[end] == BLANK:
                end += 1
            if end - first >= WIDE_GAP:
                yield first


def _differing(old: list[Cell], new: list[Cell]) -> list[int]:
    """The columns of the cells that differ."""
    # Most are not only equal but the same, which is seen in no time.
    others = itertools.compress(itertools.count(), map(operator.is_not, old, new))
    return [x for x in others if old[x] != new[x]]


def _text_end(row: list[Cell]) -> int:
    """Where the blanks at the end of a row begin."""
    x = len(row)
    while x and row[x - 1] == BLANK:
        x -= 1
    return x


def _write_cells(pen: Pen, y: int, differing: list[int], new: list[Cell], erased: int) -> None:
    """Write the cells of a row that differ, once all from `erased` on is erased."""
    width = len(new)
    is_to_erase = erased < width
    for first, last in [*_runs(differing, new), (width, width)]:
        if is_to_erase and first >= erased:
            _go_on(pen, erased, y, new)
            pen.erase_line()
            is_to_erase = False
        if first < width:
            _go_on(pen, first, y, new)
            pen.write(new[first:last], width)


def _runs(differing: list[int], new: list[Cell]) -> list[tuple[int, int]]:
    """From where to where the cells of a row differ."""
    runs: list[tuple[int, int]] = []
    width, start, end = len(new), 0, 0
    for x in differing:
        # A wide character is written whole.
        first = x if new[x][0] else x - 1
        if not end:
            start = first
        elif first > end and not (first - end <= NEAR and _is_one_look(new[end - 1 : first + 1])):
            runs.append((start, end))
            start = first
        end = x + 2 if x + 1 < width and not new[x + 1][0] else x + 1
    if end:
        runs.append((start, end))
    return runs


def _is_one_look(cells: list[Cell]) -> bool:
    """Whether these cells can be written as they are, a byte each."""
    look = cells[0][1]
    return all(cell is BLANK or (cell[1] is look and cell[0].isascii()) for cell in cells)


def _go_on(pen: Pen, x: int, y: int, row: list[Cell]) -> None:
    """Go to a cell of a row: past the cells before it, or by writing them again where that is no
    longer."""
    if pen.place is not None and pen.place[1] == y and 0 < x - pen.place[0] <= FAR:
        between = row[pen.place[0] : x]
        text, look = _written(between, pen.look)
        longer = _length(text) - len(_forward(len(between)))
        if look != pen.look:
            wanted = next((cell[1] for cell in row[x:] if cell != BLANK), look)
            longer += len(restyled(look, wanted)) - len(restyled(pen.look, wanted))
        if longer <= 0:
            pen.write(between, len(row))
    pen.move(x, y)


def _written(cells: Sequence[Cell], look: Look | None) -> tuple[str, Look | None]:
    """The text of cells, with what changes the look; and the look at its end."""
    texts, looks = zip(*cells, strict=True)
    first = looks[0]
    if first is look and looks.count(first) == len(looks):  # as most are
        return "".join(texts), look
    parts: list[str] = []
    for cell in cells:
        text, wanted = cell
        if wanted != look and text and (cell != BLANK or _is_seen_on_a_blank(look)):
            parts.append(restyled(look, wanted))
            look = wanted
        parts.append(text)
    return "".join(parts), look


@lru_cache(maxsize=1024)
def _is_seen_on_a_blank(look: Look | None) -> bool:
    """Whether a blank of this look is seen, or could be."""
    return look is None or look.is_seen_on_a_blank


_length_of = operator.attrgetter("length")


def _length(text: str) -> int:
    """How many bytes a text has."""
    return len(text) if text.isascii() else len(text.encode(errors="replace"))


def _motion(place: tuple[int, int] | None, x: int, y: int) -> str:
    straight = f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H" if y else "\x1b[H"
    if place is None or place[1] > y:
        return straight
    lines = y - place[1]
    down = min(DOWN * lines, f"\x1b[{lines}B", key=len)
    return min(straight, f"{down}{_sideways(x - place[0])}", f"\r{down}{_forward(x)}", key=len)


def _sideways(columns: int) -> str:
    return _forward(columns) if columns >= 0 else min("\b" * -columns, f"\x1b[{-columns}D", key=len)


def _forward(columns: int) -> str:
    return f"\x1b[{columns}C" if columns > 1 else "\x1b[C" * columns


@lru_cache(maxsize=1024)
def restyled(old: Look | None, new: Look) -> str:
    """The sequence that changes the look of what comes next; none where it is the same."""
    if old == new:
        return ""
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
