"""The project's own file of digits: an .npz with one array for each field of `Digits`."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import numpy as np

from .digits import CLASSES, PIXELS, Digits
from .errors import DataError


def read(path: Path, mend: str) -> Digits:
    """The digits in a file that `write` has made.

    Args:
        path: The file.
        mend: What the user can do about a damaged one.

    Raises:
        FileNotFoundError: There is no such file.
        DataError: It cannot be read, or is damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            digits = Digits(*(archive[name] for name in Digits._fields))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror or error})", mend) from error
    except Exception as error:
        # A damaged archive can fail in any layer of zipfile, zlib, tokenize and NumPy.
        reason = f"{type(error).__name__}: {error}"
        raise DataError(f"{path} is damaged ({reason})", mend) from error
    if flaw := _flaw(digits):
        raise DataError(f"{path} is damaged ({flaw})", mend)
    return digits


def write(file: IO[bytes], digits: Digits, *, compressed: bool) -> None:
    """Write digits so that `read` gives them back.

    Args:
        file: Open for writing, at its start.
        digits: The arrays.
        compressed: Small rather than fast to read; either way a checksum is kept of each array.
    """
    save = np.savez_compressed if compressed else np.savez
    save(file, **digits._asdict())


def _flaw(digits: Digits) -> str:
    """What is wrong with arrays of unknown origin; empty for nothing."""
    for name, array in digits._asdict().items():
        if array.dtype != np.uint8:
            return f"{name} is {array.dtype}, not uint8"
    for images, labels in (digits[:2], digits[2:]):
        if labels.ndim != 1 or not len(labels):
            return f"labels of the shape {labels.shape}"
        if images.shape != (len(labels), PIXELS):
            return f"images of the shape {images.shape} for {len(labels)} labels"
        if labels.max() >= CLASSES:
            return f"a label {labels.max()}"
    return ""
