"""Pictures in a tensor, side by side: images of 28 by 28, and the maps of convolutions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np

from tui.session.protocol import Array
from tui.session.tensors.shades import HeatMap, legend, shade
from tui.session.tensors.slices import Index, Slice, index_text
from tui.session.tensors.table import Table
from tui.session.tensors.text import Part, Row, flowing, joined

SIDE = 28
"""Of an image; of a map so many rows and columns are drawn at the most."""
SMALL = 14
"""Of a map of no more rows and columns each element is drawn by itself."""

INK = 0.3
"""From which share of the way from the ground to the largest value on a pixel is drawn."""

GROUND = 0.25
"""The share of a picture's pixels from which on they are its ground."""

BRAILLE_DOTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""The bits of a cell's dots: four rows of two."""

Caption = Callable[[Index], str]
"""What is said of a picture, by its place in the tensor."""


class Pictures:
    """The pictures in a slice of a tensor; `pictures_in` finds them.

    Args:
        stack: (..., rows, columns); it has elements.
        where: which slice it is.
        pixel: how many of the tensor's last dimensions a picture has.
    """

    def __init__(self, stack: Array, where: Slice, pixel: int) -> None:
        self._stack = stack
        self._lead = stack.shape[:-2]
        self._where = where
        self._pixel = pixel
        self._first = 0
        """The first picture that is seen."""
        self.count = math.prod(self._lead)
        """How many there are."""
        self.size = math.prod(stack.shape[-2:])
        """The elements of each."""

    def draw(self, cursor: int, width: int, height: int, caption: Caption) -> list[Row]:
        """As many as there is room for, that of the cursor's element among them, each under its
        place; in a map the element is marked, too."""
        current, inside = divmod(cursor, self.size)
        are_maps = self._stack.shape[-2:] != (SIDE, SIDE)
        wide, high = SIDE, SIDE // 2
        if are_maps:
            wide, high = _size_of_map(*self._stack.shape[-2:])
            wide, high = max(1, min(wide, width - 2)), max(1, min(high, height - 2))
        last = index_text(self._place(self.count - 1)) if self._lead else ""
        step = max(wide, len(last)) + 2
        across = max(1, min(self.count, (width - 1) // step))
        down = max(1, (height - are_maps) // (high + 1))
        self._first = min(self._first, current // across * across)
        if current >= self._first + across * down:
            self._first = (current // across - down + 1) * across
        seen = range(self._first, min(self._first + across * down, self.count))
        pictures = [self._stack[np.unravel_index(i, self._lead)] for i in seen]
        if are_maps:
            at = divmod(inside, self._stack.shape[-1])
            tiles, largest = _drawn_alike(pictures, wide, high, current - self._first, at)
        else:
            tiles, largest = [draw_picture(picture) for picture in pictures], 0.0
        rows: list[Row] = []
        for start in range(0, len(seen), across):
            line = slice(start, start + across)
            rows.append(joined(self._named(i, i == current, step, caption) for i in seen[line]))
            rows += [joined(_beside(beside, step)) for beside in zip(*tiles[line], strict=True)]
        return [*rows, *flowing(legend(largest, brief=width < 60), width)] if are_maps else rows

    def _named(self, number: int, is_current: bool, width: int, caption: Caption) -> Part:
        place = self._place(number)
        text = f" {index_text(place) if place else ''} {caption(place)}".rstrip()
        return text[:width].ljust(width), "strong" if is_current else "quiet"

    def _place(self, number: int) -> Index:
        """Where in the tensor a picture is: the index without that of the pixels."""
        inner = np.unravel_index(number, self._lead) if self._lead else ()
        kept = sum(not isinstance(part, int) for part in self._where.parts)
        first = (*map(int, inner), *(0,) * (kept - len(inner)))
        return self._where.place(first)[: len(self._where.shape) - self._pixel]


def pictures_in(part: Array, where: Slice) -> Pictures | None:
    """The pictures in a slice, without a copy where that is possible; None where it holds none:
    images of 28 by 28, also as rows of 784, and in a tensor of four dimensions (images, channels,
    rows, columns), or more, the maps."""
    shape = part.shape
    if not part.size or not shape:
        return None
    if shape[-1] == SIDE * SIDE:
        return Pictures(part.reshape(*shape[:-1], SIDE, SIDE), where, 1)
    are_maps = len(where.shape) >= 4 and not any(isinstance(p, int) for p in where.parts[-2:])
    if shape[-2:] == (SIDE, SIDE) or (are_maps and min(shape[-2:]) > 1):
        return Pictures(part, where, 2)
    return None


def draw_picture(picture: Array) -> list[Row]:
    """One image in 28 columns and 14 rows: where it has an even ground, which is its smallest
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
    """One image in braille, in 14 columns and 7 rows: a dot for each pixel with ink."""
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


def _size_of_map(rows: int, columns: int) -> tuple[int, int]:
    """Columns and rows of a map as it is drawn: a character is twice as high as it is wide."""
    longest = max(rows, columns)
    if longest <= SMALL:
        return 2 * columns, rows
    share = min(1.0, SIDE / longest)
    return max(1, round(columns * share)), max(1, round(rows * share / 2))


def _drawn_alike(
    maps: list[Array], width: int, height: int, current: int, at: tuple[int, int]
) -> tuple[list[list[Row]], float]:
    """Maps whose shades mean the same, and the value of the full one; in the current one an
    element is marked."""
    heats = [HeatMap(Table(one), width, height) for one in maps]
    largest = max(heat.largest for heat in heats)
    tiles = [heat.draw(at if i == current else None, largest) for i, heat in enumerate(heats)]
    return tiles, largest


def _beside(rows: Iterable[Row], width: int) -> Iterable[Part]:
    """Rows beside each other, each in so many columns."""
    for row in rows:
        used = sum(len(text) for text, _ in row)
        yield from ((" ", "plain"), *row, (" " * (width - 1 - used), "plain"))
