"""The real torch and torchvision, where they are installed; the files come from the loopback.

Where the two are builds that do not match, the operators that torchvision lacks are declared
before it is imported, which is enough for its data sets.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from scenarios.data import DataError, cache, choose, fetch, in_use, mnist
from scenarios.data.digits import Digits
from scenarios.data.idx_folder import NAMES

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("torch", "torchvision")),
    reason="torch and torchvision are not installed",
)

WriteIdx = Callable[..., list[Path]]

DECLARE = """
import torch
library = torch.library.Library("torchvision", "DEF")
for name in ("nms", "qnms"):
    library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
"""

REDIRECT = """
from torchvision.datasets import MNIST
MNIST.mirrors = [{mirror!r}]
MNIST.resources = {resources!r}
"""


def imports(prelude: str = "") -> str:
    """What a fresh process says last on importing torchvision; empty for success."""
    code = prelude + "\nimport torchvision.datasets"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return result.stderr.strip().splitlines()[-1] if result.returncode else ""


@pytest.fixture(scope="module")
def broken() -> str:
    """Why torchvision cannot be imported; empty where it can."""
    return imports()


@pytest.fixture(scope="module")
def declare(broken: str) -> str:
    """The code before which torchvision cannot be imported; empty where it needs none."""
    if not broken:
        return ""
    if imports(DECLARE):
        pytest.skip(f"torchvision cannot be made importable: {broken}")
    return DECLARE


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a directory and logs nothing, because the tests look at what is printed."""

    def log_message(self, format: str, *args: object) -> None:
        """Not even a request."""


class QuietServer(http.server.ThreadingHTTPServer):
    """Logs nothing either."""

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is no error: torchvision asks for redirects that way."""


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, full: Digits, write_idx: WriteIdx
) -> Iterator[tuple[Path, str]]:
    """A folder with the full set as .gz, and the address it is served from."""
    folder = tmp_path_factory.mktemp("served")
    write_idx(folder, full, True)
    handler = functools.partial(QuietHandler, directory=str(folder))
    with QuietServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def mirror(
    served: tuple[Path, str], declare: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], None]:
    """mirror(address) makes torchvision, in the process that imports it, fetch from there."""
    folder, _ = served
    names = [f"{name}.gz" for name in NAMES]
    resources = [
        (name, hashlib.md5((folder / name).read_bytes(), usedforsecurity=False).hexdigest())
        for name in names
    ]

    def use(address: str) -> None:
        startup = tmp_path / "startup"
        startup.mkdir()
        code = declare + REDIRECT.format(mirror=address, resources=resources)
        (startup / "sitecustomize.py").write_text(code)
        monkeypatch.syspath_prepend(startup)

    return use


def test_builds_that_do_not_match_are_told(broken: str, cache_home: Path) -> None:
    if not broken:
        pytest.skip("torch and torchvision match here")
    imported_before = "torch" in sys.modules  # by other tests of the same run
    choose("torchvision")
    with pytest.raises(DataError) as caught:
        mnist()
    text = str(caught.value)
    assert broken in text
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
    mirror(served[1])
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


def test_the_real_class_notices_a_damaged_download(
    mirror: Callable[[str], None], served: tuple[Path, str], tmp_path: Path
) -> None:
    folder, address = served
    half = folder / "half"
    half.mkdir()
    for name in NAMES:
        content = (folder / f"{name}.gz").read_bytes()
        (half / f"{name}.gz").write_bytes(content[: len(content) // 2])
    mirror(f"{address}half/")
    with pytest.raises(DataError, match=r"^MNIST arrived damaged or half .*corrupted.*; try again"):
        fetch()


@pytest.mark.parametrize("path", ["absent/", None], ids=["not found", "no server"])
def test_the_real_class_cannot_download(
    path: str | None, mirror: Callable[[str], None], served: tuple[Path, str]
) -> None:
    # Port 9 of the loopback is for discarding; hardly any machine listens there.
    mirror("http://127.0.0.1:9/" if path is None else served[1] + path)
    with pytest.raises(DataError) as caught:
        fetch()
    text = str(caught.value)
    assert text.startswith("MNIST could not be downloaded (Error downloading train-images")
    assert ("HTTP Error 404" if path else "Connection refused") in text
    assert "\n" not in text
