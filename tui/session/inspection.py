"""A tensor on the screen: what it is, how its elements are spread, and its first elements."""

from __future__ import annotations

from tui.session import numbers
from tui.session.explanation import GAP, Item
from tui.session.labels import Labels
from tui.session.protocol import Array, Graph
from tui.session.tensors.chunks import sample
from tui.session.tensors.health import health_of
from tui.session.tensors.histogram import bar_rows, merged
from tui.session.tensors.text import Part, flowing, plain_text

SUMMARISED = 1 << 20
"""Of a larger tensor so many elements are looked at: it is drawn again with every key."""
VALUE_ROWS = 8
"""So many rows are kept for the value of a tensor, so that from node to node the gradient below it
stays where it is, and less has to be sent."""
NARROWEST = 3
"""Columns that an element in the grid of numbers takes at the least."""


def inspect_node(
    graph: Graph, labels: Labels, node_id: int, grad: Array | None, width: int, height: int
) -> list[Item]:
    """Value and gradient of a node, fitted into `width` columns and about `height` rows."""
    node = graph.nodes[node_id]
    what = []
    if node.op:
        what.append(f"made by {node.op}")
    elif node.requires_grad:
        what.append("a leaf that requires grad")
    else:
        what.append("needs no grad: no step, nothing flows here")
    if node.line is not None:
        what.append(f"line {node.line}")
    items: list[Item] = [
        ("title", labels.full(node_id), f"node {node_id}"),
        ("quiet", ", ".join(what), ""),
    ]
    half = (height - len(items) - 2) // 2
    value = _array("value", graph.value(node_id), width, half)
    items += [GAP, *value]
    if not node.requires_grad:
        return items
    if graph.value(node_id).size > 1:
        items += [GAP] * (min(half, VALUE_ROWS) - len(value))
    if grad is None:
        items += [GAP, ("strong", "gradient", "nothing yet"), *_waiting(graph, node_id)]
    else:
        waiting = graph.waiting(node_id)
        state = f"so far, {waiting} to come" if waiting else "complete"
        items += [GAP, *_array(f"gradient, {state}", grad, width, half)]
    return items


def _waiting(graph: Graph, node_id: int) -> list[Item]:
    count = graph.waiting(node_id)
    users = f"{count} contribution" + ("s" if count != 1 else "")
    return [("quiet", f"  waits for {users}", "")]


def _array(what: str, array: Array, width: int, height: int) -> list[Item]:
    kind = f"{numbers.shape(array.shape)} {array.dtype}"
    if array.size == 1:
        return [("strong", what, kind), ("line", f"  {numbers.inline(array)}", "")]
    items: list[Item] = [("strong", what, kind)]
    if array.size == 0:
        return [*items, ("line", "  it has no elements", "")]
    items += _summary(array, width)
    rows = max(1, height - len(items))
    items += [("line", line, "") for line in grid(array, width - 2, rows)]
    return items


def _summary(array: Array, width: int) -> list[Item]:
    """How the elements are spread; of a huge tensor, those of a sample, which the line says."""
    health = health_of(sample(array, SUMMARISED))
    counts = [
        f"{count} {name}"
        for name, count in (("zero", health.zero), ("NaN", health.nan), ("Inf", health.inf))
        if count
    ]
    lines: list[Item] = []
    told: list[Part] = []
    if health.finite:
        low, high = numbers.number(health.min), numbers.number(health.max)
        bins = merged(health.bins, max(4, min(24, width - len(low) - len(high) - 6)))
        lines.append(("bars", f"  {low} {bar_rows(bins)[0]} {high}", ""))
        moments = {"mean": health.mean, "std": health.std, "norm": health.norm}
        if array.size > SUMMARISED:
            del moments["norm"]
        told += [(f"{name} {numbers.number(value)}", "quiet") for name, value in moments.items()]
    if counts and array.size <= SUMMARISED:
        told.append((f"{', '.join(counts)} of {array.size}", "quiet"))
    lines += [("quiet", f" {plain_text(row)}", "") for row in flowing(told, width - 1)]
    if array.size > SUMMARISED:
        seen = ", ".join([f"{SUMMARISED:,} of {array.size:,} looked at", *counts])
        lines.append(("quiet", f"  {seen}; i looks at all", ""))
    return lines


def grid(array: Array, width: int, rows: int) -> list[str]:
    """The first elements of an array in rows and columns, with dots where there is more.

    Of an array with more than two dimensions the first matrix is shown.
    """
    note = ""
    while array.ndim > 2:
        array, note = array[0], note + "0, "
    matrix = array.reshape(1, -1) if array.ndim < 2 else array
    corner = matrix[:rows, : max(1, width // NARROWEST)]
    texts = [numbers.aligned(row, corner, strip=False) for row in corner]
    cell = max((len(text) for row in texts for text in row), default=0) + 2
    columns = max(1, width // cell)
    if matrix.shape[1] > columns:
        columns = max(1, (width - 2) // cell)
    more = " …" if matrix.shape[1] > columns else ""
    shown = ["".join(f"{text:>{cell}}" for text in row[:columns]) + more for row in texts]
    if matrix.shape[0] > rows:
        shown[-1] = f"{'…':>{cell}}  {matrix.shape[0] - rows + 1} more rows"
    if note:
        shown.insert(0, f"  [{note}:, :]")
    return shown
