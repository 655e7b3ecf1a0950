"""The curve of the loss."""

from __future__ import annotations

import os
from typing import Any

from tui.widgets import styles
from tui.widgets.canvas import ASCII, BLOCK, BRAILLE, FORMS, Canvas, Form, Layer
from tui.widgets.lines import Line, Lines
from tui.widgets.scale import Scale, axis_label, scale_for

AXIS = 7
"""Columns for the numbers at the left, with the axis."""

REFERENCE, RAW, MEAN = range(3)
LAYERS = (
    Layer(styles.REFERENCE, "---"),
    Layer(styles.QUIET, "'.:"),
    Layer(styles.BAR, "***"),
)

NO_BRAILLE = ("linux", "vt100", "vt220")
"""Terminals whose font has no braille."""


class LossPlot(Lines):
    """The loss of each batch as a dot, its running mean as a line, an `o` for the test loss at the
    end of an epoch, and the running means of earlier runs with their numbers."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.form = first_form(self.ascii_only)

    def next_form(self) -> str:
        """Draw in another form; its name."""
        forms = (ASCII,) if self.ascii_only else FORMS
        self.form = forms[(forms.index(self.form) + 1) % len(forms)]
        return self.form.name

    def dot_columns(self) -> int:
        """How many columns of dots there are."""
        return max(2, (self.size.width - AXIS) * self.form.columns)

    def show_curve(self, curve: dict[str, Any]) -> None:
        """Draw what `tui.session.training.curve` says."""
        width, height = self.size.width - AXIS, self.size.height - 1
        if width < 4 or height < 2:
            self.show([])
            return
        scale = _scale(curve)
        canvas = Canvas(self.form, width, height, LAYERS)
        _draw(canvas, curve, scale)
        labelled: dict[int, float] = {}
        for tick in scale.ticks(max(2, height // 3)):
            row = round((1 - (scale.height(tick) or 0.0)) * (height - 1))
            labelled.setdefault(row, tick)
        lines: list[Line] = []
        for row in range(height):
            label = f"{axis_label(labelled[row]):>6}┤" if row in labelled else " " * 6 + "│"
            lines.append([(label, styles.QUIET), *canvas.row(row, styles.PLAIN)])
        lines.append(_batches_axis(width, curve["first"], curve["last"]))
        self.show(lines)


def first_form(ascii_only: bool) -> Form:
    """The form that this terminal shows best."""
    if ascii_only:
        return ASCII
    return BLOCK if os.environ.get("TERM", "") in NO_BRAILLE else BRAILLE


def caption(curve: dict[str, Any], width: int) -> str:
    """What is drawn, in as many words as there is room for."""
    zoom = "loss" if curve["zoom"] is None else f"loss of the last {curve['zoom']} batches"
    if curve["scale"] == "log":
        zoom += ", log axis"
    parts = [f"{zoom}: dots each batch, line their mean", "o test"]
    parts += [f"{run['number']} was {run['about']}" for run in reversed(curve["references"])]
    if curve["bad"]:
        parts.insert(0, "! is no finite number")
    text = parts[0]
    for part in parts[1:]:
        if len(text) + 2 + len(part) <= width:
            text += f"; {part}"
    return text


def _scale(curve: dict[str, Any]) -> Scale:
    values = [value for _, low, high in curve["raw"] for value in (low, high)]
    values += [loss for _, loss in curve["tests"]]
    values += [loss for run in curve["references"] for _, loss in run["mean"]]
    return scale_for(values, curve["scale"] == "log", curve["zoom"] is None)


def _draw(canvas: Canvas, curve: dict[str, Any], scale: Scale) -> None:
    def dot(value: float) -> int | None:
        height = scale.height(value)
        return None if height is None else round((1 - height) * (canvas.dot_rows - 1))

    def dots(points: list[list[float]]) -> list[tuple[int, int]]:
        placed = ((int(column), dot(value)) for column, value in points)
        return [(column, y) for column, y in placed if y is not None]

    for run in curve["references"]:
        canvas.line(REFERENCE, dots(run["mean"]))
    for column, low, high in curve["raw"]:
        for x, y in dots([[column, low], [column, high]]):
            canvas.dot(RAW, x, y)
    canvas.line(MEAN, dots(curve["mean"]))
    for run in curve["references"]:
        for x, y in dots(run["mean"])[-1:]:
            canvas.text(x, y, str(run["number"])[-1], styles.REFERENCE)
    for x, y in dots(curve["tests"]):
        canvas.text(x, y, "o", styles.POINT)
    for column in curve["bad"]:
        canvas.text(column, 0, "!", styles.PROBLEM)


def _batches_axis(width: int, first: int, last: int) -> Line:
    marks = 4 if width >= 40 else 2
    line = [" "] * (AXIS + width)
    for i in range(marks + 1):
        label = str(round(first + (last - first) * i / marks))
        at = AXIS + min(width - len(label), max(0, round(width * i / marks) - len(label) // 2))
        line[at : at + len(label)] = label
    return [("".join(line[: AXIS + width]), styles.QUIET)]
