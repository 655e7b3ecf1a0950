"""A backward function's formula, with the names and the numbers of a step put in."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from tui.session import numbers
from tui.session.protocol import Array

WORD = re.compile(r"[A-Za-z_]\w*(?:\.\w+)?")


def formula_of(function: Callable[..., Any]) -> str | None:
    """The first line of the function's docstring; None where it has none."""
    docstring = inspect.getdoc(function)
    return docstring.partition("\n")[0].strip() if docstring else None


def is_expression(formula: str) -> bool:
    """Whether a formula is an expression, not a sentence."""
    try:
        tree = ast.parse(formula, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return not isinstance(tree.body, ast.Name) or formula == "grad_out"


def put_in(formula: str, replacements: dict[str, str]) -> str:
    """The formula with its variables replaced: `grad_out * y` to `grad_out * b`, or `1 * 2`.

    A word with an attribute (`y.T`) is replaced as a whole where its replacement is a name, and
    left alone where there is none.
    """

    def replaced(match: re.Match[str]) -> str:
        word, _, attribute = match.group().partition(".")
        if word not in replacements:
            return match.group()
        return replacements[word] + (f".{attribute}" if attribute else "")

    return WORD.sub(replaced, formula)


def parameter_names(function: Callable[..., Any]) -> list[str]:
    """The names of a backward function's positional parameters; empty where they are unknown."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def is_exact(
    function: Callable[..., Any], grad_out: Array, out: Array, args: tuple[Any, ...], result: Array
) -> bool:
    """Whether the printed digits of the operands give the printed digits of the result.

    The function is called once more, on the numbers as they are printed; only for functions of
    the engine, which do nothing but compute.
    """
    try:
        with np.errstate(all="ignore"):
            again = function(
                _printed(grad_out), _printed(out), *(_printed(argument) for argument in args)
            )
    except Exception:
        return False
    return numbers.inline(np.asarray(again, result.dtype)) == numbers.inline(result)


def _printed(value: Any) -> Any:
    """A small array with each element as it is printed; anything else as it is."""
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or not numbers.is_inline(value):
        return value
    text = numbers.inline(value).replace("[", " ").replace("]", " ")
    return np.array([float(word) for word in text.split()]).reshape(value.shape)
