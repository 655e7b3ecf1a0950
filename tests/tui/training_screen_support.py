"""What the tests of the training screen share: how long it trains, and what is read off it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from screen_driver import Driver

Scenario = Callable[[str], Path]

SHORT = {"batch_size": 500, "epochs": 2}
"""16 batches."""
LONG = {"epochs": 1000}
"""63,000 batches: it does not end by itself while a test looks."""


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
