"""The errors of the engine that have a type of their own."""

from __future__ import annotations


class ShapeError(ValueError):
    """Shapes that do not go together."""


class BackwardError(RuntimeError):
    """A backward function is missing, or did something that is not a gradient."""


class CycleError(ValueError):
    """A graph that must be without cycles has one."""


class StateError(ValueError):
    """A state of a training that cannot be kept, or does not fit."""
