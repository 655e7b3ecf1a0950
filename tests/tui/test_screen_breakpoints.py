"""Breakpoints, conditions and watches on the screen, with the scenario in its real process."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from screen_driver import Driver, stepping
from tui_support import write

from tui.widgets.glyphs import MARKS, to_ascii

SMALL = "a = Tensor(3.0, requires_grad=True)\nb = a * a\nc = b + a\nloss = c * 2\n"


async def typed(driver: Driver, text: str) -> None:
    """Type into the open prompt and press Enter."""
    await driver.press(*("space" if char == " " else char for char in text), "enter")


def marked(driver: Driver, mark: str) -> list[int]:
    """The ids of the rail's rows with a mark."""
    found = (re.match(rf" *(\d+){MARKS[mark]}", row) for row in driver.rail())
    return [int(match[1]) for match in found if match]


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_breakpoint_is_set_and_continue_stops_before_it(size: tuple[int, int]) -> None:
    async with stepping("first_graph", size) as driver:
        await driver.press("j", "j", "j", "b")
        await driver.shows(" breakpoint on node 3, d", f"3{MARKS['breakpoint']}")
        await driver.press("c")
        await driver.done(3)
        await driver.shows(
            " Stopped before node 3, d: breakpoint", "│ stopped before node 3, d: breakpoint"
        )
        await driver.press("s")
        await driver.shows("node 3, under way")
        await driver.hides("Stopped")
        await driver.press("c")
        await driver.done(6)
        await driver.press("home", "j", "j", "j", "b")
        await driver.shows("no breakpoint any more on node 3, d")
        await driver.hides(f"3{MARKS['breakpoint']}")
        driver.assert_fits()


async def test_a_condition_is_typed_and_says_where_it_holds_and_why() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("a")
        await driver.shows(" stop where")
        await typed(driver, "contribution > 5")
        await driver.shows(" c stops after a step where contribution > 5 holds")
        await driver.press("c")
        await driver.done(4)
        await driver.shows(" Stopped after node 3: contribution > 5 holds to b: 6 > 5")
        before = await driver.settled()
        await driver.press("n")
        await driver.done(5)
        await driver.press("p")
        await driver.shows("stopped: contribution > 5")
        now = await driver.settled()
        assert now[:-2] == before[:-2]


async def test_a_mistake_comes_back_to_the_line_where_it_was_typed() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("a")
        await driver.shows(" stop where")
        await typed(driver, "norm(gradout) > 1")
        await driver.shows(
            " stop where  norm(gradout) > 1", "there is no name gradout; did you mean grad_out?"
        )
        await driver.press(*["left"] * 8, "_")
        await driver.shows("norm(grad_out) > 1")
        await driver.press("enter")
        await driver.shows("c stops after a step where norm(grad_out) > 1 holds")


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (40, 12)])
async def test_watches_are_always_on_the_screen(size: tuple[int, int]) -> None:
    async with stepping("first_graph", size) as driver:
        await driver.press("j", "j", "j", "j", "W")
        await driver.shows("watched", "b", "nothing yet")
        await driver.until(lambda: watched_row(driver, "nothing yet"), "b under watched")
        await driver.press("n", "n")
        await driver.done(2)
        await driver.until(lambda: watched_row(driver, "1 of 2 1"), "one of two contributions")
        await driver.press("c")
        await driver.done(6)
        await driver.until(lambda: watched_row(driver, " 7"), "b's gradient")
        driver.assert_fits()
        await driver.press("home", "j", "j", "j", "j", "W")
        await driver.shows("is watched no more")
        await driver.hides("─ watched")


def watched_row(driver: Driver, amount: str) -> bool:
    lines = driver.lines()
    at = next((i for i, line in enumerate(lines) if "─ watched" in line), None)
    return at is not None and f"4{MARKS['watched']}" in lines[at + 1] and amount in lines[at + 1]


async def test_more_watches_than_there_is_room_for_are_counted() -> None:
    async with stepping("mlp", watches=("*",)) as driver:
        await driver.shows("watched, 4 of 25")
        driver.assert_fits()
        await driver.resized_to(40, 12)
        await driver.shows("watched, 1 of 25")
        driver.assert_fits()


async def test_the_list_opens_is_changed_and_closes() -> None:
    async with stepping("first_graph", breaks=("op add", "node 3")) as driver:
        await driver.until(lambda: marked(driver, "breakpoint") == [0, 1, 3], "three marks")
        await driver.press("B")
        await driver.shows(
            "Breakpoints, conditions, watches",
            "1         op add, from the command line",
            "2         node 3, d, from the command line",
        )
        await driver.press("a")
        await driver.shows(" stop where")
        await typed(driver, "-1")
        await driver.shows("1         node 3, d", "removed: op add")
        await driver.press("a")
        await typed(driver, "!1")
        await driver.shows("node 3, d, off", "switched off: node d")
        await driver.press("a")
        await typed(driver, "norm(grad_out) > 1e9")
        await driver.shows("2         norm(grad_out) > 1e9")
        await driver.press("B")
        await driver.hides("Breakpoints, conditions, watches")
        await driver.until(lambda: marked(driver, "off") == [3], "the mark of what is off")
        await driver.press("c")
        await driver.done(6)


async def test_what_a_page_has_hidden_is_drawn_wholly_once_it_closes() -> None:
    async with stepping("mlp") as driver:
        await driver.press(*"nnnn")  # the third goes over the six nodes of cross_entropy
        await driver.done(9)
        await driver.shows("node 8, just done")
        await driver.press("B")
        await driver.shows("Breakpoints, conditions, watches")
        await driver.press("a")
        await typed(driver, "step == 77")
        await driver.shows("step == 77 holds")
        await driver.press("B", "c")
        await driver.done(25)
        await driver.shows("node 24, just done")
        await driver.hides("node 8, just done")


async def test_breakpoints_survive_a_file_read_afresh_and_the_next_start(tmp_path: Path) -> None:
    path = write(tmp_path, SMALL)
    async with stepping(path) as driver:
        await driver.press("j", "b", "j", "W")
        await driver.shows("watched", f"1{MARKS['breakpoint']}", f"2{MARKS['watched']}")
        write(tmp_path, SMALL.replace("loss = c * 2", "d = c * 2\nloss = d + 1"))
        await driver.press("R")
        await driver.shows(f"2{MARKS['breakpoint']}", f"3{MARKS['watched']}")
    async with stepping(path) as driver:
        await driver.until(lambda: marked(driver, "breakpoint") == [2], "the mark of c")
        await driver.press("c")
        await driver.done(2)
        await driver.shows("Stopped before node 2, c: breakpoint")


@pytest.mark.parametrize("key", ["b", "W"])
async def test_a_node_that_is_no_step_is_neither_stopped_at_nor_watched(key: str) -> None:
    async with stepping("mlp") as driver:
        await driver.press("end", key)
        await driver.shows("needs no grad: it is no step, and has no gradient")


async def test_the_keys_are_on_the_screen_and_in_the_help() -> None:
    async with stepping("first_graph") as driver:
        assert " b break " in driver.lines()[-1]
        await driver.press("question_mark")
        await driver.shows("b  ", "B  ", "a  ", "W  ", "add a condition")


def test_the_marks_are_one_cell_and_differ_in_ascii_too() -> None:
    drawn = [to_ascii(mark) for mark in MARKS.values()]
    assert len(set(drawn)) == len(MARKS)
    assert all(len(mark) == 1 for mark in drawn)
