"""The only place that imports torchvision: a process of its own that downloads MNIST.

In a process of its own, because what it needs is large, prints where it likes, cannot be stopped
while it waits for a server, and takes everything down with it where its builds do not match.
"""

from __future__ import annotations

import gzip
import http.client
import importlib.metadata
import json
import os
import re
import shutil
import socket
import sys
import textwrap
import threading
import zlib
from pathlib import Path
from urllib.error import URLError

from .errors import STORAGE_ERRNOS, DataError, storage_error

INSTALL = "pip install 'bp-tui[mnist]'"
REINSTALL = (
    "reinstall the two together, from the same index:"
    " pip install --force-reinstall torch torchvision"
)

_BY_HAND = "or copy the four MNIST files into a folder and name it with --data-dir"
_TIMEOUT = 30.0  # seconds without a word from the server; torchvision itself waits for ever


def download(root: Path) -> None:
    """Have torchvision put the IDX files of MNIST into `root`/MNIST/raw.

    Raises:
        DataError: torchvision is not installed or broken, the files cannot be downloaded or are
            damaged, or `root` cannot be written.
    """
    try:
        from torchvision import datasets

        dataset = datasets.MNIST
    except ModuleNotFoundError as error:
        if error.name in ("torch", "torchvision"):
            problem = f"{error.name} is not installed"
        else:
            problem = f"torchvision cannot be imported ({_line(error)})"
        raise DataError(problem, INSTALL) from error
    except Exception as error:
        # Builds that do not match fail with whatever their first difference leads to.
        raise _mismatch(error) from error
    try:
        dataset(str(root), download=True)
    except Exception as error:
        raise _explained(error, root) from error


def _mismatch(error: Exception) -> DataError:
    problem = f"torchvision cannot be imported ({type(error).__name__}: {_line(error)})"
    versions = " and ".join(f"{name} {_version(name)}" for name in ("torch", "torchvision"))
    return DataError(f"{problem}: {versions} are builds that do not match", REINSTALL)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "(no version)"


def _explained(error: Exception, root: Path) -> DataError:
    """What a failure of torchvision's download means to the user."""
    detail = _line(error) or type(error).__name__
    connection = isinstance(error, URLError)  # whatever number its reason has
    if isinstance(error, OSError) and not connection and error.errno in STORAGE_ERRNOS:
        return storage_error(root.parent, error)
    torn = (EOFError, zlib.error, gzip.BadGzipFile, http.client.IncompleteRead)
    if isinstance(error, torn) or "corrupted" in detail:
        problem = f"MNIST arrived damaged or half ({detail})"
        return DataError(problem, f"try again, {_BY_HAND}")
    gave_up = isinstance(error, RuntimeError) and "download" in detail
    if gave_up or isinstance(error, OSError | http.client.HTTPException):
        problem = f"MNIST could not be downloaded ({detail})"
        return DataError(problem, f"try again when there is a network, {_BY_HAND}")
    problem = f"torchvision could not read MNIST ({type(error).__name__}: {detail})"
    return DataError(problem, f"try again, {_BY_HAND}")


def _line(error: Exception) -> str:
    """An exception's message on one line, without torchvision's list of what it tried where."""
    text = str(error)
    reasons = dict.fromkeys(re.findall(r"got:\s*(.+)", text))
    if reasons:
        text = f"{text.splitlines()[0].rstrip(':')}: {'; '.join(reasons)}"
    return textwrap.shorten(text, 240, placeholder=" ...")


def _end_with_parent(root: Path) -> None:
    """Wait until the process that started this one is gone, and leave nothing behind then."""
    os.read(0, 1)
    shutil.rmtree(root, ignore_errors=True)
    os._exit(1)


def main(root: Path) -> None:
    """Download, and say on standard output how it went: null, or [problem, mend]."""
    report = open(os.dup(1), "w", encoding="utf-8")  # noqa: SIM115, kept to the end
    os.dup2(2, 1)  # whatever else is printed is no report
    threading.Thread(target=_end_with_parent, args=(root,), daemon=True).start()
    socket.setdefaulttimeout(_TIMEOUT)
    failure = None
    try:
        download(root)
    except DataError as error:
        failure = [error.problem, error.mend]
    json.dump(failure, report)
    report.flush()
    # Without the interpreter's teardown: broken builds are known to crash in it.
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
