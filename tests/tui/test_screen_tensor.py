"""The screen of a tensor, with the scenario in its real process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from screen_driver import Driver, stepping
from tui_support import write

from tui.widgets.styles import CURSOR, PROBLEM

BODY = (
    "x = Tensor(np.arange(6000.0).reshape(60, 100) / 8 - 100, requires_grad=True)\n"
    "y = Tensor(np.full((60, 100), 2.0))\n"
    "loss = (x * y).sum()\n"
)
"""Node 1 is x * y, 2 is x, and 3 is y."""


@asynccontextmanager
async def inspecting(
    scenario: str | Path, downs: int, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Driver]:
    """The screen of the tensor of a node."""
    async with stepping(scenario, size) as driver:
        await driver.press(*["down"] * downs, "i")
        await driver.shows("value (", "norm")
        yield driver


def wrong_cells(driver: Driver) -> str:
    return "".join(char for line in driver.cells() for char, style in line if style == PROBLEM)


def pointed(driver: Driver) -> str:
    return "".join(char for line in driver.cells() for char, style in line if style == CURSOR)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 12)])
async def test_numbers_health_and_back(size: tuple[int, int], tmp_path: Path) -> None:
    async with stepping(write(tmp_path, BODY), size) as driver:
        before = await driver.settled()
        await driver.press("i")
        await driver.shows("value () float32", "norm")
        await driver.press("escape")
        await driver.is_back_at(before, "i and Escape")
        await driver.press("down", "down", "i")
        await driver.shows("x  value (60,100) float32", "at [0, 0]", "-100.0")
        await driver.shows("800 negative", "1 zero", "5,199 positive", "0 NaN", "0 Inf")
        await driver.shows("min -100", "mean 274.9", "max 649.9", "std 216.5", "norm")
        driver.assert_fits()
        await driver.press("right", "down", "down")
        await driver.shows("at [2, 1]", "-74.875")
        await driver.until(lambda: pointed(driver).strip() == "-74.9", "the number pointed at")


async def test_the_cursor_goes_everywhere_and_the_window_follows(tmp_path: Path) -> None:
    async with inspecting(write(tmp_path, BODY), 2) as driver:
        await driver.press("end")
        await driver.shows("at [59, 99]", "649.875")
        await driver.press("home", "pagedown")
        await driver.shows("at [15, 0]")
        await driver.press("pageup", "left", "up")
        await driver.shows("at [0, 0]")
        await driver.press("e", *"7, 93", "enter")
        await driver.shows("at [7, 93]")
        await driver.until(lambda: "93" in driver.lines()[2].split(), "the heading of the column")
        await driver.press("m")
        await driver.shows("at [59, 99]")
        await driver.press("m")
        await driver.shows("at [59, 98]")
        await driver.press("x")
        await driver.shows("no NaN and no Inf")


async def test_a_slice_and_one_that_does_not_fit(tmp_path: Path) -> None:
    async with inspecting(write(tmp_path, BODY), 2) as driver:
        await driver.press("left_square_bracket", *"3:5, 10:20:2", "enter")
        await driver.shows("[3:5, 10:20:2] gives (2,5)", "at [3, 10]", "10 negative")
        await driver.press("right")
        await driver.shows("at [3, 12]")
        shown = await driver.settled()
        await driver.press("left_square_bracket")
        await driver.shows("slice, as 0, :, 3:7", "[3:5, 10:20:2]")
        await driver.press(*"3, 700", "enter")  # it takes the place of the one before
        await driver.shows("dimension 1 has 100 elements, 0 to 99: 700 is beyond", "3, 700")
        assert driver.cells()[:-2] == shown[:-2]
        await driver.press("backspace", "enter")
        await driver.shows("[3, 70] gives ()", "at [3, 70]", "-53.75")
        await driver.press("left_square_bracket", "ctrl+u", "enter")
        await driver.hides("gives")
        await driver.shows("at [3, 70]", "800 negative")


async def test_keys_typed_at_once_go_into_the_prompt_that_they_follow(tmp_path: Path) -> None:
    async with inspecting(write(tmp_path, BODY), 2) as driver:
        await driver.press("d", "d", "left_square_bracket", *"9, 5:", "enter", "right", "m")
        await driver.shows("[9, 5:] gives (95,)")


async def test_a_range_of_values_is_marked(tmp_path: Path) -> None:
    async with inspecting(write(tmp_path, BODY), 2) as driver:
        await driver.press("H", *"-99.9 to -99.5", "enter")
        await driver.shows("* -99.9 to -99.5", "*-99.8")
        await driver.until(lambda: driver.text().count("*-99.") == 4, "four numbers")
        await driver.press("H", *"a", "enter")
        await driver.shows("'a' is no number")


async def test_a_refusal_of_a_key_does_not_bring_back_what_was_typed_before(
    tmp_path: Path,
) -> None:
    async with inspecting(write(tmp_path, BODY), 3) as driver:
        await driver.press("e", *"5, 6", "enter")
        await driver.shows("at [5, 6]")
        await driver.press("tab")
        await driver.shows("y needs no grad: it has only its value")
        await driver.hides("go to element")


async def test_value_and_gradient_while_steps_are_taken(tmp_path: Path) -> None:
    async with inspecting(write(tmp_path, BODY), 2) as driver:
        await driver.press("tab")
        await driver.shows("gradient none yet", "it waits for 1 contribution")
        await driver.press("n", "n")
        await driver.done(2)
        await driver.shows("x  gradient (60,100) float32", "6,000 positive", "mean 2")
        await driver.press("p")
        await driver.shows("gradient none yet")
        await driver.press("n", "tab", "escape")
        await driver.shows("node 1, just done")


async def test_the_element_that_the_step_works_through(tmp_path: Path) -> None:
    async with inspecting(write(tmp_path, BODY), 2) as driver:
        await driver.press("e", *"5, 6", "enter", "u")
        await driver.shows("► worked through in the steps", "the steps work through [5, 6]")
        await driver.press("escape", "n", "n")
        await driver.shows("at [5, 6]: 1 * 2 = 2")
        await driver.press("down", "i", "u", "escape")
        await driver.shows("[5, 6]")


async def test_nan_and_inf_are_counted_found_and_stand_out(tmp_path: Path) -> None:
    body = (
        "a = np.ones((30, 40)); a[20, 30] = np.nan; a[25, 0] = -np.inf\n"
        "x = Tensor(a, requires_grad=True)\nloss = (x * x).sum()\n"
    )
    async with inspecting(write(tmp_path, body), 2) as driver:
        await driver.shows("1 NaN", "1 Inf")
        await driver.press("x")
        await driver.shows("at [20, 30]", "nan")
        await driver.press("x")
        await driver.shows("at [25, 0]", "-inf")
        assert "1 NaN" in wrong_cells(driver)
        await driver.press("d")
        await driver.until(
            lambda: "N" in wrong_cells(driver).replace("1 NaN", ""), "NaN in the map"
        )


async def test_pictures_of_the_batch(tmp_path: Path) -> None:
    async with stepping("mlp") as driver:
        await driver.press("end", "i", "d", "d")
        await driver.shows("[0] a ", "[1] a ", "network says ", "██")
        await driver.press("down")
        await driver.shows("at [1, 0]")
        driver.assert_fits()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 12), (50, 15)])
async def test_every_display_fits_at_every_size(size: tuple[int, int]) -> None:
    async with stepping("mlp", size) as driver:
        await driver.press("end", "i")
        for text in ("at [0, 0]", "negative ", "[0] a "):
            await driver.shows(text, "norm", "0 NaN", "0 Inf")
            driver.assert_fits()
            await driver.settled()
            await driver.press("d")


async def test_help_lists_the_keys_and_sizes_change(tmp_path: Path) -> None:
    async with inspecting(write(tmp_path, BODY), 2) as driver:
        await driver.press("question_mark")
        await driver.shows("show a slice", "next NaN or Inf", "go to an element")
        await driver.press("escape")
        await driver.shows("at [0, 0]")
        await driver.resized_to(120, 40)
        await driver.until(lambda: " 25 " in driver.text(), "more rows")
        await driver.resized_to(40, 12)
        await driver.shows("norm", "0 Inf")
        driver.assert_fits()
        await driver.resized_to(80, 24)
        await driver.press("escape")
        await driver.done(0)
