"""A widget that is given lines of styled text and redraws the rows that differ."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui.widgets import glyphs
from tui.widgets.bare import blank
from tui.widgets.styles import PLAIN

Part = tuple[str, Style]
"""Text and its style."""
Line = Sequence[Part]
"""The parts of a line, from left to right."""
Laid = list[Segment]
"""A line as wide as the widget."""


class Lines(Widget):
    """Shows lines; whatever does not fit is cut off at the right and at the bottom."""

    ascii_only = False
    """Whether everything is drawn in ASCII: set once for the whole program."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._shown: list[tuple[Line, Laid]] = []
        """What is shown in each row, as it was given and laid out."""
        self._width = 0

    @property
    def size(self) -> Size:
        """Columns and rows, none where it is not on the screen: it has no border, no padding."""
        return self.region.size

    def show(self, lines: Iterable[Line]) -> None:
        """Show these lines, redrawing only the rows that are not the same as before."""
        width, height = self.size
        if not width or not height:
            return  # it lies under a page: what it still shows then is what the next change is from
        if width != self._width:
            if self._shown:  # meanwhile they are seen, cut or filled up
                self.refresh(Region(0, 0, width, height))
            self._shown, self._width = [], width
        blank: tuple[Line, Laid] = ((), [Segment(" " * width, PLAIN)])
        self._shown = self._shown[:height] + [blank] * (height - len(self._shown))
        changed: dict[int, Laid] = {}
        given = itertools.chain(map(tuple, lines), itertools.repeat(()))
        for y, line in enumerate(itertools.islice(given, height)):
            before, laid = self._shown[y]
            if line == before:
                continue
            self._shown[y] = (line, self._lay(line, width))
            if laid != self._shown[y][1]:
                changed[y] = self._shown[y][1]
        if changed and not self._is_drawn(changed):
            self.refresh(*(Region(0, y, width, 1) for y in changed))

    def _is_drawn(self, lines: dict[int, Laid]) -> bool:
        """Draw these lines without Textual, where that is possible; whether it was."""
        draw_lines = getattr(self.app, "draw_lines", None)
        if draw_lines is None or self.get_line_filters():
            return False
        return bool(draw_lines(self, lines))

    def on_resize(self) -> None:
        """What is shown depends on the size: let the screen say it again."""
        draw_soon = getattr(self.screen, "draw_soon", None)
        if draw_soon is not None:
            draw_soon()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows within a region, as they are: Textual would look at each for borders, paddings
        and tints, which are never there."""
        if self.get_line_filters():
            return super().render_lines(crop)
        rows = [Strip(laid, self._width) for _, laid in self._shown[crop.y : crop.bottom]]
        rows += [blank(self._width)] * (crop.height - len(rows))
        if crop.x or crop.width != self._width:
            return [row.crop_extend(crop.x, crop.right, None) for row in rows]
        return rows

    def render_line(self, y: int) -> Strip:
        """One line of what is shown."""
        width = self.size.width
        if y >= len(self._shown):
            return Strip.blank(width)
        return Strip(self._shown[y][1], self._width).adjust_cell_length(width)

    def _lay(self, line: Line, width: int) -> Laid:
        """A line in so many columns, cut or filled up; parts of the same style are one."""
        laid: Laid = []
        used, last = 0, None
        for text, style in line:
            if used >= width:
                break
            if not text:
                continue  # its style would be sent all the same
            if not text.isprintable():
                text = glyphs.harmless(text)
            if self.ascii_only:
                text = glyphs.to_ascii(text)
            length = len(text) if text.isascii() else cell_len(text)
            if used + length > width:
                text, length = _cut(text, width - used, self.ascii_only), width - used
            used += length
            if last is style:
                text = laid.pop().text + text
            laid.append(Segment(text, style))
            last = style
        if used < width:
            blanks = " " * (width - used)
            if last is PLAIN:
                blanks = laid.pop().text + blanks
            laid.append(Segment(blanks, PLAIN))
        return laid


def _cut(text: str, width: int, ascii_only: bool) -> str:
    """As much of a text as fits; where more than blanks is lost, the last cell says so."""
    kept = set_cell_size(text, width)
    if not text[len(kept.rstrip()) :].strip():
        return kept
    mark = "…"
    return set_cell_size(text, width - 1) + (glyphs.to_ascii(mark) if ascii_only else mark)
