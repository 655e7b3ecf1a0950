"""What the screen of a tensor shows: a slice of one array, and a cursor in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tui.session import numbers
from tui.session.protocol import Array
from tui.session.tensors import find, slices
from tui.session.tensors.grid import Grid
from tui.session.tensors.health import Health
from tui.session.tensors.histogram import bar_rows, merged
from tui.session.tensors.pictures import pictures_in
from tui.session.tensors.shades import HeatMap
from tui.session.tensors.slices import Index, Slice, index_text
from tui.session.tensors.table import Table
from tui.session.tensors.text import Part, Row, flowing, joined

NUMBERS, HEAT, PICTURES = "numbers", "heat map", "pictures"
DISPLAYS = (NUMBERS, HEAT, PICTURES)

AT_ONCE = 0.1
"""Seconds of counting before something is shown."""
WIDE = 60
"""With fewer columns the glyphs of a heat map are explained in one row."""
TALL = 30
"""With so many rows the histogram gets several."""


class TensorView:
    """Looks into one array after the other: a node's value, then its gradient, as steps change
    it."""

    def __init__(self) -> None:
        self.caption: Callable[[Index], str] = lambda place: ""
        """What is said of a picture, by its place in the tensor."""
        self.display = NUMBERS
        self.interval: tuple[float, float] | None = None
        """The smallest and the largest value that are marked."""
        self._array: Array = np.zeros(())
        self._cursor: Index = ()
        """In the slice."""
        self._is_at_largest = False
        """Whether the cursor was put where it is by looking for the largest."""
        self._heat: tuple[tuple[int, int], HeatMap] | None = None
        """The heat map that was drawn last, and for which size."""
        self._rows_shown = 1
        self._show(slices.whole(()))

    def open(self, array: Array) -> None:
        """Look into an array; slice and cursor stay where it has the shape of the one before."""
        if array is self._array:
            return
        same = array.shape == self._array.shape
        where, place = self.where, self.place
        self._array = array
        self._show(where if same else slices.whole(array.shape))
        if same:
            self._point(place)

    @property
    def place(self) -> Index:
        """The cursor, as an index of the tensor."""
        return self.where.place(self._cursor) if self._part.size else ()

    @property
    def is_counting(self) -> bool:
        """Whether there is more to count."""
        return not self._health.done

    def count(self, seconds: float) -> None:
        """Count for a while."""
        self._health.go_on(seconds)

    # Moving

    def move(self, rows: int, columns: int) -> None:
        """Move the cursor by cells of what is displayed."""
        if not self._part.size:
            return
        row, column = self._table.cell(self._cursor)
        if self.display == HEAT and self._heat is not None:
            y, x = self._heat[1].cell(row, column)
            row, column = self._heat[1].element(y + rows, x + columns)
            rows = columns = 0
        elif self.display == PICTURES and self._pictures is not None:
            self._next_picture(rows + columns)
            return
        self._cursor = self._table.index(row + rows, column + columns)
        self._is_at_largest = False

    def page(self, by: int) -> None:
        """Move it by a window."""
        self.move(by * max(1, self._rows_shown - 1), 0)

    def to_end(self, last: bool) -> None:
        """Move it to the first or the last element."""
        self._cursor = tuple(max(0, length - 1) * last for length in self._part.shape)
        self._is_at_largest = False

    def jump(self, text: str) -> str:
        """Move it to the element that was typed; what is to be said of that.

        Raises:
            Refused: there is no such element.
        """
        place = slices.parse_index(text, self._array.shape)
        if self.where.inner(place) is not None:
            self._point(place)
            return ""
        outside = self.where.text
        self._show(slices.whole(self._array.shape))
        self._point(place)
        return f"{index_text(place)} is not in {outside}: all is shown again"

    def next_bad(self) -> str:
        """Move it to the next NaN or Inf; what is to be said of that."""
        found = find.next_not_finite(self._part, self._position()) if self._part.size else None
        if found is None:
            return "no NaN and no Inf" + self._in_slice()
        self._go_to(found)
        return ""

    def largest(self) -> str:
        """Move it to the largest absolute value, from there to the next largest; what is to be
        said of that."""
        if not self._part.size:
            return "there are no elements"
        found = find.largest(self._part, self._position() if self._is_at_largest else None)
        if found is None:
            return "that was the smallest: m starts again" + self._in_slice()
        self._go_to(found)
        self._is_at_largest = True
        return ""

    def slice(self, text: str) -> None:
        """Show the slice that was typed; the cursor stays on its element where that is in it.

        Raises:
            Refused: it does not fit.
        """
        where = slices.parse(text, self._array.shape)
        place = self.place
        self._show(where)
        self._point(place)

    def mark(self, text: str) -> None:
        """Mark the elements in the range of values that was typed.

        Raises:
            Refused: it is none.
        """
        self.interval = slices.parse_interval(text)

    def next_display(self) -> None:
        """From numbers to the heat map, to pictures where there are some, to numbers."""
        possible = DISPLAYS if self._pictures is not None else DISPLAYS[:2]
        self.display = possible[(DISPLAYS.index(self.display) + 1) % len(possible)]

    # Showing

    def title(self) -> str:
        """Shape and dtype."""
        return f"{numbers.shape(self._array.shape)} {self._array.dtype}"

    def draw(self, width: int, height: int, chosen: Index | None = None) -> list[Row]:
        """All of it in so many columns and rows.

        Args:
            width: columns.
            height: rows.
            chosen: the element that the steps work through.
        """
        top = self._where_rows(width, chosen)
        if not self._part.size:
            return [*top, [], [(" it has no elements", "quiet")]]
        bottom = self._health_rows(width, height)[: max(1, height - len(top) - 2)]
        room = max(2, height - len(top) - len(bottom))
        self._rows_shown = room - 1
        body = self._body(width, room, chosen)[:room]
        return [*top, *body, *([[]] * (room - len(body))), *bottom]

    def _body(self, width: int, height: int, chosen: Index | None) -> list[Row]:
        if self.display == PICTURES and self._pictures is None:
            self.display = NUMBERS
        cursor = self._table.cell(self._cursor)
        if self.display == PICTURES and self._pictures is not None:
            return self._pictures.draw(self._position(), width, height, self.caption)
        if self.display == HEAT:
            heat = self._heat_map(width - 1, height - (2 if width >= WIDE else 1))
            rows = [joined([(" ", "plain"), *row]) for row in heat.draw(cursor)]
            return [*rows, *flowing(heat.caption(width < WIDE), width)]
        inner = None if chosen is None else self.where.inner(chosen)
        at = None if inner is None else self._table.cell(inner)
        return self._grid.draw(cursor, width - 1, height, self.interval, at)

    def _heat_map(self, width: int, height: int) -> HeatMap:
        size = (max(1, width), max(1, height))
        if self._heat is None or self._heat[0] != size:
            self._heat = (size, HeatMap(self._table, *size))
        return self._heat[1]

    def _where_rows(self, width: int, chosen: Index | None) -> list[Row]:
        part = numbers.shape(self._part.shape)
        words: list[Part] = []
        if not self.where.is_all:
            words.append((f"{self.where.text} gives {part}", "strong"))
        if self._part.size:
            value = self._part[self._cursor]
            words += [(f"at {index_text(self.place)}", "plain"), (precise(value), "strong")]
            if self.place == chosen:
                words.append(("► worked through in the steps", "chosen"))
        if self.interval is not None:
            low, high = (numbers.number(bound) for bound in self.interval)
            words.append((f"* {low} to {high}", "marked"))
        return flowing(words, width)

    def _health_rows(self, width: int, height: int) -> list[Row]:
        health = self._health
        if not health.share:
            health.go_on(AT_ONCE)
        counts = (
            ("negative", health.negative),
            ("zero", health.zero),
            ("positive", health.positive),
            ("NaN", health.nan),
            ("Inf", health.inf),
        )
        words: list[Part] = [
            (f"{count:,} {name}", "bad" if name in ("NaN", "Inf") and count else "plain")
            for name, count in counts
        ]
        if not health.done:
            words.insert(0, (f"{health.share:.0%} counted:", "chosen"))
        rows = flowing(words, width)
        if not health.finite:
            return rows
        low, high = numbers.number(health.min), numbers.number(health.max)
        moments = {
            "min": health.min,
            "mean": health.mean,
            "max": health.max,
            "std": health.std,
            "norm": health.norm,
        }
        rows += flowing(
            [(f"{name} {numbers.number(value)}", "quiet") for name, value in moments.items()], width
        )
        if height >= 14 and health.done:
            bins = merged(health.bins, width - len(low) - len(high) - 5)
            bars = bar_rows(bins, 4 if height >= TALL else 1)
            for i, bar in enumerate(bars):
                last = i == len(bars) - 1
                left, right = (low, high) if last else (" " * len(low), "")
                rows.append([(f" {left} ", "quiet"), (bar, "bar"), (f" {right}", "quiet")])
        return rows

    # Inside

    def _show(self, where: Slice) -> None:
        self.where = where
        self._part = np.asarray(self._array[where.index])
        self._table = Table(self._part)
        self._grid = Grid(self._table, where)
        self._pictures = pictures_in(self._part, where)
        self._health = Health(self._part)
        self._heat = None
        self._cursor = (0,) * self._part.ndim
        self._rows_shown = 1
        self._is_at_largest = False

    def _point(self, place: Index) -> None:
        inner = self.where.inner(place) if len(place) == len(self.where.shape) else None
        if inner is not None:
            self._cursor = inner
        self._is_at_largest = False

    def _position(self) -> int:
        return int(np.ravel_multi_index(self._cursor, self._part.shape)) if self._cursor else 0

    def _go_to(self, position: int) -> None:
        self._cursor = tuple(int(i) for i in np.unravel_index(position, self._part.shape))
        self._is_at_largest = False

    def _in_slice(self) -> str:
        return "" if self.where.is_all else f" in {self.where.text}"

    def _next_picture(self, by: int) -> None:
        if self._pictures is not None:
            number = max(
                0, min(self._pictures.count - 1, self._position() // self._pictures.size + by)
            )
            self._go_to(number * self._pictures.size)


def precise(value: Any) -> str:
    """An element with all its digits."""
    return str(value) if isinstance(value, np.generic) else repr(value)
