"""v and V on the screen: a page with what was found, and how it is left."""

from __future__ import annotations

from pathlib import Path

import pytest
from screen_driver import stepping
from tui_support import write
from verify_support import MISTAKES

from tui.session.verifying import pages as verify_pages

SLOW = """
import time
def slow(x):
    time.sleep(0.02)
    return x * x
square = wrap_forward_fn(slow, name="square")
BACK_FUNCS.add_back_func(square, 0, lambda grad_out, out, x: grad_out * 2 * x)
loss = square(Tensor(np.ones(1000), requires_grad=True)).sum()
"""


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 12)])
async def test_v_shows_what_is_wrong_and_closes(tmp_path: Path, size: tuple[int, int]) -> None:
    path = write(tmp_path, MISTAKES["negative returns +grad_out"].body)
    async with stepping(path, size) as driver:
        before = await driver.settled()
        await driver.press("down", "v")
        await driver.shows("Verify node 1, -a", "WRONG at [", "mine, yours")
        driver.assert_fits()
        if size != (40, 12):
            await driver.shows(
                "central differences say", "yours gives 1 at [0, 0], the engine's -1"
            )
        await driver.press("escape", "up")
        await driver.is_back_at(before, "after v")


async def test_capital_v_verifies_all(tmp_path: Path) -> None:
    async with stepping("mlp") as driver:
        await driver.press("V")
        await driver.shows(verify_pages.ALL, "25 checked, all right", "matmul_back1  right")
        driver.assert_fits()
        await driver.press("space")
        await driver.shows("linear1.weight.T  to linear1.weight")
        await driver.press("escape")
        await driver.shows("One batch of MNIST")
        await driver.press("n")
        await driver.done(1)


async def test_escape_stops_it(tmp_path: Path) -> None:
    async with stepping(write(tmp_path, SLOW)) as driver:
        await driver.press("V")
        await driver.shows("1 of 2 checked", "Esc stops")
        await driver.press("escape")
        await driver.hides(verify_pages.ALL)
        await driver.press("n")
        await driver.done(1)


async def test_v_on_a_leaf_is_told() -> None:
    async with stepping("first_graph") as driver:
        await driver.press("end", "v")
        await driver.shows("node 5, a, is a leaf: nothing to verify")
