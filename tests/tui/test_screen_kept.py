"""A training that is kept in a folder, on the screen."""

from __future__ import annotations

import shutil
from pathlib import Path

from screen_driver import training

SHORT = {"batch_size": 500, "epochs": 2}
"""16 batches."""


async def test_where_it_is_kept_is_shown(tmp_path: Path) -> None:
    out = tmp_path / "run"
    async with training(**SHORT, out=str(out), checkpoint_every=3) as driver:
        await driver.shows("Kept  before the first batch, in /")
        for _ in range(4):
            await driver.press("n")
        await driver.shows("4 of 16", "Kept  batch 3, in /")
        driver.assert_fits()
        await driver.press("q")  # does not ask
        await driver.until(lambda: not driver.app.is_running, "the end")
    assert driver.app.client is not None
    assert "the training is kept at batch 4 of 16" in driver.app.client.farewell


async def test_quitting_at_once_does_not_ask_either(tmp_path: Path) -> None:
    async with training(**SHORT, out=str(tmp_path / "run"), checkpoint_every=3) as driver:
        await driver.press("n", "n", "q")
        await driver.until(lambda: not driver.app.is_running, "the end")
    assert driver.app.client is not None
    assert "the training is kept at batch 2 of 16" in driver.app.client.farewell


async def test_that_it_cannot_be_kept_is_told_and_it_goes_on(tmp_path: Path) -> None:
    out = tmp_path / "run"
    async with training(**SHORT, out=str(out), checkpoint_every=3) as driver:
        await driver.shows("Kept")
        shutil.rmtree(out)
        for _ in range(3):
            await driver.press("n")
        await driver.shows("the training is not kept: No such file", "! not kept since before the")
        await driver.press("n")
        await driver.shows("4 of 16")
        await driver.press("q")
        await driver.shows("Quit, and lose the training?")
        await driver.press("n")
        out.mkdir()
        await driver.press("n", "n")
        await driver.shows("is kept in", "Kept  batch 6, in /")
