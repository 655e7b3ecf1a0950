"""The four IDX files of MNIST in a folder."""

from __future__ import annotations

import os
from pathlib import Path

from . import idx
from .digits import Digits
from .errors import DataError

RAW = Path("MNIST", "raw")
"""Where torchvision keeps the files, within the folder that it is given."""

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
"""In the order of the fields of `Digits`; compressed ones end in .gz as well."""

_PLACES = (RAW, Path("raw"), Path())


def is_complete(folder: Path) -> bool:
    """Whether all four files are there, sound or not."""
    return None not in _files(folder)


def read(folder: Path) -> Digits:
    """The images and labels in the IDX files, plain or .gz, in MNIST/raw, raw or `folder` itself.

    Raises:
        DataError: A file is missing or damaged, or images and labels differ in number.
    """
    files = _files(folder)
    paths = [path for path in files if path is not None]
    if len(paths) < len(files):
        raise _incomplete(folder, files)
    digits = Digits(
        idx.read_images(paths[0]),
        idx.read_labels(paths[1]),
        idx.read_images(paths[2]),
        idx.read_labels(paths[3]),
    )
    for images, labels in ((0, 1), (2, 3)):
        if len(digits[images]) != len(digits[labels]):
            raise DataError(
                f"{paths[images]} has {len(digits[images]):,} images"
                f" but {paths[labels].name} beside it {len(digits[labels]):,} labels",
                "delete both and get them again, by hand or with --data torchvision",
            )
    return digits


def _files(folder: Path) -> list[Path | None]:
    """The files in the place that has most of them, in the order of NAMES."""
    candidates = [[_file(folder / place, name) for name in NAMES] for place in _PLACES]
    return min(candidates, key=lambda files: files.count(None))


def _file(place: Path, name: str) -> Path | None:
    for path in (place / name, place / f"{name}.gz"):
        if os.path.isfile(path):
            return path
    return None


def _incomplete(folder: Path, files: list[Path | None]) -> DataError:
    if not os.path.isdir(folder):
        return DataError(f"there is no folder {folder}", "give another with --data-dir")
    missing = [name for name, path in zip(NAMES, files, strict=True) if path is None]
    found = next((path.parent for path in files if path is not None), None)
    if found is None:
        problem = f"{folder} has no MNIST files: {missing[0]} or {missing[0]}.gz is neither there"
        problem += f" nor in {RAW.as_posix()}"
    else:
        problem = f"{found} lacks {' and '.join(missing)} (plain or .gz)"
    return DataError(problem, "put the four files there, or let --data torchvision fetch them")
