"""A sum that is written down: the terms that matter, and how many more there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tui.session import numbers

WRITTEN = 2
"""So many terms of a longer sum are written down, the largest ones."""
SHORT = 3
"""A sum of no more than so many terms is written down whole."""

Term = tuple[float, ...]
"""The factors of one term."""


def printed(value: Any) -> str:
    """A number, in parentheses where it is negative."""
    text = numbers.number(value)
    return f"({text})" if text.startswith("-") else text


def sum_text(terms: Sequence[Term], result: float) -> str:
    """`0.2 * 3 + 0.1 * 2 + (61 more) + (1 zero) = 1.2`; where every term is written down and their
    printed digits give another result, with an approximate sign."""
    sizes = [abs(math.prod(term)) for term in terms]
    keys = sizes if math.isfinite(sum(sizes)) else [_key(size) for size in sizes]
    order = sorted(range(len(terms)), key=keys.__getitem__, reverse=True)
    order = [i for i in order if sizes[i] != 0]
    zeros = len(terms) - len(order)
    written = order if len(terms) <= SHORT else order[:WRITTEN]
    text = "".join(_written(terms[i], i == written[0]) for i in written)
    rest = len(order) - len(written)
    more = [f"({rest} more)"] if rest else []
    if zeros:
        counted = f"{zeros} zero" + ("s" if zeros > 1 else "")
        more.append(f"({counted})" if text else counted)
    text = " + ".join([text, *more] if text else more)
    sign = "=" if rest or _is_exact([terms[i] for i in written], result) else "≈"
    told = numbers.number(result)
    return text if text == told else f"{text} {sign} {told}"


def _written(term: Term, is_first: bool) -> str:
    """A term with the sign before it."""
    first, *others = (numbers.number(factor) for factor in term)
    text = " * ".join([first, *(f"({f})" if f.startswith("-") else f for f in others)])
    if is_first:
        return text
    return f" - {text[1:]}" if text.startswith("-") else f" + {text}"


def _is_exact(terms: Sequence[Term], result: float) -> bool:
    total = sum(math.prod(float(numbers.number(factor)) for factor in term) for term in terms)
    return numbers.number(total) == numbers.number(result)


def _key(size: float) -> float:
    """NaN before Inf before all others."""
    return math.inf if math.isnan(size) else min(size, 1.7e308)
