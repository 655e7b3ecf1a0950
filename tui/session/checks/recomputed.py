"""Whether a value is still what its operation makes of its arguments.

Whoever has written into `.array` between the forward pass and the session leaves no other trace:
the arguments are other numbers now than those of which the value was computed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from tui.session import numbers
from tui.session.protocol import Array

AT_MOST = 4_000_000
"""A result with more elements is not computed again: that would be felt at the step."""

ROUNDING = 16
"""By so many units in the last place of the largest element a result may differ: sums may be added
up in another order."""


def difference(
    func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], value: Array
) -> str | None:
    """Where a value differs from what the function makes of the arguments, in words.

    None where it does not, and where that cannot be told: for a function that is not the engine's
    or NumPy's own (it may count, draw or print) and for a very large result.
    """
    own = isinstance(func, np.ufunc) or getattr(func, "__module__", "").startswith("engine.")
    if not own or value.size > AT_MOST:
        return None
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            again = np.asarray(func(*args, **kwargs)).astype(value.dtype, copy=False)
        except Exception:
            return None  # what it says of itself is said elsewhere
    if again.shape != value.shape:
        return f"it has the shape {value.shape}, and now it would be {again.shape}"
    if again.tobytes() == value.tobytes():
        return None
    return _first_difference(again, value)


def _first_difference(again: Array, value: Array) -> str | None:
    same = (again == value) | ((again != again) & (value != value))
    if value.dtype.kind == "f":
        finite = value[np.isfinite(value)]
        largest = float(np.abs(finite).max()) if finite.size else 0.0
        allowed = ROUNDING * float(np.finfo(value.dtype).eps) * largest
        with np.errstate(all="ignore"):
            same |= np.abs(again.astype(np.float64) - value.astype(np.float64)) <= allowed
    differs = np.argwhere(~same)
    if not len(differs):
        return None
    first = tuple(int(i) for i in differs[0])
    where = f" at {numbers.place(first)}" if first else ""
    return f"it is {numbers.number(value[first])}{where}, and now {numbers.number(again[first])}"
