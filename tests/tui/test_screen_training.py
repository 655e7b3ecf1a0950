"""The training on the screen, in its real process."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from screen_driver import Driver, plot_only, stepping, training

from tui.screens.stepping import SteppingScreen
from tui.screens.training import TrainingScreen

SHORT = {"batch_size": 500, "epochs": 2}
"""16 batches."""
LONG = {"epochs": 1000}
"""63,000 batches: it does not end by itself while a test looks."""

EPOCH_ROW = re.compile(r" (\d+) +(\d\.\d+) +(\d\.\d+) +(\d+\.\d) %$")
"""An epoch with its losses and its accuracy."""


def batches(driver: Driver) -> int:
    """How many batches are done, by the line of progress."""
    found = re.search(r"epoch \d+ of \d+, batch .* (\d+) of \d+", driver.text())
    assert found, driver.text()
    return int(found[1])


async def loss_in_the_rail(driver: Driver) -> str:
    """Wait until the rail shows the value of the loss."""
    found: list[str] = []

    def is_there() -> bool:
        found[:] = re.findall(r"^ *0 .* loss = (?:.* = )?(\d[\d.]*)", driver.rail()[0])
        return bool(found)

    await driver.until(is_there, "the loss in the rail")
    return found[0]


def braille(driver: Driver) -> int:
    """How many characters of the curve are on the screen."""
    return sum("\u2800" < char <= "\u28ff" for char in driver.text())


async def test_it_opens_paused_and_says_what_to_do() -> None:
    async with training(**SHORT) as driver:
        lines = driver.lines()
        assert lines[0].startswith(" mlp  training")
        assert lines[0].endswith("paused, 20 batches a second")
        await driver.shows(
            "epoch 1 of 2, batch 0 of 8",
            "0 of 16",
            "4,000 to train, 1,000 to test, embedded; all 70,000",
            "SGD, learning rate",
            " Next  c runs",
        )
        for key in ("c run", "space pause", "batch", "s into", "+/- pace", "? keys"):
            assert key in lines[-1]
        driver.assert_fits()
        await driver.pilot.pause(0.3)
        assert batches(driver) == 0
        assert braille(driver) == 0


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_way_back_is_told(size: tuple[int, int]) -> None:
    async with training(size=size) as driver:
        assert "Esc" in "\n".join(driver.lines()[-3:])


async def test_one_batch_at_a_time() -> None:
    async with training(**SHORT) as driver:
        await driver.press("n")
        await driver.shows("loss of batch 1 ", "1 of 16", "mean of the last 1 ")
        await driver.until(lambda: braille(driver) == 1, "the first point of the curve")
        await driver.press("n", "n")
        await driver.shows("loss of batch 3 ", "3 of 16", "paused")


async def test_it_runs_and_pauses_and_goes_on() -> None:
    async with training(**LONG) as driver:
        await driver.press("c")
        await driver.shows("running, 20 batches a second", "space pauses")
        await driver.until(lambda: batches(driver) >= 3, "three batches")
        await driver.press("space")
        await driver.shows("paused")
        stood_at = batches(driver)
        await driver.pilot.pause(0.3)
        assert batches(driver) == stood_at
        await driver.press("n")
        await driver.shows(f"loss of batch {stood_at + 1} ")
        await driver.press("space")
        await driver.shows("running")
        await driver.until(lambda: batches(driver) > stood_at + 1, "it to go on")


async def test_the_pace_can_be_set_between_one_batch_a_second_and_full_speed() -> None:
    async with training(**SHORT) as driver:
        for pace in ("50 batches", "100 batches", "full speed"):
            await driver.press("plus")
            await driver.shows(f"paused, {pace}")
        await driver.press("plus", "minus")
        await driver.shows("100 batches a second")
        await driver.press(*["minus"] * 6)
        await driver.shows("paused, 1 batch a second")
        await driver.press("minus", "equals_sign")
        await driver.shows("2 batches a second")


async def test_the_pace_can_be_changed_while_it_runs() -> None:
    async with training(**LONG) as driver:
        await driver.press(*["minus"] * 4)
        await driver.shows("1 batch a second")
        await driver.press("c")
        await driver.shows("loss of batch 1 ")
        await driver.press(*["plus"] * 7)
        await driver.shows("running, full speed")
        await driver.until(lambda: batches(driver) > 200, "200 batches")


async def test_it_comes_to_its_end_with_results_and_back_with_the_trained_weights() -> None:
    async with stepping("mlp", **SHORT) as driver:
        untrained = await loss_in_the_rail(driver)
        await driver.press("t")
        await driver.shows("learning rate")
        await driver.press(*["plus"] * 3, "c")
        await driver.shows("16 of 16", "done; Esc steps with the trained weights")
        rows = [row for line in driver.lines() if (row := EPOCH_ROW.search(line))]
        assert [int(row[1]) for row in rows] == [1, 2]
        assert float(rows[1][3]) < float(rows[0][3]) < 2.4
        assert sum(line.count("o") for line in map(plot_only, driver.lines()[2:18])) == 2
        driver.assert_fits()
        await driver.press("c", "n")  # neither does anything now
        await driver.press("escape")
        await driver.done(0)
        trained = await loss_in_the_rail(driver)
        assert float(trained) < float(untrained)
        await driver.press("c")
        await driver.done(driver.steps())


async def test_stop_tests_here_and_run_goes_on() -> None:
    async with training(**SHORT) as driver:
        await driver.press("x")  # nothing to stop yet
        await driver.press("n", "n", "x")
        await driver.shows("stopped; c goes on")
        await driver.until(
            lambda: re.search(r" now +\d\.\d+ +\d+\.\d %", driver.text()), "the test so far"
        )
        await driver.press("n")
        await driver.shows("loss of batch 3 ", "paused")
        await driver.press("c")
        await driver.shows("16 of 16", "done; Esc steps")


async def test_restart_asks_and_goes_back_to_the_untrained_weights() -> None:
    async with training(**SHORT) as driver:
        await driver.press("n")
        await driver.shows("loss of batch 1 ")
        (first,) = re.findall(r"loss of batch 1 .*", driver.text())
        await driver.press("n", "r")
        await driver.shows("Back to the untrained weights, and lose this training?  y / n")
        await driver.press("n")
        await driver.hides("y / n")
        await driver.shows("2 of 16")
        await driver.press("r")
        await driver.shows("y / n")
        await driver.press("y")
        await driver.shows("0 of 16", "to come")
        await driver.press("n")
        await driver.shows("loss of batch 1 ", first, "1 was SGD 0.05")


async def test_the_same_batches_with_and_without_stepping_between_them() -> None:
    async with training(**SHORT) as driver:
        await driver.press("n", "n", "n")
        await driver.shows("loss of batch 3 ")
        straight = await driver.settled()
    async with training(**SHORT) as driver:
        for batch in range(1, 4):
            await driver.press("n")
            await driver.shows(f"loss of batch {batch} ")
            if batch < 3:
                await driver.press("escape")
                await driver.done(0)
                await driver.press("c")
                await driver.done(driver.steps())
                await driver.press("t")
                await driver.shows("learning rate")
        await driver.is_back_at(straight, "three batches with steps between them")


async def test_into_steps_through_the_next_batch() -> None:
    async with training(**SHORT) as driver:
        await driver.press("n", "n", "s")
        await driver.done(0)
        assert "batch 3 of 8" in driver.lines()[0]
        assert re.search(r"batch 3 of 8 {2,}0 of", driver.lines()[0])


async def test_the_header_keeps_its_two_parts_apart() -> None:
    async with training(batch_size=64, epochs=1) as driver:
        await driver.press(*["n"] * 10, "escape")
        await driver.done(0)
        await driver.press("c")
        total = driver.steps()
        await driver.done(total)
        assert re.search(rf"batch 11 of 63(…| {{2,}}){total} of {total} done$", driver.lines()[0])


async def test_the_shapes_are_whole_after_coming_back_from_the_training() -> None:
    async with training(**SHORT) as driver:
        await driver.press("n", "escape")
        await driver.done(0)
        await driver.until(
            lambda: all(row.count("(") == row.count(")") for row in driver.rail()),
            "each shape to have its closing parenthesis",
        )


async def test_a_batch_starts_without_the_gradients_of_the_one_before() -> None:
    # As every loop of training does: zero_grad, backward, step.
    async with training(**SHORT) as driver:
        await driver.press("n", "escape")
        await driver.done(0)
        await driver.press("c")
        await driver.done(driver.steps())
        await driver.shows(".grad before")
        before = next(line for line in driver.pane() if ".grad before" in line)
        assert before.endswith("None"), driver.text()


async def leaves(driver: Driver) -> None:
    """Wait until the program has come to its end, in order."""
    await driver.until(lambda: not driver.app.is_running, "the end")
    assert driver.app.return_code == 0


async def test_quit_does_not_ask_where_nothing_would_be_lost() -> None:
    async with training(**SHORT) as driver:
        await driver.press("q")
        await leaves(driver)


async def test_nor_where_the_training_is_done() -> None:
    async with training(**SHORT) as driver:
        await driver.press(*["plus"] * 3, "c")
        await driver.shows("done; Esc steps")
        await driver.press("q")
        await leaves(driver)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_quit_asks_where_a_training_would_be_lost(key: str) -> None:
    async with training(**SHORT) as driver:
        await driver.press("n")
        await driver.shows("loss of batch 1 ")
        for answer in ("n", "escape", "x"):
            await driver.press(key)
            await driver.shows("Quit, and lose the training?  y / n")
            await driver.press(answer)
            await driver.hides("y / n")
        assert driver.app.is_running
        assert batches(driver) == 1  # no answer was taken as a command
        await driver.press("escape")
        await driver.done(0)
        await driver.press(key)
        await driver.shows("Quit, and lose the training?  y / n")
        await driver.press("y")
        await leaves(driver)


Scenario = Callable[[str], Path]


@pytest.fixture
def small_training(tmp_path: Path) -> Scenario:
    """A function that writes a scenario with a tiny training, whose loss does something first."""

    def write(in_loss: str) -> Path:
        path = tmp_path / "tiny.py"
        path.write_text(
            '"""A tiny training"""\n'
            "import os, sys, time\n"
            "import numpy as np\n"
            "from engine import SGD, Linear, Training, cross_entropy\n"
            "model = Linear(3, 2)\n"
            "images = np.ones((8, 3), dtype=np.float32)\n"
            "labels = np.array([0, 1] * 4)\n"
            "count = 0\n"
            "def loss_fn(logits, labels):\n"
            "    global count\n"
            "    count += 1\n"
            f"    {in_loss}\n"
            "    return cross_entropy(logits, labels)\n"
            "data = (images, labels)\n"
            "training = Training(model, SGD(model.parameters(), lr=0.1), data, data, loss_fn,\n"
            "                    batch_size=2, epochs=50)\n",
            encoding="utf-8",
        )
        return path

    return write


@pytest.mark.parametrize("key", ["n", "c"])
async def test_quit_counts_what_was_asked_before_it(key: str) -> None:
    # What was trained meanwhile is known only with the next view.
    async with stepping("mlp", **SHORT) as driver:
        await driver.press("t", key, "q")
        await driver.shows("Quit, and lose the training?  y / n")
        await driver.press("n")
        await driver.hides("y / n")


@pytest.mark.parametrize(
    ("key", "question"),
    [
        ("q", "Quit, and lose the training?"),
        ("R", "Read the file afresh, and lose the training?"),
        ("D", "lose this training?"),
        ("r", "Back to the untrained weights, and lose this training?"),
    ],
)
async def test_it_asks_without_a_pause_where_the_answer_takes_long(
    small_training: Scenario, key: str, question: str
) -> None:
    path = small_training("while os.path.exists(__file__ + '.hold'): time.sleep(0.01)")
    text = path.read_text(encoding="utf-8")
    uses_mnist = "import os\nfrom scenarios.data import mnist\nmnist()\nimport"
    path.write_text(text.replace("import os,", uses_mnist), encoding="utf-8")
    async with training(path) as driver:
        hold = path.with_name("tiny.py.hold")
        hold.touch()
        await driver.press("n", key)
        await driver.shows(question, "y / n", "0 of 200")
        hold.unlink()
        await driver.shows("1 of 200", question)
        await driver.press("n")
        await driver.hides("y / n")


async def test_what_trains_nothing_asks_nothing() -> None:
    async with training(**SHORT) as driver:
        await driver.press("A", "z", "plus", "B", "escape", "escape", "n", "p", "c", "q")
        await leaves(driver)


async def test_quit_while_it_runs() -> None:
    async with training(**LONG) as driver:
        await driver.press("c")
        await driver.until(lambda: batches(driver) >= 2, "two batches")
        await driver.press("q")
        await driver.shows("Quit, and lose the training?")
        at = batches(driver)
        await driver.until(lambda: batches(driver) > at + 2, "it to run on under the question")
        assert "Quit, and lose the training?" in driver.text()
        await driver.press("y")
        await leaves(driver)


@pytest.mark.parametrize(
    ("keys", "question"),
    [
        (["R"], "Read the file afresh, and lose the training?"),
        (["o", "enter"], "Open it, and lose the training?"),
        (["D"], "lose this training?"),
    ],
)
async def test_other_ways_to_lose_it_ask_too(keys: list[str], question: str) -> None:
    async with training(**SHORT) as driver:
        await driver.press("n")
        await driver.shows("loss of batch 1 ")
        for key in keys:
            await driver.press(key)
            if key == "o":
                await driver.shows("Pick a scenario")
        await driver.shows(question, "y / n")
        await driver.press("n")
        await driver.hides("y / n")
        await driver.press("escape")  # from the picker to the training, or from that to stepping
        await driver.shows("loss of batch 1 " if keys[0] == "o" else "batch 2 of 8")


async def test_reload_starts_with_untrained_weights() -> None:
    async with stepping("mlp", **SHORT) as driver:
        untrained = await loss_in_the_rail(driver)
        await driver.press("t")
        await driver.shows("learning rate")
        await driver.press(*["plus"] * 3, "c")
        await driver.shows("done; Esc steps")
        await driver.press("escape")
        await driver.done(0)
        assert await loss_in_the_rail(driver) != untrained
        await driver.press("R")
        await driver.shows(f"loss = {untrained} ")


async def test_keys_typed_ahead_go_to_the_screen_that_the_first_of_them_opens() -> None:
    # Over a slow line `t` and `c` arrive together; c means run to who types it after t.
    async with stepping("mlp", **LONG) as driver:
        await driver.press("t", "c")
        await driver.shows("running")


async def test_what_comes_too_late_for_a_screen_is_ignored() -> None:
    # The process goes on sending while the screen that showed it goes away; so do callbacks.
    async with stepping("mlp", **SHORT) as driver:
        gone = [driver.app.screen]
        await driver.press("t")
        await driver.shows("learning rate")
        gone.append(driver.app.screen)
        await driver.press("escape")
        await driver.done(0)
        gone.append(driver.app.screen)
        await driver.press("o")
        await driver.shows("Pick a scenario")
        await driver.press("enter")
        await driver.hides("Pick a scenario")
        for screen in gone:
            assert isinstance(screen, SteppingScreen | TrainingScreen)
            assert screen not in driver.app.screen_stack
            screen.show_view(screen._view)
            screen.draw_body()
            screen.notice("too late")
            screen.refresh_log()
        await driver.press("n")
        await driver.done(1)


async def test_leaving_and_coming_back_again_and_again_while_it_runs() -> None:
    # Messages that are under way when the screen changes find another one, or none.
    async with training(**LONG) as driver:
        for _ in range(4):
            await driver.press("c")
            await driver.shows("running")
            await driver.press("escape")
            await driver.done(0)
            await driver.press("t")
            await driver.shows("paused", "learning rate")
        await driver.press("c")
        await driver.shows("running")
        await driver.press("o")
        await driver.shows("Pick a scenario")
        await driver.pilot.pause(0.3)
        await driver.press("escape")
        await driver.shows("running")


async def fails_readably(driver: Driver) -> None:
    await driver.shows("batch 3", "ZeroDivisionError")
    await driver.press("c")
    await driver.shows("failed")


async def dies_readably(driver: Driver) -> None:
    await driver.shows("ended by itself, with exit code 3", "cannot be used")
    await driver.press("question_mark")
    await driver.shows("closes this page")


async def hangs_and_can_be_left(driver: Driver) -> None:
    await driver.press("question_mark")
    await driver.shows("closes this page")
    await driver.press("question_mark")
    await driver.hides("closes this page")


@pytest.mark.parametrize(
    ("in_loss", "check"),
    [
        ("if count > 3: 1 / 0", fails_readably),
        ("if count > 3: os._exit(3)", dies_readably),
        ("while count > 3: pass", hangs_and_can_be_left),
    ],
)
async def test_a_training_that_goes_wrong(
    small_training: Scenario, in_loss: str, check: Callable[[Driver], Awaitable[None]]
) -> None:
    async with training(small_training(in_loss)) as driver:
        await driver.press("c")
        await check(driver)
        await driver.press("q")
        await driver.until(
            lambda: not driver.app.is_running or "lose the training" in driver.text(), "q"
        )
        if driver.app.is_running:
            await driver.press("y")
        await leaves(driver)


async def test_the_columns_of_the_epochs_stay_apart(small_training: Scenario) -> None:
    path = small_training("logits = logits * 0.0 + np.array([[1e-4, 0.0]], dtype=np.float32)")
    path.write_text(
        path.read_text().replace("return cross", "return 1e-5 * cross").replace("=50", "=120")
    )
    async with training(path) as driver:
        await driver.press(*["plus"] * 3, "c")
        await driver.shows("done; Esc steps")
        rows: list[list[str]] = []

        def told() -> bool:
            rows[:] = [row.split() for line in driver.lines() if (row := line[46:]).endswith("%")]
            return len(rows) > 5

        await driver.until(told, "more than five epochs")
        for row in rows:
            assert len(row) == 5, row  # epoch, train, test, accuracy, %
        driver.assert_fits()


@pytest.mark.parametrize("size", [(80, 24), (80, 60), (60, 40)])
async def test_as_many_of_the_last_epochs_are_shown_as_there_is_room_for(
    size: tuple[int, int], small_training: Scenario
) -> None:
    async with training(small_training("pass"), size) as driver:
        await driver.press(*["plus"] * 3, "c")
        await driver.shows("done; Esc steps")

        def all_there() -> bool:
            shown = [int(row[1]) for line in driver.lines() if (row := EPOCH_ROW.search(line))]
            room = driver.app.screen.query_one("#epochs").size.height - 5
            return shown == list(range(51 - room, 51))

        await driver.until(all_there, "the last epochs")


async def test_a_loss_that_is_not_finite_is_shown(small_training: Scenario) -> None:
    path = small_training("logits = logits * (float('nan') if count > 3 else 1.0)")
    async with training(path) as driver:
        await driver.press("n", "n", "n", "n")
        await driver.shows("loss of batch 4 ", "NaN")
        driver.assert_fits()
