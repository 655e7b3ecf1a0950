"""The watched gradients, a row each."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len, set_cell_size

from tui.widgets import styles
from tui.widgets.glyphs import MARKS, STATES
from tui.widgets.lines import Line, Lines
from tui.widgets.rail import STATE_STYLES


class Watches(Lines):
    """Shows the watched nodes under a line; with the class `beside` one is at its left, too."""

    def show_view(self, watches: dict[str, Any]) -> None:
        """Show as many rows as there is room for; of more, how many there are."""
        width, rows = self.size.width, watches["rows"]
        room = max(0, self.size.height - 1)
        shown = rows[:room]
        more = watches["count"] - len(shown)
        title = "─ watched " if not more else f"─ watched, {len(shown)} of {watches['count']} "
        beside = self.has_class("beside")
        left = "├" if beside else "─"
        lines: list[Line] = [[((left + title).ljust(width, "─"), styles.QUIET)]]
        edge = "│" if beside else ""
        ids = max((len(str(row["id"])) for row in shown), default=1)
        room = width - len(edge) - ids - 4
        texts = [_texts(row, with_shape=True) for row in shown]
        if any(cell_len(label) + cell_len(right) > room for label, right in texts):
            texts = [_texts(row, with_shape=False) for row in shown]  # names say more
        for row, (label, right) in zip(shown, texts, strict=True):
            lines.append(
                [
                    (f"{edge} {row['id']:>{ids}}", styles.QUIET),
                    (MARKS["watched"], styles.READY),
                    (STATES[row["state"]], STATE_STYLES[row["state"]]),
                    (f" {set_cell_size(label, max(4, room - cell_len(right)))}", styles.PLAIN),
                    (right, styles.PLAIN),
                ]
            )
        self.show(lines)


def _texts(row: dict[str, Any], with_shape: bool) -> tuple[str, str]:
    """The label of a watched node, and what stands at the right of it."""
    amount = " ".join(filter(None, (row["note"], row["grad"]))) or "nothing yet"
    return row["label"], f" {row['shape']}  {amount}" if with_shape else f" {amount}"
