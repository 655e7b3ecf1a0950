"""A sentence on one element of a contribution: from which numbers it came."""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tui.session import formula_results, formulas, numbers
from tui.session.labels import constant
from tui.session.protocol import Array, EdgeFacts, Graph, StepFacts
from tui.session.tensors.chunks import place_of
from tui.session.tensors.find import most_telling
from tui.session.tensors.slices import Index, index_text
from tui.session.worked.sources import SOURCES
from tui.session.worked.terms import Term, printed, sum_text
from tui.session.worked.windows import SUMS

MOST_TERMS = 1 << 20
"""A sum of more terms is not worked through."""

MEAN = "grad_out / count, copied to each element"


class WorkedElements:
    """Works through an element of each contribution: the chosen one, or the most telling one.

    What a sentence claims is computed again and compared with the contribution: where that is
    something else, or there is no honest short sentence, nothing is said.

    Args:
        graph: whose steps they are.
        chosen: by node, the element that the user has chosen.
    """

    def __init__(self, graph: Graph, chosen: Mapping[int, Index]) -> None:
        self._graph = graph
        self._chosen = chosen
        self._telling: dict[tuple[int, int], tuple[Array, Index]] = {}

    def place(self, step: StepFacts, edge: EdgeFacts) -> Index:
        """Which element: the one chosen at the parent, or at the step's node where that has as
        many dimensions or more; else the first NaN, or the largest absolute value."""
        shape = edge.contribution.shape
        for node in (edge.parent, step.node):
            place = self._chosen.get(node)
            if place is not None and len(place) >= len(shape):
                inner = place[len(place) - len(shape) :]
                if all(i < length for i, length in zip(inner, shape, strict=True)):
                    return inner
        key = (step.index, edge.arg)
        known = self._telling.get(key)
        if known is None or known[0] is not edge.contribution:
            at = place_of(edge.contribution, most_telling(edge.contribution))
            known = self._telling[key] = (edge.contribution, at)
        return known[1]

    def sentence(self, step: StepFacts, edge: EdgeFacts) -> str | None:
        """How one element of the contribution came about, and how it was added up."""
        if not edge.contribution.size:
            return None
        place = self.place(step, edge)
        worked = self._summed(edge, place) if edge.raw is not None else None
        if worked is None and edge.raw is None:
            worked = self._computed(step, edge, place)
        if worked is None:
            return None
        where = f"at {index_text(place)}: " if place and not worked.startswith("row ") else ""
        total = ""
        if edge.before is not None:
            before, after = (numbers.number(a[place]) for a in (edge.before, edge.accumulated))
            total = f"; {before} was there, now {after}"
        return where + worked + total

    def _summed(self, edge: EdgeFacts, place: Index) -> str | None:
        """An element that `unbroadcast` added up."""
        raw = edge.raw
        assert raw is not None
        front = raw.ndim - len(place)
        index: list[Any] = [slice(None)] * front
        index += [
            slice(None) if edge.contribution.shape[axis] != raw.shape[front + axis] else i
            for axis, i in enumerate(place)
        ]
        part = raw[tuple(index)]
        if part.size > MOST_TERMS:
            return None
        terms: list[Term] = [(value,) for value in _floats(part)]
        result = float(edge.contribution[place])
        if not _agrees(terms, result, edge.contribution.dtype):
            return None
        slices = ", ".join(":" if isinstance(i, slice) else str(i) for i in index)
        is_grad = formulas.formula_of(edge.backward) == "grad_out"
        which = f"grad_out[{slices}]" if is_grad else f"[{slices}] of {numbers.shape(raw.shape)}"
        return f"the sum of {which} = {sum_text(terms, result)}"

    def _computed(self, step: StepFacts, edge: EdgeFacts, place: Index) -> str | None:
        formula = formulas.formula_of(edge.backward)
        args = self._arguments(step, edge)
        if formula is None or args is None:
            return None
        result = edge.contribution[place]
        if formula in SOURCES:
            return _moved(formula, step.grad_out, args, place, edge.contribution)
        if formula in SUMS:
            return _in_windows(formula, step.grad_out, args, place, edge.contribution)
        if formula == MEAN:
            return _mean(step.grad_out, args, place, edge.contribution)
        if not formulas.is_expression(formula):
            return None
        if formula == "grad_out":
            same = step.grad_out.shape == edge.contribution.shape
            return _taken([place], step.grad_out, edge.contribution, place) if same else None
        tree = formulas.parsed(formula)
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.MatMult):
            return _product(tree, args, place, edge.contribution)
        return _elementwise(formula, args, place, result, edge.contribution.shape)

    def _arguments(self, step: StepFacts, edge: EdgeFacts) -> dict[str, Any] | None:
        """By name, what the backward function was called with; `parts` and `arg` besides."""
        args = self._graph.arguments(step.node)
        _, keywords = self._graph.forward(step.node)
        positional = (step.grad_out, self._graph.value(step.node), *args)
        try:
            given = formulas.bound(edge.backward, positional, keywords)
        except (TypeError, ValueError):
            return None
        return {**keywords, **given, "parts": args, "arg": edge.arg}


def _moved(
    formula: str, grad_out: Array, args: dict[str, Any], place: Index, contribution: Array
) -> str | None:
    """An element that only elements of grad_out came to."""
    try:
        sources = SOURCES[formula](grad_out, args, place)
    except (KeyError, IndexError, TypeError, ValueError):  # a function of that name, but another
        return None
    if sources is None:
        return None
    return _taken(sources, grad_out, contribution, place)


def _taken(
    sources: Sequence[Index], grad_out: Array, contribution: Array, place: Index
) -> str | None:
    result = float(contribution[place])
    terms: list[Term] = [(float(grad_out[source]),) for source in sources]
    if not _agrees(terms, result, contribution.dtype):
        return None
    if not sources:
        return "no element of grad_out goes there: 0"
    if len(sources) == 1:
        return f"grad_out{index_text(sources[0]) if sources[0] else ''} = {numbers.number(result)}"
    which = " + ".join(f"grad_out{index_text(source)}" for source in sources[:2])
    more = f" + ({len(sources) - 2} more)" if len(sources) > 2 else ""
    return f"{which}{more} = {sum_text(terms, result)}"


def _in_windows(
    formula: str, grad_out: Array, args: dict[str, Any], place: Index, contribution: Array
) -> str | None:
    """An element of what a convolution hands on: products or elements of grad_out, added up."""
    try:
        which, terms = SUMS[formula](grad_out, args, place)
    except (KeyError, IndexError, TypeError, ValueError):  # a function of that name, but another
        return None
    if len(terms) > MOST_TERMS:
        return None
    worked = _of_factors(terms, contribution, place)
    return worked and f"{which} {worked}"


def _mean(grad_out: Array, args: dict[str, Any], place: Index, contribution: Array) -> str | None:
    """An element of what a mean was taken of."""
    source = SOURCES["grad_out, copied to each element"](grad_out, args, place)
    count = contribution.size // grad_out.size if grad_out.size else 0
    if not source or not count:
        return None
    grad, result = grad_out[source[0]], float(contribution[place])
    if not _agrees([(float(grad), 1 / count)], result, contribution.dtype):
        return None
    index = index_text(source[0]) if source[0] else ""
    told = numbers.number(result)
    same = numbers.number(float(numbers.number(grad)) / count) == told
    return f"grad_out{index} / {count} = {printed(grad)} / {count} {'=' if same else '≈'} {told}"


def _product(
    tree: ast.BinOp, args: dict[str, Any], place: Index, contribution: Array
) -> str | None:
    """An element of a product of matrices: the row and the column that meet there."""
    left, right = _operand(tree.left, args), _operand(tree.right, args)
    if left is None or right is None or not place:
        return None
    if left.ndim == right.ndim == 1 and contribution.shape == (len(left), len(right)):
        i, j = place
        return _of_factors([(float(left[i]), float(right[j]))], contribution, place)
    if min(left.ndim, right.ndim) < 1 or left.shape[-1] != right.shape[max(-2, -right.ndim)]:
        return None
    shape = _product_shape(left, right)
    if shape != contribution.shape:
        return None
    *lead, row, column = (
        *place[: len(place) - (left.ndim > 1) - (right.ndim > 1)],
        place[-1 - (right.ndim > 1)] if left.ndim > 1 else None,
        place[-1] if right.ndim > 1 else None,
    )
    rows = left if row is None else left[_led(lead, left)][row]
    columns = right if column is None else right[_led(lead, right)][:, column]
    if rows.size > MOST_TERMS:
        return None
    terms: list[Term] = list(zip(_floats(rows), _floats(columns), strict=True))
    worked = _of_factors(terms, contribution, place)
    if worked is None:
        return None
    stack = f", matrix {index_text(tuple(lead))}" if lead else ""
    which = "all" if row is None else f"row {row}"
    other = "all" if column is None else f"column {column}"
    shapes = numbers.shape(left.shape), numbers.shape(right.shape)
    return f"{which} of {shapes[0]} * {other} of {shapes[1]}{stack} = {worked}"


def _of_factors(terms: Sequence[Term], contribution: Array, place: Index) -> str | None:
    result = float(contribution[place])
    return sum_text(terms, result) if _agrees(terms, result, contribution.dtype) else None


def _operand(tree: ast.expr, args: dict[str, Any]) -> Array | None:
    """What stands on one side of `@`: a name, or one with `.T`."""
    turned = isinstance(tree, ast.Attribute) and tree.attr == "T"
    name = tree.value if isinstance(tree, ast.Attribute) and turned else tree
    value = args.get(name.id) if isinstance(name, ast.Name) else None
    if not isinstance(value, np.ndarray):
        return None
    return np.swapaxes(value, -1, -2) if turned and value.ndim > 1 else value


def _product_shape(left: Array, right: Array) -> Index | None:
    try:
        lead = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    except ValueError:
        return None
    return (*lead, *left.shape[-2:-1], *(right.shape[-1:] if right.ndim > 1 else ()))


def _led(lead: Sequence[int], matrices: Array) -> Index:
    """The place of a matrix in a stack that broadcasts."""
    own = matrices.shape[:-2]
    return tuple(
        0 if length == 1 else i for i, length in zip(lead[len(lead) - len(own) :], own, strict=True)
    )


def _elementwise(
    formula: str, args: dict[str, Any], place: Index, result: Any, shape: Index
) -> str | None:
    """An element that comes from the elements at the same place, by the formula."""
    names = _names_at_each_place(formula)
    if names is None:
        return None
    values: dict[str, Any] = {}
    for name in names & args.keys():
        value = args[name]
        if isinstance(value, np.ndarray):
            if value.ndim > len(shape) or _wider(value.shape, shape):
                return None
            inner = place[len(place) - value.ndim :]
            at = tuple(0 if n == 1 else i for i, n in zip(inner, value.shape, strict=True))
            value = np.asarray(value[at])
        elif not isinstance(value, (int, float, np.generic)):
            return None
        values[name] = value
    try:
        with np.errstate(all="ignore"):
            again = float(formulas.evaluate(formula, values))
    except (ValueError, TypeError, ZeroDivisionError):
        return None
    if not _same(again, float(result), 256 * _eps(result.dtype) * abs(float(result))):
        return None
    numeric = formulas.put_in(formula, {name: _told(value) for name, value in values.items()})
    sign = formula_results.relation(formula, values, np.asarray(result))
    told = numbers.number(result)
    return f"{numeric} {sign} {told}"


@functools.lru_cache(maxsize=256)
def _names_at_each_place(formula: str) -> frozenset[str] | None:
    """The names in a formula that is the same at each place; None where it is another one."""
    nodes = list(ast.walk(formulas.parsed(formula)))
    if any(isinstance(node, (ast.MatMult, ast.Attribute)) for node in nodes):
        return None
    return frozenset(node.id for node in nodes if isinstance(node, ast.Name))


def _wider(inner: Index, shape: Index) -> bool:
    """Whether a shape does not broadcast to another of at least as many dimensions."""
    last = shape[len(shape) - len(inner) :]
    return any(n not in (1, m) for n, m in zip(inner, last, strict=True))


def _told(value: Any) -> str:
    text = constant(value)
    return f"({text})" if text.startswith("-") else text


def _floats(array: Array) -> list[float]:
    """The elements in a row."""
    floats: list[float] = array.astype(float).ravel().tolist()
    return floats


def _agrees(terms: Sequence[Term], result: float, dtype: np.dtype[Any]) -> bool:
    """Whether a sum of products is the result, but for the rounding of so many additions."""
    products = [math.prod(term) for term in terms]
    size = sum(map(abs, products))
    return _same(sum(products), result, (len(terms) + 8) * _eps(dtype) * size)


def _same(value: float, result: float, within: float) -> bool:
    if not math.isfinite(value) or not math.isfinite(result):
        return value == result or (math.isnan(value) and math.isnan(result))
    return abs(value - result) <= within + 1e-300


def _eps(dtype: np.dtype[Any]) -> float:
    return float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0
