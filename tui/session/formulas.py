"""A backward function's formula, with the names and the numbers of a step put in."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
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


def source_of(function: Callable[..., Any]) -> list[str] | None:
    """The function's lines without annotations, docstring and needless indentation; None where
    the source is not to be had."""
    try:
        text = textwrap.dedent(inspect.getsource(function))
        definition = ast.parse(text).body[0]
    except (OSError, TypeError, SyntaxError):
        return None
    if not isinstance(definition, ast.FunctionDef):
        return text.splitlines()
    body = definition.body
    if ast.get_docstring(definition) is not None and len(body) > 1:
        body = body[1:]
    lines = textwrap.dedent("\n".join(text.splitlines()[body[0].lineno - 1 :])).splitlines()
    heading = f"{definition.name}({', '.join(parameter_names(function))}):"
    return [heading, *("  " + line for line in lines)]


def is_expression(formula: str) -> bool:
    """Whether a formula is an expression, not a sentence."""
    try:
        tree = ast.parse(formula, mode="eval")
    except (SyntaxError, ValueError):
        return False
    return not isinstance(tree.body, ast.Name) or formula == "grad_out"


def put_in(formula: str, replacements: dict[str, str]) -> str:
    """The formula with its variables replaced: `grad_out * y` to `grad_out * b`, or `1 * 2`.

    A word with an attribute (`y.T`) is replaced as a whole where there is a replacement for it,
    else by that of the word, with the attribute kept (and `.T.T` left out).
    """

    def replaced(match: re.Match[str]) -> str:
        if match.group() in replacements:
            return replacements[match.group()]
        word, _, attribute = match.group().partition(".")
        if word not in replacements:
            return match.group()
        replacement = replacements[word]
        if attribute == "T" and replacement.endswith(".T"):
            return replacement.removesuffix(".T")
        return replacement + (f".{attribute}" if attribute else "")

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
