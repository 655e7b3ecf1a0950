"""Heat maps: elements as shades, with the sign in the glyph and not in a colour alone."""

from __future__ import annotations

import numpy as np

from tui.session import numbers
from tui.session.protocol import Array
from tui.session.tensors.table import Table
from tui.session.tensors.text import Part, Row, joined

POSITIVE, NEGATIVE = " ░▒▓█", " ╌─═≡"
STEPS = (1 / 16, 1 / 4, 1 / 2, 3 / 4)
"""From which share of the largest on an element has the next shade."""

LOOKS = 8
"""So many rows and columns of what a cell stands for are looked at, at the most."""


class HeatMap:
    """A table as large as it is, drawn in a window of any size: a cell shows the element with the
    largest absolute value of those that it stands for.

    Args:
        table: what is drawn; it has elements.
        width: how many columns there are.
        height: how many rows.
    """

    def __init__(self, table: Table, width: int, height: int) -> None:
        self._table = table
        self._rows = _edges(table.rows, height)
        self._columns = _edges(table.columns, width)
        self._cell_width = 2 if 2 * (len(self._columns) - 1) <= width else 1
        self._cells = self._largest()
        finite = np.abs(self._cells[np.isfinite(self._cells)])
        self.largest = float(finite.max()) if finite.size else 0.0

    def cell(self, row: int, column: int) -> tuple[int, int]:
        """The cell that stands for an element."""
        y = int(np.searchsorted(self._rows, row, "right")) - 1
        return y, int(np.searchsorted(self._columns, column, "right")) - 1

    def element(self, y: int, x: int) -> tuple[int, int]:
        """Row and column of the element that a cell shows; of the nearest one where there is no
        such cell."""
        y = max(0, min(y, len(self._rows) - 2))
        x = max(0, min(x, len(self._columns) - 2))
        return int(self._shown_rows[y, x]), int(self._shown_columns[y, x])

    def draw(
        self, cursor: tuple[int, int] | None = None, largest: float | None = None
    ) -> list[Row]:
        """The rows, with the cell that stands for the cursor's element marked.

        Args:
            cursor: row and column of an element; None for no mark.
            largest: the value of the full shade, where it is not the map's own largest one.
        """
        at = None if cursor is None else self.cell(*cursor)
        full = self.largest if largest is None else largest
        return [
            joined(
                (glyph * self._cell_width, "cursor" if (y, x) == at else mark)
                for x, (glyph, mark) in enumerate(shade(value, full) for value in row)
            )
            for y, row in enumerate(self._cells)
        ]

    def caption(self, brief: bool = False) -> list[Part]:
        """What the glyphs mean."""
        words = legend(self.largest, brief)
        high, wide = int(np.diff(self._rows).max()), int(np.diff(self._columns).max())
        if high * wide > 1 and not brief:
            sampled = " (of a sample)" if max(high, wide) > LOOKS else ""
            words.append((f"a cell: the largest of {high} x {wide}{sampled}", "quiet"))
        return words

    def _largest(self) -> Array:
        rows, columns = _looks(self._rows), _looks(self._columns)
        values = self._table.spread(rows.reshape(-1), columns.reshape(-1)).astype(np.float64)
        blocks = values.reshape(*rows.shape, *columns.shape).swapaxes(1, 2)
        blocks = blocks.reshape(len(rows), len(columns), -1)
        sizes = np.abs(blocks)
        sizes[np.isnan(sizes)] = np.inf
        most = sizes.argmax(axis=2)
        in_row, in_column = np.divmod(most, columns.shape[1])
        self._shown_rows = np.take_along_axis(rows, in_row, axis=1)
        self._shown_columns = columns[np.arange(len(columns)), in_column]
        return np.take_along_axis(blocks, most[..., None], axis=2)[..., 0]


def _edges(length: int, room: int) -> Array:
    """Where the cells start, and where the last one ends: as many as there is room for, of one
    size within one."""
    cells = max(1, min(length, room))
    return np.arange(cells + 1) * length // cells


def _looks(edges: Array) -> Array:
    """For each cell the places that are looked at: all, or as many as may be, evenly spread."""
    sizes = np.diff(edges)
    steps = np.linspace(0, 1, min(int(sizes.max()), LOOKS))
    return np.asarray(edges[:-1, None] + np.round(steps * (sizes[:, None] - 1)), np.intp)


def shade(value: float, largest: float) -> Part:
    """The glyph of a value, and how it is marked."""
    if not np.isfinite(value):
        return ("N" if np.isnan(value) else "I"), "bad"
    share = abs(value) / largest if largest else 0.0
    level = sum(share >= step for step in STEPS)
    if value < 0:
        return NEGATIVE[level], "negative"
    return POSITIVE[level], "positive"


def legend(largest: float, brief: bool = False) -> list[Part]:
    """What the shades mean, the full one being that of this value."""
    full = f"full is {numbers.number(largest)}"
    if brief:
        return [(f"- {NEGATIVE[1:]}  + {POSITIVE[1:]}  {full}", "quiet")]
    words = f"negative {NEGATIVE[1:]}", f"positive {POSITIVE[1:]}", full
    return [(word, "quiet") for word in words]
