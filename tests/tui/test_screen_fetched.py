"""All of MNIST is asked for on the training screen: what is in use stays until it is there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from mnist_files import repeated
from screen_driver import training

from scenarios.data import cache, embedded

SHORT = {"batch_size": 500, "epochs": 2}
"""16 batches."""


@pytest.fixture
def torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that has a text as torchvision's code."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    path = [str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))

    def write(code: str) -> None:
        (tmp_path / "torchvision.py").write_text(code)

    return write


async def test_without_torchvision_what_was_in_use_stays(
    torchvision: Callable[[str], None],
) -> None:
    torchvision(
        "raise ModuleNotFoundError(\"No module named 'torchvision'\", name='torchvision')\n"
    )
    async with training(**SHORT) as driver:
        await driver.press("n")
        await driver.shows("loss of batch 1 ")
        before = await driver.settled()
        await driver.press("D")
        await driver.shows("y / n")
        await driver.press("y")
        await driver.shows("torchvision is not installed", "pip install 'bp-tui[mnist]'")
        driver.assert_fits()
        assert "Traceback" not in driver.text()
        await driver.press("escape")
        await driver.is_back_at(before, "after the message")
        await driver.press("n")
        await driver.shows("loss of batch 2 ", "embedded")


async def test_what_is_being_fetched_already_is_not_asked_for_again(
    torchvision: Callable[[str], None],
) -> None:
    torchvision("import time\ntime.sleep(1000)\n")
    async with training(**SHORT) as driver:
        await driver.press("D")
        await driver.shows("starting torchvision", "Esc stops it")
        await driver.press("n")
        await driver.shows("loss of batch 1 ")  # what a question would be about
        await driver.press("D", "n")
        await driver.shows("loss of batch 2 ", "starting torchvision")
        await driver.press("escape")
        await driver.shows("stopped: what was in use stays")


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of MNIST is in the cache, so that D gets it at once."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache.write(repeated(embedded.read()))


async def test_a_training_that_was_begun_during_a_fetch_is_not_lost_without_a_question(
    fetched: None,
) -> None:
    async with training(**SHORT) as driver:
        await driver.press("D", "n", "g")  # nothing would be lost yet, and then something
        await driver.until(lambda: driver.app._arrived, "all of MNIST")
        await driver.shows("1 of 16", "run until so many batches are done:")
        await driver.press("escape")
        await driver.shows("All of MNIST is there: load it, and lose this training?  y / n")
        await driver.press("n")
        await driver.shows("stopped: what was in use stays", "1 of 16", "embedded")
        await driver.press("n")
        await driver.shows("2 of 16")
        await driver.press("D")
        await driver.shows("Load all of MNIST, and lose this training?  y / n")
        await driver.press("y")
        await driver.shows("0 of 240", "60,000 to train, 10,000 to test")


async def test_all_of_mnist_takes_over_where_nothing_would_be_lost(fetched: None) -> None:
    async with training(**SHORT) as driver:
        await driver.press("D")
        await driver.shows("0 of 240", "60,000 to train, 10,000 to test")
