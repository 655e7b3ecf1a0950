"""Whether the loss falls, as the losses of the batches say.

Losses of batches are noisy, so means over blocks of them are compared, and a difference counts only
where it is many standard errors of such a mean. A warning on a network that learns, however slowly
or unsteadily, would be worse than none: so nothing is said before there are enough batches, nor of
a loss that has once fallen and stays where it is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import engine
from tui.session.numbers import number

BLOCK = 20
"""Over how many batches a mean goes."""

AT_FIRST = 5
"""Over how many the loss of the start goes; a network that learns is soon further."""

LEAST, EARLY = 60, 0.05
"""Of fewer batches, and within such a share of the training, nothing is said of a loss that stands
still; at the end of a training it is."""

LATELY = 200
"""Over how many of the last batches it is looked whether it falls."""

RISEN = 0.25
"""By such a share of what it was the loss has to have risen."""

FALLEN = 0.1
"""A loss that has fallen by such a share of what it was at first has learned something."""

BOTTOMLESS = 100.0
"""So many times what it was at first, and 1, no loss below 0 is that has a least value and has
come anywhere near it, if it falls ever faster."""

SURELY, AMONG_MANY = 4.0, 6.0
"""Standard errors that no noise reaches; among thousands of blocks there is always a lowest one."""


@dataclass(frozen=True, slots=True)
class Trend:
    """What is wrong with how the loss goes."""

    kind: str
    """`rises`, `still`, `plunges`, or empty where nothing is."""
    has_fallen: bool
    """Whether the loss was once lower than at first."""
    words: str
    """For 80 columns: with a loss of a usual size they fit behind a mark."""
    brief: str
    """For narrow terminals."""


FINE = Trend("", False, "", "")


@dataclass(frozen=True, slots=True)
class _Block:
    """The losses of neighbouring batches."""

    mean: float
    error: float
    """The mean's standard error."""
    middle: int
    """The batch in their middle, from 1."""


class Progress:
    """Reads the losses of a training as they come.

    Args:
        training: what is watched.
    """

    def __init__(self, training: engine.Training) -> None:
        self._training = training
        self._lowest: list[_Block] = []
        """The lowest of all whole blocks up to each of them."""

    def went_back(self) -> None:
        """What was of batches that are no more is forgotten."""
        del self._lowest[len(self._training.losses) // BLOCK :]

    def trend(self) -> Trend:
        """How the loss goes."""
        losses = self._training.losses
        if len(losses) < 2 * BLOCK or not all(map(math.isfinite, losses[-LATELY:])):
            return FINE
        now = _block(losses, len(losses) - BLOCK, len(losses))
        return self._rises(now) or self._stands_still(now) or self._plunges(now) or FINE

    def _rises(self, now: _Block) -> Trend | None:
        losses = self._training.losses
        while len(self._lowest) < len(losses) // BLOCK:
            start = len(self._lowest) * BLOCK
            block = _block(losses, start, start + BLOCK)
            lowest = self._lowest[-1] if self._lowest else block
            self._lowest.append(block if block.mean < lowest.mean else lowest)
        lowest = self._lowest[(len(losses) - BLOCK) // BLOCK - 1]
        rise = now.mean - lowest.mean
        first = self._lowest[0]
        wanted = RISEN * max(abs(lowest.mean), FALLEN * abs(first.mean))
        is_sure = rise > AMONG_MANY * math.hypot(now.error, lowest.error)
        # Of what explodes each loss is the largest, and the error of their mean as large as that.
        if rise <= wanted or not (is_sure or min(losses[-BLOCK:]) - lowest.mean > wanted):
            return None
        before, after = number(lowest.mean), number(now.mean)
        return Trend(
            "rises",
            lowest is not first,
            f"the loss rises: {before} around batch {lowest.middle:,}, {after} in the last "
            f"{BLOCK} batches",
            f"loss rises: {before}, now {after}",
        )

    def _stands_still(self, now: _Block) -> Trend | None:
        losses, total = self._training.losses, self._training.total_batches
        first = self._start(now)
        if first is None or len(losses) < min(max(LEAST, EARLY * total), total):
            return None
        wanted, fallen = FALLEN * abs(first), first - now.mean
        slope, error = _slope(losses[-LATELY:])
        falls = -slope > SURELY * error
        to_come = max(0.0, -slope) * max(0, total - len(losses))
        if falls and fallen + to_come > wanted:
            return None
        unsure = SURELY * now.error * math.sqrt(BLOCK / AT_FIRST)
        before, after = number(first), number(now.mean)
        what = "loss does not fall"
        if fallen > unsure or (falls and fallen > 0):
            what = "loss hardly falls"
        elif -fallen > unsure:
            what = "loss rises, if slowly"
        return Trend(
            "still",
            False,
            f"the {what}: {before} at first, {after} in the last {BLOCK} batches",
            f"{what}: {before}, {after}",
        )

    def _plunges(self, now: _Block) -> Trend | None:
        losses = self._training.losses
        first = sum(losses[:AT_FIRST]) / AT_FIRST
        if len(losses) < 4 * BLOCK or now.mean > -BOTTOMLESS * max(1.0, abs(first)):
            return None
        means = [_block(losses, end - BLOCK, end).mean for end in _ends(len(losses), 4)]
        falls = [before - after for before, after in itertools.pairwise(means)]
        if not 0 < falls[0] < falls[1] < falls[2]:
            return None
        before, after = number(first), number(now.mean)
        return Trend(
            "plunges",
            True,
            f"the loss falls without end: {before} at first, {after} in the last {BLOCK} batches",
            f"loss falls without end: {before}, {after}",
        )

    def _start(self, now: _Block) -> float | None:
        """What the loss was at first, where it has surely not fallen since; None where it has, or
        may have."""
        losses = self._training.losses
        of_one = math.sqrt(BLOCK) * now.error
        # A first update that is far too long makes what comes after it no measure of the start.
        for count in (AT_FIRST, 1):
            first = sum(losses[:count]) / count
            unsure = SURELY * of_one / math.sqrt(count)
            if first - now.mean + unsure < FALLEN * abs(first):
                return first
        return None


def _ends(end: int, count: int) -> range:
    """Where the last blocks end, the first one first."""
    return range(end - (count - 1) * BLOCK, end + 1, BLOCK)


def _block(losses: Sequence[float], start: int, end: int) -> _Block:
    values = np.array(losses[start:end])
    with np.errstate(all="ignore"):  # one of them may be no finite number
        error = float(values.std(ddof=1)) / math.sqrt(len(values))
        return _Block(float(values.mean()), error, (start + end) // 2)


def _slope(losses: Sequence[float]) -> tuple[float, float]:
    """By how much the loss changes a batch, and the standard error of that: the least squares."""
    values = np.array(losses)
    places = np.arange(len(values)) - (len(values) - 1) / 2
    spread = float(places @ places)
    with np.errstate(all="ignore"):  # too large for a square, perhaps
        slope = float(places @ values) / spread
        left = values - values.mean() - slope * places
        return slope, math.sqrt(float(left @ left) / (len(values) - 2) / spread)
