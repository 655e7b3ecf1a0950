"""The curve of a training, and its pages, on the screen."""

from __future__ import annotations

import re

from screen_driver import plot_only, training

SHORT = {"batch_size": 500, "epochs": 2}
"""16 batches."""


async def test_the_marks_of_test_losses_stand_where_their_epoch_ended() -> None:
    # Far left, where the first of very many epochs has ended; not at the right edge.
    async with training(batch_size=2000, epochs=1000) as driver:
        await driver.press("n", "n")
        await driver.shows("2 of 2000")
        curve = [plot_only(line) for line in driver.lines()[2:18]]
        marks = [line.index("o") for line in curve if "o" in line]
        assert len(marks) == 1, driver.text()
        assert marks[0] < 3, driver.text()


async def test_the_curve_is_zoomed_and_its_axis_and_its_form_changed() -> None:
    async with training(**SHORT) as driver:
        await driver.press("n", "n")
        await driver.shows("loss of batch 2 ", "loss: dots each batch")
        await driver.press("A")
        await driver.shows("loss, log axis: dots")
        await driver.press("A")
        await driver.shows("loss: dots")
        await driver.press("z")
        await driver.shows("loss of the last 500 batches:", "500")
        await driver.press("z", "z")
        await driver.shows("loss of the last 20 batches:")
        await driver.press("z")
        await driver.shows("loss: dots")
        await driver.press("P")
        await driver.shows("the curve is drawn in block")
        await driver.until(
            lambda: re.search("[▀▄█]", "".join(map(plot_only, driver.lines()[2:12]))), "blocks"
        )
        await driver.press("P")
        await driver.shows("the curve is drawn in ASCII")
        await driver.until(
            lambda: "*" in "".join(map(plot_only, driver.lines()[2:12])), "asterisks"
        )


async def test_a_run_stays_on_the_curve_when_the_file_is_read_afresh() -> None:
    async with training(**SHORT) as driver:
        await driver.press("n", "n", "n")
        await driver.shows("loss of batch 3 ")
        await driver.press("R")
        await driver.shows("lose the training?  y / n")
        await driver.press("y")
        await driver.shows("0 of 16", "1 was SGD 0.05")


async def test_pages_of_test_images_and_of_the_confusion_matrix() -> None:
    async with training(**SHORT) as driver:
        await driver.press("i")
        await driver.shows("Test images, after batch 0", "wrong, the surest of them first", "says")
        await driver.press("escape", "n")
        await driver.shows("loss of batch 1 ")
        await driver.press("M")
        await driver.shows("Confusion matrix, after batch 1", "said to be", "Most often")
