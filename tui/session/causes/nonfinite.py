"""Where NaN and Inf come from, among the values of a graph."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from tui.session import numbers
from tui.session.labels import Labels, constant
from tui.session.protocol import Array, Graph

# fmt: off
ELEMENTWISE = frozenset((
    "abs", "add", "arctan", "ceil", "clamp", "cos", "cosh", "divide", "exp", "expm1", "floor",
    "log", "log10", "log1p", "log2", "maximum", "minimum", "multiply", "negative", "pow",
    "power", "reciprocal", "relu", "sigmoid", "sin", "sinh", "sqrt", "square", "subtract",
    "tan", "tanh", "true_divide", "where",
))
# fmt: on
"""Operations whose every element comes from the elements at its place."""


def is_finite(value: Any) -> bool:
    """Whether there is no NaN and no Inf in an argument or a value."""
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        return not isinstance(value, float) or math.isfinite(value)
    if value.size == 1:
        return math.isfinite(value.item())
    return bool(np.isfinite(value).all())


def sources(graph: Graph) -> list[int]:
    """The nodes whose value is not finite although those of their arguments are, in an order in
    which they may have been computed."""
    steps, total = graph.step_count, len(graph.nodes)
    order = [*range(total - 1, steps - 1, -1), *range(steps - 1, -1, -1)]
    broken = {i for i in order if not is_finite(graph.value(i))}
    return [
        i
        for i in order
        if i in broken and not any(p.node in broken for p in graph.nodes[i].parents)
    ]


def earliest(graph: Graph, labels: Labels) -> list[str]:
    """The earliest value that is not finite, in a sentence: `c = log(t): 1 NaN at [1], from t[1] =
    -1`; nothing where all are finite."""
    found = sources(graph)
    if not found:
        return []
    others = ", ".join(f"{labels.short(i)} (node {i})" for i in found[1:4])
    more = " and others" if len(found) > 4 else ""
    return [origin_of(graph, labels, found[0]) + (f"; also at {others}{more}" if others else "")]


def origin_of(graph: Graph, labels: Labels, node_id: int) -> str:
    """What is not finite in a node's value, and from which numbers it was made."""
    value, node = graph.value(node_id), graph.nodes[node_id]
    place = first_place(value)
    what = f"{labels.full(node_id)}: {counted(value, place)}"
    if node.op is None:
        return graph.broken_outside(node_id) or f"{what}, and it came so into the graph"
    arguments = graph.arguments(node_id)
    return what + made_from(node.op, arguments, labels.operands(node_id), value.shape, place)


def history_of(graph: Graph, labels: Labels, node_id: int) -> str:
    """From where the NaN or Inf in a node's value came, in a sentence."""
    way = _way_down(graph, node_id)
    origin = origin_of(graph, labels, way[-1])
    if len(way) == 1:
        return f"It starts here. {origin}."
    return f"It comes from {origin}. The way: {labels.way(reversed(way))}."


def source_of(graph: Graph, node_id: int) -> int:
    """The node where the NaN or Inf in a node's value, or in its arguments, starts."""
    return _way_down(graph, node_id)[-1]


def _way_down(graph: Graph, node_id: int) -> list[int]:
    way = [node_id]
    while True:
        parents = [p.node for p in graph.nodes[way[-1]].parents]
        broken = next((p for p in parents if not is_finite(graph.value(p))), None)
        if broken is None:
            return way
        way.append(broken)


def counted(array: Array, place: tuple[int, ...]) -> str:
    """How many elements are NaN or Inf, and where the first is: `1 NaN at [1]`."""
    if array.ndim == 0:
        return numbers.number(array[()])
    return f"{counts(array)}{located(array, place)}"


def counts(array: Array) -> str:
    """How many elements are NaN or Inf: `2 NaN and 1 Inf`."""
    found = [
        f"{'one' if count == 1 and name == '-Inf' else count} {name}"  # "1 -Inf" subtracts
        for name, count in (
            ("NaN", int(np.isnan(array).sum())),
            ("Inf", int(np.isposinf(array).sum())),
            ("-Inf", int(np.isneginf(array).sum())),
        )
        if count
    ]
    return " and ".join(found)


def located(array: Array, place: tuple[int, ...]) -> str:
    """Where the first of them is: ` at [1]`, or `, the first at [1]` where there are more."""
    several = int(array.size - np.isfinite(array).sum()) > 1
    return f"{', the first' if several else ''} at {numbers.place(place)}"


def handed(array: Array, place: tuple[int, ...], to: str) -> str:
    """What of it is handed to a node: `one NaN to square, at [1]`, `2 NaN to square, the first at
    [1]`."""
    if array.ndim == 0:
        return f"{numbers.number(array[()])} to {to}"
    several = located(array, place).removeprefix(",")
    what = counts(array)
    return f"{what if ' and ' in what else re.sub('^1 ', 'one ', what)} to {to},{several}"


def first_place(array: Array) -> tuple[int, ...]:
    """Where the first element is that is not finite."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmin(np.isfinite(array))), array.shape))


def element(value: Any, name: str, shape: tuple[int, ...], place: tuple[int, ...]) -> str | None:
    """The element of an argument that meets the one at `place` of an array of `shape`: `t[1] =
    -1`; None where the argument does not broadcast to it."""
    if not isinstance(value, np.ndarray):
        return None
    try:
        own = np.broadcast_shapes(value.shape, shape) == shape
    except ValueError:
        own = False
    if not own:
        return None
    ndim = value.ndim
    there = place[len(place) - ndim :]
    index = tuple(0 if length == 1 else i for i, length in zip(there, value.shape, strict=True))
    return f"{name}{numbers.place(index)} = {numbers.number(value[index])}"


def made_from(
    op: str,
    arguments: tuple[Any, ...],
    names: list[str],
    shape: tuple[int, ...],
    place: tuple[int, ...],
) -> str:
    """The numbers that an element was made from, `, from t[1] = -1`; where it may be all of them,
    their range. Nothing where there are none."""
    if op in ELEMENTWISE:
        parts = []
        for value, name in zip(arguments, names, strict=True):
            if isinstance(value, np.ndarray):
                part = element(value, _in_index(name), shape, place)
            else:
                part = constant(value) if isinstance(value, (int, float)) else None
            if part is not None:
                parts.append(part)
        return f", from {' and '.join(parts)}" if parts else ""
    parts = [
        f"{name} between {numbers.number(value.min())} and {numbers.number(value.max())}"
        if value.size > 1
        else f"{name} = {numbers.inline(value)}"
        for value, name in zip(arguments, names, strict=True)
        if isinstance(value, np.ndarray) and value.size and value.dtype.kind in "fiu"
    ]
    return f", from {' and '.join(parts)}" if parts else ""


def _in_index(name: str) -> str:
    """A name that can be followed by an index."""
    return name if name.replace(".", "_").isidentifier() else f"({name})"
