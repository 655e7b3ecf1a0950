"""Files that the program writes: whole or not at all; and where it remembers things."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import platformdirs

LARGEST = 1_000_000
"""Bytes; no file that this program remembers things in comes near to it."""


PART = ".{name}.{who}.part"
"""What a file is called while it is being written."""


class Damaged(Exception):
    """A file of ours that holds something else than we write."""


@contextlib.contextmanager
def replacing(path: Path, durable: bool = False) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of `path` at the end of the block; where the block
    fails, `path` stays what it was.

    Args:
        path: the file's name.
        durable: whether it has to be on the disk at the end, for a machine that may lose power.

    Raises:
        OSError: it cannot be written.
    """
    goal = Path(os.path.realpath(path))
    part = goal.with_name(PART.format(name=goal.name[:100], who=os.getpid()))
    file = open(part, "wb")  # noqa: SIM115
    try:
        with file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(part, goal)
        if durable:
            _sync_folder(goal.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


def remove_parts(path: Path) -> None:
    """Remove what `replacing(path)` has left behind where its process was killed."""
    for part in path.parent.glob(PART.format(name=path.name, who="*")):
        with contextlib.suppress(OSError):
            part.unlink()


def _sync_folder(folder: Path) -> None:
    """Have a folder's names on the disk, where the system can do that."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def state_file(name: str) -> Path:
    """A file in the user's state folder."""
    return Path(platformdirs.user_state_dir("bp-tui", appauthor=False)) / name


def recall(path: Path) -> Any:
    """What `remember` wrote.

    Raises:
        FileNotFoundError: there is no file.
        OSError: it cannot be read.
        Damaged: it holds something else.
    """
    with open(path, "rb") as file:
        raw = file.read(LARGEST + 1)
    try:
        if len(raw) > LARGEST:
            raise ValueError("it is too large")
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Damaged(str(error)) from None


def remember(path: Path, content: Any) -> None:
    """Write JSON to a file; its folder is made where there is none.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(json.dumps(content, indent=1).encode())
