"""Read-only arrays of zeros and ones, which NumPy would make, or convert, anew at each call."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from engine.registry import Array
from engine.tensor import FLOAT32

MANY = 1 << 17
"""For more elements nothing is kept."""


@functools.lru_cache(maxsize=8)
def ones(length: int, dtype: np.dtype[Any]) -> Array:
    """(length,). `ones(n, dtype).dot(a)` adds up the elements of an array (n,), or the rows of a
    matrix (n, m), several times faster than NumPy's sum along dimension 0."""
    ones = np.ones(length, dtype)
    ones.flags.writeable = False
    return ones


@functools.lru_cache(maxsize=8)
def zeros(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """For `np.maximum`: with a single number it takes two to three times as long. At most `MANY`
    elements."""
    zeros = np.zeros(shape, dtype)
    zeros.flags.writeable = False
    return zeros


def zero_for(x: Array) -> Any:
    """0 as an array, or as a number where that is as quick."""
    return ZERO if x.dtype is FLOAT32 else 0.0


def zeros_for(x: Array) -> Any:
    """0 as `np.maximum` is quickest with."""
    few = x.size <= MANY and x.dtype.kind == "f" and x.flags.c_contiguous
    return zeros(x.shape, x.dtype) if few else zero_for(x)


ZERO = np.zeros((), np.float32)
"""0 in float32."""
ZERO.flags.writeable = False
