"""Dots on a grid of cells, in braille, in half blocks or in ASCII."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from rich.style import Style

from tui.widgets.lines import Part

_BRAILLE = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


@dataclass(frozen=True, slots=True)
class Form:
    """How dots are drawn."""

    name: str
    columns: int
    """How many columns of dots a cell has."""
    rows: int


BRAILLE = Form("braille", 2, 4)
BLOCK = Form("block", 1, 2)
ASCII = Form("ASCII", 1, 2)
FORMS = (BRAILLE, BLOCK, ASCII)

_HALVES = " ▀▄█"


@dataclass(frozen=True, slots=True)
class Layer:
    """Dots that belong together; where layers meet in a cell, the later one's style counts."""

    style: Style
    ascii: str
    """What ASCII shows for an upper dot, a lower one, and both."""


class Canvas:
    """A grid of dots.

    Args:
        form: how they are drawn.
        width: columns of cells.
        height: rows of cells.
        layers: from the lowest to the uppermost.
    """

    def __init__(self, form: Form, width: int, height: int, layers: tuple[Layer, ...]) -> None:
        self._form = form
        self._layers = layers
        self.width, self.height = width, height
        self._masks = [[[0] * width for _ in range(height)] for _ in layers]
        self._texts: dict[tuple[int, int], Part] = {}

    @property
    def dot_columns(self) -> int:
        """How many columns of dots there are."""
        return self.width * self._form.columns

    @property
    def dot_rows(self) -> int:
        """How many rows of dots there are."""
        return self.height * self._form.rows

    def dot(self, layer: int, x: int, y: int) -> None:
        """Set a dot; columns count from the left, rows from the top. Outside there is none."""
        column, dx = divmod(x, self._form.columns)
        row, dy = divmod(y, self._form.rows)
        if 0 <= column < self.width and 0 <= row < self.height:
            bit = _BRAILLE[dx][dy] if self._form is BRAILLE else 1 << dy
            self._masks[layer][row][column] |= bit

    def line(self, layer: int, points: list[tuple[int, int]]) -> None:
        """Join dots by a line without holes."""
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            steps = max(abs(x1 - x0), abs(y1 - y0), 1)
            for i in range(steps):
                self.dot(
                    layer, round(x0 + (x1 - x0) * i / steps), round(y0 + (y1 - y0) * i / steps)
                )
        if points:
            self.dot(layer, *points[-1])

    def text(self, x: int, y: int, char: str, style: Style) -> None:
        """Put a character in the cell of a dot."""
        column, row = x // self._form.columns, y // self._form.rows
        place = max(0, min(column, self.width - 1)), max(0, min(row, self.height - 1))
        self._texts[place] = (char, style)

    def row(self, row: int, blank: Style) -> list[Part]:
        """A row of cells as parts of a line."""
        parts: list[Part] = []
        for column in range(self.width):
            char, style = self._texts.get((column, row)) or self._cell(column, row, blank)
            if parts and (parts[-1][1] == style or char == " "):
                parts[-1] = (parts[-1][0] + char, parts[-1][1])
            else:
                parts.append((char, style))
        return parts

    def _cell(self, column: int, row: int, blank: Style) -> Part:
        dots, style, upper = 0, blank, 0
        for i, masks in enumerate(self._masks):
            if masks[row][column]:
                dots |= masks[row][column]
                style, upper = self._layers[i].style, i
        if not dots:
            return " ", blank
        if self._form is BRAILLE:
            return chr(0x2800 + dots), style
        if self._form is BLOCK:
            return _HALVES[dots], style
        return self._layers[upper].ascii[self._masks[upper][row][column] - 1], style
