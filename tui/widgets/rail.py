"""The rail: a row a node, in the order of the backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from textual import events
from textual.message import Message

from tui.widgets import styles
from tui.widgets.glyphs import MARKS, STATES
from tui.widgets.lines import Line, Lines

LEGEND: Line = [
    (" · waits  ", styles.QUIET),
    ("○", styles.READY),
    (" ready  ", styles.QUIET),
    ("►", styles.SHOWN),
    (" shown  ", styles.QUIET),
    ("●", styles.DONE),
    (" done", styles.QUIET),
]

STATE_STYLES = {
    "waits": styles.QUIET,
    "ready": styles.READY,
    "shown": styles.SHOWN,
    "done": styles.DONE,
    "rests": styles.QUIET,
}

MARK_STYLES = {"breakpoint": styles.PROBLEM, "both": styles.PROBLEM, "watched": styles.READY}

LABEL, RIGHT, NARROW_RIGHT = 14, 15, 8
"""Columns for a name, for shape and gradient side by side, and for only one of the two."""


def _legend(rows: Sequence[dict[str, Any]], width: int) -> Line:
    """What the glyphs say, and what stands in the column at the right."""
    heading = "norm" if any(row["shape"] for row in rows) else "grad"
    used = sum(cell_len(text) for text, _ in LEGEND)
    return [*LEGEND, (f"{heading:>{max(0, width - used)}}", styles.QUIET)]


def lanes_columns(width: int) -> int:
    """How many columns the lanes may take in a rail of a width."""
    return max(6, min(24, width * 2 // 5 - 4))


class Rail(Lines):
    """Draws the rows of a view, and tells of clicks and of the wheel."""

    class Pointed(Message):
        """A node was clicked."""

        def __init__(self, node: int) -> None:
            super().__init__()
            self.node = node

    class Scrolled(Message):
        """The wheel was turned."""

        def __init__(self, by: int) -> None:
            super().__init__()
            self.by = by

    _targets: Sequence[int] = ()
    """The nodes that the rows stand for."""

    _drawn: Sequence[tuple[dict[str, Any], bool, _Columns]] = ()
    """What the rows were drawn from: from one step to the next most are the same."""

    _lines: Sequence[Line] = ()

    def show_view(self, view: dict[str, Any]) -> None:
        """Draw the rows of a view."""
        rows, width = view["rail"], self.size.width
        self._targets = [row["id"] for row in rows]
        columns = _Columns(
            id=max(2, len(str(view["total"] - 1))),
            lanes=max((len(row["lanes"]) for row in rows), default=0),
            width=width,
        )
        before = dict(enumerate(self._drawn))
        self._drawn = [(row, row["id"] == view["cursor"], columns) for row in rows]
        lines = [
            self._lines[y] if before.get(y) == drawn else _row(*drawn)
            for y, drawn in enumerate(self._drawn)
        ]
        self._lines = lines
        self.show([_legend(rows, width), *lines])

    def on_click(self, event: events.Click) -> None:
        """Point at the row that was clicked."""
        if 1 <= event.y <= len(self._targets):
            self.post_message(self.Pointed(self._targets[event.y - 1]))

    def on_mouse_scroll_down(self) -> None:
        """One row down."""
        self.post_message(self.Scrolled(1))

    def on_mouse_scroll_up(self) -> None:
        """One row up."""
        self.post_message(self.Scrolled(-1))


@dataclass(frozen=True)
class _Columns:
    """How a row is divided: id, mark, lanes, and the rest for label, shape and gradient."""

    id: int
    lanes: int
    width: int

    @property
    def rest(self) -> int:
        """For the label and what stands at its right."""
        return self.width - self.id - 1 - self.lanes - 1


def _row(row: dict[str, Any], is_cursor: bool, columns: _Columns) -> Line:
    state_style = STATE_STYLES[row["state"]]
    quiet = row["state"] in ("waits", "rests")
    label, right = _label_and_right(row, columns.rest)
    before, _, after = (row["lanes"] or "*").partition("*")
    used = len(row["lanes"]) or 1
    return [
        (f"{row['id']:>{columns.id}}", styles.QUIET),
        (MARKS[row["mark"]], MARK_STYLES.get(row["mark"], styles.QUIET)),
        (before, styles.QUIET),
        (STATES[row["state"]], state_style),
        (after, styles.QUIET),
        (" " * max(0, columns.lanes - used) + " ", styles.PLAIN),
        (label, _label_style(row["state"], is_cursor)),
        (" " * (columns.rest - cell_len(label) - cell_len(right)), styles.PLAIN),
        (right, styles.QUIET if quiet and not row["note"] else styles.PLAIN),
    ]


def _label_and_right(row: dict[str, Any], width: int) -> tuple[str, str]:
    """The label, and at its right shape and gradient; where there is no room for both the gradient
    once something has come, before that the shape."""
    shape, amount = row["shape"], row["note"] or row["grad"]
    if shape and width >= LABEL + 1 + RIGHT:
        right = shape + f"{amount:>{RIGHT - cell_len(shape)}}"
        if amount:
            right = shape + f"{amount:>{max(RIGHT - cell_len(shape), cell_len(amount) + 1)}}"
        room = width - 1 - cell_len(right)
        if cell_len(right) > RIGHT and cell_len(row["brief"]) > room:
            right = f"{amount:>{RIGHT}}"
    else:
        right = f"{amount or shape:>{NARROW_RIGHT}}"
    room = max(3, width - 1 - cell_len(right))
    label = row["label"] if cell_len(row["label"]) <= room else _cut(row["brief"], room)
    return label, right


def _label_style(state: str, is_cursor: bool) -> Style:
    """The cursor is a reversed name: few cells to send."""
    if is_cursor:
        return styles.CURSOR
    if state == "shown":
        return styles.BOLD
    return styles.QUIET if state in ("waits", "rests") else styles.PLAIN


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
