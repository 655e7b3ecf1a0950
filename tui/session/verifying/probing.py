"""Arguments made up for a function that nobody has called yet."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tui.session.numbers import shape
from tui.session.protocol import Array

ALIKE: tuple[tuple[int, ...], ...] = ((3,), (2, 3), (), (3, 3))
"""Shapes that all arguments have."""

PAIRS: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((2, 3), (3,)),
    ((3,), (2, 3)),
    ((2, 3), (2, 1)),
    ((2, 1), (2, 3)),
    ((2, 3), (3, 2)),
)
"""Shapes of two arguments: some that broadcast, and matrices that can be multiplied."""


def cases(
    func: Callable[..., Any], back: Callable[..., Any], arg: int
) -> Iterator[tuple[str, list[Array]]]:
    """Random arguments for a forward function, and their shapes in words.

    The first ones hold numbers of both signs, the others positive ones: a function may be defined
    for these alone. None is near 0.
    """
    count = argument_count(func, back, arg)
    if count is None:
        return
    shapes: list[tuple[tuple[int, ...], ...]] = [(dims,) * count for dims in ALIKE]
    if count == 2:
        shapes += PAIRS
    random = np.random.default_rng(0)
    for signed in (True, False):
        for several in shapes:
            args = [random.uniform(0.5, 1.5, dims) for dims in several]
            if signed:
                args = [
                    values * np.where(random.random(values.shape) < 0.5, -1, 1) for values in args
                ]
            alike = len(set(several)) == 1
            yield shape(several[0]) if alike else " with ".join(map(shape, several)), args


def argument_count(func: Callable[..., Any], back: Callable[..., Any], arg: int) -> int | None:
    """How many positional arguments a forward function takes at least; None where nothing tells."""
    if isinstance(func, np.ufunc):
        return func.nin
    for function, before in ((func, 0), (back, 2)):
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            continue
        needed = sum(
            p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) and p.default is p.empty
            for p in parameters
        )
        return max(needed - before, arg + 1)
    return None
