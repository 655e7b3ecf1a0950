"""What checking the gradient of one argument has found."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from engine.central_differences import Differences, Place, Verdict
from engine.registry import Array


class GradcheckError(RuntimeError):
    """A gradient is not what the central differences say, or is none."""


class CannotCheck(RuntimeError):
    """There are no central differences to compare a gradient with."""


@dataclass(frozen=True)
class ArgumentCheck:
    """What checking the gradient of one argument has found."""

    arg: int
    """The argument's position."""
    ok: bool
    max_error: float
    """The largest difference between got and expected, over the elements that were tested."""
    index: tuple[int, ...] | None
    """Where it is; None where nothing was tested."""
    got: float
    """The gradient there."""
    expected: float
    """What the central difference says."""
    tested: int
    """How many elements were tested."""
    kinks: int
    """How many were left out because the function has a kink within reach of the step: its slopes
    to both sides differ, so a central difference says nothing."""
    elements: int
    """How many elements the argument has."""
    directions: int = 0
    """Along how many random directions all elements were tested at once, where they were too many
    to test each."""
    undefined: int = 0
    """How many were left out because the function is not finite within reach of the step."""

    def __str__(self) -> str:
        if self.index is None:
            return f"argument {self.arg}: nothing to test"
        return (
            f"argument {self.arg}: at {list(self.index)} the gradient is {self.got:.6g}, central "
            f"differences say {self.expected:.6g}"
        )


class Tally:
    """Goes through elements of an argument and keeps the worst.

    Args:
        arg: the argument's position.
        got: its gradient.
        differences: the slopes to compare it with.
    """

    def __init__(self, arg: int, got: Array, differences: Differences) -> None:
        self._arg = arg
        self._got = got
        self._differences = differences
        self._tested: set[Place] = set()
        self._left_out = {Verdict.KINK: 0, Verdict.UNDEFINED: 0}
        self._worst: tuple[bool, float] = (False, -1.0)
        self._result: tuple[float, Place | None, float, float] = (0.0, None, 0.0, 0.0)

    @property
    def all_right(self) -> bool:
        """Whether no element was wrong so far."""
        return not self._worst[0]

    @property
    def complete(self) -> bool:
        """Whether every element was tested or left out."""
        return len(self._tested) == self._got.size

    def test(self, places: Iterable[Place]) -> None:
        """Test elements; one that was tested before is passed over."""
        for place in places:
            if place in self._tested:
                continue
            self._tested.add(place)
            got = float(self._got[place])
            verdict, expected = self._differences.judge(place, got)
            if verdict in self._left_out:
                self._left_out[verdict] += 1
                continue
            error = abs(got - expected)
            size = error if math.isfinite(error) else math.inf
            if (verdict is Verdict.WRONG, size) > self._worst:
                self._worst = verdict is Verdict.WRONG, size
                self._result = error, place, got, expected

    def result(self, directions: int = 0) -> ArgumentCheck:
        """What was found."""
        error, place, got, expected = self._result
        kinks, undefined = self._left_out[Verdict.KINK], self._left_out[Verdict.UNDEFINED]
        return ArgumentCheck(
            arg=self._arg,
            ok=self.all_right,
            max_error=error,
            index=place,
            got=got,
            expected=expected,
            tested=len(self._tested) - kinks - undefined,
            kinks=kinks,
            elements=self._got.size,
            directions=directions,
            undefined=undefined,
        )


def weights(shape: tuple[int, ...]) -> Array:
    """Fixed random numbers of four digits, away from 0 and from 1 and -1, so that no part of a
    gradient is multiplied away and none comes through unseen."""
    drawn = np.random.default_rng(1).integers(5000, 14990, shape)
    signs = np.random.default_rng(2).random(shape) < 0.5
    return np.asarray((drawn + 10 * (drawn >= 9995)) / 10000 * np.where(signs, -1.0, 1.0))
