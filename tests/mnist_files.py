"""MNIST's files as they are distributed, made from the embedded images."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from scenarios.data.digits import Bytes, Digits
from scenarios.data.idx_folder import NAMES


def repeated(digits: Digits) -> Digits:
    """As many images as MNIST has: the embedded ones, again and again."""
    train_images, train_labels, test_images, test_labels = digits
    return Digits(
        np.tile(train_images, (15, 1)),
        np.tile(train_labels, 15),
        np.tile(test_images, (10, 1)),
        np.tile(test_labels, 10),
    )


def idx_bytes(array: Bytes) -> bytes:
    """An IDX file's content: `array` is (N, 784) for images, (N,) for labels."""
    shape = (len(array), 28, 28) if array.ndim == 2 else array.shape
    return np.array([0x0800 + len(shape), *shape], ">u4").tobytes() + array.tobytes()


def write_files(folder: Path, digits: Digits, compressed: bool = False) -> list[Path]:
    """The four IDX files directly in `folder`, in the order of NAMES."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / (f"{name}.gz" if compressed else name) for name in NAMES]
    for path, array in zip(paths, digits, strict=True):
        content = idx_bytes(array)
        path.write_bytes(gzip.compress(content, 1) if compressed else content)
    return paths
