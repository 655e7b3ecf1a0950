"""Why a condition holds, with the numbers: `12.3 > 10`, `NaN at [1], the first of 3`."""

from __future__ import annotations

from typing import Any

import numpy as np

from tui.session import numbers
from tui.session.breaking.evaluation import Values, evaluate, holds
from tui.session.breaking.syntax import FLAGS
from tui.session.breaking.tree import (
    NUMBER,
    Call,
    Choice,
    Comparison,
    Junction,
    Name,
    Negation,
    Tree,
)
from tui.session.breaking.wildcards import has_wildcard

IS = {"isnan": "NaN", "isinf": "Inf"}


def reason(tree: Tree, values: Values) -> str:
    """What makes a condition hold that holds, several parts with commas between them; nothing
    where its text says all of it, as `op == "matmul"` does."""
    match tree:
        case Junction(word="and"):
            said = dict.fromkeys(reason(part, values) for part in tree.parts)
            return ", ".join(filter(None, said))
        case Junction():
            return next(reason(p, values) for p in tree.parts if holds(evaluate(p, values)))
        case Negation():
            return f"{tree.part.text} does not hold"
        case Choice() if tree.argument.kind != NUMBER:
            return _is(tree.argument, values)
        case Comparison() if tree.arguments[0].kind != NUMBER:
            if tree.operators == ("==",) and not has_wildcard(tree.text):
                return ""
            named = next((a for a in tree.arguments if isinstance(a, Name)), tree.arguments[0])
            return _is(named, values)
        case Comparison():
            return _compared(tree, values)
        case Call(function="isnan" | "isinf"):
            return IS[tree.function] + _where(evaluate(tree, values))
        case Call(function="any"):
            return reason(tree.argument, values)
        case Call(function="all"):
            return f"{tree.argument.text} in all of its elements"
        case Name() if tree.text in FLAGS:
            return values.why(tree.text) or ""
        case _:
            value = evaluate(tree, values)
            return f"{tree.text} is {_at_first(value, np.asarray(value) != 0)}"


def _is(tree: Tree, values: Values) -> str:
    value = evaluate(tree, values)
    return f"{tree.text} is {numbers.shape(value) if isinstance(value, tuple) else value}"


def _compared(tree: Comparison, values: Values) -> str:
    """The numbers in the place of their names, of the first elements for which it holds."""
    given = [evaluate(argument, values) for argument in tree.arguments]
    mask = np.asarray(evaluate(tree, values))
    index = tuple(int(i) for i in np.argwhere(mask)[0])
    picked = [np.broadcast_to(value, mask.shape)[index] for value in given]
    words = [numbers.number(one) for one in picked]
    pairs = zip(words, tree.operators, words[1:], strict=False)
    if any(left == right for left, operator, right in pairs if operator in ("<", ">", "!=")):
        words = [str(one) for one in picked]  # four digits do not tell them apart
    if tree.operators == ("==",) and mask.size == 1:
        return ""
    text = words[0] + "".join(
        f" {operator} {word}" for operator, word in zip(tree.operators, words[1:], strict=True)
    )
    return text + _where(mask)


def _at_first(value: Any, mask: Any) -> str:
    array = np.asarray(value)
    index = tuple(int(i) for i in np.argwhere(mask)[0])
    return numbers.number(array[index]) + _where(mask)


def _where(mask: Any) -> str:
    """Where the elements that hold are; nothing where there is only one element."""
    mask = np.asarray(mask)
    if mask.size <= 1:
        return ""
    found = np.argwhere(mask)
    place = ", ".join(str(int(i)) for i in found[0])
    return f" at [{place}]" + (f", the first of {len(found):,}" if len(found) > 1 else "")
