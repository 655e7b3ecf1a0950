"""The cells of a terminal: what is in each, and how it looks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import Color, ColorSystem
from rich.segment import ControlType, Segment
from rich.style import Style

SEEN_ON_A_BLANK = {"4", "7", "9", "21", "51", "52", "53"}
"""Lines through and around a cell, and reverse."""


class Look(NamedTuple):
    """How a character looks, in the numbers of the terminal's SGR sequence (ECMA-48, 8.3.117)."""

    attributes: tuple[str, ...] = ()
    foreground: str = ""
    """Empty for the terminal's own colour."""
    background: str = ""

    @property
    def is_seen_on_a_blank(self) -> bool:
        """Whether a blank of this look is seen."""
        return bool(self.background or SEEN_ON_A_BLANK.intersection(self.attributes))


Cell = tuple[str, Look]
"""A character (with those that combine with it) and its look; the second cell of a wide character
has an empty text."""

PLAIN = Look()
BLANK: Cell = (" ", PLAIN)

_ATTRIBUTES = {
    "bold": "1",
    "dim": "2",
    "italic": "3",
    "underline": "4",
    "blink": "5",
    "blink2": "6",
    "reverse": "7",
    "conceal": "8",
    "strike": "9",
    "underline2": "21",
    "frame": "51",
    "encircle": "52",
    "overline": "53",
}


class Cells:
    """A screenful of cells, blank at first.

    Args:
        width: how many columns.
        height: how many rows.
    """

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        self.rows: list[list[Cell]] = [[BLANK] * width for _ in range(height)]
        self._drawn: set[int] = set()

    def take_drawn(self) -> list[tuple[int, list[Cell]]]:
        """The rows on which was drawn since the last time, from the top."""
        drawn, self._drawn = self._drawn, set()
        return [(y, list(self.rows[y])) for y in sorted(drawn)]

    def draw_all(self) -> None:
        """Have all rows count as drawn."""
        self._drawn = set(range(len(self.rows)))

    def draw(self, segments: Iterable[Segment], colours: ColorSystem) -> None:
        """Draw segments: a control segment moves to a cell, text is drawn from there on. What
        does not fit is left out, and so are links.

        Args:
            segments: as Textual's compositor gives them.
            colours: what the terminal has.
        """
        height = len(self.rows)
        x = y = 0
        for text, style, control in segments:
            if control:
                for code in control:
                    if code[0] is ControlType.CURSOR_MOVE_TO:
                        x, y = int(code[1]), int(code[2])  # type: ignore[misc]
            elif text != "\n" and y < height:
                cells = _cells(text, style, colours)
                _put(cells, self.rows[y], x)
                self._drawn.add(y)
                x += len(cells)

    def draw_line(self, x: int, y: int, segments: Iterable[Segment], colours: ColorSystem) -> None:
        """Draw the segments of a line, without any control segment, from a cell on."""
        cells = [cell for text, style, _ in segments for cell in _cells(text, style, colours)]
        _put(cells, self.rows[y], x)
        self._drawn.add(y)


def _put(cells: Sequence[Cell], row: list[Cell], x: int) -> None:
    """Put cells in the place of others; of a wide character that loses a half the other goes."""
    width = len(row)
    if x >= width or not cells:
        return
    end = x + len(cells)
    if end > width:
        is_halved, cells, end = not cells[width - x][0], cells[: width - x], width
        if is_halved:
            cells = (*cells[:-1], BLANK)
    if not row[x][0]:
        row[x - 1] = BLANK
    if end < width and not row[end][0]:
        row[end] = BLANK
    row[x:end] = cells


@lru_cache(maxsize=1024)
def _cells(text: str, style: Style | None, colours: ColorSystem) -> tuple[Cell, ...]:
    """The cells of a text; those of blanks are plain where a blank of this look is not seen, so
    that they are the same as any other blank."""
    look = look_of(style, colours) if style else PLAIN
    blank = (" ", look) if look.is_seen_on_a_blank else BLANK
    cells: list[Cell] = []
    for char in text:
        length = cell_len(char)
        if char == " ":
            cells.append(blank)
        elif length:
            cells.append(_cell(char, look))
            cells.extend([_cell("", look)] * (length - 1))
        elif cells:  # it combines with the character before it
            place = -1 if cells[-1][0] else -2
            cells[place] = (cells[place][0] + char, look)
    return tuple(cells)


@lru_cache(maxsize=4096)
def _cell(text: str, look: Look) -> Cell:
    """A cell. The same ones are one: a screen has thousands of few kinds."""
    return text, look


@lru_cache(maxsize=1024)
def look_of(style: Style, colours: ColorSystem) -> Look:
    """How a style of Rich looks in so many colours."""
    return Look(
        tuple(number for name, number in _ATTRIBUTES.items() if getattr(style, name)),
        _colour(style.color, colours, True),
        _colour(style.bgcolor, colours, False),
    )


def _colour(colour: Color | None, colours: ColorSystem, foreground: bool) -> str:
    if colour is None or colour.is_default:
        return ""
    return ";".join(colour.downgrade(colours).get_ansi_codes(foreground))
