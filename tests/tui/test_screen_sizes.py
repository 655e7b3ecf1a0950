"""Sizes of the terminal, resizing, and a terminal without Unicode."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from screen_driver import Driver, program, stepping, training
from textual import _time

from tui import app as app_module
from tui.widgets import glyphs
from tui.widgets.lines import Lines

SIZES = [(40, 12), (69, 20), (100, 30), (200, 50)]


def has_the_frame(driver: Driver) -> None:
    """Header, next and keys are there, with the way to the other keys and the way out."""
    driver.assert_fits()
    lines = driver.lines()
    assert lines[0].strip()
    assert lines[-2].startswith(" Next  ")
    assert "? keys" in lines[-1]
    assert "q quit" in lines[-1]


@pytest.mark.parametrize("size", SIZES)
async def test_every_size_from_40x12_works(size: tuple[int, int]) -> None:
    async with stepping("mlp", size) as driver:
        has_the_frame(driver)
        assert "n next" in driver.lines()[-1]
        await driver.shows("waits", "ready", "shown", "done", " 0 ○", "loss", "One batch of MNIST")
        await driver.press("n", "n")
        await driver.done(2)
        await driver.shows("node 1, just done", "grad_out")
        has_the_frame(driver)
        await driver.press("down")
        await driver.shows("node 2", "value")
        await driver.press("end")
        await driver.shows("inputs", "no grad")
        has_the_frame(driver)
        await driver.press("t")
        await driver.shows("learning rate" if size[1] > 12 else "epoch 1 of 5")
        await driver.press("n")
        await driver.shows("loss of batch 1 ")
        has_the_frame(driver)
        await driver.press("escape", "o")
        await driver.shows("Pick a scenario", "► first_graph")
        has_the_frame(driver)


@pytest.mark.parametrize("size", [(40, 12), (50, 14), (60, 20)])
async def test_the_curve_is_there_at_every_size(size: tuple[int, int]) -> None:
    async with training("mlp", size) as driver:
        await driver.press("n", "n")
        await driver.shows("loss of batch 2 ")
        await driver.until(
            lambda: any("\u2800" < char <= "\u28ff" for char in driver.text()), "the curve"
        )


@pytest.mark.parametrize("size", [(40, 12), (60, 20)])
async def test_the_result_of_a_step_is_there_at_every_size(size: tuple[int, int]) -> None:
    async with stepping("first_graph", size) as driver:
        await driver.press("n", "n", "n", "n", "n")
        await driver.done(5)
        await driver.shows("b.grad now")


@pytest.mark.parametrize("size", [(39, 11), (20, 5), (1, 1)])
async def test_below_that_it_says_what_it_needs(size: tuple[int, int]) -> None:
    async with program("first_graph", size) as driver:
        if size[0] >= 20:
            await driver.until(
                lambda: (
                    f"bp-tui needs 40 columns and 12 rows; here are {size[0]} and {size[1]}."
                    in " ".join(driver.text().split())
                ),
                "what it needs",
            )
        await driver.until(lambda: len(driver.lines()) == size[1], "a screen of that size")
        driver.assert_fits()
        await driver.resized_to(80, 24)
        await driver.done(0)
        await driver.shows("Look for", "q quit")


async def test_too_small_and_back_is_the_same_screen() -> None:
    async with stepping("mlp") as driver:
        await driver.press("n", "n", "n")
        await driver.done(8)
        before = await driver.settled()
        await driver.resized_to(39, 11)
        await driver.until(lambda: "bp-tui needs" in driver.text(), "what it needs")
        await driver.resized_to(80, 24)
        await driver.is_back_at(before, "39x11 and back")


@pytest.mark.parametrize("other", [(120, 40), (40, 12)])
async def test_resizing_there_and_back_is_the_same_screen(other: tuple[int, int]) -> None:
    async with stepping("mlp") as driver:
        await driver.press("n", "n", "n")
        await driver.done(8)
        before = await driver.settled()
        await driver.resized_to(*other)
        await driver.shows("nodes 2 to 7, just done")
        await driver.settled()
        has_the_frame(driver)
        await driver.resized_to(80, 24)
        await driver.is_back_at(before, f"{other} and back")


async def test_a_size_shows_the_same_whether_started_or_resized_to() -> None:
    async with stepping("mlp", (120, 40)) as driver:
        await driver.press("n", "n")
        await driver.done(2)
        wanted = await driver.settled()
    async with stepping("mlp") as driver:
        await driver.press("n", "n")
        await driver.done(2)
        await driver.resized_to(120, 40)
        await driver.is_back_at(wanted, "resized to 120x40")


async def test_resizing_the_training_and_the_pages() -> None:
    async with training("mlp") as driver:
        await driver.press("n", "n")
        await driver.shows("loss of batch 2 ")
        before = await driver.settled()
        for size in ((120, 40), (40, 12), (39, 11), (60, 20)):
            await driver.resized_to(*size)
            await driver.settled()
            driver.assert_fits()
        await driver.press("question_mark")
        await driver.shows("closes this page")
        await driver.resized_to(120, 40)
        await driver.shows("closes this page", "fetched through torchvision")
        await driver.press("escape")
        await driver.resized_to(80, 24)
        await driver.is_back_at(before, "the training after resizing")


async def test_many_sizes_one_after_another() -> None:
    async with stepping("mlp") as driver:
        await driver.press("n")
        await driver.done(1)
        before = await driver.settled()
        for i in range(6):
            await driver.pilot.resize_terminal(41 + 26 * i, 12 + 6 * i)
        await driver.resized_to(80, 24)
        await driver.is_back_at(before, "many sizes")


async def test_a_host_that_lets_it_stand_still_stops_no_resizing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with stepping("mlp") as driver:
        clock, looks = _time.get_time, itertools.count()
        # Between any two looks at the clock more time passes than a resize is put off for.
        monkeypatch.setattr(_time, "get_time", lambda: clock() + 0.01 * next(looks))
        for size in ((120, 40), (60, 20), (100, 30)):
            await driver.resized_to(*size)
            await driver.until(lambda wanted=size: len(driver.lines()) == wanted[1], f"{size}")
            has_the_frame(driver)


@pytest.fixture
def no_unicode(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that is set up for ASCII only."""
    monkeypatch.setattr(app_module, "has_unicode", lambda: False)
    monkeypatch.setattr(Lines, "ascii_only", False)  # put back what a test leaves


async def frames(driver: Driver) -> list[list[str]]:
    """The screen in several states."""
    found = []
    for key, text in (("", "Look for"), ("n", "1 of"), ("down", "value"), ("t", "learning rate")):
        await driver.press(*filter(None, [key]))
        await driver.shows(text)
        await driver.settled()
        found.append(driver.lines())
    await driver.press("n", "n")
    await driver.shows("loss of batch 2 ")
    await driver.settled()
    found.append(driver.lines())
    return found


@pytest.fixture
def unicode_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with Unicode, wherever the tests run."""
    monkeypatch.setattr(app_module, "has_unicode", lambda: True)
    monkeypatch.setattr(Lines, "ascii_only", False)


@pytest.mark.usefixtures("unicode_again")
async def test_without_unicode_the_columns_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stepping("mlp") as driver:
        usual = await frames(driver)
    monkeypatch.setattr(app_module, "has_unicode", lambda: False)
    async with stepping("mlp") as driver:
        plain = await frames(driver)
    assert usual != plain
    for was, now in zip(usual, plain, strict=True):
        assert "\n".join(now).isascii()
        for a, b in zip(was, now, strict=True):
            assert glyphs.to_ascii(a).rstrip() == b


@pytest.mark.usefixtures("no_unicode")
async def test_without_unicode_every_state_has_its_own_glyph() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("n", "n")
        await driver.done(2)
        assert len({glyphs.to_ascii(glyph) for glyph in glyphs.STATES.values()}) == 5
        await driver.shows(". waits", "o ready", "> shown", "* done")
        assert ">" in driver.lines()[3]
        assert driver.text().isascii()


@pytest.mark.usefixtures("no_unicode")
async def test_without_unicode_the_commands_picker_and_panels_are_ascii_too(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text("1 / 0\n")
    async with program(path) as driver:
        await driver.shows("ZeroDivisionError")
        assert driver.text().isascii()
        await driver.press("o")
        await driver.shows("Pick a scenario")
        assert driver.text().isascii()
