"""Running a training on the screen, in its real process: batches, pace, end, and its epochs."""

from __future__ import annotations

import re

import pytest
from screen_driver import Driver, plot_only, stepping, training
from training_screen_support import LONG, SHORT, Scenario, batches, loss_in_the_rail

EPOCH_ROW = re.compile(r" (\d+) +(\d\.\d+) +(\d\.\d+) +(\d+\.\d) %$")
"""An epoch with its losses and its accuracy."""


def epochs(driver: Driver) -> list[re.Match[str]]:
    """The epochs that are shown."""
    return [row for line in driver.lines() if (row := EPOCH_ROW.search(line))]


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
        await driver.until(lambda: len(epochs(driver)) == 2, "both epochs")
        rows = epochs(driver)
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
            shown = [int(row[1]) for row in epochs(driver)]
            room = driver.app.screen.query_one("#epochs").size.height - 5
            return shown == list(range(51 - room, 51))

        await driver.until(all_there, "the last epochs")


async def test_a_loss_that_is_not_finite_is_shown(small_training: Scenario) -> None:
    path = small_training("logits = logits * (float('nan') if count > 3 else 1.0)")
    async with training(path) as driver:
        await driver.press("n", "n", "n", "n")
        await driver.shows("loss of batch 4 ", "NaN")
        driver.assert_fits()
