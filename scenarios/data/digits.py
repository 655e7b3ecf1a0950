"""The four arrays of a set of digits, and how pixels become what a network sees."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIDE = 28
PIXELS = SIDE * SIDE
CLASSES = 10
FULL_TRAIN = 60_000
FULL_TEST = 10_000

MEAN = 0.28
"""Subtracted from a pixel in 0..1."""

STD = 0.35
"""What the difference is divided by."""

Bytes = NDArray[np.uint8]
Part = tuple[NDArray[np.float32], NDArray[np.int64]]

# Rows converted at a time, so that the indices NumPy makes of them stay in the processor's cache.
_ROWS = 256


class Digits(NamedTuple):
    """Images and labels as they are stored: bytes, one row an image."""

    train_images: Bytes
    """(N, 784), 0 for the background to 255 for ink."""
    train_labels: Bytes
    """(N,), 0 to 9."""
    test_images: Bytes
    """(M, 784)."""
    test_labels: Bytes
    """(M,)."""

    @property
    def counts(self) -> tuple[int, int]:
        """How many images there are to train and to test on."""
        return len(self.train_labels), len(self.test_labels)

    @property
    def is_full(self) -> bool:
        """Whether this is as many images as the whole of MNIST has."""
        return self.counts == (FULL_TRAIN, FULL_TEST)


def normalised(digits: Digits) -> tuple[Part, Part]:
    """The arrays that a training takes, newly made.

    Returns:
        ((images, labels), (images, labels)), first to train and then to test on: images float32
        (N, 784), (pixel / 255 - MEAN) / STD; labels int64 (N,).
    """
    return (
        (_scaled(digits.train_images), digits.train_labels.astype(np.int64)),
        (_scaled(digits.test_images), digits.test_labels.astype(np.int64)),
    )


def _scaled(images: Bytes) -> NDArray[np.float32]:
    # A byte has 256 values: each is computed once, in float64, and then only looked up.
    table = ((np.arange(256) / 255 - MEAN) / STD).astype(np.float32)
    scaled = np.empty(images.shape, np.float32)
    for start in range(0, len(images), _ROWS):
        rows = slice(start, start + _ROWS)
        # "clip" never clips here; it spares NumPy a copy of the output for the case of an error.
        np.take(table, images[rows], out=scaled[rows], mode="clip")
    return scaled
