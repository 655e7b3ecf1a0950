"""What a formula gives, beside what a function has returned.

The formula is computed in float64, of the very arrays that the function was called with. What
rounding does to it is seen from how far the same formula in their own dtype is off: where it
cancels, by much. What is further off than a hundred times that, than a part in a thousand, and than
the smallest number that there is in their dtype, is no rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tui.session import formulas, numbers
from tui.session.protocol import Array

AT_MOST = 1_000_000
"""Of larger arrays nothing is computed anew."""

OFF = 1e-3
ROUNDING = 100.0

Index = tuple[int, ...]


def relation(formula: str, values: dict[str, Any], result: Array) -> str:
    """What stands between a formula, with its variables as they are printed, and its result as it
    is printed: `=` where the one gives the other, `≈` where rounding shows, `is not` where it is
    another number, and `gives` where the formula has functions in it that `evaluate` does not know.
    """
    try:
        with np.errstate(all="ignore"):
            again = formulas.evaluate(
                formula, {name: _printed(value) for name, value in values.items()}
            )
    except (ValueError, TypeError, ZeroDivisionError, SyntaxError):
        return "gives"
    if numbers.inline(np.asarray(again)) == numbers.inline(result):
        return "="
    return "≈" if disagreement(formula, values, result) is None else "is not"


def disagreement(formula: str, values: dict[str, Any], result: Array) -> tuple[Index, float] | None:
    """Where a result is furthest from what a formula gives, and what that is; None where they
    agree, but for rounding, or the formula cannot be computed."""
    if max((getattr(v, "size", 1) for v in (*values.values(), result)), default=1) > AT_MOST:
        return None
    try:
        with np.errstate(all="ignore"):
            exact = np.asarray(formulas.evaluate(formula, _in_float64(values)))
            rounded = np.asarray(formulas.evaluate(formula, values), np.float64)
    except (ValueError, TypeError, ArithmeticError, SyntaxError):
        return None
    if exact.shape != result.shape or exact.dtype.kind not in "fiub" or not result.size:
        return None
    with np.errstate(all="ignore"):
        found = result.astype(np.float64)
        sizes = np.maximum(np.abs(exact), np.abs(found))
        off, least = OFF, 0.0
        if result.dtype.kind == "f":
            limits = np.finfo(result.dtype)
            off, least = max(OFF, 64 * float(limits.eps)), float(limits.smallest_subnormal)
        beyond = np.abs(exact - found) - off * sizes - ROUNDING * np.abs(exact - rounded) - least
    beyond = np.where(np.isfinite(beyond), beyond, -1.0)
    if not (beyond > 0).any():
        return None
    at = tuple(int(i) for i in np.unravel_index(int(np.argmax(beyond)), beyond.shape))
    return at, float(exact[at])


def _in_float64(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.astype(np.float64)
        if isinstance(value, np.ndarray) and value.dtype.kind == "f"
        else value
        for name, value in values.items()
    }


def _printed(value: Any) -> Any:
    """A small array with each element as it is printed; anything else as it is."""
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or not numbers.is_inline(value):
        return value
    text = numbers.inline(value).replace("[", " ").replace("]", " ")
    return np.array([float(word) for word in text.split()]).reshape(value.shape)
