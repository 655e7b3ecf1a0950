"""What a condition gives for one step, computed by NumPy part by part."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from tui.session import numbers
from tui.session.breaking.tree import (
    NUMBER,
    Arithmetic,
    Call,
    Choice,
    Comparison,
    Constant,
    Junction,
    Name,
    Negation,
    Signed,
    Tree,
)
from tui.session.breaking.wildcards import matches


class Values(Protocol):
    """What the names of a condition stand for at a step."""

    def get(self, name: str) -> Any:
        """An array, a number, a text or a shape."""

    def why(self, name: str) -> str | None:
        """Why one of the flags (`nan`, `zero` ...) holds; None where it does not."""


MOST_ELEMENTS = 10_000_000
"""Two arrays that are stretched to each other must not give more than so many, unless one of them
has as many by itself."""


class EvaluationError(Exception):
    """A condition cannot be computed at a step."""


def evaluate(tree: Tree, values: Values) -> Any:
    """What a part of a condition gives: an array or a number (truth values too), a text, a shape.

    Raises:
        EvaluationError: it cannot be computed from these values.
    """
    try:
        with np.errstate(all="ignore"):
            return _evaluate(tree, values)
    except (ArithmeticError, TypeError, ValueError, MemoryError) as error:
        raise EvaluationError(f"{tree.text} cannot be computed: {error}") from error


def holds(value: Any) -> bool:
    """Whether a result counts as true: an array does where any of its elements does."""
    return bool(np.any(value))


def _evaluate(tree: Tree, values: Values) -> Any:
    match tree:
        case Constant():
            return tree.value
        case Name():
            return values.get(tree.text)
        case Call():
            return _FUNCTIONS[tree.function](_evaluate(tree.argument, values))
        case Signed():
            value = as_numbers(_evaluate(tree.argument, values))
            return np.negative(value) if tree.sign == "-" else value
        case Arithmetic():
            return _arithmetic(tree, values)
        case Comparison():
            return _chain(tree, values)
        case Choice():
            found: Any = False
            value = _evaluate(tree.argument, values)
            for one in tree.among:
                found = np.logical_or(found, compare(value, "==", _evaluate(one, values)))
            return np.logical_not(found) if tree.negated else found
        case Junction(word="and"):
            return all(holds(_evaluate(part, values)) for part in tree.parts)
        case Junction():
            return any(holds(_evaluate(part, values)) for part in tree.parts)
        case Negation():
            return not holds(_evaluate(tree.part, values))


def _arithmetic(tree: Arithmetic, values: Values) -> Any:
    left = as_numbers(_evaluate(tree.left, values))
    right = as_numbers(_evaluate(tree.right, values))
    _check_stretching((tree.left.text, left), (tree.right.text, right))
    if np.ndim(left) == 0 and np.ndim(right) == 0:
        # Python's own numbers raise where NumPy's become Inf or NaN.
        left, right = np.float64(left), np.float64(right)
    return _OPERATORS[tree.operator](left, right)


def _chain(tree: Comparison, values: Values) -> Any:
    """`a < b < c` is `a < b` and `b < c`, element by element."""
    given = [_evaluate(argument, values) for argument in tree.arguments]
    if tree.arguments[0].kind == NUMBER:
        _check_stretching(*zip((argument.text for argument in tree.arguments), given, strict=True))
    result: Any = True
    for i, operator in enumerate(tree.operators):
        result = np.logical_and(result, compare(given[i], operator, given[i + 1]))
    return result


def compare(left: Any, operator: str, right: Any) -> Any:
    """One comparison, element by element; of texts the one at the right may have wildcards."""
    if isinstance(left, str):
        equal = matches(left, right) or matches(right, left)
        return equal if operator == "==" else not equal
    if isinstance(left, tuple):
        return (left == right) if operator == "==" else left != right
    return _OPERATORS[operator](left, right)


def as_numbers(value: Any) -> Any:
    """Truth values as 0 and 1, so that they can be added and subtracted."""
    if getattr(value, "dtype", None) == np.bool_:
        return value.astype(np.float64)
    return float(value) if isinstance(value, bool) else value


def _check_stretching(*operands: tuple[str, Any]) -> None:
    shapes = [np.shape(value) for _, value in operands]
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        described = " and ".join(
            f"{text} {numbers.shape(dims)}"
            for (text, _), dims in zip(operands, shapes, strict=True)
        )
        raise ValueError(f"{described} do not broadcast") from None
    size = math.prod(shape)
    if size > max(MOST_ELEMENTS, *(math.prod(dims) for dims in shapes)):
        raise ValueError(f"it would have {size:,} elements")


def _norm(value: Any) -> float:
    """The square root of the sum of the squares; NaN or Inf where an element is."""
    array = np.asarray(value, np.float64).reshape(-1)
    if np.isfinite(array).all():
        return numbers.moments(array)[2]
    return math.nan if np.isnan(array).any() else math.inf


def _reduced(name: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def reduce(value: Any) -> float:
        if np.size(value) == 0:
            raise ValueError(f"there is no {name} of an array without elements")
        return float(function(np.asarray(value)))

    return reduce


_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "isnan": np.isnan,
    "isinf": np.isinf,
    "norm": _norm,
    "abs": lambda value: np.abs(as_numbers(value)),
    "min": _reduced("min", np.min),
    "max": _reduced("max", np.max),
    "mean": _reduced("mean", lambda array: np.mean(array, dtype=np.float64)),
    "any": holds,
    "all": lambda value: bool(np.all(value)),
}

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.true_divide,
    "//": np.floor_divide,
    "%": np.mod,
    "**": np.power,
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
