"""The page behind `w`, and what is wrong with a step, on the screen."""

from __future__ import annotations

from pathlib import Path

import pytest
from screen_driver import program, stepping

DETACHED = """
from engine import Tensor
x = Tensor([3.0, 4.0])
w = Tensor([1.0, 2.0], requires_grad=True)
v = Tensor([1.0, 1.0], requires_grad=True)
h = w.detach() * x
loss = (h * v).sum()
"""

NAN = """
from engine import Tensor, log, sqrt
t = Tensor([1.0, -1.0], requires_grad=True)
c = log(t)
loss = c.sum()
"""


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 12)])
async def test_w_opens_the_page_and_escape_closes_it(size: tuple[int, int]) -> None:
    async with stepping("first_graph", size=size) as driver:
        await driver.press("n", "n", "n", "n", "down", "w")
        await driver.shows("Why? Node 4, b", "+ 6 from d")
        await driver.press("escape")
        await driver.hides("Why?")
        await driver.shows("4 of 6 done")


async def test_the_page_tells_of_what_is_not_in_the_graph(tmp_path: Path) -> None:
    path = tmp_path / "detached.py"
    path.write_text(DETACHED, encoding="utf-8")
    async with program(path) as driver:
        await driver.shows("No gradient will come to w: w says")
        await driver.press("w")
        await driver.shows(
            "w (2,) gets no gradient from this pass", "detach() cuts w off (line 6)."
        )


async def test_the_first_frame_and_the_steps_tell_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "nan.py"
    path.write_text(NAN, encoding="utf-8")
    async with program(path) as driver:
        await driver.shows("! c = log(t): 1 NaN at [1], from t[1]", "(nan.py, line 4)")
        await driver.press("c", "w")
        await driver.shows("Why? Node 2, t")
