"""Pages over the screen: the keys, what the scenario printed, the list of commands."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from screen_driver import Driver, program, stepping, training

from tui import actions

GRAPH = """
from engine import Tensor
a = Tensor(2.0, requires_grad=True)
loss = a * a
"""


def scenario(folder: Path, before: str) -> Path:
    """A scenario that does something before its graph."""
    path = folder / "printing.py"
    path.write_text(before + GRAPH, encoding="utf-8")
    return path


def broken(folder: Path) -> Path:
    """A scenario that cannot be used."""
    path = folder / "broken.py"
    path.write_text("x = 1 / 0\n", encoding="utf-8")
    return path


Opened = Callable[[Path], AbstractAsyncContextManager[Driver]]

SCREENS: dict[str, tuple[Opened, str, tuple[actions.Action, ...]]] = {
    "stepping": (lambda folder: stepping("first_graph"), "Look for", actions.STEPPING),
    "training": (lambda folder: training("mlp"), "SGD, learning rate", actions.TRAINING),
    "picker": (lambda folder: program(None), "Pick a scenario", actions.PICKER),
    "problem": (lambda folder: program(broken(folder)), "ZeroDivisionError", actions.PROBLEM),
    "loading": (
        lambda folder: program(scenario(folder, "import time; time.sleep(60)")),
        "import time; time.sleep(60)",  # told once it takes a while
        actions.LOADING,
    ),
}


@pytest.mark.parametrize("screen", SCREENS)
async def test_help_opens_tells_of_every_key_and_closes(screen: str, tmp_path: Path) -> None:
    opened, its_text, its_actions = SCREENS[screen]
    async with opened(tmp_path) as driver:
        await driver.shows(its_text)
        before = await driver.settled()
        for closing in ("question_mark", "escape"):
            await driver.press("question_mark")
            await driver.shows("closes this page")
            await driver.hides(its_text)
            driver.assert_fits()
            shown = ""
            for _ in range(4):
                shown += " ".join(driver.text().split())
                await driver.press("pagedown")
                await driver.settled()
            for action in its_actions:
                assert action.help in shown
            await driver.press(closing)
            await driver.hides("closes this page")
            await driver.is_back_at(before, f"? and {closing} on the screen of {screen}")


@pytest.mark.parametrize("size", [(40, 12), (60, 20)])
async def test_in_a_small_terminal_all_of_the_help_can_be_reached(size: tuple[int, int]) -> None:
    async with stepping("first_graph", size) as driver:
        await driver.press("question_mark")
        await driver.shows("closes this page")
        seen = driver.text()
        for _ in range(15):
            await driver.press("pagedown")
            await driver.pilot.pause()
            seen += driver.text()
        assert "open another scenario" in seen
        assert "quit (asks" in seen


async def test_a_key_never_steps_unseen_under_a_page() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("n")
        await driver.done(1)
        await driver.press("question_mark")
        await driver.shows("closes this page")
        await driver.press("n")
        await driver.press("Z")
        await driver.shows("Z has no meaning here")
        await driver.settled()
        # Either the page closes and the step is seen, or the key does nothing here.
        assert "closes this page" not in driver.text() or "1 of 6 done" in driver.lines()[0]


async def test_the_log_shows_what_was_printed(tmp_path: Path) -> None:
    path = scenario(tmp_path, "import sys\nprint('hello')\nprint('oh', file=sys.stderr)\n")
    async with stepping(path) as driver:
        before = await driver.settled()
        assert "hello" not in driver.text().replace("print('hello')", "")
        for closing in ("l", "escape"):
            await driver.press("l")
            await driver.shows("What the scenario has printed", " hello", " oh")
            await driver.press(closing)
            await driver.is_back_at(before, f"l and {closing}")


async def test_an_empty_log_says_so() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("l")
        await driver.shows("What the scenario has printed", "nothing")


async def test_the_log_shows_the_last_lines(tmp_path: Path) -> None:
    path = scenario(tmp_path, "for i in range(3000): print('line', i)\nprint('x' * 300)\n")
    async with stepping(path) as driver:
        await driver.press("l")
        await driver.shows("What the scenario has printed", "line 2999", "xxx")
        driver.assert_fits()
        assert "line 0\n" not in driver.text()
        # The long line is wrapped or cut, but what came after it is not lost.
        path.write_text(path.read_text() + "print('the very last')\n")
    async with stepping(path) as driver:
        await driver.press("l")
        await driver.shows("What the scenario has printed", "the very last")


NASTY = "\\x1b[2J\\x1b[31mred\\x1b[0m\\x1b]0;title\\x07 tab\\there \\rreturn \\x9b5A \\x00 end"


def has_control(driver: Driver) -> bool:
    return any(unicodedata.category(char) == "Cc" for char in driver.text().replace("\n", ""))


async def test_control_characters_in_the_log_never_reach_the_terminal(tmp_path: Path) -> None:
    async with stepping(scenario(tmp_path, f"print('{NASTY}')\n")) as driver:
        await driver.press("l")
        await driver.shows("red", "end")
        assert not has_control(driver)
        driver.assert_fits()


async def test_nor_do_those_of_an_error(tmp_path: Path) -> None:
    path = tmp_path / "failing.py"
    path.write_text(f"raise ValueError('{NASTY}')\n", encoding="utf-8")
    async with program(path) as driver:
        await driver.shows("ValueError", "end")
        assert not has_control(driver)


async def test_nor_do_those_of_the_source_and_the_docstring(tmp_path: Path) -> None:
    path = tmp_path / "tabs.py"
    path.write_text(
        '"""Title \\x1b[2J of it\n\nA \\x07 bell.\n"""\n'
        "from engine import Tensor\n"
        "if True:\n\ta = Tensor(2.0, requires_grad=True)\t# after a tab\n\tloss = a * a\n",
        encoding="utf-8",
    )
    async with stepping(path) as driver:
        await driver.shows("of it", "bell", "loss = a * a")
        assert not has_control(driver)
        driver.assert_fits()


async def test_wide_characters_keep_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "wide.py"
    path.write_text(
        '"""日本語のタイトル: 勾配\n\n損失 loss\n"""\nfrom engine import Tensor\n'
        "重み = Tensor(2.0, requires_grad=True)  # 重みは二\nloss = 重み * 重み\n",
        encoding="utf-8",
    )
    async with stepping(path) as driver:
        await driver.shows("重み * 重み")
        await driver.press("c")
        await driver.done(2)
        driver.assert_fits()


@pytest.mark.parametrize("key", ["colon", "ctrl+p"])
async def test_the_list_of_commands_runs_a_command(key: str) -> None:
    async with stepping("first_graph") as driver:
        await driver.press(key)
        await driver.shows("Enter does it, Esc closes")
        await driver.type("next")
        await driver.shows("finishes the one under way")
        await driver.press("enter")
        await driver.done(1)
        await driver.hides("finishes the one under way")


async def test_the_list_of_commands_can_quit_and_open_another() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("colon")
        await driver.shows("Enter does it, Esc closes")
        await driver.type("open another")
        await driver.shows("open another scenario")
        await driver.press("enter")
        await driver.shows("Pick a scenario")
        await driver.press("escape")
        await driver.done(0)
        await driver.press("colon")
        await driver.shows("Enter does it, Esc closes")
        await driver.type("quit")
        await driver.shows("asks where a training")
        await driver.press("enter")
        await driver.until(lambda: not driver.app.is_running, "the end")


async def test_the_list_of_commands_stays_open_while_a_training_runs() -> None:
    async with training("mlp", epochs=1000) as driver:
        await driver.press("c")
        await driver.shows("running", "mean of the last 2")
        await driver.press("colon")
        await driver.shows("Enter does it, Esc closes")
        await driver.type("pause")
        await driver.shows("pause, or go on")
        for _ in range(6):  # a good half second of training, at ten views a second
            await driver.pilot.pause(0.1)
            assert "pause, or go on" in driver.text()
        await driver.press("enter")
        await driver.shows("paused, 20 batches a second")


async def test_a_command_is_chosen_with_the_arrows_and_escape_does_none() -> None:
    async with stepping("first_graph") as driver:
        before = await driver.settled()
        await driver.press("colon")
        await driver.shows("► n", "next node")
        await driver.press("down")
        await driver.shows("► p", "back: undo one press")
        await driver.type("zebra")
        await driver.shows("no command has these words")
        await driver.press("enter")
        await driver.is_back_at(before, "nothing was done")
        await driver.press("colon", "end", "down", "down")
        await driver.shows("► s")
        await driver.press("escape")
        await driver.is_back_at(before, "nothing was done")
        await driver.press("n")
        await driver.done(1)


async def test_the_chosen_command_is_always_seen() -> None:
    async with stepping("first_graph", size=(40, 12)) as driver:
        await driver.press("colon")
        for _ in range(60):
            await driver.press("down")
        await driver.shows("► q")
