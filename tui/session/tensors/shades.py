"""Heat maps and pictures: elements as shades, with the sign in the glyph and not in a colour
alone."""

from __future__ import annotations

import numpy as np

from tui.session import numbers
from tui.session.protocol import Array
from tui.session.tensors.slices import Index, Slice
from tui.session.tensors.table import Table
from tui.session.tensors.text import Part, Row, joined

POSITIVE, NEGATIVE = " ░▒▓█", " ╌─═≡"
STEPS = (1 / 16, 1 / 4, 1 / 2, 3 / 4)
"""From which share of the largest on an element has the next shade."""

LOOKS = 8
"""So many rows and columns of what a cell stands for are looked at, at the most."""

SIDE = 28
PICTURE_WIDTH, PICTURE_HEIGHT = SIDE + 2, SIDE // 2 + 1
"""With the space beside a picture, and the line above it."""

INK = 0.3
"""From which share of the way from the ground to the largest value on a pixel is drawn."""

GROUND = 0.25
"""The share of a picture's pixels from which on they are its ground."""

BRAILLE_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The bits of a cell's dots: four rows of two."""


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

    def draw(self, cursor: tuple[int, int]) -> list[Row]:
        """The rows, with the cell that stands for the cursor's element marked."""
        at = self.cell(*cursor)
        return [
            joined(
                (glyph * self._cell_width, "cursor" if (y, x) == at else mark)
                for x, (glyph, mark) in enumerate(shade(value, self.largest) for value in row)
            )
            for y, row in enumerate(self._cells)
        ]

    def caption(self, brief: bool = False) -> list[Part]:
        """What the glyphs mean."""
        full = numbers.number(self.largest)
        if brief:
            return [(f"- {NEGATIVE[1:]}  + {POSITIVE[1:]}  full is {full}", "quiet")]
        words = [
            f"negative {NEGATIVE[1:]}",
            f"positive {POSITIVE[1:]}",
            f"full is {full}",
        ]
        high, wide = int(np.diff(self._rows).max()), int(np.diff(self._columns).max())
        if high * wide > 1:
            sampled = " (of a sample)" if max(high, wide) > LOOKS else ""
            words.append(f"a cell: the largest of {high} x {wide}{sampled}")
        return [(word, "quiet") for word in words]

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


def picture_stack(array: Array) -> Array | None:
    """An array as pictures of 28 by 28, (..., 28, 28), without a copy where that is possible; None
    where it holds none."""
    shape = array.shape
    if not array.size:
        return None
    if len(shape) >= 2 and shape[-2:] == (SIDE, SIDE):
        return array
    if shape and shape[-1] == SIDE * SIDE:
        return array.reshape(*shape[:-1], SIDE, SIDE)
    return None


def draw_picture(picture: Array) -> list[Row]:
    """One picture in 28 columns and 14 rows: where it has an even ground, which is its smallest
    value, a half block for each pixel with ink; else each two pixels, one above the other, as the
    shade of their mean."""
    values = picture.astype(np.float64)
    if np.isfinite(values).all() and (values == values.min()).mean() >= GROUND:
        ink = values / 2 - values.min() / 2
        return [_ink(ink[y], ink[y + 1], float(ink.max())) for y in range(0, SIDE, 2)]
    means = (values[::2] + values[1::2]) / 2
    finite = np.abs(means[np.isfinite(means)])
    largest = float(finite.max()) if finite.size else 0.0
    return [joined(shade(value, largest) for value in row) for row in means]


def draw_small(picture: Array) -> list[str]:
    """One picture in braille, in 14 columns and 7 rows: a dot for each pixel with ink."""
    values = picture.astype(np.float64)
    finite = np.where(np.isfinite(values), values, 0.0)
    low, high = float(finite.min()), float(finite.max())
    ink = finite > low + INK * (high - low)
    dots = ink.reshape(SIDE // 4, 4, SIDE // 2, 2).transpose(0, 2, 1, 3)
    codes = 0x2800 + (dots * BRAILLE_DOTS).sum(axis=(2, 3))
    return ["".join(chr(c) if c > 0x2800 else " " for c in row) for row in codes]


def _ink(upper: Array, lower: Array, largest: float) -> Row:
    def drawn(above: float, below: float) -> Part:
        glyph = " ▄▀█"[2 * (above > INK * largest) + (below > INK * largest)]
        return glyph, "strong" if max(above, below) > 0.75 * largest else "plain"

    return joined(drawn(a, b) for a, b in zip(upper, lower, strict=True))


def picture_place(where: Slice, inner: Index) -> Index:
    """Where in the tensor a picture of its slice is: the index without that of the pixels."""
    kept = sum(not isinstance(part, int) for part in where.parts)
    pixel = 1 if where.shape[-1] == SIDE * SIDE else 2
    return where.place((*inner, *(0,) * (kept - len(inner))))[: len(where.shape) - pixel]
