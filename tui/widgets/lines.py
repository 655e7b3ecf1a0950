"""A widget that is given lines of styled text and redraws the cells that differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets import glyphs
from tui.widgets.styles import PLAIN

Part = tuple[str, Style]
"""Text and its style."""
Line = Sequence[Part]
"""The parts of a line, from left to right."""


class Lines(Widget):
    """Shows lines; whatever does not fit is cut off at the right and at the bottom."""

    ascii_only = False
    """Whether everything is drawn in ASCII: set once for the whole program."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._strips: list[Strip] = []

    def show(self, lines: Iterable[Line]) -> None:
        """Show these lines, redrawing only the cells that are not the same as before."""
        width, height = self.size
        if not width or not height:
            return  # it lies under a page: what it still shows then is what the next change is from
        strips = [self._strip(line, width) for line, _ in zip(lines, range(height), strict=False)]
        changed = []
        blank = Strip.blank(width)
        for y in range(height):
            old = self._strips[y] if y < len(self._strips) else blank
            new = strips[y] if y < len(strips) else blank
            span = _difference(old, new)
            if span is not None:
                changed.append(Region(span[0], y, span[1] - span[0], 1))
        self._strips = strips
        if changed:
            self.refresh(*changed)

    def on_resize(self) -> None:
        """What is shown depends on the size: let the screen say it again."""
        draw = getattr(self.screen, "draw", None)
        if draw is not None:
            self.call_later(draw)

    def render_line(self, y: int) -> Strip:
        """One line of what is shown."""
        width = self.size.width
        strip = self._strips[y] if y < len(self._strips) else Strip.blank(width)
        return strip.adjust_cell_length(width)

    def _strip(self, line: Line, width: int) -> Strip:
        segments = []
        used = 0
        for text, style in line:
            if used >= width:
                break
            if not text:
                continue  # its style would be sent all the same
            if not text.isprintable():
                text = glyphs.harmless(text)
            if self.ascii_only:
                text = glyphs.to_ascii(text)
            length = cell_len(text)
            if used + length > width:
                text, length = _cut(text, width - used, self.ascii_only), width - used
            segments.append(Segment(text, style))
            used += length
        if used < width:
            segments.append(Segment(" " * (width - used), PLAIN))
        return Strip(segments, width).simplify()


def _cut(text: str, width: int, ascii_only: bool) -> str:
    """As much of a text as fits; where more than blanks is lost, the last cell says so."""
    kept = set_cell_size(text, width)
    if not text[len(kept.rstrip()) :].strip():
        return kept
    mark = "…"
    return set_cell_size(text, width - 1) + (glyphs.to_ascii(mark) if ascii_only else mark)


def _difference(old: Strip, new: Strip) -> tuple[int, int] | None:
    """The cells from the first to the last that differs; None where none does."""
    if old == new:
        return None
    before, after = _cells(old), _cells(new)
    if len(before) != len(after):
        return (0, max(new.cell_length, 1))
    first = next((i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b), None)
    if first is None:
        return None
    last = next(i for i in range(len(after) - 1, -1, -1) if before[i] != after[i])
    return first, last + 1


def _cells(strip: Strip) -> list[tuple[str, Style]]:
    """The character and the style of each cell; the second cell of a wide character differs
    wherever the character does."""
    cells: list[tuple[str, Style]] = []
    for segment in strip:
        style = segment.style or PLAIN
        for char in segment.text:
            cells.append((char, style))
            cells.extend([(f"{char}, second cell", style)] * (cell_len(char) - 1))
    return cells
