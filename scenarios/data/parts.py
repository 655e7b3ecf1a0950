"""Files and folders that are not whole yet, under names of their own.

Who makes one holds a lock on it. The system lets go of that when the process ends, also where it is
killed: so a part that nobody holds is left over, and removed before the next one is made.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # no Unix
    fcntl = None  # type: ignore[assignment]

_PREFIX, _SUFFIX = "mnist-", ".part"
_NAME = re.compile(r"mnist-[a-z0-9_]{8}\.part")
"""What tempfile makes of these."""


@contextlib.contextmanager
def file(goal: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of `goal` once it is on the disk; where the block
    fails, `goal` stays what it was.

    Raises:
        OSError: It cannot be written.
    """
    remove_leftovers(goal.parent)
    while True:
        descriptor, name = tempfile.mkstemp(_SUFFIX, _PREFIX, goal.parent)
        if _hold(descriptor, name):
            break
        os.close(descriptor)
    with open(descriptor, "wb") as part:
        try:
            yield part
            part.flush()
            os.fsync(part.fileno())
            os.replace(name, goal)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise


@contextlib.contextmanager
def folder(home: Path) -> Iterator[Path]:
    """A folder in `home`, which is removed at the end, whatever happens.

    Raises:
        OSError: It cannot be made.
    """
    remove_leftovers(home, files=False)  # the user's own folder may have files of such a name
    while True:
        name = tempfile.mkdtemp(_SUFFIX, _PREFIX, home)
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(name, os.O_RDONLY)
            if _hold(descriptor, name):
                break
            os.close(descriptor)
    try:
        yield Path(name)
    finally:
        shutil.rmtree(name, ignore_errors=True)
        os.close(descriptor)


def remove_leftovers(home: Path, files: bool = True) -> None:
    """Remove what was left in `home` by processes that were killed.

    Args:
        home: The folder.
        files: Whether to remove files, too, and not only folders.
    """
    for part in home.iterdir():
        if _NAME.fullmatch(part.name) and (files or part.is_dir()):
            with contextlib.suppress(OSError):
                _remove_if_left(part)


def _remove_if_left(part: Path) -> None:
    descriptor = os.open(part, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        if not _lock(descriptor, wait=False):
            return
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink()
    finally:
        os.close(descriptor)


def _hold(descriptor: int, name: str) -> bool:
    """Hold the lock on a part that was just made; False where somebody was quicker, and has removed
    it as one that nobody held."""
    _lock(descriptor, wait=True)
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(name))
    except FileNotFoundError:
        return False


def _lock(descriptor: int, wait: bool) -> bool:
    """Whether the lock is ours now; False, too, where there are no locks."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:  # somebody else has it, or the file system has none
        return False
    return True
