"""Opening scenarios: picking one, reading it afresh, what is wrong with it, waiting for it."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

import pytest
from screen_driver import TIMEOUT, program, stepping, working_folder
from textual import events

from tui.loading import catalog
from tui.process.client import Client

GOOD = (
    '"""A good one\n\nLook for\n- nothing.\n"""\nfrom engine import Tensor\n'
    "a = Tensor(3.0, requires_grad=True)\nloss = a * a\n"
)


def is_alive(client: Client) -> bool:
    """Whether a client's process is still there."""
    return client._process.poll() is None


async def test_the_picker_shows_the_scenarios_and_opens_one() -> None:
    async with program(None) as driver:
        await driver.shows("Pick a scenario", " ► first_graph")
        for entry in catalog.bundled():
            assert entry.name in driver.text()
            assert entry.title in driver.text()
        for key in ("Enter open", "? keys", "q quit"):
            assert key in driver.lines()[-1]
        driver.assert_fits()
        await driver.press("down")
        await driver.shows(" ► diamond", "diamond.py")
        await driver.press("up", "up", "up", "j", "k", "down", "enter")
        await driver.done(0)
        assert driver.lines()[0].startswith(" diamond  Many ways down, one sum")
        await driver.press("n")
        await driver.done(1)


async def test_there_is_nothing_to_go_back_to_from_the_first_picker() -> None:
    async with program(None) as driver:
        await driver.shows("Pick a scenario")
        await driver.press("escape")
        await driver.shows("there is nothing to go back to; q quits")
        await driver.press("q")
        await driver.until(lambda: not driver.app.is_running, "the end")
        assert driver.app.return_code == 0


async def test_the_picker_shows_those_of_this_folder_too(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(GOOD)
    (tmp_path / "broken.py").write_text("from engine import Tensor\nloss = (\n")
    (tmp_path / "other.py").write_text("print('no scenario')\n")
    with working_folder(tmp_path):
        async with program(None) as driver:
            await driver.shows("mine.py", "A good one", "(in this folder)", "broken.py")
            assert "other.py" not in driver.text()
            await driver.press(*["down"] * 20, "enter")  # the last one
            await driver.done(0)
            assert driver.lines()[0].startswith(" mine  A good one")


async def test_a_click_points_and_another_one_opens() -> None:
    async with program(None) as driver:
        await driver.shows("Pick a scenario")
        await driver.pilot.click("#list", offset=(10, 3))
        await driver.shows(" ► log_chain")
        await driver.pilot.click("#list", offset=(10, 19))  # nothing is there
        await driver.pilot.click("#list", offset=(10, 3))
        await driver.done(0)
        assert driver.lines()[0].startswith(" log_chain")


async def test_open_and_back_again_is_the_same_screen() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("n", "n")
        await driver.done(2)
        before = await driver.settled()
        await driver.press("o")
        await driver.shows("Pick a scenario", "Esc back")
        await driver.press("escape")
        await driver.is_back_at(before, "o and Esc")
        await driver.press("n")
        await driver.done(3)


async def test_open_another_scenario() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("n")
        await driver.done(1)
        first = driver.app.client
        assert first is not None
        await driver.press("o")
        await driver.shows("Pick a scenario")
        await driver.press("down", "enter")
        await driver.shows("Many ways down, one sum", "0 of")
        assert driver.lines()[0].startswith(" diamond")
        await driver.press("n")
        await driver.done(1)
        assert not is_alive(first)
        await driver.press("o")
        await driver.shows("Pick a scenario")
        await driver.press("enter")
        await driver.done(0)
        assert driver.lines()[0].startswith(" first_graph")


async def test_open_one_that_cannot_be_used_and_then_another(tmp_path: Path) -> None:
    (tmp_path / "zero.py").write_text("from engine import Tensor\n1 / 0\n")
    with working_folder(tmp_path):
        async with stepping("first_graph") as driver:
            await driver.press("o")
            await driver.shows("Pick a scenario")
            await driver.press(*["down"] * 20, "enter")
            await driver.shows("ZeroDivisionError", "zero.py, line 2")
            await driver.press("o")
            await driver.shows("Pick a scenario")
            await driver.press("escape")
            await driver.shows("ZeroDivisionError")
            await driver.press("o")
            await driver.shows("Pick a scenario")
            await driver.press("enter")
            await driver.done(0)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("loss = (\n", ["bad.py, line 1", "'(' was never closed"]),
        ("\nx = 1 / 0\n", ["bad.py, line 2", "x = 1 / 0", "ZeroDivisionError"]),
        ("x = 1\n", ["bad.py", "nothing to step through", "`loss`"]),
        ("from engine import Tensor\nloss = Tensor(1.0)\n", ["`loss` requires no grad"]),
        ("raise SystemExit(3)\n", ["bad.py, line 1", "(SystemExit: 3); let it run to its end"]),
        ("x = input('?')\n", ["bad.py, line 1", "asks a question with input()"]),
        ("def f(): return f()\nf()\n", ["bad.py, line 1", "calls itself without end"]),
        ("import os\nos.abort()\n", ["ended by signal 6"]),
        ("import os\nos._exit(7)\n", ["exit code 7"]),
    ],
)
async def test_what_is_wrong_is_a_readable_panel(
    source: str, said: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "bad.py"
    path.write_text(source)
    async with program(path, (110, 24)) as driver:
        await driver.shows("This scenario cannot be used", "R reads it afresh", *said)
        assert "Traceback" not in driver.text()
        driver.assert_fits()
        await driver.press("n")
        await driver.shows("n has no meaning here")
        await driver.press("q")
        await driver.until(lambda: not driver.app.is_running, "the end")


async def test_what_was_printed_before_it_failed_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text("for i in range(50): print('value', i)\n1 / 0\n")
    for _ in range(2):  # the two pipes race
        async with program(path) as driver:
            await driver.shows("ZeroDivisionError", "value 49")


async def test_after_a_mend_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD)
    async with stepping(path) as driver:
        first = await driver.settled()
        await driver.press("n")
        await driver.done(1)
        path.write_text(GOOD + "loss = a * (\n")
        await driver.press("R")
        await driver.shows("mine.py, line 9", "'(' was never closed")
        await driver.press("R")  # not mended yet
        await driver.shows("mine.py, line 9")
        path.unlink()
        await driver.press("R")
        await driver.shows("there is no file")
        path.write_text(GOOD)
        await driver.press("R")
        await driver.is_back_at(first, "the mended file")
        await driver.press("n")
        await driver.done(1)


async def test_reload_shows_what_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD)
    async with stepping(path) as driver:
        await driver.shows("loss = a * a = 9")
        path.write_text(GOOD.replace("3.0", "5.0"))
        await driver.press("R")
        await driver.shows("loss = a * a = 25")


async def test_reload_at_a_large_size_shows_the_tensors_as_before() -> None:
    async with stepping("first_graph", (120, 40)) as driver:
        await driver.shows("made by add", "value")
        before = await driver.settled()
        await driver.press("R", "n")
        await driver.done(1)
        await driver.press("p")
        await driver.is_back_at(before, "after R")


async def test_reload_of_a_long_graph_uses_all_rows() -> None:
    async with stepping("mlp", (80, 40)) as driver:
        before = await driver.settled()
        await driver.press("R", "n")
        await driver.done(1)
        await driver.press("p")
        await driver.is_back_at(before, "after R")


async def test_a_slow_one_says_that_it_is_loading_and_then_opens(tmp_path: Path) -> None:
    path = tmp_path / "slow.py"
    path.write_text("import time\nprint('so far')\ntime.sleep(1.2)\n" + GOOD)
    async with program(path) as driver:
        await driver.shows("Loading", "slow.py", "Esc gives up")
        driver.assert_fits()
        await driver.press("l")
        await driver.shows("so far")
        await driver.press("l")
        await driver.shows("Esc gives up")
        await driver.done(0)
        await driver.hides("Loading")


async def test_giving_up_a_slow_one(tmp_path: Path) -> None:
    path = tmp_path / "slow.py"
    path.write_text("import time\ntime.sleep(60)\n" + GOOD)
    async with program(path) as driver:
        await driver.shows("Esc gives up")
        client = driver.app.client
        assert client is not None
        await driver.press("escape")
        await driver.shows("Loading was given up")
        await driver.until(lambda: not is_alive(client), "the process to end")
        path.write_text(GOOD)
        await driver.press("R")
        await driver.done(0)


async def test_giving_up_is_not_called_a_fault_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "slow.py"
    path.write_text("import time\ntime.sleep(60)\n" + GOOD)
    async with program(path) as driver:
        await driver.shows("Esc gives up")
        await driver.press("escape")
        await driver.shows("Loading was given up")
        assert "cannot be used" not in driver.text()
        assert "mend the file" not in driver.text()


async def test_a_slow_one_can_be_quit(tmp_path: Path) -> None:
    path = tmp_path / "endless.py"
    path.write_text("while True: pass\n")
    async with program(path) as driver:
        await driver.shows("Esc gives up")
        client = driver.app.client
        assert client is not None
        await driver.press("q")
        await driver.until(lambda: not driver.app.is_running, "the end")
    assert not is_alive(client)


async def test_keys_typed_before_the_first_frame_are_not_lost(tmp_path: Path) -> None:
    async with program("first_graph") as driver:
        await driver.press("n", "n")
        await driver.done(2)


async def test_a_flood_of_output_does_not_freeze_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "flood.py"
    path.write_text("for i in range(200_000): print('x' * 60, i)\n" + GOOD)
    async with program(path) as driver:
        await driver.done(0)
        await driver.press("l")
        await driver.shows("199999")
        await driver.press("l", "n")
        await driver.done(1)


async def test_what_the_scenario_has_started_ends_with_it(tmp_path: Path) -> None:
    sleep = shutil.which("sleep")
    if sleep is None or not hasattr(os, "killpg"):
        pytest.skip("needs the command sleep and process groups")
    path = tmp_path / "starting.py"
    path.write_text(
        "import subprocess\n"
        f"started = subprocess.Popen([{sleep!r}, '300'])\n"
        "print('started', started.pid, 'here')\n" + GOOD
    )
    async with stepping(path) as driver:
        await driver.until(lambda: driver.app.client and driver.app.client.log, "its output")
        assert driver.app.client is not None
        pid = int(driver.app.client.log[0].split()[1])
        os.kill(pid, 0)
    end = time.monotonic() + TIMEOUT
    while not has_ended(pid):
        assert time.monotonic() < end
        time.sleep(0.02)


def has_ended(pid: int) -> bool:
    """Whether a process is gone; one that nobody has collected has ended, too."""
    with contextlib.suppress(FileNotFoundError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state == "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_what_comes_while_there_is_no_screen_does_no_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with stepping("first_graph") as driver:
        app, later = driver.app, []
        with monkeypatch.context() as patch:
            patch.setattr(type(app), "set_timer", lambda self, delay, call: later.append(call))
            assert app.client is not None
            app._attend(app.client)
            patch.setattr(type(app), "screen_stack", property(lambda self: []))
            patch.setattr(type(app), "screen", property(lambda self: app.screen_stack[-1]))
            (if_still_loading,) = later
            if_still_loading()
            app.say("nobody sees it")
            app.watching.found({})
            assert later == [if_still_loading] * 2
        await driver.done(0)


async def test_a_key_that_is_kept_while_it_loads_is_given_to_nobody_else(tmp_path: Path) -> None:
    path = tmp_path / "slow.py"
    hold = tmp_path / "hold"
    hold.touch()
    waits = f"import os, time\nwhile os.path.exists({str(hold)!r}): time.sleep(0.01)\n"
    path.write_text(f"{waits}{GOOD}", encoding="utf-8")
    async with program(path) as driver:
        await driver.shows("Loading")
        screen = driver.app.shown
        assert screen is not None
        assert await screen.take(events.Key("n", "n"))
        await driver.shows("n acts once the scenario is there")
        hold.unlink()
        await driver.done(1)
