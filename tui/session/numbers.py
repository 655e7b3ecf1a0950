"""Numbers as they are printed: four digits, with a leading zero."""

from __future__ import annotations

import contextlib
import functools
import math
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from tui.session.protocol import Array
from tui.session.tensors.chunks import CHUNK, chunks

TOO_COARSE = 0.02
"""A number that is rounded by a larger share of itself is printed with digits of its own."""

MOST_DECIMALS, A_FEW = 6, 0.1
"""More decimals than usual are printed where without them more than such a share would have digits
of their own."""

INLINE = 6
"""An array with at most so many elements is printed in a line."""


def number(value: Any) -> str:
    """One number with four significant digits; whole numbers up to seven digits in full."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, np.integer)) and abs(int(value)) < 10**7:
        return str(int(value))
    value = float(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Inf" if value > 0 else "-Inf"
    if value == 0:
        return "0"
    if value.is_integer() and abs(value) < 10**7:
        return str(int(value))
    text = f"{value:.4g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        if 0 <= int(exponent) < 7:
            return f"{value:.0f}"
        return f"{mantissa}e{int(exponent)}"
    return text


def apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers that are not the same, with as many digits as it takes to tell them apart."""
    if number(one) != number(other) or one == other:
        return number(one), number(other)
    for digits in range(5, 17):
        shown, others = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if shown != others:
            break
    return shown, others


def share(fraction: float) -> str:
    """A share in percent; 0 % and 100 % are said of none and of all alone."""
    shown = min(99, round(100 * fraction)) if fraction < 1 else 100
    return f"{shown} %" if shown or not fraction else "<1 %"


def is_inline(array: Array) -> bool:
    """Whether an array is small enough to be printed in a line."""
    return array.size <= INLINE and array.ndim <= 2


def inline(array: Array) -> str:
    """A small array in a line: `[0.2171 0.0724 0.1448]`, all with as many decimals as the largest
    needs for four digits; one element without brackets only where the array is 0-d or has one."""
    if array.size == 1:
        return number(array.reshape(-1)[0])
    if array.ndim > 1:
        return "[" + " ".join(_between_brackets(row, array) for row in array) + "]"
    return inline_row(array)


def inline_row(row: Array) -> str:
    """The elements of a vector between brackets."""
    return _between_brackets(row, row)


def _between_brackets(row: Array, whole: Array) -> str:
    return "[" + " ".join(aligned(row.reshape(-1), whole)) + "]"


def aligned(row: Array, whole: Array, strip: bool = True) -> list[str]:
    """The elements of a vector with as many decimals as the largest of `whole` needs, or as all but
    a few need; with `strip` without zeros at the end. One that is too small even so gets its own.
    """
    finite = np.abs(whole[np.isfinite(whole)].astype(float)) if whole.dtype.kind == "f" else None
    largest = float(finite.max()) if finite is not None and finite.size else 0.0
    if finite is None or not 1e-3 <= largest < 1e5 or np.all(finite == np.round(finite)):
        return [number(value) for value in row]
    shown = float(f"{largest:.4g}")  # 0.99999994, which is printed as 1, counts as 1
    decimals = _decimals(finite, max(0, min(4, 3 - math.floor(math.log10(shown)))))
    return [_fixed(float(value), decimals, strip) for value in row]


def _decimals(sizes: Array, least: int) -> int:
    """So many at least, more where else many of the numbers were too coarse, if that helps."""
    sizes = sizes[sizes > 0]
    for decimals in range(least, MOST_DECIMALS + 1):
        too_coarse = np.abs(np.round(sizes, decimals) - sizes) > TOO_COARSE * sizes
        if np.count_nonzero(too_coarse) <= A_FEW * sizes.size:
            return decimals
    return least


def _fixed(value: float, decimals: int, strip: bool) -> str:
    if value == 0 or not math.isfinite(value):
        return number(value)
    text = f"{value:.{decimals}f}"
    if abs(float(text) - value) > TOO_COARSE * abs(value):
        return number(value)
    return text.rstrip("0").rstrip(".") if strip and "." in text else text


@functools.lru_cache(maxsize=256)
def shape(dims: tuple[int, ...]) -> str:
    """A shape as NumPy writes it, without spaces: `(64,10)`, `(3,)`, `()`."""
    return "(" + ",".join(map(str, dims)) + ("," if len(dims) == 1 else "") + ")"


def place(index: tuple[int, ...]) -> str:
    """The place of an element, `[1, 2]`; nothing for the only one of a 0-d array."""
    return "[" + ", ".join(map(str, index)) + "]" if index else ""


def norm(array: Array) -> float:
    """The square root of the sum of the squares of the finite elements."""
    whole = _norm_at_once(array)
    if whole is not None:
        return whole
    return math.hypot(*(_length(finite_values(chunk)) for _, chunk in chunks(array)))


def _norm_at_once(array: Array) -> float | None:
    """The norm of what float64 can square without a thought, where all of it is finite: float32.
    None of anything else."""
    if array.dtype.char not in "ef":
        return None
    parts = [array] if array.size <= CHUNK else (chunk for _, chunk in chunks(array))
    lengths = []
    for part in parts:
        values = part.astype(np.float64).reshape(-1)
        np.multiply(values, values, out=values)
        total = float(np.add.reduce(values))
        if not math.isfinite(total):
            return None
        lengths.append(math.sqrt(total))
    return math.hypot(*lengths)


def finite_values(array: Array) -> Array:
    """The finite elements in a row, in float64."""
    values = array.astype(np.float64).reshape(-1)
    finite = np.isfinite(values)
    return values if finite.all() else values[finite]


def moments(values: Array) -> tuple[float, float, float]:
    """Mean, standard deviation (ddof 0) and norm of finite numbers, also where their squares or
    their sum would be too large or too small for float64; of none all are 0."""
    scaled, scale = _scaled(values)
    if scale == 0:
        return 0.0, 0.0, 0.0
    return float(scaled.mean() * scale), float(scaled.std() * scale), _length(values)


def _length(values: Array) -> float:
    scaled, scale = _scaled(values)
    # No `@`: on a busy machine a BLAS with several threads takes a hundred times as long for it.
    return float(np.sqrt(np.square(scaled).sum())) * scale


def _scaled(values: Array) -> tuple[Array, float]:
    """Finite numbers whose squares are neither too large nor too small, and what they were divided
    by; 0 where all are 0."""
    largest = float(max(values.max(), -values.min())) if values.size else 0.0
    if largest == 0 or 1e-100 < largest < 1e100:
        return values, 1.0 if largest else 0.0
    return values / largest, largest


def measure(array: Array) -> str:
    """A signed value for one element, a norm for more; NaN and Inf are named."""
    if array.size == 1:
        return number(array.reshape(-1)[0])
    if array.size < HUGE:
        return _measured_once(array) if _once is not None else _measured(array)
    key = id(array)
    known = _measures.get(key)
    if known is None or known[0]() is not array:
        there = weakref.ref(array, functools.partial(_forget, key))
        known = _measures[key] = there, _measured(array)
    return known[1]


@contextlib.contextmanager
def each_measured_once() -> Iterator[None]:
    """A block in which nothing changes: an array that is measured again in it is what it was. (The
    gradient of a step stands in the rail and in the explanation, and where it is handed on.)"""
    global _once
    _once = {}
    try:
        yield
    finally:
        _once = None


def _measured_once(array: Array) -> str:
    assert _once is not None
    known = _once.get(id(array))
    if known is None:
        known = _once[id(array)] = array, _measured(array)
    return known[1]


_once: dict[int, tuple[Array, str]] | None = None
"""By id, the arrays that were measured in such a block; None outside of one."""


def _forget(key: int, gone: weakref.ref[Array]) -> None:
    if key in _measures and _measures[key][0] is gone:
        del _measures[key]


HUGE = 1 << 20
"""An array with so many elements is measured once: a screen shows it with every key."""

_measures: dict[int, tuple[weakref.ref[Array], str]] = {}
"""By id, the huge arrays that are still there, and what was measured."""


def _measured(array: Array) -> str:
    whole = _norm_at_once(array)
    if whole is not None:
        return number(whole)
    if array.dtype.kind == "f" and not all(np.isfinite(part).all() for _, part in chunks(array)):
        return "NaN" if any(np.isnan(part).any() for _, part in chunks(array)) else "Inf"
    return number(norm(array))


def in_words(array: Array) -> str:
    """A small array in a line, a larger one as its shape and norm."""
    if is_inline(array):
        return inline(array)
    return f"{shape(array.shape)} norm {measure(array)}"
