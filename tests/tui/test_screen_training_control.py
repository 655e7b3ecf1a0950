"""The keys of the training screen that stop it, change it and take it back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from screen_driver import Driver, stepping, training
from tui_support import FAILS_BACKWARD, REGRESSION, write

from tui import waiting

SHORT = {"batch_size": 500, "epochs": 2}
"""16 batches."""

TWO_SECONDS = {"batch_size": 100, "epochs": 1}
"""40 batches; at the first pace that many take two seconds."""


async def type_into(driver: Driver, key: str, label: str, text: str) -> None:
    """Press a key that asks for something, and answer."""
    await driver.press(key)
    await driver.shows(label)
    await driver.press(*("space" if char == " " else char for char in text), "enter")


async def test_back_by_a_batch_and_on() -> None:
    async with training(**SHORT) as driver:
        await driver.press("n", "n")
        await driver.shows("loss of batch 2 ")
        second = await driver.settled()
        await driver.press("n", "p")
        await driver.is_back_at(second, "a batch on and back")
        await driver.press("p", "p")
        await driver.shows("0 of 16", "to come")
        await driver.press("p")
        await driver.shows("it is before the first batch")


async def test_a_break_opens_the_debugger_and_t_goes_on() -> None:
    async with training(**SHORT) as driver:
        await type_into(driver, "b", "break at", "11")
        await driver.shows("stops at batch 11", "c stops at batch 11, before its update")
        await driver.press(*["plus"] * 3, "c")
        await driver.done(0)
        await driver.shows(
            "Batch 11 of 16", "epoch 2 of 2", "Stopped before its update", "10 updates"
        )
        assert "batch 11" in driver.lines()[0]
        await driver.shows(" Batch 11: stopped before its update")
        await driver.press("n")
        await driver.done(1)
        await driver.press("n", "s", "p", "p", "p")
        await driver.done(0)
        await driver.press("v")
        await driver.shows("central differences")
        await driver.press("escape", "t")
        await driver.shows("paused, full speed", "10 of 16", "stops at")
        await type_into(driver, "b", "break at", "-1")  # it would be remembered
        await driver.shows("removed: at batch 11")
        await driver.press("c")
        await driver.shows("16 of 16", "done; Esc steps")
        await driver.settled()
        looked_at = [line for line in driver.lines() if "%" in line or "loss of batch" in line]
    async with training(**SHORT) as driver:
        await driver.press(*["plus"] * 3, "c")
        await driver.shows("16 of 16", "done; Esc steps")
        await driver.settled()
        straight = [line for line in driver.lines() if "%" in line or "loss of batch" in line]
    assert [_table(line) for line in looked_at] == [_table(line) for line in straight]


def _table(line: str) -> str:
    return line[47:]


async def test_a_condition_opens_the_debugger_at_its_step() -> None:
    async with training(**SHORT) as driver:
        await type_into(driver, "b", "break at", "norm(contribution) > 0.2")
        await driver.shows("stops where norm(contribution)", "c is slower now")
        await driver.press("c")
        await driver.shows("stopped: norm(contribution) > 0.2", "Batch ")
        assert driver.steps_done() > 0


async def test_breaks_leave_the_epochs_their_heading() -> None:
    async with training(**{**SHORT, "epochs": 6}) as driver:
        for number, text in enumerate(("nan", "loss > 100", "rise 50")):
            await type_into(driver, "b", "break at", text)
            await driver.until(lambda n=number: driver.text().count("stops ") > n, text)  # type: ignore[misc]
        await driver.press(*["plus"] * 3, "c")
        await driver.shows("48 of 48", "E trains on", "epoch    train    test accuracy")
        assert driver.text().count("stops ") == 3
        driver.assert_fits()


async def test_the_list_of_breaks() -> None:
    async with training(**SHORT) as driver:
        await driver.press("B")
        await driver.shows("Where the training stops", "none yet", "b rise 2")
        driver.assert_fits()
        await type_into(driver, "b", "break at", "rise 2")
        await driver.shows("1         at a rise by 2", "c stops at a rise by 2")
        await type_into(driver, "b", "break at", "!1")
        await driver.shows("at a rise by 2, off")
        await type_into(driver, "b", "break at", "-1")
        await driver.shows("none yet", "removed: at a rise by 2")
        await driver.press("B")
        await driver.hides("Where the training stops")


async def test_reload_leads_from_a_training_to_the_new_one(tmp_path: Path) -> None:
    path = write(tmp_path, REGRESSION)
    good = path.read_text()
    async with training(path) as driver:
        await driver.press("n", "n")
        await driver.shows("loss of batch 2 ")
        path.write_text(good + "1 / 0\n")
        await driver.press("R", "y")
        await driver.shows("ZeroDivisionError")
        path.write_text(good + "training.epochs = 7\n")
        await driver.press("R")
        await driver.shows("epoch 1 of 7", "c runs, n trains on one batch")
        await driver.press("s")
        await driver.done(0)
        await driver.press("n")
        await driver.done(1)
        await driver.press("R")  # a batch that is looked into leads to the first one
        await driver.done(0)
        await driver.press("t")
        await driver.shows("epoch 1 of 7")
        path.write_text("from engine import *\na = Tensor(3.0, requires_grad=True)\nloss = a * a\n")
        await driver.press("R")
        await driver.shows("loss = a * a = 9")


async def test_breaks_outlive_reading_the_file_afresh(tmp_path: Path) -> None:
    path = write(tmp_path, REGRESSION)
    async with training(path) as driver:
        await type_into(driver, "b", "break at", "5")
        await type_into(driver, "b", "break at", "loss < 1e-9")
        await driver.shows("stops at batch 5", "stops at a loss < 1e-9")
        await driver.press("R")
        await driver.shows("stops at batch 5", "stops at a loss < 1e-9")
        path.write_text(path.read_text().replace("batch_size=4", "batch_size=8"))
        await driver.press("R")
        await driver.shows("the training stops no more at batch 5 (there are 4)")
        await driver.shows("stops at a loss < 1e-9")
        assert "stops at batch 5" not in driver.text()


@pytest.mark.parametrize(
    ("key", "label", "text", "told"),
    [
        ("b", "break at", "17", "the batches are 1 to 16"),
        ("b", "break at", "rise", "rise 2"),
        ("L", "learning rate", "x", "such as 0.01"),
        ("E", "more epochs", "0", "1 to 100,000"),
        ("g", "batches are done", "17", "E trains for more epochs"),
    ],
)
async def test_what_is_refused_comes_back_to_be_mended(
    key: str, label: str, text: str, told: str
) -> None:
    async with training(**SHORT) as driver:
        await type_into(driver, key, label, text)
        await driver.shows(told, label)
        driver.assert_fits()
        await driver.press("escape")
        await driver.shows(" Next  c runs")


async def test_the_learning_rate() -> None:
    async with training(**SHORT) as driver:
        await driver.press("n", "L")
        await driver.shows("learning rate  0.05", "from the next batch on")
        await driver.press(*"0.01", "enter")
        await driver.shows("learning rate 0.01 from batch 2 on; it was 0.05")
        await driver.shows("set at batch 2, 0.05 before")
        await driver.press("p")
        await driver.shows("the learning rate is 0.05 again, as it was")
        await driver.hides("set at batch 2")


async def test_more_epochs_after_the_end() -> None:
    async with training(**SHORT) as driver:
        await driver.press(*["plus"] * 3, "c")
        await driver.shows("16 of 16", "E trains on")
        await type_into(driver, "E", "more epochs", "1")
        await driver.shows("1 more epoch: 3 in all", "16 of 24", "paused")
        await driver.press("c")
        await driver.shows("24 of 24", "done; Esc steps")


async def test_run_to_a_batch_and_back_to_one() -> None:
    async with training(**SHORT) as driver:
        await driver.press(*["minus"] * 2)  # 5 batches a second: it is seen on its way
        await type_into(driver, "g", "batches are done", "9")
        await driver.shows("to batch 9")
        await driver.shows("paused", "9 of 16")
        await type_into(driver, "g", "batches are done", "4")
        await driver.shows("4 of 16")


async def test_a_break_does_not_take_away_what_is_being_typed() -> None:
    async with training(**TWO_SECONDS) as driver:
        await type_into(driver, "b", "break at", "30")
        await driver.shows("stops at batch 30")
        await driver.press("c")
        await driver.shows("running")
        await driver.press("L")
        await driver.shows("from the next batch on")
        await driver.press("ctrl+u", *"0.0")
        await driver.pilot.pause(2.0)  # 29 batches at 20 a second are over
        await driver.shows("learning rate  0.0", "from the next batch on")
        await driver.press("1", "enter")
        await driver.done(0)
        await driver.shows("Batch 30 of 40", "t goes back to it")
        await driver.press("t")
        await driver.shows("29 of 40", "SGD, learning rate          0.05")


@pytest.mark.parametrize("answer", ["n", "escape"])
async def test_nor_a_question(answer: str) -> None:
    async with training(**TWO_SECONDS) as driver:
        await type_into(driver, "b", "break at", "30")
        await driver.shows("stops at batch 30")
        await driver.press("c")
        await driver.shows("running")
        await driver.press("q")
        await driver.shows("Quit, and lose the training?")
        await driver.pilot.pause(2.0)
        await driver.shows("Quit, and lose the training?")
        await driver.press(answer)
        await driver.done(0)
        await driver.shows("Batch 30 of 40")


async def test_nor_the_list_of_scenarios() -> None:
    async with training(**TWO_SECONDS) as driver:
        await type_into(driver, "b", "break at", "30")
        await driver.shows("stops at batch 30")
        await driver.press("c")
        await driver.shows("running")
        await driver.press("o")
        await driver.shows("Pick a scenario")
        await driver.pilot.pause(2.0)
        await driver.press("escape")
        await driver.done(0)
        await driver.shows("Batch 30 of 40")


SLOW = REGRESSION + (
    "import time\n"
    "def slow(out, y):\n    if out.requires_grad:\n        time.sleep({seconds})\n"
    "    return mean_square(out, y)\n"
    "training.loss_fn = slow\n"
)


async def test_a_key_is_answered_while_a_slow_batch_is_under_way(tmp_path: Path) -> None:
    async with training(write(tmp_path, SLOW.format(seconds=1.5))) as driver:
        await driver.press("c")
        await driver.shows("running, 20 batches a second")
        await driver.press("space")
        await driver.shows("pausing after this batch")
        assert not re.search("loss of batch 2", driver.text())
        await driver.shows("paused, 20 batches a second")
        await driver.press("n")
        await driver.shows("one batch under way")
        await driver.shows("paused, 20 batches a second")


async def test_a_batch_that_fails_offers_the_way_in(tmp_path: Path) -> None:
    long = "a message that is too long for the line of the screen, by far"
    fails = REGRESSION + FAILS_BACKWARD.replace("odd')\n", f"{long}')\n", 1)
    async with training(write(tmp_path, fails)) as driver:
        await driver.press("c")
        await driver.shows("failed", "batch 3 (wrong.py, line", "…  s steps into it, p goes back")
        driver.assert_fits()
        await driver.press("s")
        await driver.done(0)
        await driver.shows("Batch 3 of 6", "! batch 3 (wrong.py")
        await driver.press("t")
        await driver.shows("failed", "s steps into it")


async def test_the_keys_fit_into_a_line_of_80_columns() -> None:
    async with training(**SHORT) as driver:
        assert driver.lines()[-1] == (
            " c run  space pause  n batch  p back  s into  b break  +/- pace  ? keys  q quit"
        )
        await driver.press("question_mark")
        await driver.shows("Keys", "more epochs", "another learning rate")
        driver.assert_fits()


@pytest.mark.parametrize("size", [(40, 12), (120, 40)])
async def test_other_sizes(size: tuple[int, int]) -> None:
    async with training(size=size, **SHORT) as driver:
        for text in ("2", "nan", "rise 3", "loss > 5"):
            await type_into(driver, "b", "break at", text)
            await driver.hides("break at")
        driver.assert_fits()
        await driver.press("B")
        await driver.shows("Where the training stops", "at batch 2")
        driver.assert_fits()
        await driver.press("escape", "c")
        await driver.shows("Batch 2 of 16" if size[0] > 80 else "Batch 2: stopped")
        driver.assert_fits()


@pytest.mark.parametrize("how", ["a key", "a break"])
async def test_nothing_is_waited_for_once_a_running_training_has_made_way(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "AFTER_A_SIGN", 0.2)
    async with training(epochs=1000) as driver:
        if how == "a break":
            await type_into(driver, "b", "break at", "20")
            await driver.shows("stops at batch 20")
        await driver.press("c")
        await driver.shows("running")
        if how == "a key":
            await driver.press("s")
        await driver.done(0)
        await driver.pilot.pause(0.5)
        assert "Waiting" not in driver.text()
        await driver.press("n")
        await driver.done(1)


async def test_into_from_a_running_training_tells_of_that_batch() -> None:
    async with stepping("mlp", epochs=1000) as driver:
        await driver.shows("One batch of MNIST, backwards")
        await driver.press("t")
        await driver.shows("learning rate")
        await driver.press("c")
        await driver.shows("running", "loss of batch 2")
        await driver.press("s")
        await driver.done(0)
        await driver.shows("of 63000", "epoch 1 of 1000", "its loss now", "c there")
        await driver.hides("One batch of MNIST, backwards")
