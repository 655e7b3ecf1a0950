"""Making tensors from numbers and shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.random import generator
from engine.tensor import FLOAT32, Tensor

__all__ = [
    "arange",
    "empty",
    "eye",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "rand",
    "randint",
    "randn",
    "tensor",
    "zeros",
    "zeros_like",
]


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


def full(size: Any, fill_value: Any, requires_grad: bool = False, dtype: Any = None) -> Tensor:
    """A tensor of the given shape with one number in all places."""
    return Tensor(np.full(_shape((size,)), fill_value, dtype), requires_grad, dtype)


def zeros_like(x: Any, requires_grad: bool = False, dtype: Any = None) -> Tensor:
    """Zeros in the shape of `x`, and in its dtype where none is given."""
    return full_like(x, 0, requires_grad, dtype)


def ones_like(x: Any, requires_grad: bool = False, dtype: Any = None) -> Tensor:
    """Ones in the shape of `x`, and in its dtype where none is given."""
    return full_like(x, 1, requires_grad, dtype)


def full_like(x: Any, fill_value: Any, requires_grad: bool = False, dtype: Any = None) -> Tensor:
    """One number in all places of the shape of `x`, in its dtype where none is given."""
    array = np.full(x.shape, fill_value, x.dtype if dtype is None else dtype)
    return Tensor(array, requires_grad, array.dtype)


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


def linspace(
    start: float, end: float, steps: int, requires_grad: bool = False, dtype: Any = FLOAT32
) -> Tensor:
    """So many numbers at equal distances, the first one `start` and the last one `end`."""
    return Tensor(np.linspace(start, end, steps), requires_grad, dtype)


def eye(n: int, m: int | None = None, requires_grad: bool = False, dtype: Any = FLOAT32) -> Tensor:
    """A matrix of `n` rows and `m` columns (as many where it is None), ones on its diagonal."""
    return Tensor(np.eye(n, m, dtype=dtype), requires_grad, dtype)


def rand(*shape: Any, requires_grad: bool = False, dtype: Any = FLOAT32) -> Tensor:
    """Evenly distributed random numbers in [0, 1), from the engine's generator."""
    return Tensor(generator().random(_shape(shape)), requires_grad, dtype)


def randn(*shape: Any, requires_grad: bool = False, dtype: Any = FLOAT32) -> Tensor:
    """Normally distributed random numbers, mean 0 and variance 1, from the engine's generator."""
    return Tensor(generator().standard_normal(_shape(shape)), requires_grad, dtype)


def randint(*bounds_and_size: Any, dtype: Any = np.int64) -> Tensor:
    """Random integers: `randint(high, size)` from [0, high), `randint(low, high, size)` from
    [low, high).

    Raises:
        TypeError: neither of the two was asked for.
    """
    if len(bounds_and_size) not in (2, 3):
        raise TypeError("randint takes (high, size) or (low, high, size)")
    *bounds, size = bounds_and_size
    low, high = bounds if len(bounds) == 2 else (0, *bounds)
    return Tensor(generator().integers(low, high, _shape((size,))), dtype=dtype)


def _shape(given: tuple[Any, ...]) -> tuple[int, ...]:
    """The lengths, given one by one, or together in a tuple or list."""
    if len(given) == 1 and np.ndim(given[0]):
        return tuple(given[0])
    return given
