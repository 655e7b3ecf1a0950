"""The scenario's line that made a node, and the backward function that is or was called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.style import Style

from tui.widgets import styles
from tui.widgets.lines import Line, Lines, Part

STYLES = {"keyword": styles.KEYWORD, "string": styles.STRING, "comment": styles.QUIET}
"""How the marks of `tui.session.code` look."""


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
            lines += [[]] * (height - function_rows - len(lines))
            lines.append(_heading(f"{called['owner']}, called {called['when']}", width))
            rows = zip(function, called["marks"], strict=True)
            lines += [
                [(" ", styles.PLAIN), *highlighted(text, marks, styles.PLAIN)]
                for text, marks in list(rows)[: function_rows - 1]
            ]
        self.show(lines)


def highlighted(text: str, marks: Sequence[Sequence[Any]], base: Style) -> list[Part]:
    """A line of Python whose marked parts stand out.

    Args:
        text: the line.
        marks: (start, stop, kind) from left to right.
        base: what the line looks like otherwise.
    """
    parts: list[Part] = []
    at = 0
    for start, stop, kind in marks:
        parts += [(text[at:start], base), (text[start:stop], base + STYLES[kind])]
        at = stop
    return [part for part in (*parts, (text[at:], base)) if part[0]]


def _heading(text: str, width: int) -> Line:
    return [(f"─ {text} ", styles.QUIET), ("─" * max(0, width - len(text) - 3), styles.QUIET)]


def _excerpt(source: dict[str, Any], rows: int) -> list[Line]:
    lines, first, current = source["lines"], source["first"], source["line"]
    digits = len(str(first + len(lines)))
    index = (current or 1) - first
    start = max(0, min(index - rows // 2, len(lines) - rows))
    shown: list[Line] = []
    for at in range(start, min(len(lines), start + max(0, rows))):
        number = first + at
        is_current = number == current
        style = styles.BOLD if is_current else styles.QUIET
        mark = ("►", styles.SHOWN) if is_current else (" ", styles.PLAIN)
        code = highlighted(lines[at], source["marks"][at], style)
        shown.append([mark, (f"{number:>{digits}} ", style), *code])
    return shown
