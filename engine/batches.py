"""A data set in batches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.random import initial_seed
from engine.tensor import Tensor


class DataLoader:
    """Goes through arrays of the same length batch by batch; each `for` loop is an epoch.

        for images, labels in DataLoader(images, labels, batch_size=64, shuffle=True):

    Args:
        arrays: inputs, labels and whatever else belongs to an example; arrays or Tensors.
        batch_size: examples a batch.
        shuffle: whether each epoch has an order of its own. It depends on the seed and the number
            of the epoch only.
        seed: for the shuffling; without one it is `manual_seed`'s of the epoch's start.
        drop_last: whether a last batch of fewer examples is left out.

    Raises:
        ShapeError: the arrays differ in length, or there is none.
        ValueError: the batch size is no whole number from 1.
    """

    def __init__(
        self,
        *arrays: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        seed: int | None = None,
        drop_last: bool = False,
    ) -> None:
        self.arrays = [a.array if isinstance(a, Tensor) else np.asarray(a) for a in arrays]
        if not arrays or any(a.ndim == 0 for a in self.arrays):
            raise ShapeError("DataLoader: there has to be an array with a dimension of examples")
        if len({len(a) for a in self.arrays}) > 1:
            lengths = " and ".join(str(len(a)) for a in self.arrays)
            raise ShapeError(f"DataLoader: the arrays have {lengths} examples; all need as many")
        if not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(f"DataLoader: batch_size is a whole number from 1, not {batch_size!r}")
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.drop_last = drop_last
        self.epoch = 0
        """The number of the next epoch, from 0; set it to go on with a later one."""

    def __len__(self) -> int:
        """The batches of an epoch."""
        batches = len(self.arrays[0]) / self.batch_size
        return math.floor(batches) if self.drop_last else math.ceil(batches)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        """The batches of the next epoch: copies, as Tensors, one for each array."""
        epoch, self.epoch = self.epoch, self.epoch + 1
        order = np.arange(len(self.arrays[0]))
        if self.shuffle:
            seed = initial_seed() if self.seed is None else self.seed
            order = np.random.default_rng([seed, epoch]).permutation(len(order))
        return self._batches(order, len(self))

    def _batches(self, order: Any, count: int) -> Iterator[tuple[Tensor, ...]]:
        for start in range(0, count * self.batch_size, self.batch_size):
            chosen = order[start : start + self.batch_size]
            yield tuple(Tensor(a[chosen], dtype=a.dtype) for a in self.arrays)
