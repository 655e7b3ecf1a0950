"""Writing to a terminal that takes its time: nobody waits, and the newest screen wins."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Iterator

import pyte
import pytest
from rich.color import ColorSystem
from rich.control import Control
from rich.segment import Segment
from rich.style import Style

from tui.terminal import output
from tui.terminal.output import Output

SIZE = (40, 10)
TIMEOUT = 20.0


class Line:
    """A line to a terminal, which takes what it is asked to take."""

    def __init__(self, pace: float | None = None, encoding: str = "utf-8") -> None:
        self.ours, its = os.pipe()
        self.file = io.TextIOWrapper(io.FileIO(its, "w"), encoding, errors="backslashreplace")
        self.output = Output(self.file, pace)
        self.output.start()
        self.screen = pyte.Screen(*SIZE)
        self._stream = pyte.ByteStream(self.screen)

    def draw(self, text: str, row: int = 0, size: tuple[int, int] = SIZE) -> None:
        segments = [Control.move_to(0, row).segment, Segment(text)]
        self.output.draw(size, segments, ColorSystem.STANDARD, False)

    def take(self, most: int = 65536) -> bytes:
        """Wait for something, and show it."""
        data = os.read(self.ours, most)
        self._stream.feed(data)
        return data

    def take_until(self, text: str) -> int:
        """Take all until a text is shown; how many bytes that were."""
        taken, end = 0, time.monotonic() + TIMEOUT
        while text not in "\n".join(self.screen.display):
            assert time.monotonic() < end, self.screen.display
            taken += len(self.take())
        return taken

    def fill(self) -> None:
        """Draw until the line takes no more."""
        filler = "x" * SIZE[0] * SIZE[1]
        self.output.say(filler * 200)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self.ours)
        self.output.close()
        with contextlib.suppress(OSError):
            self.file.close()


@contextlib.contextmanager
def line(pace: float | None = None, encoding: str = "utf-8") -> Iterator[Line]:
    opened = Line(pace, encoding)
    try:
        yield opened
    finally:
        opened.close()


def test_what_was_drawn_meanwhile_is_left_out() -> None:
    with line() as terminal:
        terminal.fill()
        for number in range(1000):
            terminal.draw(f"number {number}")
        assert not any("number" in row for row in terminal.screen.display)
        filler = SIZE[0] * SIZE[1] * 200
        assert terminal.take_until("number 999") < filler + 100


def test_whoever_draws_or_says_something_never_waits() -> None:
    with line() as terminal:
        terminal.fill()
        began = time.monotonic()
        for number in range(1000):
            terminal.draw(f"number {number}")
            terminal.output.say("\a")
        assert time.monotonic() - began < TIMEOUT / 4
        terminal.take_until("number 999")


def test_a_pace_is_kept_and_the_newest_still_wins() -> None:
    pace = 2000.0
    with line(pace) as terminal:
        began = time.monotonic()
        taken = 0
        for number in range(40):
            terminal.draw(f"{number:02} {'abcdefghijklmnopqrstuvwxyz'[number % 26] * 37}")
            time.sleep(0.01)
        taken = terminal.take_until("39 n")
        # The last frame is sent when all that was sent before it has had its time.
        assert taken <= pace * (time.monotonic() - began) + 2 * SIZE[0]
        assert taken < 40 * SIZE[0] * 0.7


def test_of_another_size_all_is_drawn_anew() -> None:
    with line() as terminal:
        terminal.draw("before")
        terminal.take_until("before")
        terminal.screen.resize(5, 30)
        terminal.screen.draw("whatever was left of it")
        terminal.draw("after", 2, size=(30, 5))
        terminal.take_until("after")
        assert [row.rstrip() for row in terminal.screen.display] == ["", "", "after", "", ""]


def test_lines_are_drawn_on_what_is_there_and_go_out_when_that_is_said() -> None:
    bold = Style(bold=True)
    lines = {0: [Segment("on"), Segment("e", bold)], 2: [Segment("three")]}
    with line() as terminal:
        assert not terminal.output.draw_lines(SIZE, (4, 1), lines, ColorSystem.STANDARD)
        terminal.draw("before")
        terminal.take_until("before")
        assert not terminal.output.draw_lines((30, 5), (4, 1), lines, ColorSystem.STANDARD)
        assert terminal.output.draw_lines(SIZE, (4, 1), lines, ColorSystem.STANDARD)
        terminal.output.say("\a")
        assert terminal.take() == b"\a", "the lines wait"
        terminal.output.send_lines()
        terminal.take_until("three")
        rows = [row.rstrip() for row in terminal.screen.display]
        assert rows == ["before", "    one", "", "    three", *[""] * 6]
        assert [terminal.screen.buffer[1][x].bold for x in range(4, 7)] == [False, False, True]


def test_a_line_that_does_not_fit_is_cut() -> None:
    with line() as terminal:
        terminal.draw("before")
        cut = {0: [Segment("日本語")]}
        assert terminal.output.draw_lines(SIZE, (35, 3), cut, ColorSystem.STANDARD)
        terminal.output.send_lines()
        terminal.take_until("日本")
        assert terminal.screen.display[3].rstrip() == " " * 35 + "日本"


def test_started_again_it_sends_all_there_is() -> None:
    with line() as terminal:
        terminal.draw("something")
        terminal.take_until("something")
        terminal.output.stop_drawing()
        terminal.draw("unseen", 1)
        terminal.output.say("to the shell")
        terminal.output.close()
        while b"to the shell" not in terminal.take():
            pass
        terminal.screen.reset()
        terminal.output.start()
        # What sets the terminal up comes before what is drawn: the alternate screen begins blank.
        terminal.output.say("set up")
        assert terminal.take() == b"set up"
        terminal.output.forget()
        terminal.take_until("something")


def test_nothing_is_drawn_after_the_end() -> None:
    with line() as terminal:
        terminal.draw("something")
        terminal.take_until("something")
        terminal.output.stop_drawing()
        terminal.draw("after the end")
        terminal.output.say("the end")
        terminal.take_until("the end")
        assert [row.rstrip() for row in terminal.screen.display] == [
            "something",
            *[""] * 8,
            "the end",
        ]


def test_what_comes_after_it_has_the_terminal_s_own_look() -> None:
    with line() as terminal:
        bold = Segment("in bold", Style(bold=True))
        terminal.output.draw(
            SIZE, [Control.move_to(0, SIZE[1] - 1).segment, bold], ColorSystem.STANDARD, False
        )
        terminal.take_until("in bold")
        terminal.output.stop_drawing()
        terminal.output.say("$")
        terminal.take_until("$")
        assert terminal.screen.display[-1].rstrip() == "$"
        assert not terminal.screen.buffer[SIZE[1] - 1][0].bold


def test_it_ends_though_nothing_is_taken_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "LAST_WORDS", 0.1)
    with line() as terminal:
        terminal.fill()
        began = time.monotonic()
        terminal.output.close()
        assert time.monotonic() - began < TIMEOUT / 4


def test_a_terminal_that_has_gone_troubles_nobody() -> None:
    with line() as terminal:
        terminal.draw("something")
        terminal.take_until("something")
        os.close(terminal.ours)
        for number in range(100):
            terminal.draw(f"number {number}")
            terminal.output.say("\a")
        began = time.monotonic()
        terminal.output.close()
        assert time.monotonic() - began < output.LAST_WORDS


def test_a_terminal_that_somebody_has_made_not_to_wait() -> None:
    with line() as terminal:
        os.set_blocking(terminal.file.fileno(), False)
        terminal.fill()
        terminal.draw("the last")
        terminal.take_until("the last")


def test_a_character_that_cannot_be_encoded_keeps_its_cell() -> None:
    with line(encoding="ascii") as terminal:
        terminal.draw("a●b")
        terminal.take_until("a?b")


def test_a_terminal_that_can_shows_it_at_once() -> None:
    with line() as terminal:
        terminal.output.draw(SIZE, [Segment("together")], ColorSystem.STANDARD, True)
        sent = b""
        while not sent.endswith(b"\x1b[?2026l"):
            sent += terminal.take()
        assert sent.startswith(b"\x1b[?2026h")
        terminal.output.draw(SIZE, [Segment("together")], ColorSystem.STANDARD, True)
        terminal.output.say("end")
        assert terminal.take() == b"end"


def test_a_terminal_that_was_resized_there_and_back_is_drawn_anew() -> None:
    # Of sizes in between nobody may have heard; what they made of the cells is not known.
    with line() as terminal:
        terminal.draw("first")
        terminal.draw("second", row=3)
        terminal.take_until("second")
        terminal.screen.reset()
        terminal.output.resized(SIZE)
        terminal.take_until("second")
        assert terminal.screen.display[0].rstrip() == "first"


def test_of_another_size_nothing_is_drawn_before_it_is_drawn_on() -> None:
    with line() as terminal:
        terminal.draw("first")
        terminal.take_until("first")
        terminal.output.resized((30, 8))
        terminal.output.say("said")
        assert terminal.take_until("said") == len("said")
        terminal.draw("second", size=(30, 8))
        terminal.take_until("second")
        assert "first" not in "\n".join(terminal.screen.display)
