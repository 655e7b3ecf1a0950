"""What the tests of MNIST's sources share; none of them touches the user's cache or a network."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from mnist_files import repeated, write_files

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from scenarios.data import choice, embedded  # noqa: E402, the path comes first
from scenarios.data.digits import Digits  # noqa: E402

WriteIdx = Callable[..., list[Path]]
FakeTorchvision = Callable[..., None]


@pytest.fixture(autouse=True)
def cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program's folder under an empty cache directory, and nothing chosen yet."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setattr(choice, "_choice", choice.Choice())
    monkeypatch.setattr(choice, "_in_use", None)
    return tmp_path / "xdg" / "bp-tui"


@pytest.fixture(scope="session")
def digits() -> Digits:
    """The embedded images, as bytes."""
    return embedded.read()


@pytest.fixture(scope="session")
def few(digits: Digits) -> Digits:
    """Ten images to train and five to test on."""
    return Digits(*(part[:count] for part, count in zip(digits, (10, 10, 5, 5), strict=True)))


@pytest.fixture(scope="session")
def full(digits: Digits) -> Digits:
    """As many images as MNIST has: the embedded ones, again and again."""
    return repeated(digits)


@pytest.fixture(scope="session")
def write_idx() -> WriteIdx:
    """write_idx(folder, digits, compressed=False) -> the four paths."""
    return write_files


@pytest.fixture(scope="session")
def full_folder(tmp_path_factory: pytest.TempPathFactory, full: Digits) -> Path:
    """A folder with the full set as plain IDX files directly in it."""
    folder = tmp_path_factory.mktemp("full")
    write_files(folder, full)
    return folder


@pytest.fixture
def fake_torchvision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeTorchvision:
    """fake_torchvision(download="...", on_import="...") puts a torchvision on sys.path.

    Both are Python; `download` is run as MNIST(root, download=True), with `raw` its folder.
    """

    def make(download: str = "pass", on_import: str = "") -> None:
        package = tmp_path / "fakes" / "torchvision"
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text(textwrap.dedent(on_import))
        (package / "datasets.py").write_text(
            "import os, shutil, sys, time\n"
            "from pathlib import Path\n"
            "class MNIST:\n"
            "    def __init__(self, root, train=True, download=False):\n"
            "        assert train and download\n"
            "        raw = Path(root, 'MNIST', 'raw')\n"
            "        raw.mkdir(parents=True)\n"
            + textwrap.indent(textwrap.dedent(download).strip(), " " * 8)
        )
        monkeypatch.syspath_prepend(package.parent)

    return make
