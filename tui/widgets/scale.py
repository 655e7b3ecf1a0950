"""The axis of a plot: from which value to which, linear or logarithmic, and its numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LEAST = 1e-300
"""Below it a value is 0 on a logarithmic axis, and not shown there."""

SMALLEST_EXTENT = 1e-98
"""Of a linear axis: smaller numbers than its parts have no room beside it."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values to the height of a plot."""

    bottom: float
    top: float
    is_log: bool = False

    def height(self, value: float) -> float | None:
        """How high a value stands, from 0 at the bottom to 1 at the top; None where it has no
        place."""
        if not self.is_log:
            return _clipped((value - self.bottom) / (self.top - self.bottom))
        if value < LEAST:
            return None
        low, high = math.log10(self.bottom), math.log10(self.top)
        return _clipped((math.log10(value) - low) / (high - low))

    def ticks(self, count: int) -> list[float]:
        """Round values on the axis, about `count` of them, from the top down.

        Args:
            count: at least 2.
        """
        if self.is_log:
            return _log_ticks(self.bottom, self.top, count)
        extent = self.top - self.bottom
        step = next(step for step in _round_numbers(extent / count) if extent / step <= count)
        first, last = math.ceil(self.bottom / step - 1e-9), math.floor(self.top / step + 1e-9)
        return [i * step for i in range(last, first - 1, -1)]


def scale_for(values: Iterable[float], is_log: bool, from_zero: bool) -> Scale:
    """An axis that holds all values, between round numbers.

    Args:
        values: finite ones.
        is_log: whether it is to be logarithmic; of values that are not above 0 nothing is seen.
        from_zero: whether a linear axis begins at 0 where no value is below.
    """
    values = list(values)
    if is_log:
        return _log_scale([value for value in values if value >= LEAST])
    low, high = min(values, default=0.0), max(values, default=1.2)
    if from_zero and low >= 0:
        return Scale(0.0, _top(high))
    step = _step(high - low or abs(high) or 1.0)
    bottom = math.floor(low / step) * step
    if bottom > low:  # so little below 0 that a part of it is none of a step
        bottom -= step
    return Scale(bottom, math.floor(high / step + 1) * step)


def axis_label(value: float) -> str:
    """A number of the axis in at most five cells, and one for a minus."""
    size = abs(value)
    if value == 0 or 0.01 <= size < 99999.5:
        return f"{value:.{0 if size >= 100 else 2 if size >= 0.1 or not size else 3}f}"
    for digits in (1, 0):
        mantissa, exponent = f"{value:.{digits}e}".split("e")
        text = f"{mantissa.removesuffix('.0')}e{int(exponent)}"
        if len(text) <= 5 + (value < 0):
            break
    return text


def _log_scale(values: list[float]) -> Scale:
    low, high = min(values, default=0.1), max(values, default=1.0)
    bottom = max(tick for tick in _ones_twos_fives(low) if tick <= low)
    top = min(tick for tick in _ones_twos_fives(high) if tick > high)
    return Scale(bottom, top, True)


def _log_ticks(bottom: float, top: float, count: int) -> list[float]:
    decades = math.log10(top / bottom)
    if decades * 3 > 2 * count:
        every = max(1, math.ceil(decades / count))
        exponents = range(math.floor(math.log10(top) + 1e-9), -310, -every)
        ticks = (10.0**exponent for exponent in exponents)
    else:
        exponent = math.floor(math.log10(top)) + 1
        ticks = (m * 10.0**e for e in range(exponent, exponent - 10, -1) for m in (5, 2, 1))
    inside = (tick for tick in ticks if tick <= top * (1 + 1e-9))
    return list(itertools.takewhile(lambda tick: tick >= bottom * (1 - 1e-9), inside))


def _ones_twos_fives(around: float) -> list[float]:
    exponent = math.floor(math.log10(around))
    return [m * 10.0**e for e in (exponent - 1, exponent, exponent + 1) for m in (1, 2, 5)]


def _round_numbers(least: float) -> Iterator[float]:
    """1, 2, 2.5 and 5 times powers of ten, from about `least` on."""
    exponent = math.floor(math.log10(max(least, LEAST))) - 1
    for e in itertools.count(exponent):
        for m in (1, 2, 2.5, 5):
            yield m * 10.0**e


def _top(largest: float) -> float:
    largest = largest if largest > 0 else 1.2
    step = _step(largest)
    return math.ceil(largest * 1.02 / step) * step


def _step(extent: float) -> float:
    return 10.0 ** math.floor(math.log10(max(extent, SMALLEST_EXTENT))) / 4


def _clipped(height: float) -> float:
    return max(0.0, min(1.0, height))
