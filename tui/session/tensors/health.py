"""The health of a tensor: how many elements are negative, zero, positive, NaN or Inf, and how
they are spread. It is counted a chunk at a time, so that a huge tensor can be looked at
meanwhile."""

from __future__ import annotations

import math
import time

import numpy as np

from tui.session import numbers
from tui.session.protocol import Array
from tui.session.tensors.chunks import chunks

BINS = 96
"""Of the histogram; as many as are drawn at the most."""


class Health:
    """Counts, moments and histogram of an array; moments and histogram are over its finite
    elements.

    Args:
        array: is walked through twice, first for the range and then for the histogram.
    """

    def __init__(self, array: Array) -> None:
        self.array = array
        self.negative = self.zero = self.positive = self.nan = self.inf = 0
        self.min, self.max = math.inf, -math.inf
        self.mean = self.std = self.norm = 0.0
        self.finite = 0
        """How many elements are finite."""
        self.bins = np.zeros(BINS, np.int64)
        self._passed = 0
        """How many elements were seen, of twice as many as there are."""

    @property
    def done(self) -> bool:
        """Whether everything is counted."""
        return self._passed == 2 * self.array.size

    @property
    def counted(self) -> bool:
        """Whether counts and moments are those of all elements."""
        return self._passed >= self.array.size

    @property
    def share(self) -> float:
        """How much of the work is done."""
        return self._passed / (2 * self.array.size) if self.array.size else 1.0

    def go_on(self, seconds: float | None = None) -> None:
        """Count for about so long; to the end where it is None."""
        end = math.inf if seconds is None else time.monotonic() + seconds
        while not self.done:
            size = self.array.size
            first = self._passed if self._passed < size else self._passed - size
            count = self._count if self._passed < size else self._sort_into_bins
            for _, chunk in chunks(self.array, first):
                count(chunk)
                self._passed += len(chunk)
                if time.monotonic() >= end:
                    return

    def _count(self, chunk: Array) -> None:
        values = numbers.finite_values(chunk)
        if len(values) < len(chunk):
            nan = int(np.isnan(chunk).sum())
            self.nan += nan
            self.inf += len(chunk) - len(values) - nan
        negative, zero = int((values < 0).sum()), int((values == 0).sum())
        self.negative += negative
        self.zero += zero
        self.positive += len(values) - negative - zero
        if len(values):
            self.min = min(self.min, float(values.min()))
            self.max = max(self.max, float(values.max()))
            self._add_moments(len(values), *numbers.moments(values))

    def _add_moments(self, count: int, mean: float, std: float, norm: float) -> None:
        """As Chan, Golub and LeVeque (1979) add up the moments of two parts; every term is kept in
        a range where its square is not needed."""
        total = self.finite + count
        mine, its = self.finite / total, count / total
        apart = (mean / 2 - self.mean / 2) * (2 * math.sqrt(mine * its))
        self.std = math.hypot(self.std * math.sqrt(mine), std * math.sqrt(its), apart)
        self.mean = self.mean * mine + mean * its
        self.norm = math.hypot(self.norm, norm)
        self.finite = total

    def _sort_into_bins(self, chunk: Array) -> None:
        self.bins += bin_counts(numbers.finite_values(chunk), self.min, self.max, BINS)


def bin_counts(values: Array, low: float, high: float, bins: int) -> Array:
    """How many of the finite values lie in each of so many equal parts of the range."""
    width = 2 * (high / 2 - low / 2)
    if not len(values) or not 0 < width < math.inf:
        return np.full(bins, len(values), np.int64)
    places = values - low
    places /= width
    places *= bins
    np.clip(places, 0, bins - 1, out=places)
    return np.bincount(places.astype(np.intp), minlength=bins)


def health_of(array: Array) -> Health:
    """The health of an array that is small enough to be counted at once."""
    health = Health(array)
    health.go_on()
    return health
