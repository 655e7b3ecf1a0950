"""The function that imports torchvision: every way in which it can fail is one clear line.

torchvision is a fake in sys.modules here; test_mnist_torchvision_real.py has the real one.
"""

from __future__ import annotations

import builtins
import errno
import gzip
import http.client
import sys
import types
import zlib
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

from scenarios.data import DataError
from scenarios.data.torchvision_download import download

NETWORK = "MNIST could not be downloaded"
DAMAGED = "MNIST arrived damaged or half"
UNREADABLE = "torchvision could not read MNIST"


def install(monkeypatch: pytest.MonkeyPatch, failure: BaseException | None) -> list[object]:
    """A torchvision whose MNIST fails so; the list is filled with how it was called."""
    calls: list[object] = []

    def dataset(root: str, train: bool = True, download: bool = False) -> None:
        calls.append((root, train, download))
        if failure is not None:
            raise failure

    fake = types.ModuleType("torchvision")
    fake.datasets = types.SimpleNamespace(MNIST=dataset)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torchvision", fake)
    return calls


def break_import(monkeypatch: pytest.MonkeyPatch, failure: BaseException) -> None:
    real = builtins.__import__

    def importing(name: str, *args: object, **options: object) -> object:
        if name.split(".")[0] == "torchvision":
            raise failure
        return real(name, *args, **options)  # type: ignore[arg-type]

    monkeypatch.delitem(sys.modules, "torchvision", raising=False)
    monkeypatch.setattr(builtins, "__import__", importing)


def message(root: Path) -> str:
    with pytest.raises(DataError) as caught:
        download(root)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 500
    return text


def test_it_is_asked_to_download_into_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    calls = install(monkeypatch, None)
    download(tmp_path)
    assert calls == [(str(tmp_path), True, True)]


@pytest.mark.parametrize("name", ["torch", "torchvision"])
def test_not_installed(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    break_import(monkeypatch, ModuleNotFoundError(f"No module named {name!r}", name=name))
    assert message(tmp_path) == f"{name} is not installed; pip install 'bp-tui[mnist]'"


def test_something_that_it_needs_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    break_import(monkeypatch, ModuleNotFoundError("No module named 'PIL'", name="PIL"))
    assert message(tmp_path) == (
        "torchvision cannot be imported (No module named 'PIL'); pip install 'bp-tui[mnist]'"
    )


@pytest.mark.parametrize(
    "failure",
    [
        RuntimeError("operator torchvision::nms does not exist"),
        ImportError("_C.so: undefined symbol: _ZN3c1017RegisterOperators"),
        OSError("libcudart.so.12: cannot open shared object file: No such file or directory"),
        AttributeError("module 'torch' has no attribute 'library'"),
    ],
)
def test_builds_that_do_not_match(
    failure: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    break_import(monkeypatch, failure)
    text = message(tmp_path)
    assert f"torchvision cannot be imported ({type(failure).__name__}: {failure})" in text
    assert "builds that do not match" in text
    assert "reinstall the two together, from the same index" in text
    assert "pip install --force-reinstall torch torchvision" in text


def test_a_package_without_datasets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    assert "reinstall the two together" in message(tmp_path)


GAVE_UP = (
    "Error downloading train-images-idx3-ubyte.gz:\n"
    "Tried https://first.example/mnist/, got:\n<urlopen error [Errno -2] Name not known>\n"
    "Tried http://second.example/mnist/, got:\n{}\n"
)


@pytest.mark.parametrize(
    ("failure", "problem"),
    [
        (URLError("[Errno -2] Name or service not known"), NETWORK),
        (URLError(PermissionError(errno.EACCES, "Permission denied")), NETWORK),
        (HTTPError("url", 503, "Service Unavailable", http.client.HTTPMessage(), None), NETWORK),
        (TimeoutError("timed out"), NETWORK),
        (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), NETWORK),
        (http.client.BadStatusLine("<html>"), NETWORK),
        (RuntimeError(GAVE_UP.format("HTTP Error 403: Forbidden")), NETWORK),
        (RuntimeError(GAVE_UP.format("File not found or corrupted.")), DAMAGED),
        (RuntimeError("File not found or corrupted."), DAMAGED),
        (http.client.IncompleteRead(b"", 100), DAMAGED),
        (gzip.BadGzipFile("Not a gzipped file (b'<h')"), DAMAGED),
        (EOFError("Compressed file ended before the end-of-stream marker was reached"), DAMAGED),
        (zlib.error("Error -3 while decompressing data: invalid block type"), DAMAGED),
        (RuntimeError("shape '[60000, 28, 28]' is invalid for input of size 5"), UNREADABLE),
        (AssertionError(), UNREADABLE),
        (MemoryError(), UNREADABLE),
    ],
)
def test_download_failures(
    failure: Exception, problem: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, failure)
    text = message(tmp_path)
    assert text.startswith(problem)
    assert "; try again" in text
    assert "or copy the four MNIST files into a folder and name it with --data-dir" in text


def test_a_list_of_mirrors_is_shortened_to_the_reasons(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, RuntimeError(GAVE_UP.format("HTTP Error 403: Forbidden")))
    assert (
        "(Error downloading train-images-idx3-ubyte.gz:"
        " <urlopen error [Errno -2] Name not known>; HTTP Error 403: Forbidden)"
    ) in message(tmp_path)


@pytest.mark.parametrize(
    ("number", "mend"),
    [
        (errno.ENOSPC, "free about 150 MB there"),
        (errno.EACCES, "make it a folder that you may write to"),
        (errno.EROFS, "make it a folder that you may write to"),
        (errno.ENOTDIR, "make it a folder that you may write to"),
    ],
)
def test_a_folder_that_cannot_be_written(
    number: int, mend: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, OSError(number, "the reason"))
    expected = f"cannot write to {tmp_path} (the reason); {mend}"
    assert message(tmp_path / "staging.part") == expected


def test_an_interrupt_passes_through(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        download(tmp_path)
