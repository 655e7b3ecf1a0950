"""All of MNIST on the screen: D gets it with torchvision's own class, from the loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from real_torchvision import DISCARD, NEEDED, redirect, serving_mnist
from screen_driver import Driver, training
from tui_support import ROOT, wait_until

pytestmark = NEEDED

SHORT = {"batch_size": 500, "epochs": 1}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with as many images as MNIST has, and the address it is served from."""
    with serving_mnist(tmp_path_factory.mktemp("served")) as there:
        yield there


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's cache folder, which is empty."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "bp-tui"


def fetch_from(address: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    redirect(tmp_path / "startup", folder, address)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'startup'}:{ROOT}")


async def begin(driver: Driver) -> None:
    """Train on a batch, then ask for all of MNIST."""
    await driver.press("n")
    await driver.shows("loss of batch 1 ", "embedded")
    await driver.press("D")
    await driver.shows("lose this training?")
    await driver.press("y")


async def test_it_is_fetched_trained_on_and_named(
    served: tuple[Path, str], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_from(f"{served[1]}whole/", served[0], tmp_path, monkeypatch)
    async with training(**SHORT) as driver:
        await begin(driver)
        await driver.shows("Esc stops it")
        await driver.shows("60,000 to train, 10,000 to test", "paused")
        await driver.press("n")
        await driver.shows("loss of batch 1 ", "1 of 120")
        await driver.press("D")
        await driver.shows("all of MNIST is in use already")
        await driver.press("escape")
        await driver.done(0)
        assert "784-64-64-10 on 70,000 MNIST images" in driver.lines()[0]
        driver.assert_fits()
    assert [path.name for path in cache.iterdir()] == ["mnist.npz"]


@pytest.mark.parametrize(
    ("how", "said"), [(DISCARD, "could not be downloaded"), ("cut/", "arrived damaged or half")]
)
async def test_where_it_fails_what_was_in_use_stays(
    how: str,
    said: str,
    served: tuple[Path, str],
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = how if how == DISCARD else served[1] + how
    fetch_from(address, served[0], tmp_path, monkeypatch)
    async with training(**SHORT) as driver:
        await begin(driver)
        await driver.shows("What was in use stays", said, "try again")
        driver.assert_fits()
        await driver.press("escape")
        await driver.shows("embedded", "loss of batch 1 ")
        await driver.press("n")
        await driver.shows("loss of batch 2 ")
    assert list(cache.iterdir()) == []


async def test_it_can_be_stopped(
    served: tuple[Path, str], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch_from(f"{served[1]}slow/", served[0], tmp_path, monkeypatch)
    async with training(**SHORT) as driver:
        await begin(driver)
        await driver.shows("downloading MNIST", "Esc stops it")
        await driver.press("escape")
        await driver.shows("stopped: what was in use stays", "embedded")
        assert wait_until(lambda: not list(cache.iterdir()), 30)
        await driver.press("n")
        await driver.shows("loss of batch 2 ")
        await driver.press("escape")
        await driver.done(0)
