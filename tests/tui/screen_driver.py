"""Driving the program's screens in a test: a pilot, the real debugged process, and patience.

Nothing here sleeps for a fixed time: whatever is waited for is looked for again and again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from unittest import mock

from rich.cells import cell_len
from textual import events
from textual.app import ScreenStackError
from textual.pilot import Pilot

from tui.app import BpTui
from tui.options import Options
from tui.process.client import Client
from tui.widgets.styles import PLAIN

TIMEOUT = float(os.environ.get("BP_TUI_TEST_TIMEOUT", "20"))
"""Seconds; only a test that fails ever waits so long."""

POLL = 0.02

ROW = re.compile(r" *\d+[ ■□◆◈]")
DONE = re.compile(r"(\d+) of (\d+) done")

CHARACTERS = {
    "at": "@",
    "colon": ":",
    "equals_sign": "=",
    "minus": "-",
    "plus": "+",
    "question_mark": "?",
    "space": " ",
}
"""What the keys with names of their own print."""

Cells = list[list[tuple[str, object]]]


class Driver:
    """The program in a test."""

    def __init__(self, app: BpTui, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    def cells(self) -> Cells:
        """What is on the screen: for each line its characters with their styles."""
        return [
            [(char, segment.style or PLAIN) for segment in strip for char in segment.text]
            for strip in self.app.screen._compositor.render_strips()
        ]

    def lines(self) -> list[str]:
        """What is on the screen, without styles and trailing blanks."""
        return [
            "".join(segment.text for segment in strip).rstrip()
            for strip in self.app.screen._compositor.render_strips()
        ]

    def text(self) -> str:
        """What is on the screen, as one string."""
        return "\n".join(self.lines())

    def rail(self) -> list[str]:
        """The rows of the rail, below the legend; at widths from 70 to 99."""
        rows = [line[:39] for line in self.lines()[2:-2]]
        return list(itertools.takewhile(lambda row: ROW.match(row), rows))

    def pane(self) -> list[str]:
        """The lines of the pane at the right; at widths from 70 to 99."""
        return [line[40:].strip() for line in self.lines()[1:-2]]

    def steps(self) -> int:
        """How many steps the pass has."""
        found = DONE.search(self.lines()[0])
        assert found, self.text()
        return int(found[2])

    def steps_done(self) -> int:
        """How many steps the header says are done."""
        found = DONE.search(self.lines()[0])
        assert found, self.text()
        return int(found[1])

    async def press(self, *keys: str) -> None:
        """Press keys, by Textual's names; what they lead to is still to be waited for.

        Unlike the pilot's own this does not wait between the keys: nor does one who types.
        """
        for key in keys:
            character = key if len(key) == 1 else CHARACTERS.get(key)
            self.app.post_message(events.Key(key, character))
        await asyncio.sleep(0)

    async def type(self, text: str) -> None:
        """Type into a field that may have to get the focus first."""
        await self.pilot.press(*text)

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until a condition holds."""
        end = time.monotonic() + TIMEOUT
        while True:
            if self.app._exception is not None:
                raise AssertionError("the program has crashed") from self.app._exception
            # Between two screens there may be none, or one that is not composed yet.
            with contextlib.suppress(LookupError, ScreenStackError):
                if condition():
                    return
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain: {what}\n{self.text()}")
            await asyncio.sleep(POLL)

    async def shows(self, *texts: str) -> None:
        """Wait until all these are on the screen."""
        await self.until(
            lambda: (shown := self.text()) and all(text in shown for text in texts), repr(texts)
        )

    async def hides(self, *texts: str) -> None:
        """Wait until none of these is on the screen."""
        await self.until(
            lambda: (shown := self.text()) and not any(text in shown for text in texts),
            f"{texts!r} to go",
        )

    async def done(self, steps: int) -> None:
        """Wait until the header tells that so many steps are done."""
        await self.until(
            lambda: (found := DONE.search(self.lines()[0])) and int(found[1]) == steps,
            f"{steps} steps done",
        )

    async def settled(self) -> Cells:
        """Wait until the screen has not changed for a few frames; what it shows then."""
        end = time.monotonic() + TIMEOUT
        before, same = self.cells(), 0
        while same < 3 and time.monotonic() < end:
            await asyncio.sleep(0.025)
            now = self.cells()
            before, same = now, same + 1 if now == before else 0
        return before

    async def is_back_at(self, before: Cells, what: str) -> None:
        """Wait until the screen is, cell for cell, what it was."""
        end = time.monotonic() + TIMEOUT
        while True:
            if self.app._exception is not None:
                raise AssertionError("the program has crashed") from self.app._exception
            now: Cells = []
            with contextlib.suppress(ScreenStackError):
                now = self.cells()
            if now == before:
                return
            if time.monotonic() > end:
                old = ["".join(char for char, _ in line).rstrip() for line in before]
                different = [
                    f"line {y}\n  was {old[y]!r}\n  is  {line!r}"
                    for y, line in enumerate(self.lines())
                    if y >= len(now) or y >= len(before) or now[y] != before[y]
                ]
                raise AssertionError(
                    f"{what}: {len(different)} lines differ\n" + "\n".join(different[:3])
                )
            await asyncio.sleep(POLL)

    async def resized_to(self, width: int, height: int) -> None:
        """Resize the terminal, and wait until the screen has that size."""
        await self.pilot.resize_terminal(width, height)
        await self.until(lambda: self.app.screen.size == (width, height), "the new size")

    def assert_fits(self) -> None:
        """Nothing is wider than the screen, and no line is missing."""
        width, height = self.app.size
        lines = self.lines()
        assert len(lines) == height
        assert max(cell_len(line) for line in lines) <= width


@contextlib.asynccontextmanager
async def program(
    scenario: str | Path | None, size: tuple[int, int] = (80, 24), **options: object
) -> AsyncIterator[Driver]:
    """The program on a screen of a size, with the scenario in its real process.

    Args:
        scenario: a path or a bundled name; None for the picker.
        size: columns and rows.
        options: fields of `Options`; the embedded MNIST is used where nothing else is said.
    """
    given = Options(**{"scenario": str(scenario or ""), "data": "embedded", **options})
    # As the command line sets it: two busy cores and two BLAS threads are several times slower.
    with mock.patch.dict(os.environ, {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}):
        client = Client(given) if scenario is not None else None
        app = BpTui(client, given)
        try:
            async with app.run_test(size=size) as pilot:
                yield Driver(app, pilot)
        finally:
            app.close()


@contextlib.asynccontextmanager
async def stepping(
    scenario: str | Path, size: tuple[int, int] = (80, 24), **options: object
) -> AsyncIterator[Driver]:
    """The program once the first frame of stepping is there."""
    async with program(scenario, size, **options) as driver:
        await driver.done(0)
        yield driver


@contextlib.asynccontextmanager
async def training(
    scenario: str | Path = "mlp", size: tuple[int, int] = (80, 24), **options: object
) -> AsyncIterator[Driver]:
    """The program once its training is open, paused."""
    async with stepping(scenario, size, **options) as driver:
        await driver.press("t")
        await driver.shows("paused", "learning rate")
        yield driver


@contextlib.contextmanager
def working_folder(folder: Path) -> Iterator[None]:
    """Work in another folder for a while."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def plot_only(line: str) -> str:
    """The part of a line in which the curve is, right of the axis, at 80 columns; nothing of a line
    below the curve."""
    _, *right = re.split("[┤│]", line[:46], maxsplit=1)
    return right[0] if right else ""
