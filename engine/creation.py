"""Making tensors from numbers and shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.tensor import FLOAT32, Tensor


def tensor(array: Any, requires_grad: bool = False, dtype: Any = None) -> Tensor:
    """A new tensor with a copy of `array`."""
    source = array.array if isinstance(array, Tensor) else array
    return Tensor(np.array(source, dtype=dtype), requires_grad, dtype)


def empty(*shape: Any, requires_grad: bool = False, dtype: Any = FLOAT32) -> Tensor:
    """A tensor of the given shape whose elements are whatever the memory held."""
    return Tensor(np.empty(_shape(shape), dtype), requires_grad, dtype)


def zeros(*shape: Any, requires_grad: bool = False, dtype: Any = FLOAT32) -> Tensor:
    """A tensor of zeros of the given shape."""
    return Tensor(np.zeros(_shape(shape), dtype), requires_grad, dtype)


def ones(*shape: Any, requires_grad: bool = False, dtype: Any = FLOAT32) -> Tensor:
    """A tensor of ones of the given shape."""
    return Tensor(np.ones(_shape(shape), dtype), requires_grad, dtype)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    requires_grad: bool = False,
    dtype: Any = None,
) -> Tensor:
    """The numbers from `start` (0 where only an end is given) up to, not with, `end`."""
    if end is None:
        start, end = 0, start
    return Tensor(np.arange(start, end, step), requires_grad, dtype)


def _shape(given: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(given[0]) if len(given) == 1 and not isinstance(given[0], int) else given
