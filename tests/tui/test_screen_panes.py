"""Panes that are moved, hidden and maximised; copying and saving on the screen."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len
from screen_driver import Driver, stepping, training, working_folder

from tui.screens.stepping import SteppingScreen

SIZES = [(80, 24), (120, 40), (40, 12)]

PANES = {"z": 5, "h": 2, "T": 2}
"""After so many presses of a key all is as before."""


def shown_panes(driver: Driver) -> set[str]:
    """The panes that are there."""
    names = ("rail", "source", "step", "tensors")
    return {n for n in names if driver.app.screen.query_one(f"#{n}").size.height > 0}


def divider(driver: Driver) -> int:
    """The width of the left side."""
    return driver.app.screen.query_one("#rail").size.width


async def has_panes(driver: Driver, *names: str) -> None:
    await driver.until(lambda: shown_panes(driver) == set(names), f"the panes {names}")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scenario", ["first_graph", "mlp"])
async def test_every_key_of_the_panes_leads_back(scenario: str, size: tuple[int, int]) -> None:
    async with stepping(scenario, size) as driver:
        await driver.press("n", "n")
        await driver.done(2)
        before = await driver.settled()
        for key, presses in PANES.items():
            for _ in range(presses):
                await driver.press(key)
                await driver.settled()
                driver.assert_fits()
                assert driver.lines()[-1].startswith(" n next"), driver.text()
            if "no room" in driver.text():
                await driver.press("escape")
            await driver.is_back_at(before, f"{presses} times {key}")


@pytest.mark.parametrize("size", SIZES)
async def test_z_shows_one_pane_after_the_other_and_says_which(size: tuple[int, int]) -> None:
    async with stepping("first_graph", size) as driver:
        await driver.press("n", "n", "n", "n")
        await driver.done(4)
        texts = {
            "rail": "d = a * b",
            "step": "node 3, just done",
            "tensors": "value",
            "source": "d = a * b",
        }
        for pane, text in texts.items():
            await driver.press("z")
            await driver.shows(f"{pane} only (z)  4 of 6 done", text)
            await has_panes(driver, pane)
            driver.assert_fits()
            await driver.press("n")
            await driver.done(5)
            await driver.press("p")
            await driver.done(4)
        await driver.press("z")
        await driver.hides("only (z)")


async def test_the_maximised_step_follows_the_cursor_as_it_does_among_others() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("n", "z", "z")
        await driver.shows("step only (z)", "node 0, just done")
        await driver.press("down")
        await driver.shows("step only (z)", "value", "node 1")
        await driver.press("escape")
        await driver.shows("node 0, just done")


async def test_at_80x24_the_source_of_a_large_graph_and_the_tensors_can_be_had() -> None:
    async with stepping("mlp") as driver:
        await driver.press("n", "n")
        await driver.done(2)
        await has_panes(driver, "rail", "step")
        await driver.press("h")
        await has_panes(driver, "rail", "step", "source")
        await driver.shows("─ mlp.py ─", "engine, called last", "return")
        await driver.press("T")
        await has_panes(driver, "rail", "step", "source", "tensors")
        await driver.shows("node 1, just done", "gradient, complete")
        driver.assert_fits()


async def test_where_there_is_no_room_that_is_said() -> None:
    async with stepping("mlp", (40, 12)) as driver:
        before = await driver.settled()
        for key, pane in (("h", "source"), ("T", "tensors")):
            await driver.press(key)
            await driver.shows("there is no room for the " + pane[:4])
        await driver.press("escape")
        await driver.is_back_at(before, "no room")


async def test_the_divider_moves_by_two_columns_to_its_limit() -> None:
    async with stepping("first_graph") as driver:
        await driver.until(lambda: divider(driver) == 39, "the layout")
        await driver.press("less_than_sign")
        await driver.until(lambda: divider(driver) == 37, "the divider to move")
        await driver.press("greater_than_sign", "greater_than_sign")
        await driver.until(lambda: divider(driver) == 41, "the divider to move back")
        for key, limit in (("less_than_sign", 30), ("greater_than_sign", 50)):
            await driver.press(*[key] * 12)
            await driver.shows("the divider goes no further")
            await driver.until(lambda limit=limit: divider(driver) == limit, f"{limit}")
            await driver.settled()
            driver.assert_fits()
            rows = driver.lines()[1:-2]
            assert all(row[limit : limit + 1] == "│" for row in rows), driver.text()


async def test_a_divider_that_is_not_there_does_not_move() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("z", "less_than_sign")
        await driver.shows("there is no divider: only the rail is shown")
        await driver.press("z", "z", "z", "z")
        await driver.until(lambda: divider(driver) == 39, "the divider where it was")


async def test_in_one_column_the_divider_lies_across() -> None:
    async with stepping("mlp", (60, 30)) as driver:
        rail = driver.app.screen.query_one("#rail")
        await driver.settled()
        height = rail.size.height
        await driver.press("less_than_sign")
        await driver.until(lambda: rail.size.height == height - 1, "the rail to shrink")
        await driver.press("greater_than_sign", "greater_than_sign")
        await driver.until(lambda: rail.size.height == height + 1, "the rail to grow")


async def test_panes_are_as_they_were_left_at_every_size() -> None:
    async with stepping("first_graph") as driver:
        await driver.press(*["greater_than_sign"] * 4, "h", "T")
        await driver.until(lambda: divider(driver) == 47, "the divider")
        await has_panes(driver, "rail", "step", "tensors")
        before = await driver.settled()
    async with stepping("first_graph") as driver:
        await driver.is_back_at(before, "the next run")
        for size in ((120, 40), (40, 12), (70, 12), (200, 60)):
            await driver.resized_to(*size)
            await driver.settled()
            driver.assert_fits()
        await driver.resized_to(80, 24)
        await driver.is_back_at(before, "other sizes and back")
        await driver.press("R")
        await driver.until(lambda: isinstance(driver.app.screen, SteppingScreen), "afresh")
        await driver.is_back_at(before, "read afresh")


async def test_a_maximised_pane_is_remembered_too() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("z", "z")
        await driver.shows("step only (z)")
    async with stepping("first_graph") as driver:
        await driver.shows("step only (z)", "Look for")
        await has_panes(driver, "step")


async def test_a_damaged_memory_is_told_and_stops_nothing() -> None:
    path = Path(os.environ["XDG_STATE_HOME"]) / "bp-tui" / "panes.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    async with stepping("first_graph") as driver:
        await driver.shows("the panes are as at first")
        await driver.press("n")
        await driver.done(1)
        await driver.press("z")
        await driver.shows("rail only (z)")
    assert json.loads(path.read_text())["alone"] == "rail"


# Copying


async def test_y_copies_the_node_under_the_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    async with stepping("first_graph") as driver:
        written: list[str] = []
        monkeypatch.setattr(driver.app._driver, "write", written.append)
        await driver.press("n", "n", "n", "n", "down")
        await driver.done(4)
        await driver.press("y")
        await driver.shows(
            "copied value and gradient of node 4, if the terminal allows it (OSC 52)"
        )
        (sent,) = [text for text in written if text.startswith("\x1b]52;c;")]
        text = base64.b64decode(sent.removeprefix("\x1b]52;c;").removesuffix("\a")).decode()
        assert text == "node 4  b\nvalue: () float32\n2.\ngradient: () float32\n7.\n"


async def test_in_a_tensor_s_screen_it_is_that_tensor_whatever_the_steps_do(
    tmp_path: Path,
) -> None:
    with working_folder(tmp_path):
        async with stepping("first_graph") as driver:
            await driver.press("end", "i")
            await driver.shows("Tab the gradient")
            await driver.press("n", "y")
            await driver.shows("copied value of node 5")
            await save_as(driver, "a.npy")
            await driver.shows("saved a.npy: the value of a, () float32")
            await driver.press("escape")
            await driver.shows("1 of 6 done")
            await driver.press("y")
            await driver.shows("copied value and gradient of node 0")
    assert np.load(tmp_path / "a.npy") == 6


# Saving


async def save_as(driver: Driver, text: str) -> None:
    await driver.press("S")
    await driver.shows("save as")
    await driver.press(*text)
    await driver.until(lambda: text in driver.text(), text)
    await driver.press("enter")


@pytest.fixture
def started_in(tmp_path: Path) -> Path:
    """The folder in which the program was started; the scenario works in another."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "moves.py").write_text(
        f"import os\nos.chdir({str(tmp_path / 'elsewhere')!r})\n"
        "from engine import Tensor\nw = Tensor([1.0, 2.0], requires_grad=True)\n"
        "loss = (w * w).sum()\n"
    )
    return tmp_path


async def test_saving_value_gradient_pass_and_picture(started_in: Path) -> None:
    with working_folder(started_in):
        async with stepping("moves.py") as driver:
            await driver.press("n", "n", "n")
            await driver.done(3)
            before = await driver.settled()
            for name, told in (
                ("w.npy", "saved w.npy: the value of w, (2,) float32"),
                ("w.grad.npy", "saved w.grad.npy: the gradient of w, (2,) float32"),
                ("pass.json", "saved pass.json: all 3 steps of the pass"),
                ("one.svg", "saved one.svg: the screen as it was"),
            ):
                await save_as(driver, name)
                await driver.shows(told)
                await driver.press("escape")
                await driver.is_back_at(before, f"saving {name}")
    assert np.load(started_in / "w.npy").tolist() == [1.0, 2.0]
    assert np.load(started_in / "w.grad.npy").tolist() == [2.0, 4.0]
    lines = (started_in / "pass.json").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert events == ["graph", "step", "step", "step", "end"]
    picture = (started_in / "one.svg").read_text(encoding="utf-8")
    assert "w.grad&#160;now" in picture
    assert "save&#160;as" not in picture
    assert not list((started_in / "elsewhere").iterdir())


async def test_a_file_is_overwritten_only_after_a_yes(started_in: Path) -> None:
    with working_folder(started_in):
        for name in ("w.npy", "one.svg"):
            (started_in / name).write_text("before")
            async with stepping("moves.py") as driver:
                for key in ("n", "escape"):
                    await save_as(driver, name)
                    await driver.shows(f"{name} is there; write over it?", "y / n")
                    await driver.press(key)
                    await driver.hides("write over it?")
                    assert (started_in / name).read_text() == "before"
                await save_as(driver, name)
                await driver.shows("write over it?")
                await driver.press("y")
                await driver.shows(f"saved {name}")
                assert (started_in / name).read_bytes() != b"before"
                await driver.done(0)


@pytest.mark.parametrize("size", SIZES)
async def test_what_cannot_be_saved_comes_back_with_its_text(
    started_in: Path, size: tuple[int, int]
) -> None:
    with working_folder(started_in):
        async with stepping("moves.py", size) as driver:
            await driver.press("down")
            for text, why in (
                ("w.txt", "the ending says what: .npy"),
                ("no/w.npy", "there is no folder"),
                ("w.grad.npy", "nothing to save for"),
            ):
                await save_as(driver, text)
                await driver.shows(text, why)
                assert cell_len(driver.lines()[-1]) <= size[0]
                await driver.press("escape")
                await driver.hides(text, why)
    assert sorted(p.name for p in started_in.iterdir()) == ["elsewhere", "moves.py"]


async def test_a_name_that_no_file_system_takes(started_in: Path) -> None:
    with working_folder(started_in):
        async with stepping("moves.py") as driver:
            for ending in (".npy", ".svg"):
                await driver.press("S")
                await driver.shows("save as")
                prompt = driver.app.screen._prompt  # type: ignore[attr-defined]
                prompt.insert("x" * 300 + ending)
                await driver.press("enter")
                await driver.shows("File name too long")
                await driver.press("escape")


async def test_a_page_and_the_training_can_be_saved_as_a_picture(tmp_path: Path) -> None:
    with working_folder(tmp_path):
        async with training("mlp") as driver:
            await save_as(driver, "w.npy")
            await driver.shows("the ending says what: .svg screen")
            await driver.press("escape")
            await save_as(driver, "t.svg")
            await driver.shows("saved t.svg")
            await driver.press("question_mark")
            await driver.shows("closes this page")
            await save_as(driver, "keys.svg")
            await driver.shows("saved keys.svg")
    assert "learning&#160;rate" in (tmp_path / "t.svg").read_text()
    assert "closes&#160;this&#160;page" in (tmp_path / "keys.svg").read_text()
