"""Getting the full set through torchvision, and keeping it in the cache."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from . import cache, idx_folder, parts
from .digits import FULL_TEST, FULL_TRAIN, Digits
from .errors import DataError, storage_error
from .torchvision_download import REINSTALL

Progress = Callable[[str, int, int], None]
"""Called with what is being done, the bytes that are there, and the bytes of all four files."""

TOTAL_BYTES = 9_912_422 + 28_881 + 1_648_877 + 4_542

_INTERVAL = 0.1  # seconds between two calls of a Progress


def obtain(folder: Path | None, progress: Progress | None) -> Digits:
    """The full set, from the files in `folder` or else through torchvision; then in the cache.

    Args:
        folder: Where the IDX files are or are to be kept; None for not keeping them.
        progress: Called in this thread about ten times a second, also where nothing has changed;
            what it raises stops the download and is passed on.

    Raises:
        DataError: Whatever prevents it. Neither the cache nor `folder` has half a file then.
    """
    tell = progress or (lambda doing, done, total: None)
    if folder is not None and idx_folder.is_complete(folder):
        digits = idx_folder.read(folder)
        if not digits.is_full:
            problem = f"{folder} holds {_counts(digits)}, not {FULL_TRAIN:,} and {FULL_TEST:,}"
            raise DataError(problem, "give another --data-dir, or use these with --data auto")
    else:
        digits = _downloaded(folder, tell)
    tell("writing the cache", TOTAL_BYTES, TOTAL_BYTES)
    cache.write(digits)
    return digits


def _counts(digits: Digits) -> str:
    train, test = digits.counts
    return f"{train:,} images to train and {test:,} to test on"


def _downloaded(folder: Path | None, tell: Progress) -> Digits:
    """Through a directory that vanishes in the end, whatever happens."""
    home = folder if folder is not None else cache.directory()
    with contextlib.ExitStack() as stack:
        try:
            home.mkdir(parents=True, exist_ok=True)
            root = stack.enter_context(parts.folder(home))
        except OSError as error:
            raise storage_error(home, error) from error
        _run(root, tell)
        digits = _verified(root)
        if folder is not None:
            _move(root / idx_folder.RAW, folder / idx_folder.RAW)
        return digits


def _verified(root: Path) -> Digits:
    mend = "try again"
    try:
        digits = idx_folder.read(root)
    except DataError as error:
        raise DataError(f"torchvision left no sound files: {error.problem}", mend) from error
    if not digits.is_full:
        raise DataError(f"torchvision fetched only {_counts(digits)}", mend)
    return digits


def _move(raw: Path, target: Path) -> None:
    try:
        target.mkdir(parents=True, exist_ok=True)
        for file in raw.iterdir():
            os.replace(file, target / file.name)
    except OSError as error:
        raise storage_error(target, error) from error


def _run(root: Path, tell: Progress) -> None:
    """Run torchvision in a process of its own, which ends when this function does."""
    command = [sys.executable, "-P", "-m", "scenarios.data.torchvision_download", str(root)]
    # The same modules as here, in the same order, wherever this process has them from.
    paths = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
    with tempfile.TemporaryFile() as report, tempfile.TemporaryFile() as noise:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=report,
                stderr=noise,
                env=os.environ | {"PYTHONPATH": paths},
                # Ctrl+C reaches this process alone, which then decides.
                start_new_session=True,
            )
        except OSError as error:
            raise DataError(f"{command[0]} cannot be started ({error})", "try again") from error
        with process:
            try:
                _watch(process, root / idx_folder.RAW, tell)
            except BaseException:
                process.kill()
                raise
        _judge(process.returncode, report, noise)


def _watch(process: subprocess.Popen[bytes], raw: Path, tell: Progress) -> None:
    """Tell how far it is until the process has ended; torchvision itself has no callback."""
    while True:
        done = min(_size(raw), TOTAL_BYTES)
        doing = "starting torchvision" if not done else "downloading MNIST"
        tell("unpacking MNIST" if done == TOTAL_BYTES else doing, done, TOTAL_BYTES)
        try:
            process.wait(_INTERVAL)
        except subprocess.TimeoutExpired:
            continue
        return


def _size(raw: Path) -> int:
    """The bytes of the compressed files so far."""
    try:
        return sum(file.stat().st_size for file in raw.glob("*.gz"))
    except OSError:  # a file that has vanished just now
        return 0


def _judge(returncode: int, report: IO[bytes], noise: IO[bytes]) -> None:
    """Raise what the process has reported, or that it could not even report."""
    report.seek(0)
    try:
        failure = json.load(report)
    except ValueError:
        noise.seek(0)
        lines = noise.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "without a word")
        raise DataError(f"torchvision crashed (exit {returncode}: {last})", REINSTALL) from None
    if failure is not None:
        raise DataError(*failure)
