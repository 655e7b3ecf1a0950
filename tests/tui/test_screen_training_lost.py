"""Nothing is lost without a question; a training that goes wrong says so, and can be left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from screen_driver import Driver, stepping, training
from training_screen_support import LONG, SHORT, Scenario, batches


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
