"""Which source of MNIST is used, and which one was.

Imports what only some sources need where they need it: every start would pay for it otherwise.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from . import cache, embedded
from .digits import Digits, Part, normalised
from .errors import DataError
from .usage import InUse

if TYPE_CHECKING:
    from .fetching import Progress

SOURCES = ("auto", "embedded", "torchvision")
"""What --data may be."""


class Choice(NamedTuple):
    """What the user asks for."""

    source: str = "auto"
    """One of SOURCES."""
    folder: Path | None = None
    """Where the IDX files are, or are to be put."""
    progress: Progress | None = None
    """Told how far a download is; see `fetch`."""


_choice = Choice()
_in_use: InUse | None = None


def choose(
    source: str = "auto",
    folder: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Choice:
    """Set where the following calls of `mnist()` get the digits from.

    Args:
        source: "auto": the IDX files in `folder`, or without one the full set where it was fetched
            before, else the embedded images; never a download. "embedded": those that come with
            the package. "torchvision": the full set, fetched where it was not before.
        folder: The folder of the IDX files, in torchvision's layout or directly.
        progress: Told how far a download by `mnist()` is; see `fetch`.

    Returns:
        What was chosen before, so that `choose(*previous)` brings it back.

    Raises:
        DataError: There is no such source.
    """
    global _choice
    if source not in SOURCES:
        raise DataError(f"there is no source of MNIST {source!r}", f"use {', '.join(SOURCES)}")
    previous = _choice
    _choice = Choice(source, None if folder is None else Path(folder).expanduser(), progress)
    return previous


def mnist() -> tuple[Part, Part]:
    """MNIST from the chosen source.

    Returns:
        ((images, labels), (images, labels)), first to train and then to test on: images float32
        (N, 784), contiguous, (pixel / 255 - MEAN) / STD; labels int64 (N,). The arrays are the
        caller's own.

    Raises:
        DataError: The chosen source cannot be had; `in_use()` is then as it was.
    """
    global _in_use
    digits, usage = _load(_choice)
    arrays = normalised(digits)
    _in_use = usage
    return arrays


def in_use() -> InUse | None:
    """What the last successful call of `mnist()` has returned; None before the first."""
    return _in_use


def fetch(progress: Progress | None = None) -> None:
    """Get the full set into the cache, through torchvision where needed; nothing where it is there.

    The IDX files are kept in the chosen folder, where there is one.

    Args:
        progress: Called as progress(doing, done, total), in bytes, in this thread, about ten times
            a second, also where nothing has changed; what it raises stops the download and is
            passed on.

    Raises:
        DataError: Whatever prevents it.
    """
    if _sound_cache() is None:
        _obtain(_choice.folder, progress)


def _load(choice: Choice) -> tuple[Digits, InUse]:
    if choice.source == "embedded":
        return _embedded()
    if choice.source == "torchvision":
        if (digits := _sound_cache()) is not None:
            return _used(digits, "cache", "from the cache")
        return _used(
            _obtain(choice.folder, choice.progress), "torchvision", "fetched with torchvision"
        )
    if choice.folder is not None:
        from . import idx_folder

        return _used(idx_folder.read(choice.folder), "idx", f"from {choice.folder}")
    try:
        cached = cache.read()
    except DataError as error:
        return _embedded(note=str(error))
    return _embedded() if cached is None else _used(cached, "cache", "from the cache")


def _embedded(note: str = "") -> tuple[Digits, InUse]:
    return _used(embedded.read(), "embedded", "embedded", note)


def _used(digits: Digits, source: str, where: str, note: str = "") -> tuple[Digits, InUse]:
    return digits, InUse(source, *digits.counts, where, note)


def _sound_cache() -> Digits | None:
    try:
        return cache.read()
    except DataError:  # about to be replaced
        return None


def _obtain(folder: Path | None, progress: Progress | None) -> Digits:
    from .fetching import obtain

    return obtain(folder, progress)
