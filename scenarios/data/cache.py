"""The full set, converted once and kept under the user's cache directory."""

from __future__ import annotations

from pathlib import Path

from . import packed
from .digits import Digits
from .errors import storage_error

_MEND = "delete it, or replace it with --data torchvision"


def directory() -> Path:
    """The folder of everything that this program may lose without harm; it need not exist."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("bp-tui", appauthor=False))


def file() -> Path:
    """The converted file; it need not exist."""
    return directory() / "mnist.npz"


def read() -> Digits | None:
    """What was fetched before, in milliseconds; None where nothing was.

    Raises:
        DataError: The file is there, but damaged or unreadable.
    """
    try:
        return packed.read(file(), _MEND)
    except FileNotFoundError:
        return None


def write(digits: Digits) -> Path:
    """Keep the digits for `read`: wholly or, whatever happens meanwhile, not at all.

    Returns:
        The file.

    Raises:
        DataError: The folder cannot be written, or the disk is full.
    """
    from . import parts

    target = file()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with parts.file(target) as part:
            packed.write(part, digits, compressed=False)
    except OSError as error:
        raise storage_error(target.parent, error) from error
    return target
