"""A pane of items: titles, lines with a left and a right part, rules and paragraphs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.style import Style

from tui.widgets import styles
from tui.widgets.lines import Line, Lines
from tui.wrapping import wrap

Item = Sequence[str]
"""(kind, left, right), see `tui.session.explanation`."""

STYLES: dict[str, tuple[Style, Style]] = {
    "title": (styles.TITLE, styles.QUIET),
    "tensor": (styles.BOLD, styles.QUIET),
    "line": (styles.PLAIN, styles.PLAIN),
    "bars": (styles.PLAIN, styles.PLAIN),
    "strong": (styles.BOLD, styles.BOLD),
    "given": (styles.BOLD, styles.BOLD),
    "quiet": (styles.QUIET, styles.QUIET),
    "edge": (styles.QUIET, styles.QUIET),
    "detail": (styles.QUIET, styles.QUIET),
    "nothing": (styles.PLAIN, styles.PLAIN),
    "worked": (styles.PLAIN, styles.PLAIN),
    "rule": (styles.QUIET, styles.QUIET),
    "text": (styles.PLAIN, styles.PLAIN),
    "problem": (styles.PROBLEM, styles.PROBLEM),
    "key": (styles.KEY, styles.PLAIN),
    "gap": (styles.PLAIN, styles.PLAIN),
}


class Items(Lines):
    """Lays items out in its width. With the class `beside` a line is drawn at its left."""

    def show_items(self, items: Sequence[Item], first: int = 0, to_the_end: bool = False) -> None:
        """Show these items, see `fitted` for what is given up where there are too many rows.

        Args:
            items: what to show.
            first: how many rows at the top have been scrolled away.
            to_the_end: whether the end is seen rather than what follows the first row, where there
                is no room for all.
        """
        height = self.size.height
        lines = fitted(items, self._room(), first + height)[first:]
        if to_the_end and len(lines) > height > 1:
            lines = [lines[0], *lines[len(lines) - height + 1 :]]
        if len(lines) > height > 1:
            lines[height - 1] = [("…", styles.QUIET)]
        edge = ("│ " if self._margin() == 2 else " ", styles.QUIET)
        shown: list[Line] = [[edge, *line] for line in lines]
        shown += [[edge]] * (height - len(shown))
        self.show(shown)

    def rows_of(self, items: Sequence[Item]) -> int:
        """How many rows these items take here."""
        return len(lay_out(items, self._room()))

    def _margin(self) -> int:
        return 2 if self.has_class("beside") else 1

    def _room(self) -> int:
        return self.size.width - self._margin() - 1


def fitted(items: Sequence[Item], width: int, rows: int) -> list[Line]:
    """The lines that the items take in so many columns, less what has no room in so many rows.
    Rules are given up first, then details, gaps, that there was nothing before, what is quiet, the
    elements that are worked through, those of the earlier edges first, and at last, where that is
    enough, how the contributions of the earlier edges were computed."""
    shorter, lines = items, []
    for shorter in _ever_shorter(items):
        lines = lay_out(shorter, width)
        if len(lines) <= rows:
            return lines
    for less_told in _ever_less_told(shorter):
        less = lay_out(less_told, width)
        if len(less) <= rows:
            return less
    return lines


def _ever_shorter(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    yield items
    for less_needed in ("rule", "detail", "gap", "nothing", "quiet"):
        items = [item for item in items if item[0] != less_needed]
        yield items
    for _ in _places(items, "worked"):
        first = _places(items, "worked")[0]
        items = [*items[:first], *items[first + 1 :]]
        yield items


def _ever_less_told(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    for nth in range(len(_places(items, "edge")) - 1):
        edge = _places(items, "edge")[nth]
        total = next(place for place in _places(items, "strong") if place > edge)
        items = [*items[: edge + 1], ("quiet", "  …", ""), *items[total:]]
        yield items


def _places(items: Sequence[Item], kind: str) -> list[int]:
    return [place for place, item in enumerate(items) if item[0] == kind]


def lay_out(items: Sequence[Item], width: int) -> list[Line]:
    """The lines that the items take in so many columns."""
    return [line for item in items for line in _lines_of(*item, width)]


@lru_cache(maxsize=512)
def _lines_of(kind: str, left: str, right: str, width: int) -> Sequence[Line]:
    """The lines of one item: from step to step, and while there are too many rows, most stay."""
    left_style, right_style = STYLES.get(kind, STYLES["line"])
    if kind == "gap":
        return [()]
    if kind in ("text", "problem"):
        indent = "  " if left.startswith("- ") else " " * (len(left) - len(left.lstrip(" ")))
        return [((text, left_style),) for text in wrap(left, width, indent)]
    if kind == "given":
        fits = cell_len(left) + 1 + cell_len(right) <= width
        return _pair(left, right if fits else "", width, left_style, right_style)
    if kind == "key":
        return _key_lines(left, right, width)
    return _pair(left, right, width, left_style, right_style)


def _pair(left: str, right: str, width: int, left_style: Style, right_style: Style) -> list[Line]:
    """Left and right on a line; where they do not fit, the right part on a line of its own."""
    if not right:
        if cell_len(left) <= width:
            return [[(left, left_style)]]
        indent = " " * (len(left) - len(left.lstrip()) + 2)
        return [[(text, left_style)] for text in wrap(left, width, indent)]
    space = width - cell_len(left) - cell_len(right)
    if space >= 1:
        return [[(left, left_style), (" " * space, styles.PLAIN), (right, right_style)]]
    indent = " " * (len(left) - len(left.lstrip()) + 2)
    lines: list[Line] = [[(text, left_style)] for text in wrap(left, width, indent)]
    for text in wrap(right, width):
        lines.append([(" " * max(0, width - cell_len(text)) + text, right_style)])
    return lines


def _key_lines(key: str, text: str, width: int) -> list[Line]:
    column = max(12, cell_len(key) + 1)
    wrapped = wrap(text, max(10, width - column)) or [""]
    lines: list[Line] = [[(set_cell_size(key, column), styles.KEY), (wrapped[0], styles.PLAIN)]]
    lines += [[(" " * column + more, styles.PLAIN)] for more in wrapped[1:]]
    return lines
