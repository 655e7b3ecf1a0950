"""A window of numbers, with the indices of rows and columns as headings."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tui.session import numbers
from tui.session.protocol import Array
from tui.session.tensors.slices import Slice
from tui.session.tensors.table import VECTOR_COLUMNS, Table
from tui.session.tensors.text import Part, Row, joined

LEAST_CELL = 8
"""Columns of a number with the space before it, so that scrolling rarely changes them."""


@dataclass
class Grid:
    """Which window of a table is shown; it follows the cursor."""

    table: Table
    where: Slice
    """Which elements of the tensor the table's are."""
    first_row: int = 0
    first_column: int = 0
    _cell: int = field(default=LEAST_CELL, repr=False)

    def columns_in(self, width: int) -> int:
        """How many columns of numbers there are in so many columns of the screen."""
        return max(1, (width - self._heading_width() - 1) // self._cell)

    def draw(
        self,
        cursor: tuple[int, int],
        width: int,
        height: int,
        interval: tuple[float, float] | None = None,
        chosen: tuple[int, int] | None = None,
    ) -> list[Row]:
        """The headings of the columns, then rows of numbers.

        Args:
            cursor: row and column of the element that is pointed at.
            width: columns of the screen.
            height: rows of the screen, with the one of the headings.
            interval: smallest and largest value that are marked.
            chosen: row and column of the element that the steps work through.
        """
        window: list[Array] = []
        for _ in range(2):  # wider numbers leave room for fewer of them
            self._follow(cursor, width, height - 1)
            count = self.columns_in(width)
            window = self.table.window(self.first_row, height - 1, self.first_column, count)
            texts = _texts(window)
            widest = max((len(text) for row in texts for text in row), default=0) + 2
            if widest <= self._cell:
                break
            self._cell = widest
        heading = self._heading_width()
        rows = [self._column_headings(heading, min(count, self.table.columns), cursor[1])]
        for y, (row, values) in enumerate(zip(texts, window, strict=True), self.first_row):
            parts: list[Part] = [
                (f"{self._row_heading(y):>{heading}} ", "strong" if y == cursor[0] else "quiet")
            ]
            for x, (text, value) in enumerate(zip(row, values, strict=True), self.first_column):
                parts += self._number(text, value, (y, x), cursor, interval, chosen)
            rows.append(joined(parts))
        return rows

    def _number(
        self,
        text: str,
        value: float,
        at: tuple[int, int],
        cursor: tuple[int, int],
        interval: tuple[float, float] | None,
        chosen: tuple[int, int] | None,
    ) -> list[Part]:
        is_marked = interval is not None and interval[0] <= value <= interval[1]
        sign = "►" if at == chosen else "*" if is_marked else " "
        if value != value or abs(value) == float("inf"):
            mark = "bad"
        elif is_marked:
            mark = "marked"
        else:
            mark = "quiet" if value == 0 else "plain"
        space = " " * max(0, self._cell - len(text) - 1)
        sign_mark = "chosen" if at == chosen else "marked" if is_marked else "plain"
        return [(space, "plain"), (sign, sign_mark), (text, "cursor" if at == cursor else mark)]

    def _follow(self, cursor: tuple[int, int], width: int, rows: int) -> None:
        """Scroll just as far as the cursor is seen, and leave no row or column unused."""
        columns = self.columns_in(width)
        self.first_row = _scrolled(self.first_row, cursor[0], rows, self.table.rows)
        self.first_column = _scrolled(self.first_column, cursor[1], columns, self.table.columns)

    def _heading_width(self) -> int:
        last = self.table.rows - 1
        rows = {0, max(0, last), min(last, self.first_row + 99)}
        return max(len(self._row_heading(row)) for row in rows if row >= 0) + 1

    def _row_heading(self, row: int) -> str:
        """The index in the tensor that leads to a row; of a vector, that of its first element."""
        shape = self.table.array.shape
        if len(shape) == 1:
            place = self.where.place((row * VECTOR_COLUMNS,))
            kept = _kept(self.where)[0]
            return str(place[kept])
        if not shape:
            return ""
        lead = [int(i) for i in np.unravel_index(row, shape[:-1])]
        place = self.where.place((*lead, 0))
        return ",".join(str(place[axis]) for axis in _kept(self.where)[:-1])

    def _column_headings(self, heading: int, count: int, cursor: int) -> Row:
        parts: list[Part] = [(" " * (heading + 1), "quiet")]
        shape = self.table.array.shape
        for x in range(self.first_column, min(self.first_column + count, self.table.columns)):
            if len(shape) == 1:
                part = self.where.parts[_kept(self.where)[0]]
                assert isinstance(part, range)
                text = f"{x * part.step:+d}" if x else "+0"
            elif shape:
                text = str(self.where.place((*(0,) * (len(shape) - 1), x))[_kept(self.where)[-1]])
            else:
                text = ""
            parts.append((f"{text:>{self._cell}}", "strong" if x == cursor else "quiet"))
        return joined(parts)


def _kept(where: Slice) -> list[int]:
    """The dimensions that the slice keeps."""
    return [axis for axis, part in enumerate(where.parts) if not isinstance(part, int)]


def _scrolled(first: int, at: int, room: int, total: int) -> int:
    first = max(min(first, at), at - max(1, room) + 1)
    return max(0, min(first, total - room))


def _texts(window: list[Array]) -> list[list[str]]:
    """The numbers of a window, with as many decimals as the largest needs."""
    if not window:
        return []
    everything = np.concatenate([row.reshape(-1) for row in window])
    return [numbers.aligned(row, everything, strip=False) for row in window]
