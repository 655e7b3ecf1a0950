"""Does the gradient fit the loss? The slope along a direction beside the one that it gives.

Central differences, (f(h) - f(-h)) / 2h, of a function of one number: the loss along a line. In
float64 with a small step both the curvature and the rounding stay far below what a mistake makes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import engine
from tui.session.protocol import Array
from tui.session.training.monitor.recomputing import Recomputed, Uncomputable, recomputed

EXAMPLES = 32
"""The loss of so many of the batch's examples will do."""

STEP = 1e-5
"""The first step, as a share of the norm of all parameters (or of 1, where that is less)."""

SMALLER = (1.0, 1e-1, 1e-2, 1e-4)
"""By what it is multiplied, one after the other, where the slopes do not agree: what curves
strongly, or has a kink near by, is smooth at a smaller one."""

AGREES = 1e-4
"""How much, relatively, the slopes may differ."""

ROUNDING = 32 * float(np.finfo(np.float64).eps)
"""How much of a loss may be rounding, relatively."""

OF_BEND = 1e-6
"""Near a minimum the numbers that are subtracted are the rounding of the parameters, times so much
of the difference of the slopes to both sides."""

STEADY = 0.25
"""A slope is trusted to contradict a gradient where another step changes it by no more than so
much of the difference."""

OF_WHOLE = 2.5
"""A check takes at least so many times as long as the loss, its gradient, and the loss again: there
are four more of it."""

Direction = Sequence[Array | None]


@dataclass(frozen=True, slots=True)
class Line:
    """The slope of the loss along a line."""

    step: float
    """To either side, where it was measured."""
    says: float
    """What the gradient says that it is."""
    does: float
    """What it is."""
    fits: bool | None
    """None where nothing can be told."""


@dataclass(frozen=True, slots=True)
class ParameterSlope:
    """The check of one parameter alone."""

    name: str
    grad: float | None
    """The norm of its gradient in float64; None where none arrives."""
    down: Line | None
    """Against its own gradient; None where that is 0 or none arrives."""
    across: Line
    """Along a direction of fixed random numbers."""

    @property
    def fits(self) -> bool | None:
        """Whether its gradient fits the loss in both directions."""
        lines = [self.across] if self.down is None else [self.down, self.across]
        if any(line.fits is False for line in lines):
            return False
        return True if all(line.fits for line in lines) else None


@dataclass(frozen=True, slots=True)
class Slope:
    """The check of all parameters at once."""

    down: Line | None
    """Against the gradient; None where that is 0."""
    across: Line | None
    """Along a direction of fixed random numbers, in which a gradient that is too small shows."""
    problem: str
    """Why it cannot be computed; empty where it can."""
    seconds: float
    """How long it took; about how long it would take, where it was left."""
    was_left: bool = False
    """Whether it was left undone because of that."""

    @property
    def wrong(self) -> Line | None:
        """Where the gradient does not fit."""
        lines = (self.down, self.across)
        return next((line for line in lines if line is not None and line.fits is False), None)

    @property
    def unclear(self) -> bool:
        """Whether nothing can be told."""
        return any(line is not None and line.fits is None for line in (self.down, self.across))


def check(
    training: engine.Training, inputs: Array, labels: Array, patience: float = math.inf
) -> Slope:
    """Check a batch's gradient by all parameters that have one; nothing of the training changes.

    Args:
        training: what is checked.
        inputs: of the batch.
        labels: of the batch.
        patience: it is left where it would take about so many seconds, or more.
    """
    start = time.perf_counter()
    down = across = None
    problem = ""
    try:
        with recomputed(training, inputs, labels, EXAMPLES) as loss:
            takes = OF_WHOLE * (time.perf_counter() - start)
            if takes > patience:
                return Slope(None, None, "", takes, was_left=True)
            norm = _norm(loss.gradients)
            if norm:
                down = _along(loss, [_scaled(g, -1 / norm) for g in loss.gradients])
            across = _along(loss, _random([g is not None for g in loss.gradients], loss))
    except Uncomputable as reason:
        problem = str(reason)
    except (Exception, SystemExit) as error:  # of the scenario's own code, somewhere along a line
        problem = f"{type(error).__name__}: {error}"
    return Slope(down, across, problem, time.perf_counter() - start)


def check_each(
    training: engine.Training,
    inputs: Array,
    labels: Array,
    names: dict[int, str],
    go_on: Callable[[], bool],
) -> list[ParameterSlope]:
    """Check each parameter by itself, the others held where they are, for as long as `go_on`.

    Raises:
        Uncomputable: the loss cannot be computed in float64.
    """
    found: list[ParameterSlope] = []
    with recomputed(training, inputs, labels, EXAMPLES) as loss:
        for i, (tensor, gradient) in enumerate(zip(loss.tensors, loss.gradients, strict=True)):
            if not go_on():
                break
            alone = [i == other for other in range(len(loss.tensors))]
            norm = None if gradient is None else _norm([gradient])
            down = None
            if gradient is not None and norm:
                own = gradient / -norm
                down = _along(loss, [own if here else None for here in alone])
            across = _along(loss, _random(alone, loss))
            name = names.get(id(tensor), f"parameter {i}")
            found.append(ParameterSlope(name, norm, down, across))
    return found


def compared(loss_at: Callable[[float], float], here: float, slope: float, first: float) -> Line:
    """The slope of a function beside the one that is claimed.

    Args:
        loss_at: the function of the way along the line.
        here: its value at 0.
        slope: what the gradient says that its slope there is.
        first: the first step that is tried.
    """
    tried: list[tuple[float, float, float]] = []  # step, slope, difference of those to both sides
    for smaller in SMALLER:
        step = first * smaller
        up, down = loss_at(step), loss_at(-step)
        if not math.isfinite(up) or not math.isfinite(down):
            continue
        found = (up - down) / (2 * step)
        bend = abs(up - 2 * here + down) / step
        noise = ROUNDING * max(abs(up), abs(down)) / step + OF_BEND * bend
        if abs(found - slope) <= AGREES * max(abs(found), abs(slope)) + noise:
            return Line(step, slope, found, True)
        if tried and noise > abs(found - slope) * STEADY:
            break  # rounding would decide
        tried.append((step, found, bend))
    if not tried:
        return Line(first, slope, math.nan, None)
    step, found, bend = tried[-1]
    off = abs(found - slope)
    if len(tried) == 1 or abs(tried[-2][1] - found) > STEADY * off:
        return Line(step, slope, found, None)
    # What merely curves is straighter over a smaller step; a kink is not. With many kinks in one
    # place each may have a slope of its own between those to both sides.
    at_kink = bend > tried[0][2] / 2 and bend > STEADY * off
    if at_kink:
        return Line(step, slope, found, True if off <= bend / 2 * (1 + AGREES) else None)
    return Line(step, slope, found, False)


def _along(loss: Recomputed, direction: Direction) -> Line:
    """Go a step along a direction of length 1."""
    slope = sum(
        float(np.vdot(gradient, way))
        for gradient, way in zip(loss.gradients, direction, strict=True)
        if gradient is not None and way is not None
    )
    first = STEP * max(1.0, loss.length)
    return compared(lambda step: loss.at(direction, step), loss.loss, slope, first)


def _random(wanted: Sequence[bool], loss: Recomputed) -> Direction:
    """A direction of length 1, the same each time, along those that are wanted."""
    numbers = np.random.default_rng(7)
    ways = [
        numbers.uniform(-1, 1, tensor.shape) if want else None
        for tensor, want in zip(loss.tensors, wanted, strict=True)
    ]
    norm = _norm(ways)
    return [_scaled(way, 1 / norm) for way in ways] if norm else ways


def _scaled(array: Array | None, factor: float) -> Array | None:
    return None if array is None else array * factor


def _norm(arrays: Direction) -> float:
    return math.sqrt(sum(float(np.vdot(a, a)) for a in arrays if a is not None))
