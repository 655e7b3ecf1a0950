"""The real torch and torchvision, where they are installed; the files come from the loopback."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from real_torchvision import DISCARD, NEEDED, broken, redirect, serving_mnist

from scenarios.data import DataError, cache, choose, fetch, in_use, mnist
from scenarios.data.digits import Digits
from scenarios.data.idx_folder import NAMES

pytestmark = NEEDED


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with the full set as .gz, and the address it is served from."""
    with serving_mnist(tmp_path_factory.mktemp("served")) as there:
        yield there


@pytest.fixture
def mirror(
    served: tuple[Path, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """mirror(address) makes torchvision, in the process that imports it, fetch from there."""

    def use(address: str) -> None:
        redirect(tmp_path / "startup", served[0], address)
        monkeypatch.syspath_prepend(tmp_path / "startup")

    return use


def test_builds_that_do_not_match_are_told(cache_home: Path) -> None:
    if not broken():
        pytest.skip("torch and torchvision match here")
    imported_before = "torch" in sys.modules  # by other tests of the same run
    choose("torchvision")
    with pytest.raises(DataError) as caught:
        mnist()
    text = str(caught.value)
    assert broken() in text
    assert "builds that do not match; reinstall the two together" in text
    assert "\n" not in text
    assert os.listdir(cache_home) == []
    assert ("torch" in sys.modules) == imported_before


def test_the_real_class_fetches_and_the_cache_is_used_after(
    mirror: Callable[[str], None],
    served: tuple[Path, str],
    full: Digits,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    mirror(f"{served[1]}whole/")
    choose("torchvision", tmp_path / "data")
    said: list[str] = []
    fetch(lambda doing, done, total: said.append(doing))
    assert capfd.readouterr() == ("", "")
    assert said[0] == "starting torchvision"
    assert said[-1] == "writing the cache"
    cached = cache.read()
    assert cached is not None
    for array, expected in zip(cached, full, strict=True):
        np.testing.assert_array_equal(array, expected)

    kept = {path.name for path in (tmp_path / "data" / "MNIST" / "raw").iterdir()}
    assert kept == {*NAMES, *(f"{name}.gz" for name in NAMES)}
    mnist()
    used = in_use()
    assert used is not None
    assert used.source == "cache"


def test_the_real_class_notices_half_a_download(
    mirror: Callable[[str], None], served: tuple[Path, str]
) -> None:
    mirror(f"{served[1]}cut/")
    with pytest.raises(DataError, match=r"^MNIST arrived damaged or half .*corrupted.*; try again"):
        fetch()


def test_the_real_class_notices_a_damaged_download(
    mirror: Callable[[str], None], served: tuple[Path, str]
) -> None:
    mirror(f"{served[1]}whole/")
    first = served[0] / f"{NAMES[0]}.gz"
    content = first.read_bytes()
    try:
        first.write_bytes(content[:1000] + bytes(1000) + content[2000:])
        with pytest.raises(DataError, match=r"^MNIST arrived damaged or half .*corrupted"):
            fetch()
    finally:
        first.write_bytes(content)


@pytest.mark.parametrize("path", ["absent/", None], ids=["not found", "no server"])
def test_the_real_class_cannot_download(
    path: str | None, mirror: Callable[[str], None], served: tuple[Path, str]
) -> None:
    mirror(DISCARD if path is None else served[1] + path)
    with pytest.raises(DataError) as caught:
        fetch()
    text = str(caught.value)
    assert text.startswith("MNIST could not be downloaded (Error downloading train-images")
    assert ("HTTP Error 404" if path else "Connection refused") in text
    assert "\n" not in text
