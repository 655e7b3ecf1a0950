"""The curve of the loss, drawn in braille: each cell has two columns of four dots."""

from __future__ import annotations

import math
from typing import Any

from tui.widgets import styles
from tui.widgets.lines import Line, Lines

AXIS = 7
"""Columns for the numbers at the left, with the axis."""

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


class LossPlot(Lines):
    """The loss of each batch, and an `o` for the test loss at the end of an epoch."""

    def dot_columns(self) -> int:
        """How many columns of dots there are."""
        return max(2, (self.size.width - AXIS) * 2)

    def show_losses(self, view: dict[str, Any]) -> None:
        """Draw the losses of a view."""
        width, height = self.size.width - AXIS, self.size.height - 1
        if width < 4 or height < 2:
            self.show([])
            return
        bins = view["losses"]
        points = [
            (r["batch"], r["test_loss"])
            for r in view["results"]
            if isinstance(r["test_loss"], (int, float))
        ]
        top = axis_top([high for _, _, high in bins] + [loss for _, loss in points])
        cells = braille(bins, width, height, top)
        marks = {
            (
                max(0, min(width, round(batch / max(1, view["total"]) * width)) - 1),
                min(height - 1, max(0, int((1 - loss / top) * height))),
            )
            for batch, loss in points
        }
        labels = max(2, height // 3)
        labelled = {round(i * (height - 1) / (labels - 1)) for i in range(labels)}
        lines: list[Line] = []
        for row in range(height):
            value = top * (1 - row / (height - 1))
            label = f"{axis_label(value):>6}┤" if row in labelled else " " * 6 + "│"
            parts = [(label, styles.QUIET)]
            text = cells[row]
            start = 0
            for column in sorted(c for c, r in marks if r == row):
                parts.append((text[start:column], styles.BAR))
                parts.append(("o", styles.POINT))
                start = column + 1
            parts.append((text[start:], styles.BAR))
            lines.append(parts)
        lines.append(_batches_axis(width, view["total"]))
        self.show(lines)


def axis_top(values: list[float]) -> float:
    """The upper end of the axis: a round number above all values, 1.25 where there are none."""
    largest = max([v for v in values if v > 0], default=1.2)
    step = 10.0 ** math.floor(math.log10(max(largest, 1e-300))) / 4
    return math.ceil(largest * 1.02 / step) * step


def axis_label(value: float) -> str:
    """A number of the axis in at most five cells."""
    if value == 0 or 0.01 <= value < 100:
        return f"{value:.2f}"
    if 100 <= value < 99999.5:
        return f"{value:.0f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def braille(bins: list[list[Any]], width: int, height: int, top: float) -> list[str]:
    """Rows of braille for bins of (column of dots, smallest, largest); 0 is at the bottom."""
    masks = [[0] * width for _ in range(height)]
    dots = height * 4
    previous: tuple[int, int, int] | None = None
    for column, low, high in bins:
        first, last = _dot(high, top, dots), _dot(low, top, dots)
        if previous is not None and column - previous[0] == 1:
            # Join neighbours, so that the curve has no holes where it is steep.
            first, last = min(first, previous[2]), max(last, previous[1])
        previous = (column, _dot(high, top, dots), _dot(low, top, dots))
        if column // 2 < width:
            for dot in range(first, last + 1):
                masks[dot // 4][column // 2] |= _DOTS[column % 2][dot % 4]
    return ["".join(chr(0x2800 + mask) if mask else " " for mask in row) for row in masks]


def _dot(value: float, top: float, dots: int) -> int:
    return max(0, min(dots - 1, round((1 - value / top) * (dots - 1))))


def _batches_axis(width: int, total: int) -> Line:
    text = " " * AXIS
    marks = 4 if width >= 40 else 2
    line = [" "] * (AXIS + width)
    for i in range(marks + 1):
        label = str(round(total * i / marks))
        at = AXIS + min(width - len(label), max(0, round(width * i / marks) - len(label) // 2))
        line[at : at + len(label)] = label
    text = "".join(line[: AXIS + width])
    return [(text, styles.QUIET)]
