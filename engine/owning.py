"""Whether an array is held by one variable only, so that it can be given away without a copy."""

from __future__ import annotations

from sys import getrefcount

import numpy as np

from engine.registry import Array


def _references_to_one_held_once() -> int:
    array = np.empty(1)
    return getrefcount(array)


HELD_ONCE = _references_to_one_held_once()
"""What `getrefcount` gives in a function for an array that only a variable of it holds."""


def _references_to_a_base() -> int:
    array = np.empty((2, 2)).T
    base = array.base
    return getrefcount(base)


_BASE_HELD_ONCE = _references_to_a_base()


def owns_memory(array: Array) -> bool:
    """Whether the array's memory is its own: it is no view, or the only one of an array that
    nobody else holds."""
    base = array.base
    if base is None:
        return True
    return (
        base.__class__ is np.ndarray
        and base.base is None
        and getrefcount(base) == _BASE_HELD_ONCE
        and base.size == array.size
        and array.flags.writeable
    )
