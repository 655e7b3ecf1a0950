"""The scenario's line that made a node, and the backward function that was called last."""

from __future__ import annotations

from typing import Any

from tui.widgets import styles
from tui.widgets.lines import Line, Lines


class Source(Lines):
    """Two excerpts, one below the other."""

    def show_source(self, source: dict[str, Any], called: dict[str, Any] | None) -> None:
        """Show the scenario around its line, and below it the function where there is room."""
        width, height = self.size
        function = called["lines"] if called else []
        function_rows = min(len(function) + 1, height // 2) if function else 0
        lines = [_heading(source["filename"], width)]
        lines += _excerpt(source, height - function_rows - 1)
        if function_rows > 1 and called:
            heading = "engine, called last" if called["owner"] == "engine" else "yours, called last"
            lines += [[]] * (height - function_rows - len(lines))
            lines.append(_heading(heading, width))
            lines += [[(" " + text, styles.PLAIN)] for text in function[: function_rows - 1]]
        self.show(lines)


def _heading(text: str, width: int) -> Line:
    return [(f"─ {text} ", styles.QUIET), ("─" * max(0, width - len(text) - 3), styles.QUIET)]


def _excerpt(source: dict[str, Any], rows: int) -> list[Line]:
    lines, first, current = source["lines"], source["first"], source["line"]
    digits = len(str(first + len(lines)))
    index = (current or 1) - first
    start = max(0, min(index - rows // 2, len(lines) - rows))
    shown: list[Line] = []
    for number, text in enumerate(lines[start : start + max(0, rows)], first + start):
        is_current = number == current
        style = styles.BOLD if is_current else styles.QUIET
        mark = ("►", styles.SHOWN) if is_current else (" ", styles.PLAIN)
        shown.append([mark, (f"{number:>{digits}} {text}", style)])
    return shown
