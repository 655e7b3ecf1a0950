"""A gradient next to central differences: which of its elements are wrong?

A derivative is (f(x + h) - f(x - h)) / 2h up to an error of the order of h squared, plus rounding
of the order of eps / h; with float64 and a step near the cube root of eps both are small. The
difference is taken element by element of the result before it is summed up, so that whatever does
not move adds no rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np

from engine.registry import Array

Place = tuple[int, ...]

SMALLER = (1.0, 1e-2, 1e-4)
"""By what the step is multiplied, one after the other, where a difference does not agree: what
curves strongly, or has a kink near by, is smooth at a smaller one."""

KINK = 1e-3
"""How much (relatively) the slopes to both sides may differ before a result is at a kink."""

CLOSE = 1e-6
"""How exactly a gradient agrees along a direction before its elements are looked at."""

SEVERAL = 3.0
"""At a kink where several elements tie, a gradient may be that of another one: it is up to so many
times as large as the slopes of this one (the weights differ by no more)."""

ROUNDING = 32
"""How many units in the last place a result is taken to be off."""


class Verdict(Enum):
    """What the difference at one element says of the gradient there."""

    RIGHT = auto()
    WRONG = auto()
    KINK = auto()
    """The slopes to both sides differ, and the gradient is between them (or, where several elements
    tie, of their size)."""
    UNDEFINED = auto()
    """Within reach of the step the function is not finite, or its results are so large that
    rounding hides what the step brings."""


@dataclass(frozen=True)
class Slope:
    """The slope at one element."""

    central: float
    low: float
    """Summed over the results, the smaller one of the slopes to both sides."""
    high: float
    """The same with the larger one."""
    noise: float
    """What rounding may have added."""

    @property
    def width(self) -> float:
        """By how much the slopes to both sides differ."""
        return self.high - self.low

    @property
    def steepest(self) -> float:
        """The size of the larger one."""
        return max(abs(self.low), abs(self.high))


class Differences:
    """The slopes of `sum(weights * evaluate(x))`.

    Args:
        evaluate: the function, on an array of x's shape, which it does not change.
        x: where the slopes are taken, in float64.
        weights: what the elements of the result are multiplied with.
        eps: the step, times an element's size where that is above 1; None for one that fits the
            precision of the result.
        atol, rtol: a gradient is right up to atol + rtol * abs(slope), and rounding.
    """

    def __init__(
        self,
        evaluate: Callable[[Array], Array],
        x: Array,
        weights: Array,
        eps: float,
        atol: float,
        rtol: float,
    ) -> None:
        self._evaluate = evaluate
        self._x = x
        self._here = evaluate(x)
        self._weights = weights
        self._above, self._below = x.copy(order="K"), x.copy(order="K")
        unit = np.finfo(self._here.dtype).eps if self._here.dtype.kind == "f" else 0.0
        self._rounding = ROUNDING * float(unit)
        coarse = unit > np.finfo(np.float64).eps
        self._eps = float(np.cbrt(unit)) if coarse else eps
        self._atol, self._rtol = atol, max(rtol, 1e-2) if coarse else rtol

    def judge(self, place: Place, got: float) -> tuple[Verdict, float]:
        """Whether `got` is the slope at one element, and that slope."""
        expected, bend = self._central(place)
        if max(abs(got - expected), bend) <= self._tolerance(expected):
            return Verdict.RIGHT, expected
        slopes: list[Slope] = []
        for smaller in SMALLER:
            slope = self._slope(place, smaller)
            if not np.isfinite(slope.central):
                continue
            steepest = max(abs(slope.central), abs(got))
            if slopes and slope.noise > self._tolerance(steepest):
                break  # rounding would hide whatever is wrong
            if slope.central == 0 and slope.noise > steepest:
                continue  # no result has moved
            slopes.append(slope)
            if self._agrees(got, slope) and slope.width <= self._reach(slope):
                return Verdict.RIGHT, slope.central
        if not slopes:
            return Verdict.UNDEFINED, np.nan
        # Where it merely curves, the slopes come together as the step gets smaller.
        first, last = slopes[0], slopes[-1]
        reach = self._reach(last)
        at_kink = len(slopes) > 1 and last.width > max(reach, first.width / 2)
        between = last.low - reach <= got <= last.high + reach
        if at_kink and (between or abs(got) <= SEVERAL * last.steepest):
            return Verdict.KINK, last.central
        if self._agrees(got, last):
            return Verdict.RIGHT, last.central
        if between:
            return Verdict.KINK, last.central
        # The smallest step has the most rounding, the first one is off where the function is steep.
        return Verdict.WRONG, slopes[:2][-1].central

    def suspect(
        self, direction: Array, gradient: Callable[[Array], Array]
    ) -> tuple[bool, Place | None]:
        """Whether a direction says anything, and an element whose gradient does not agree with
        the slope along it, where there is one.

        Results at a kink say nothing, so they are left out: `gradient` is asked anew with weights
        that are 0 there. The element is found by halving the direction again and again.
        """
        moved = direction * self._eps * np.maximum(1.0, np.abs(self._x))
        smooth = self._smooth(moved)
        weights = np.where(smooth, self._weights, 0.0)
        if not np.any(weights):
            return False, None
        got = gradient(weights)
        finite = np.isfinite(got)
        got, moved = np.where(finite, got, 0.0), np.where(finite, moved, 0.0)
        off, noise = self._off(moved, got, weights)
        if off <= CLOSE * float(np.linalg.norm(got * moved)) + noise:
            return True, None
        low, high = 0, moved.size
        while high - low > 1:
            middle = (low + high) // 2
            left, _ = self._off(_part(moved, low, middle), got, weights)
            right, _ = self._off(_part(moved, middle, high), got, weights)
            low, high = (low, middle) if left >= right else (middle, high)
        return True, tuple(int(i) for i in np.unravel_index(low, self._x.shape))

    def _tolerance(self, slope: float) -> float:
        return self._atol + self._rtol * abs(slope)

    def _reach(self, slope: Slope) -> float:
        return self._tolerance(slope.steepest) + slope.noise

    def _agrees(self, got: float, slope: Slope) -> bool:
        return abs(got - slope.central) <= self._tolerance(slope.central) + slope.noise

    def _central(self, place: Place) -> tuple[float, float]:
        """The slope at an element, and by how much those to both sides differ."""
        with self._around(place, 1.0) as (high, low, width):
            weights, here, high, low = self._moved(high, low)
            bend = abs(float(weights @ (high + low - 2 * here)))
            return float(weights @ (high - low)) / width, 2 * bend / width

    def _slope(self, place: Place, smaller: float) -> Slope:
        with self._around(place, smaller) as (high, low, width):
            weights, here, high, low = self._moved(high, low)
            central = float(weights @ (high - low)) / width
            right, left = weights * (high - here), weights * (here - low)
            if len(weights):
                size = np.maximum(np.abs(high), np.abs(low))
            else:
                weights, size = self._weights.ravel(), np.abs(self._here).ravel()
            return Slope(
                central,
                float(np.minimum(left, right).sum()) / (width / 2),
                float(np.maximum(left, right).sum()) / (width / 2),
                self._rounding * float(np.abs(weights) @ size) / width,
            )

    def _moved(self, high: Array, low: Array) -> tuple[Array, Array, Array, Array]:
        """Weights and results, to both sides and in between, where they are not all the same."""
        moved = (high != self._here) | (low != self._here)
        return self._weights[moved], self._here[moved], high[moved], low[moved]

    @contextmanager
    def _around(self, place: Place, smaller: float) -> Iterator[tuple[Array, Array, float]]:
        """The results with one element moved up and down, while it is (a result may be a view),
        and the way between."""
        original = self._x[place]
        step = self._eps * smaller * max(1.0, abs(float(original)))
        try:
            self._above[place] = original + step
            self._below[place] = original - step
            width = float(self._above[place] - self._below[place])
            yield self._evaluate(self._above), self._evaluate(self._below), width
        finally:
            self._above[place] = self._below[place] = original

    def _smooth(self, moved: Array) -> Array:
        """Which results have the same slope to both sides."""
        high, low = self._evaluate(self._x + moved), self._evaluate(self._x - moved)
        right, left = high - self._here, self._here - low
        noise = self._rounding * np.maximum(np.abs(high), np.abs(low))
        larger = np.maximum(np.abs(right), np.abs(left))
        return np.asarray(np.abs(right - left) <= KINK * larger + noise)

    def _off(self, moved: Array, got: Array, weights: Array) -> tuple[float, float]:
        """By how much a gradient misses the change along a direction, and what rounding may have
        added to it."""
        above, below = self._x + moved, self._x - moved
        high, low = self._evaluate(above), self._evaluate(below)
        change = np.where(weights != 0, high - low, 0.0)
        size = np.where(weights != 0, np.maximum(np.abs(high), np.abs(low)), 0.0)
        off = abs(float(np.vdot(weights, change)) - float(np.vdot(got, above - below)))
        noise = self._rounding * float(np.linalg.norm(weights * size))
        return off, noise


def _part(moved: Array, first: int, last: int) -> Array:
    """A direction with only some of its elements, counted in C order."""
    part = np.zeros(moved.shape)
    part.flat[first:last] = moved.flat[first:last]
    return part
