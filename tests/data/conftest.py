"""What the tests of MNIST's sources share; none of them touches the user's cache or a network."""

from __future__ import annotations

import gzip
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

ROOT = str(Path(__file__).resolve().parents[2])
if ROOT not in sys.path:
    sys.path.insert(0, ROOT)

from scenarios.data import choice, embedded  # noqa: E402, the path comes first
from scenarios.data.digits import Bytes, Digits  # noqa: E402
from scenarios.data.idx_folder import NAMES  # noqa: E402

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
    train_images, train_labels, test_images, test_labels = digits
    return Digits(
        np.tile(train_images, (15, 1)),
        np.tile(train_labels, 15),
        np.tile(test_images, (10, 1)),
        np.tile(test_labels, 10),
    )


def idx_bytes(array: Bytes) -> bytes:
    """An IDX file's content: `array` is (N, 784) for images, (N,) for labels."""
    shape = (len(array), 28, 28) if array.ndim == 2 else array.shape
    return np.array([0x0800 + len(shape), *shape], ">u4").tobytes() + array.tobytes()


def write_files(folder: Path, digits: Digits, compressed: bool = False) -> list[Path]:
    """The four IDX files directly in `folder`, in the order of NAMES."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / (f"{name}.gz" if compressed else name) for name in NAMES]
    for path, array in zip(paths, digits, strict=True):
        content = idx_bytes(array)
        path.write_bytes(gzip.compress(content, 1) if compressed else content)
    return paths


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
