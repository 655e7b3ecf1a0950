"""What is sent to a terminal makes it show, cell for cell, what was drawn."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.control import Control
from rich.segment import Segment
from rich.style import Style

from tui.terminal.cells import BLANK, PLAIN, Cell, Cells, Look, look_of
from tui.terminal.difference import Pen, restyled, write_row

WIDTH, HEIGHT = 14, 4

Drawing = tuple[int, int, str, Style]
"""Column, row, what is written there, and how."""

STYLES = [
    Style(),
    Style(bold=True),
    Style(dim=True),
    Style(reverse=True),
    Style(underline=True, bold=True),
    Style(color="cyan"),
    Style(color="bright_red", bgcolor="blue", italic=True),
    Style(color="default", bgcolor="default"),
    Style(color="#123456"),
]

CHARACTERS = ["a", "b", " ", "  ", "·", "│", "●", "漢", "字", "c\N{COMBINING TILDE OVERLAY}", "é"]
"""One or two cells wide, of one or two code points."""

TEXTS = st.one_of(
    st.lists(st.sampled_from(CHARACTERS), max_size=WIDTH + 2).map("".join),
    st.integers(0, WIDTH).map(lambda blanks: f"x{'':{blanks}}y"),
)

DRAWINGS = st.tuples(
    st.integers(0, WIDTH - 1), st.integers(0, HEIGHT), TEXTS, st.sampled_from(STYLES)
)


def segments(drawings: Sequence[Drawing]) -> list[Segment]:
    found = []
    for x, y, text, style in drawings:
        found += [Control.move_to(x, y).segment, Segment(text, style), Segment.line()]
    return found


class Both:
    """Cells, and a terminal that is sent their differences."""

    def __init__(self) -> None:
        self.cells = Cells(WIDTH, HEIGHT)
        self.shown = Cells(WIDTH, HEIGHT).rows
        self.pen = Pen()
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self._stream = pyte.Stream(self.screen)
        self._stream.feed("\x1b[?7lwhatever there was\r\n before")
        self.pen.clear()

    def draw(self, *drawings: Drawing) -> str:
        """Draw, and send; what was sent."""
        self.cells.draw(segments(drawings), ColorSystem.EIGHT_BIT)
        for y, row in self.cells.take_drawn():
            write_row(self.pen, y, self.shown[y], row)
            self.shown[y] = row
        sent = self.pen.take()
        self._stream.feed(sent)
        return sent

    def assert_alike(self) -> None:
        for y, row in enumerate(self.shown):
            assert [in_terminal(cell) for cell in row] == [
                seen(char.data, char.bold, char.reverse, char.underscore, char.fg, char.bg)
                for char in (self.screen.buffer[y][x] for x in range(WIDTH))
            ], y


def seen(
    text: str, bold: bool, reverse: bool, underlined: bool, foreground: str, background: str
) -> tuple[object, ...]:
    """What is seen of a cell."""
    if text == " " and not (reverse or underlined):
        bold, foreground = False, "default"
    return text, bold, reverse, underlined, foreground, background


COLOURS = {"": "default", "36": "cyan", "91": "brightred", "44": "blue", "38;5;236": "303030"}
COLOURS |= {"38;5;23": "005f5f", "38;5;17": "00005f", "38;5;235": "262626"}


def in_terminal(cell: Cell) -> tuple[object, ...]:
    text, look = cell
    codes = look.attributes
    return seen(
        unicodedata.normalize("NFC", text),
        "1" in codes,
        "7" in codes,
        "4" in codes,
        COLOURS[look.foreground],
        COLOURS[look.background],
    )


@given(st.lists(st.lists(DRAWINGS, max_size=4), max_size=6))
def test_a_terminal_shows_what_was_drawn(frames: list[list[Drawing]]) -> None:
    both = Both()
    for frame in frames:
        both.draw(*frame)
        both.assert_alike()


@given(st.lists(DRAWINGS, max_size=6), st.lists(DRAWINGS, max_size=6))
def test_in_whatever_steps_it_came_the_screen_is_the_same(
    first: list[Drawing], then: list[Drawing]
) -> None:
    at_once, in_steps = Both(), Both()
    at_once.draw(*first, *then)
    in_steps.draw(*first)
    in_steps.draw(*then)
    assert at_once.shown == in_steps.shown
    assert at_once.screen.display == in_steps.screen.display


@given(st.lists(DRAWINGS, max_size=6))
def test_what_is_there_is_not_sent_again(drawings: list[Drawing]) -> None:
    both = Both()
    both.draw(*drawings)
    assert both.draw(*drawings[-1:]) == ""


def drawn(*drawings: Drawing) -> list[str]:
    """What is sent for each of these, after the first."""
    both = Both()
    both.draw(drawings[0])
    sent = []
    for drawing in drawings[1:]:
        both.pen.place = None
        sent.append(both.draw(drawing))
    both.assert_alike()
    return sent


@pytest.mark.parametrize(
    ("before", "after", "sent"),
    [
        ("grad 0.25", "grad 0.75", "\x1b[1;8H7"),
        ("a 1 2", "a 3 4", "\x1b[1;3H3 4"),  # shorter than going over the blank
        ("1 same words 2", "3 same words 4", "\x1b[H3\x1b[12C4"),
        ("norm of it all", "norm", "\x1b[1;5H\x1b[K"),
        ("norm 1", "norm", "\x1b[1;6H "),
        ("abcdefghijklmn", "x         y", "\x1b[Hx\x1b[K\x1b[9Cy"),  # not blank by blank
        ("漢x", "漢y", "\x1b[1;3Hy"),
        ("漢", "ab", "\x1b[Hab"),
        ("ab", "漢", "\x1b[H漢"),
    ],
)
def test_only_what_differs_is_sent(before: str, after: str, sent: str) -> None:
    plain = Style()
    assert drawn((0, 0, before, plain), (0, 0, f"{after:14}"[:WIDTH], plain)) == [sent]


@pytest.mark.parametrize(
    ("place", "text", "motion"),
    [
        ((3, 0), "ab", "\b\b"),
        ((5, 1), "y", "\x1bD"),
        ((5, 2), "y", "\x1bD\x1bD"),
        ((5, 3), "y", "\x1b[3B"),
        ((4, 1), "y", "\x1bD\b"),
        ((6, 1), "y", "\x1bD\x1b[C"),
        ((0, 1), "y", "\r\x1bD"),
        ((13, 3), "y", "\x1b[4;14H"),
    ],
)
def test_it_goes_the_shortest_way(place: tuple[int, int], text: str, motion: str) -> None:
    both = Both()
    both.draw((4, 0, "x", Style()))
    assert both.draw((*place, text, Style())) == motion + text
    both.assert_alike()


def test_a_look_is_changed_for_what_is_seen_only() -> None:
    both = Both()
    both.draw((0, 0, "one", Style(bold=True)), (4, 0, "old text", Style(dim=True)))
    both.pen.place = None
    changed = both.draw((0, 0, "two", Style(bold=True)), (4, 0, " " * 8, Style(dim=True)))
    assert changed == "\x1b[H\x1b[0;1mtwo\x1b[K"
    both.draw((5, 1, "reversed", Style(reverse=True)))
    assert both.draw((5, 1, " " * 8, Style())) == "\r\x1b[m\x1b[K"
    both.assert_alike()


def test_one_style_follows_another_in_one_sequence() -> None:
    plain, bold = look_of(Style(), ColorSystem.STANDARD), Look(("1",))
    cyan = look_of(Style(color="cyan"), ColorSystem.STANDARD)
    both = look_of(Style(color="cyan", bold=True), ColorSystem.STANDARD)
    assert plain == PLAIN
    assert [restyled(None, plain), restyled(bold, plain), restyled(cyan, plain)] == ["\x1b[m"] * 3
    assert restyled(None, both) == "\x1b[0;1;36m"
    assert restyled(plain, both) == "\x1b[1;36m"
    assert restyled(bold, both) == "\x1b[36m"
    assert restyled(both, bold) == "\x1b[39m"
    assert restyled(both, cyan) == "\x1b[0;36m"


def test_colours_are_as_many_as_the_terminal_has() -> None:
    style = Style(color="#ff0000", bgcolor="default")
    assert look_of(style, ColorSystem.TRUECOLOR) == Look((), "38;2;255;0;0", "")
    assert look_of(style, ColorSystem.EIGHT_BIT) == Look((), "38;5;196", "")
    assert look_of(style, ColorSystem.STANDARD) == Look((), "31", "")


@pytest.mark.parametrize(
    ("style", "is_seen"),
    [
        (Style(bold=True, dim=True, italic=True, color="cyan"), False),
        (Style(underline=True), True),
        (Style(reverse=True), True),
        (Style(bgcolor="blue"), True),
    ],
)
def test_blanks_have_a_look_only_where_it_is_seen(style: Style, is_seen: bool) -> None:
    cells = Cells(4, 1)
    cells.draw([Segment("a  b", style)], ColorSystem.STANDARD)
    [(_, row)] = cells.take_drawn()
    look = look_of(style, ColorSystem.STANDARD)
    blank = (" ", look) if is_seen else BLANK
    assert row == [("a", look), blank, blank, ("b", look)]


def test_a_wide_character_in_the_place_of_another_moves_the_cursor_by_both_cells() -> None:
    both = Both()
    both.draw((7, 0, "字", Style()))
    both.draw((7, 0, "漢", Style()), (8, 1, "a", Style()))
    both.assert_alike()
