"""A backward function's formula, with the names and the numbers of a step put in."""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import re
import textwrap
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

import numpy as np

WORD = re.compile(r"[A-Za-z_]\w*(?:\.\w+)?")
NEEDLESS = re.compile(r"\((\(-[\d.e+-]+\))\)")
"""Parentheses around those of a negative number."""


def formula_of(function: Callable[..., Any]) -> str | None:
    """The first line of the function's docstring; None where it has none."""
    docstring = getattr(function, "__doc__", None)
    if not isinstance(docstring, str):
        docstring = inspect.getdoc(function)  # it may have inherited one
    return None if docstring is None else _first_line(docstring)


@functools.lru_cache(maxsize=256)
def _first_line(docstring: str) -> str | None:
    text = inspect.cleandoc(docstring)
    return text.partition("\n")[0].strip() if text else None


def source_of(function: Callable[..., Any]) -> list[str] | None:
    """The function's lines without annotations, docstring and needless indentation; None where
    the source is not to be had."""
    try:
        return _source_of(function)
    except TypeError:  # not even hashable: an object with a __call__
        return None


@functools.lru_cache(maxsize=256)
def _source_of(function: Callable[..., Any]) -> list[str] | None:
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


@functools.lru_cache(maxsize=256)
def is_expression(formula: str) -> bool:
    """Whether a formula is an expression, not a sentence."""
    try:
        tree = parsed(formula)
    except (SyntaxError, ValueError):
        return False
    return not isinstance(tree, ast.Name) or formula == "grad_out"


@functools.lru_cache(maxsize=256)
def parsed(formula: str) -> ast.expr:
    """A formula as a tree, which is everybody's: nothing may be changed in it.

    Raises:
        SyntaxError, ValueError: it is a sentence.
    """
    return ast.parse(formula, mode="eval").body


@functools.lru_cache(maxsize=256)
def words_of(formula: str) -> frozenset[str]:
    """The variables and functions of a formula, without their attributes."""
    return frozenset(match.group().partition(".")[0] for match in WORD.finditer(formula))


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

    return NEEDLESS.sub(r"\1", WORD.sub(replaced, formula))


def parameter_names(function: Callable[..., Any]) -> list[str]:
    """The names of a backward function's positional parameters; empty where they are unknown."""
    if _is_plain(function):
        return list(_names_of(function))
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]


def bound(
    function: Callable[..., Any], positional: Sequence[Any], keywords: Mapping[str, Any]
) -> dict[str, Any]:
    """By the names of its parameters, what a function is called with.

    Raises:
        TypeError, ValueError: it cannot be called so, or does not say how it can.
    """
    if _is_plain(function):
        names = _names_of(function)
        given = {**dict(zip(names, positional, strict=False)), **keywords}
        if len(names) == len(positional) + len(keywords) and given.keys() == set(names):
            return given
    arguments = inspect.signature(function).bind(*positional, **keywords)
    arguments.apply_defaults()
    return arguments.arguments


def _is_plain(function: Callable[..., Any]) -> TypeGuard[types.FunctionType]:
    """Whether a function's parameters are no more than names, so that nobody needs to ask
    `inspect`, which takes long."""
    if not isinstance(function, types.FunctionType) or function.__dict__:
        return False
    code = function.__code__
    return not (
        function.__defaults__
        or code.co_posonlyargcount
        or code.co_kwonlyargcount
        or code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    )


def _names_of(function: types.FunctionType) -> tuple[str, ...]:
    code = function.__code__
    return code.co_varnames[: code.co_argcount]


_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.MatMult: np.matmul,
    ast.Pow: np.power,
    ast.USub: np.negative,
    ast.BitOr: np.maximum,  # of truths, which are numbers here
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Eq: np.equal,
}

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(np, name) for name in ("abs", "cos", "exp", "log", "sign", "sin", "sqrt", "tanh")
}


def evaluate(formula: str, values: dict[str, Any]) -> Any:
    """The value of a formula: numbers, variables, arithmetic, comparisons, `.T` and a few
    functions. Nothing else is run, whatever a docstring says.

    Raises:
        ValueError: the formula has something else in it.
    """
    return _value(parsed(formula), values)


def _value(node: ast.AST, values: dict[str, Any]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as value):
            return value
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.Attribute(value=inner, attr="T"):
            return np.swapaxes(_value(inner, values), -1, -2)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left, values), _value(right, values))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(operand, values))
        case ast.Compare(left=left, ops=ops, comparators=rights) if (
            set(map(type, ops)) <= _OPERATORS.keys()
        ):
            sides = [_value(side, values) for side in (left, *rights)]
            # As numbers, which can be added: NumPy's own truths cannot.
            holds = 1.0
            for comparison, (one, other) in zip(ops, itertools.pairwise(sides), strict=True):
                holds = holds * _OPERATORS[type(comparison)](one, other)
            return holds
        case ast.Call(func=ast.Name(id="where"), args=[condition, one, other], keywords=[]):
            chosen = _value(condition, values)
            return np.where(chosen, _value(one, values), _value(other, values))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](_value(argument, values))
    raise ValueError(f"not evaluated: {ast.unparse(node)}")
