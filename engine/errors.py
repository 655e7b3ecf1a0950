"""The errors of the engine that have a type of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class ShapeError(ValueError):
    """Shapes that do not go together."""


class BackwardError(RuntimeError):
    """A backward function is missing, or did something that is not a gradient.

    Args:
        message: what is wrong.
        function: the backward function that did it; None where it is none.
    """

    def __init__(self, message: str, function: Callable[..., Any] | None = None) -> None:
        super().__init__(message)
        self.function = function


class CycleError(ValueError):
    """A graph that must be without cycles has one."""


class StateError(ValueError):
    """A state of a training that cannot be kept, or does not fit."""
