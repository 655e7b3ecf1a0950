"""Checking one backward function against central differences, in float64."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.argument_check import ArgumentCheck, CannotCheck, GradcheckError, Tally, weights
from engine.central_differences import Differences, Place
from engine.registry import Array, BackFunc, ForwardFunc
from engine.tensor import FLOAT64, Tensor

STEP = 1e-6
"""How far an element is moved to each side, times its size where that is above 1."""

DIRECTIONS = 8
"""Along how many random directions an array is tested that is too large for each element."""

LEAST = 200
"""Of such an array so many elements are tested at least, however large it is,"""

WORK = 400_000_000
"""and not so many that more numbers than these would go through the function."""


@np.errstate(all="ignore")
def check_backward_func(
    func: ForwardFunc,
    back: BackFunc,
    arg: int,
    args: Sequence[Any],
    kwargs: dict[str, Any] | None = None,
    at_most: int = 2000,
    eps: float = STEP,
    atol: float = 1e-12,
    rtol: float = 1e-4,
    seconds: float | None = None,
    pulse: Callable[[], None] | None = None,
) -> ArgumentCheck:
    """Check one backward function, on the arguments that its forward function was called with.

    Each element of the argument is moved up and down. Of an argument with many elements a fixed
    random sample is tested in this way, and all of them at once along random directions: where
    the gradient does not agree with the slope along one, halving it leads to an element that is
    wrong. So one wrong element among many is found, unless it is off by much less than the size of
    the whole gradient, or the function has kinks everywhere.

    Args:
        func: the forward function, on arrays.
        back: the backward function of its argument `arg`.
        args, kwargs: what `func` is called with: arrays and numbers; not changed.
        at_most: of an argument with more elements so many are tested, fewer where the arrays are
            large.
        eps, atol, rtol: see `gradcheck`.
        seconds: after so many of the processor's time no more elements are tested one by one.
        pulse: called before each evaluation of `func`; what it raises ends the check.

    Raises:
        GradcheckError: the backward function raises, or returns no gradient of the argument's
            shape, or changes what it is given.
        CannotCheck: `func` raises, is not finite, or gives something else when called again.
    """
    arrays = [_array_in_float64(value) for value in args]
    keywords = {name: _array_in_float64(value) for name, value in (kwargs or {}).items()}
    x = np.array(arrays[arg], FLOAT64)
    arrays[arg] = x

    def evaluate(moved: Array) -> Array:
        if pulse is not None:
            pulse()
        try:
            return _result(func(*arrays[:arg], moved, *arrays[arg + 1 :], **keywords))
        except Exception as error:
            raise CannotCheck(f"{_named(func)} raised {_told(error)}") from error

    here = _steady_result(evaluate, func, arrays, arg)
    grad_out = weights(here.shape)

    def gradient(grad_out: Array) -> Array:
        return _gradient(back, grad_out, here, arrays, keywords, x.shape)

    got = gradient(grad_out)
    differences = Differences(evaluate, x, grad_out, eps, atol, rtol)
    numbers = x.size + sum(a.size for a in (here, *arrays) if isinstance(a, np.ndarray))
    tally = Tally(arg, got, differences)
    tally.test(_within(seconds, _sample(x.shape, at_most, numbers)))
    directions = 0
    if tally.all_right and not tally.complete:
        directions = _test_along_directions(tally, x.shape, differences, gradient)
    return tally.result(directions)


@dataclass(frozen=True, eq=False)
class Difference:
    """Where two backward functions differ."""

    index: Place
    """The first element of the gradient that is not the same."""
    got: float
    """What the one gives there."""
    other: float
    """What the other gives."""
    grad_out: Array
    """What both were called with."""


@np.errstate(all="ignore")
def first_difference(
    func: ForwardFunc,
    back: BackFunc,
    other: BackFunc,
    arg: int,
    args: Sequence[Any],
    kwargs: dict[str, Any] | None = None,
    rtol: float = 1e-4,
    atol: float = 1e-12,
) -> Difference | None:
    """Where two backward functions of the same argument differ first, and what they give there.

    They are called with a grad_out of ones, where the numbers are easy to follow, and then with
    that of `check_backward_func`; None where they agree on both.

    Raises:
        GradcheckError: one of them raises, or returns no gradient of the argument's shape.
        Whatever `func` raises.
    """
    arrays = [_array_in_float64(value) for value in args]
    keywords = {name: _array_in_float64(value) for name, value in (kwargs or {}).items()}
    x = arrays[arg] = np.array(arrays[arg], FLOAT64)
    out = _result(func(*arrays, **keywords)).copy(order="K")
    for grad_out in (np.ones(out.shape), weights(out.shape)):
        mine, others = (
            _gradient(each, grad_out, out, arrays, keywords, x.shape) for each in (back, other)
        )
        differ = ~np.isclose(mine, others, rtol=rtol, atol=atol, equal_nan=True)
        if differ.any():
            place = tuple(int(i) for i in np.argwhere(differ)[0])
            return Difference(place, float(mine[place]), float(others[place]), grad_out)
    return None


def _test_along_directions(
    tally: Tally,
    shape: tuple[int, ...],
    differences: Differences,
    gradient: Callable[[Array], Array],
) -> int:
    """Test all elements at once, and those that are found to be suspect by themselves; along how
    many directions that said something."""
    random = np.random.default_rng(3)
    told = 0
    for _ in range(DIRECTIONS):
        direction = random.uniform(0.5, 1.5, shape) * np.where(random.random(shape) < 0.5, -1, 1)
        says, suspect = differences.suspect(direction, gradient)
        told += says
        if suspect is not None:
            tally.test([suspect])
        if not tally.all_right:
            break
    return told


def _steady_result(
    evaluate: Callable[[Array], Array], func: ForwardFunc, arrays: list[Any], arg: int
) -> Array:
    """The function's result, where it is finite, the same for each call, and leaves its arguments
    alone.

    Raises:
        CannotCheck: it is not so.
    """
    for i, value in enumerate(arrays):
        _require_finite(value, f"argument {i}")
    before = [_array_in_float64(value) for value in arrays]
    here = evaluate(arrays[arg]).copy(order="K")
    again = evaluate(arrays[arg])
    changed = _changed(before, arrays)
    if changed is not None:
        raise CannotCheck(f"{_named(func)} changes its argument {changed} in place")
    if here.shape != again.shape or not np.array_equal(here, again, equal_nan=True):
        raise CannotCheck(
            f"{_named(func)} gives something else when it is called again with the same arguments"
        )
    _require_finite(here, "its result")
    return here


def _require_finite(value: Any, what: str) -> None:
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        finite = np.count_nonzero(np.isfinite(value))
        count = value.size - finite
        if count == value.size == 1:
            raise CannotCheck(f"{what} is not finite")
        if count:
            raise CannotCheck(
                f"{count:,} of {value.size:,} elements of {what} "
                f"{'is' if count == 1 else 'are'} not finite"
            )


def _gradient(
    back: BackFunc,
    grad_out: Array,
    out: Array,
    arrays: list[Any],
    keywords: dict[str, Any],
    shape: tuple[int, ...],
) -> Array:
    """What the backward function returns, called with copies.

    Raises:
        GradcheckError: it is no gradient of this shape.
    """
    given = [_array_in_float64(value) for value in (grad_out, out, *arrays)]
    try:
        result = back(*given, **keywords)
    except Exception as error:
        raise GradcheckError(f"{_named(back)} raised {_told(error)}") from error
    if result is None:
        raise GradcheckError(f"{_named(back)} returned None instead of a gradient")
    got = np.asarray(result.array if isinstance(result, Tensor) else result)
    if got.dtype.kind not in "fiub":
        raise GradcheckError(f"{_named(back)} returned {got.dtype}, not numbers")
    if got.shape != shape:
        raise GradcheckError(
            f"{_named(back)} returned a gradient of shape {got.shape}; its argument has shape "
            f"{shape}"
        )
    changed = _changed([grad_out, out, *arrays], given)
    if changed is not None:
        what = ("grad_out", "out")[changed] if changed < 2 else f"argument {changed - 2}"
        raise GradcheckError(f"{_named(back)} changes {what} in place, which others use as well")
    return got.astype(FLOAT64)


def _changed(before: Sequence[Any], after: Sequence[Any]) -> int | None:
    """The first array that is not what it was."""
    for i, (old, new) in enumerate(zip(before, after, strict=True)):
        if isinstance(old, np.ndarray) and not np.array_equal(
            old, new, equal_nan=old.dtype.kind == "f"
        ):
            return i
    return None


def _result(result: Any) -> Array:
    array = np.asarray(result.array if isinstance(result, Tensor) else result)
    if array.dtype.kind not in "fiub":
        raise CannotCheck(f"its result is {array.dtype}")
    return array if array.dtype.kind == "f" else array.astype(FLOAT64)


def _sample(shape: tuple[int, ...], at_most: int, numbers: int) -> Iterator[Place]:
    """All places, or of too many a fixed random sample; `numbers` is how many go through the
    function each time."""
    size = math.prod(shape)
    if size <= at_most:
        return np.ndindex(shape)
    many = min(at_most, max(LEAST, WORK // numbers))
    chosen = np.random.default_rng(0).choice(size, many, replace=False)
    return (tuple(int(i) for i in np.unravel_index(flat, shape)) for flat in chosen)


def _within(seconds: float | None, places: Iterable[Place]) -> Iterator[Place]:
    """The places until the time is over; a busy machine makes no difference."""
    until = math.inf if seconds is None else time.process_time() + seconds
    return itertools.takewhile(lambda _: time.process_time() < until, places)


def _array_in_float64(value: Any) -> Any:
    """A copy, in float64 where it is a float; indices, masks, tuples, text stay what they are."""
    if isinstance(value, np.ndarray):
        return value.astype(FLOAT64) if value.dtype.kind == "f" else value.copy()
    return float(value) if isinstance(value, (float, np.floating)) else value


def _named(function: Any) -> str:
    return str(getattr(function, "__name__", None) or repr(function))


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
