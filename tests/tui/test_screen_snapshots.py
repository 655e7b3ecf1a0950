"""Pictures of the screens at 80x24 and 120x40, compared with those that are kept.

What they show is the same on every machine: small graphs with whole numbers, no times; and of the
convolutional network four digits, which do not depend on the order in which a sum is added up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import snapshots
from screen_driver import Driver, program, stepping, training
from snapshots import drawn
from tui_support import ROOT

from tui import app as app_module
from tui.picture import placed
from tui.widgets.lines import Lines

SIZES = [(80, 24), (120, 40)]

by_size = pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])


@pytest.fixture(autouse=True)
def the_same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours and Unicode, whatever the terminal is in which the tests run."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(app_module, "has_unicode", lambda: True)
    monkeypatch.setattr(Lines, "ascii_only", False)


async def check(driver: Driver, name: str) -> None:
    """Compare what the screen shows, once it is all there."""
    await driver.settled()
    width, height = driver.app.size
    svg = placed(driver.app.export_screenshot(title="bp-tui"))
    # The picker tells where the files are, which is elsewhere on each machine.
    svg = re.sub(rf"<text [^>]*>[^<]*{re.escape(str(ROOT))}[^<]*</text>", "", svg)
    snapshots.assert_same_picture(svg, f"{name}-{width}x{height}")


@by_size
@pytest.mark.parametrize(
    ("scenario", "name", "keys", "texts"),
    [
        ("first_graph", "start", "", ["Look for", "add_back0("]),
        ("first_graph", "middle", "nnnn", ["node 3, just done", "multiply_back1("]),
        ("first_graph", "into", "nnns", ["node 3, under way", "called next"]),
        ("first_graph", "end", "c", ["nothing: every step is done"]),
        ("broadcasting", "middle", "nnn", ["node 2, just done"]),
        ("broadcasting", "tensor", "nni", ["Tab the gradient"]),
        ("diamond", "cursor", "nnkk", ["2 of", "gradient, complete"]),
    ],
)
async def test_stepping(
    scenario: str, name: str, keys: str, texts: Sequence[str], size: tuple[int, int]
) -> None:
    async with stepping(scenario, size) as driver:
        await driver.press(*keys)
        await driver.shows(*texts)
        await check(driver, f"{scenario}-{name}")


@pytest.mark.parametrize(
    ("name", "keys", "texts"),
    [
        ("start", "", ["Look for", "+ cross_entropy"]),
        ("middle", "n" * 9 + "ss", ["node 16, under way", "seen in 20 windows"]),
        ("kernels", ["end", "up", "up", *"idd"], ["[7, 0]", "full is 0.1989"]),
    ],
)
async def test_a_convolutional_network(name: str, keys: Sequence[str], texts: list[str]) -> None:
    async with stepping("cnn") as driver:
        for key in keys:
            await driver.press(key)
            await driver.settled()
        await driver.shows(*texts)
        await check(driver, f"cnn-{name}")


@by_size
@pytest.mark.parametrize("pane", ["rail", "step", "tensors", "source"])
async def test_a_maximised_pane(pane: str, size: tuple[int, int]) -> None:
    if size != SIZES[0] and pane != "source":
        pytest.skip("one of them is enough on the larger screen")
    async with stepping("first_graph", size) as driver:
        await driver.press("n", "n", "n", "n")
        await driver.done(4)
        for at in ("rail", "step", "tensors", "source"):
            await driver.press("z")
            await driver.shows(f"{at} only (z)")
            if at == pane:
                break
        await check(driver, f"only-{pane}")


@by_size
async def test_the_keys(size: tuple[int, int]) -> None:
    async with stepping("first_graph", size) as driver:
        await driver.press("question_mark")
        await driver.shows("closes this page")
        await check(driver, "keys")


@by_size
async def test_the_picker(size: tuple[int, int]) -> None:
    async with program(None, size) as driver:
        await driver.shows("Pick a scenario")
        await check(driver, "picker")


@by_size
async def test_the_training_before_its_first_batch(size: tuple[int, int]) -> None:
    async with training("mlp", size) as driver:
        await check(driver, "training")


@by_size
async def test_the_training_under_way(size: tuple[int, int]) -> None:
    async with training("mlp", size) as driver:
        for batch in range(1, 5):
            await driver.press("n")
            await driver.shows(f"loss of batch {batch} ", f"batch {batch} ")
        # At the pace that is set, and so no time that was measured.
        await driver.shows("agrees (no proof)", "16 s left" if size[0] == 80 else " s left")
        await check(driver, "training-under-way")


PHRASES = "&#160;&#160;a&#160;&lt;&#160;b&#160;&#160;数"
SVG = f"""
    <style>@font-face {{ src: local("A"), url("https://x.org/a.woff2") format("woff2"); }}
    .terminal-7-r1 {{ fill: #c5c8c6 }}
    </style><rect width="9"/><g class="terminal-7-matrix">
    <rect fill="#c5c8c6" x="0" y="1.5" width="36.6" height="24.65" shape-rendering="crispEdges"/>
    <text class="terminal-7-r1" x="12.2" y="20" textLength="134.2" mask="none">{PHRASES}</text>
    <text class="terminal-7-r1" x="0" y="44.4" textLength="24.4">&#160;&#160;</text></g>
"""
"""As Rich writes it: a line of eleven cells from the second one on, and one of blanks."""


def test_each_phrase_of_a_picture_has_its_own_place() -> None:
    svg = placed(SVG)
    assert drawn(svg.replace("terminal-7", "screen")) == [
        "x 0 y 1.5 width 36.6: #c5c8c6",
        "y 20 x 36.6: 'a&#160;&lt;&#160;b' fill: #c5c8c6",
        "y 20 x 122.0: '数' fill: #c5c8c6",
    ]
    assert 'textLength="61.0" mask="none"' in svg
    assert 'textLength="24.4">' not in svg
    assert "https" not in svg
    assert 'local("A"); }' in svg


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a&#160;&lt;", "b&#160;&lt;"),
        ("fill: #c5c8c6", "fill: #c5c8c7"),
        ('x="12.2"', 'x="24.4"'),
        ('y="20"', 'y="44.4"'),
        ('fill="#c5c8c6"', 'fill="#000000"'),
        ('width="36.6"', 'width="48.8"'),
    ],
)
def test_a_picture_that_differs_is_told(
    old: str, new: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "FOLDER", tmp_path)
    monkeypatch.setattr(snapshots, "UPDATE", True)
    snapshots.assert_same_picture(placed(SVG), "one")
    monkeypatch.setattr(snapshots, "UPDATE", False)
    snapshots.assert_same_picture(placed(SVG.replace("terminal-7", "terminal-8")), "one")
    assert old in SVG
    with pytest.raises(AssertionError, match="one looks otherwise"):
        snapshots.assert_same_picture(placed(SVG.replace(old, new, 1)), "one")
    with pytest.raises(AssertionError, match="BP_TUI_UPDATE_SNAPSHOTS=1 writes it"):
        snapshots.assert_same_picture(placed(SVG), "another")
