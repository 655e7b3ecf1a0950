"""The 5,000 images that come with the package."""

from __future__ import annotations

from pathlib import Path

from . import packed
from .digits import Digits
from .errors import DataError

FILE = Path(__file__).with_name("mnist_5k.npz")

_MEND = "install bp-tui again"


def read() -> Digits:
    """4,000 images to train and 1,000 to test on, every digit equally often.

    Raises:
        DataError: The package's file is missing or damaged.
    """
    try:
        return packed.read(FILE, _MEND)
    except FileNotFoundError as error:
        raise DataError(f"{FILE} is missing", _MEND) from error
