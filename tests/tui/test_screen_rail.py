"""The rail on the screen: folding, searching, going to a place, and its columns."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from screen_driver import Driver, stepping

from tui.screens import stepping as stepping_screen
from tui.widgets.rail import _Columns, _row, lanes_columns

DEEP = """
from engine import *
class Block(Module):
    def __init__(self):
        super().__init__()
        self.inner = Linear(2, 2)
        self.act = ReLU()
    def forward(self, x):
        return x + self.act(self.inner(x))
model = Sequential(*[Block() for _ in range(15)])
loss = model(Tensor([[1.0, 2.0]])).sum()
"""


def ids(driver: Driver) -> list[int]:
    return [int(row[:3]) for row in driver.rail()]


def cursor(driver: Driver) -> str:
    """The number of the node whose name stands reversed."""
    (node,) = (
        "".join(char for char, _ in line[:3])
        for line in driver.cells()[2:-2]
        if any(getattr(style, "reverse", False) for _, style in line)
    )
    return node.strip()


async def test_a_function_is_folded_and_f_unfolds_it() -> None:
    async with stepping("mlp") as driver:
        await driver.shows("+ cross_entropy  (64,)   6 nodes")
        assert ids(driver) == [0, 1, 2, *range(8, 25)]
        before = await driver.settled()
        await driver.press("j", "j", "f")
        await driver.until(lambda: ids(driver) == list(range(20)), "all nodes")
        await driver.press("f", "escape")
        await driver.is_back_at(before, "f twice")


async def test_while_the_cursor_travels_only_the_rail_follows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with stepping("first_graph") as driver:
        await driver.until(lambda: cursor(driver) == "0", "the first frame")
        await driver.press("j")
        await driver.until(lambda: cursor(driver) == "1", "one node on")
        await driver.shows("node 1")
        monkeypatch.setattr(stepping_screen, "REST", 3600.0)
        await driver.press("j", "j")
        await driver.until(lambda: cursor(driver) == "3", "three nodes on")
        assert driver.pane()[0].endswith("node 1")
        await driver.press("n")  # whatever else is done shows all there is
        await driver.shows("1 of 6 done", "just done")
        assert cursor(driver) == "0"


async def test_where_the_cursor_rests_its_tensors_are_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stepping_screen, "REST", 0.3)
    async with stepping("first_graph") as driver:
        await driver.until(lambda: cursor(driver) == "0", "the first frame")
        await driver.press("j", "j", "j")
        await driver.until(lambda: cursor(driver) == "3", "three nodes on")
        await driver.shows("node 3")


async def test_capital_f_folds_all_and_unfolds_all() -> None:
    async with stepping("mlp") as driver:
        await driver.press("F")
        await driver.shows("+ output Linear", "+ linear2 Linear", "+ linear1 Linear")
        assert ids(driver) == [0, 1, 2, 8, 13, 14, 19, 20, 25, 26]
        await driver.press("F")
        await driver.until(lambda: ids(driver) == list(range(20)), "all nodes")


async def test_next_over_a_folded_row_and_back_is_the_same_screen() -> None:
    async with stepping("mlp") as driver:
        await driver.press("F", "n", "n")
        await driver.done(2)
        await driver.shows("Next  nodes 2 to 7, cross_entropy: n takes all 6, s goes into them.")
        before = await driver.settled()
        await driver.press("n")
        await driver.done(8)
        await driver.shows("cross_entropy  nodes 2 to 7, just done", "handed on to")
        await driver.press("p")
        await driver.is_back_at(before, "n and p over a folded row")
        await driver.press("s")
        await driver.shows("node 2, under way")
        assert ids(driver)[:5] == [0, 1, 2, 3, 4]
        await driver.press("p")
        await driver.is_back_at(before, "s and p into a folded row")


async def test_a_search_finds_unfolds_counts_and_goes_on() -> None:
    async with stepping("mlp") as driver:
        await driver.press("slash", *"exp", "enter")
        await driver.shows("exp: 1 of 1", "cross_entropy.exp               node 6")
        assert 6 in ids(driver)
        await driver.press("slash", *"BIAS", "enter")
        await driver.shows("BIAS: 1 of 3")
        await driver.press("slash", "enter")
        await driver.shows("BIAS: 2 of 3")
        await driver.until(lambda: cursor(driver) == "15", "the cursor on node 15")


async def test_what_is_not_found_is_told_where_it_was_typed() -> None:
    async with stepping("mlp") as driver:
        await driver.press("slash", *"zebra", "enter")
        await driver.shows("no name and no operation has zebra in it")
        await driver.press(*["backspace"] * 5, *"relu", "enter")
        await driver.shows("relu: 1 of 2")


async def test_go_to_a_step_a_node_a_name_the_start_and_the_end() -> None:
    async with stepping("mlp") as driver:
        for text, done in (("10", 10), ("#12", 13), ("relu1", 20), ("end", 25), ("start", 0)):
            await driver.press("g")
            await driver.shows("Go to step, #node, name, start, end:")
            await driver.press(*text, "enter")
            await driver.done(done)
        await driver.press("g", *"26", "enter")
        await driver.shows("there are 25 steps: 0 to 25")
        await driver.press("escape")
        await driver.hides("there are 25 steps")
        await driver.done(0)


async def test_a_click_points_at_the_row_that_is_seen() -> None:
    async with stepping("mlp") as driver:
        await driver.settled()
        await driver.pilot.click("#rail", offset=(12, 4))  # the legend, 0, 1, 2, 8
        await driver.shows("output.add                      node 8")
        assert cursor(driver) == "8"


async def test_the_cursor_is_a_reversed_name() -> None:
    async with stepping("first_graph") as driver:
        for node in (1, 2, 1):
            await driver.press("j" if node == 2 or cursor(driver) == "0" else "k")
            await driver.until(lambda node=node: cursor(driver) == str(node), f"node {node}")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 12)])
async def test_a_deep_network_fits_and_steps(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "deep.py"
    path.write_text(DEEP, encoding="utf-8")
    async with stepping(path, size) as driver:
        await driver.shows("+ 14 Block" if size[0] > 40 else "+ 14")
        driver.assert_fits()
        await driver.press("n", "n", "n")
        await driver.done(15)
        await driver.press("s")
        await driver.done(15)
        await driver.shows("under way")
        driver.assert_fits()
        await driver.press("p", "p", "p", "p")
        await driver.done(0)


# The columns of a row


def row(**changes: Any) -> dict[str, Any]:
    plain = {
        "id": 7,
        "mark": "",
        "lanes": "*",
        "state": "waits",
        "label": "output.weight",
        "brief": "weight",
        "shape": "(64,10)",
        "grad": "",
        "note": "",
    }
    return {**plain, **changes}


def text(row_shown: dict[str, Any], width: int = 39, lanes: int = 3) -> str:
    line = _row(row_shown, False, _Columns(id=2, lanes=lanes, width=width))
    return "".join(part for part, _ in line)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (row(), " 7 ·   output.weight    (64,10)        "),
        (row(grad="0.119", state="ready"), " 7 ○   output.weight    (64,10)   0.119"),
        (row(mark="breakpoint"), " 7■·   output.weight    (64,10)        "),
        (
            row(label="linear1.weight", brief="linear1.weight", shape="(64,784)", grad="0.01562"),
            " 7 ·   linear1.weight  (64,784) 0.01562",
        ),
        (
            row(
                label="linear1.weight.T", brief="linear1.weight.T", shape="(64,784)", grad="1.2e-73"
            ),
            " 7 ·   linear1.weight.T         1.2e-73",
        ),
        (row(shape="", grad="1", note="1 of 2"), " 7 ·   output.weight             1 of 2"),
        (
            row(label="loss = sum / 64 = 2.336", brief="loss = 2.336", shape="", grad="1"),
            " 7 ·   loss = sum / 64 = 2.336        1",
        ),
        (
            row(label="loss = subtract / 64 = 2.336", brief="loss = 2.336", shape="", grad="1"),
            " 7 ·   loss = 2.336                   1",
        ),
    ],
)
def test_a_row_by_hand(shown: dict[str, Any], expected: str) -> None:
    assert text(shown) == expected


def test_where_there_is_no_room_for_both_there_is_one() -> None:
    assert "(64,10)" in text(row(), 30, 5)
    shown = text(row(grad="0.119"), 30, 5)
    assert "0.119" in shown
    assert "(64,10)" not in shown


@pytest.mark.parametrize("width", [28, 39, 40, 64, 100])
@pytest.mark.parametrize("lanes", [1, 5, 12, 24])
def test_a_row_is_as_wide_as_the_rail(width: int, lanes: int) -> None:
    lanes = min(lanes, lanes_columns(width))
    for changes in (
        {},
        {"grad": "0.01562"},
        {"label": "a" * 80, "brief": "b" * 70},
        {"shape": "(10000,10000)", "grad": "-1.234e-12"},
        {"lanes": "│ " * ((lanes - 1) // 2) + "*"} if lanes > 2 else {},
    ):
        assert cell_len(text(row(**changes), width, lanes)) == width


@pytest.mark.parametrize("width", range(24, 120))
def test_the_lanes_leave_room_for_a_name(width: int) -> None:
    assert 6 <= lanes_columns(width) <= 24
    assert width - lanes_columns(width) >= 18
    assert re.match(r" *\d+ ", text(row(), width, lanes_columns(width)))
