"""The rail: a row a node, in the order of the backward pass."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from textual import events
from textual.message import Message

from tui.widgets import styles
from tui.widgets.glyphs import MARKS, STATES
from tui.widgets.lines import Line, Lines, Part

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

LANES_AT_MOST = 24


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

    _first = 0
    _count = 0

    def show_view(self, view: dict[str, Any]) -> None:
        """Draw the rows of a view."""
        rows = view["rail"]
        self._first, self._count = view["first"], len(rows)
        id_width = len(str(view["total"] - 1)) + 1
        lanes = min(LANES_AT_MOST, max((cell_len(row["lanes"]) for row in rows), default=0))
        width = self.size.width - (1 if self.has_class("beside") else 0)
        lines: list[Line] = [LEGEND]
        lines += [_row(row, row["id"] == view["cursor"], id_width, lanes, width) for row in rows]
        self.show(lines)

    def on_click(self, event: events.Click) -> None:
        """Point at the row that was clicked."""
        if 1 <= event.y <= self._count:
            self.post_message(self.Pointed(self._first + event.y - 1))

    def on_mouse_scroll_down(self) -> None:
        """One row down."""
        self.post_message(self.Scrolled(1))

    def on_mouse_scroll_up(self) -> None:
        """One row up."""
        self.post_message(self.Scrolled(-1))


def _row(row: dict[str, Any], is_cursor: bool, id_width: int, lanes_width: int, width: int) -> Line:
    state_style = STATE_STYLES[row["state"]]
    quiet = row["state"] in ("waits", "rests")
    amount = row["note"] or row["grad"]
    right = f" {row['shape']:>8} {amount:>7}" if width >= 44 else f" {_either(row)}"
    room = max(4, width - id_width - 1 - lanes_width - 1 - cell_len(right))
    label = row["label"] if cell_len(row["label"]) <= room else _cut(row["brief"], room)
    lanes = _cut(row["lanes"], lanes_width) if row["lanes"] else "*"
    before, _, after = lanes.partition("*")
    parts: list[Part] = [
        (f"{row['id']:>{id_width}}", styles.QUIET),
        (MARKS[row["mark"]], MARK_STYLES.get(row["mark"], styles.QUIET)),
        (before, styles.QUIET),
        (STATES[row["state"]], state_style),
        (after, styles.QUIET),
        (" " * max(0, lanes_width - cell_len(lanes)) + " ", styles.PLAIN),
        (set_cell_size(label, room), styles.QUIET if quiet else _label_style(row["state"])),
        (right, styles.QUIET if quiet and not row["note"] else styles.PLAIN),
    ]
    if is_cursor:
        return [(text, _pointed(style)) for text, style in parts]
    return parts


def _either(row: dict[str, Any]) -> str:
    """Where there is little room: the gradient once something has come, before that the shape."""
    return f"{row['note'] or row['grad'] or row['shape']:>8}"


def _label_style(state: str) -> Style:
    return styles.BOLD if state == "shown" else styles.PLAIN


def _pointed(style: Style) -> Style:
    return Style(bold=style.bold, reverse=True)


def _cut(text: str, width: int) -> str:
    return text if cell_len(text) <= width else set_cell_size(text, width - 1) + "…"
