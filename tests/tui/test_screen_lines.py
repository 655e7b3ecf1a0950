"""The widget that redraws only the rows that changed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest
from rich.cells import cell_len
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.pilot import Pilot

from tui.widgets.lines import Line, Lines
from tui.widgets.styles import BOLD, PLAIN


class Watched(Lines):
    """Remembers which regions it was asked to draw anew."""

    DEFAULT_CSS = "Watched { width: 20; height: 4; }"

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[Region] = []

    def refresh(self, *regions: Region, **options: bool) -> Watched:  # type: ignore[override]
        self.drawn += regions
        super().refresh(*regions, **options)
        return self


class Small(App[None]):
    """Nothing but the widget."""

    def compose(self) -> ComposeResult:
        yield Watched()


@contextlib.asynccontextmanager
async def widget() -> AsyncIterator[tuple[Watched, Pilot[None]]]:
    app = Small()
    async with app.run_test(size=(30, 6)) as pilot:
        watched = app.query_one(Watched)
        await pilot.pause()
        watched.drawn.clear()
        yield watched, pilot


def plain(*texts: str) -> list[Line]:
    return [[(text, PLAIN)] for text in texts]


def on_screen(app: App[None]) -> list[str]:
    return ["".join(s.text for s in strip) for strip in app.screen._compositor.render_strips()]


async def shown(watched: Watched, pilot: Pilot[None], lines: Sequence[Line]) -> list[Region]:
    """Show lines; the regions that were drawn for it."""
    watched.drawn.clear()
    watched.show(lines)
    await pilot.pause()
    return list(watched.drawn)


@pytest.fixture(autouse=True)
def with_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lines, "ascii_only", False)


def rows(*numbers: int) -> list[Region]:
    """These rows of the widget."""
    return [Region(0, y, 20, 1) for y in numbers]


async def test_the_first_lines_are_drawn() -> None:
    async with widget() as (watched, pilot):
        assert await shown(watched, pilot, plain("one", "  two")) == rows(0, 1)
        assert [line[:20].rstrip() for line in on_screen(pilot.app)] == ["one", "  two", *[""] * 4]


async def test_the_same_lines_draw_nothing() -> None:
    async with widget() as (watched, pilot):
        await shown(watched, pilot, plain("one", "two"))
        assert await shown(watched, pilot, plain("one", "two")) == []
        assert await shown(watched, pilot, plain("one", "two", "", "")) == []
        assert await shown(watched, pilot, [[("on", PLAIN), ("e", PLAIN)], [("two", PLAIN)]]) == []


async def test_only_what_differs_is_drawn() -> None:
    async with widget() as (watched, pilot):
        await shown(watched, pilot, plain("one two three", "four", "five"))
        assert await shown(watched, pilot, plain("one 222 three", "four", "five")) == rows(0)
        assert await shown(watched, pilot, plain("one 222 three", "fou", "five")) == rows(1)
        assert on_screen(pilot.app)[0].startswith("one 222 three ")
        assert on_screen(pilot.app)[1].startswith("fou ")


async def test_a_line_that_is_gone_is_blanked() -> None:
    async with widget() as (watched, pilot):
        await shown(watched, pilot, plain("one", "two", "three"))
        assert await shown(watched, pilot, plain("one")) == rows(1, 2)
        assert [line.strip() for line in on_screen(pilot.app)] == ["one", "", "", "", "", ""]


async def test_another_style_is_a_difference() -> None:
    async with widget() as (watched, pilot):
        await shown(watched, pilot, plain("abc"))
        parts = [("a", PLAIN), ("b", BOLD), ("c", PLAIN)]
        assert await shown(watched, pilot, [parts]) == rows(0)
        assert (
            await shown(watched, pilot, [[*parts[:1], ("b", Style(bold=True)), *parts[2:]]]) == []
        )


async def test_what_does_not_fit_is_cut() -> None:
    async with widget() as (watched, pilot):
        await shown(watched, pilot, plain("x" * 50, *"abcdef"))
        lines = on_screen(pilot.app)
        assert lines[0].rstrip() == "x" * 19 + "…"
        assert [line.strip() for line in lines[1:]] == ["a", "b", "c", "", ""]


async def test_wide_characters() -> None:
    async with widget() as (watched, pilot):
        await shown(watched, pilot, plain("日本語 loss"))
        assert on_screen(pilot.app)[0].startswith("日本語 loss")
        assert cell_len(on_screen(pilot.app)[0]) == 30
        await shown(watched, pilot, plain("x" * 19 + "日"))  # does not fit: cut off
        assert on_screen(pilot.app)[0].rstrip() == "x" * 19 + "…"


async def test_control_characters_are_never_drawn() -> None:
    async with widget() as (watched, pilot):
        await shown(watched, pilot, plain("a\x1b[2Jb\x07", "tab\there", "x\x9b5Ay", "z\x7f"))
        text = "".join(on_screen(pilot.app))
        assert text.isprintable(), repr(text)
        assert all(cell_len(line) == 30 for line in on_screen(pilot.app))


async def test_ascii_keeps_the_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lines, "ascii_only", True)
    async with widget() as (watched, pilot):
        await shown(watched, pilot, plain("0 ►─╮ d", "⠁⣿ ▁█ → … é", "日本 x"))
        lines = [line[:20] for line in on_screen(pilot.app)]
        assert "".join(lines).isascii()
        assert lines[0].rstrip() == "0 >-. d"
        assert lines[1].rstrip() == "** .# > ~ ?"
        assert lines[2][5] == "x", "a character of two cells takes two in ASCII, too"


async def test_resizing_keeps_what_is_shown() -> None:
    async with widget() as (watched, pilot):
        await shown(watched, pilot, plain("one two three", "four"))
        watched.styles.width = 8
        await pilot.pause()
        assert on_screen(pilot.app)[0].rstrip() == "one two"
        watched.styles.width = 25
        await pilot.pause()
        assert on_screen(pilot.app)[1].rstrip() == "four"


async def test_of_another_width_nothing_is_left_of_what_was_shown() -> None:
    async with widget() as (watched, pilot):
        await shown(watched, pilot, plain("one", "two", "three"))
        watched.styles.width = 10
        await pilot.pause()
        await shown(watched, pilot, plain("one"))
        assert [line.rstrip() for line in on_screen(pilot.app)] == ["one", "", "", "", "", ""]
