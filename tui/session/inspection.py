"""A tensor on the screen: what it is, how its elements are spread, and its first elements."""

from __future__ import annotations

import numpy as np

from tui.session import numbers
from tui.session.explanation import GAP, Item
from tui.session.labels import Labels
from tui.session.protocol import Array, Graph

BARS = " ▁▂▃▄▅▆▇█"
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
    rows = max(1, (height - len(items) - 8) // 2)
    items += [GAP, *_array("value", graph.value(node_id), width, rows)]
    if not node.requires_grad:
        return items
    if grad is None:
        items += [GAP, ("strong", "gradient", "nothing yet"), *_waiting(graph, node_id)]
    else:
        waiting = graph.waiting(node_id)
        state = f"so far, {waiting} to come" if waiting else "complete"
        items += [GAP, *_array(f"gradient, {state}", grad, width, rows)]
    return items


def _waiting(graph: Graph, node_id: int) -> list[Item]:
    count = graph.waiting(node_id)
    users = f"{count} contribution" + ("s" if count != 1 else "")
    return [("quiet", f"  waits for {users}", "")]


def _array(what: str, array: Array, width: int, rows: int) -> list[Item]:
    kind = f"{numbers.shape(array.shape)} {array.dtype}"
    if array.size == 1:
        return [("strong", what, kind), ("line", f"  {numbers.inline(array)}", "")]
    items: list[Item] = [("strong", what, kind)]
    if array.size == 0:
        return [*items, ("line", "  it has no elements", "")]
    items += _summary(array, width)
    items += [("line", line, "") for line in grid(array, width - 2, rows)]
    return items


def _summary(array: Array, width: int) -> list[Item]:
    values = array.astype(np.float64).reshape(-1)
    finite = numbers.finite_values(array)
    counts = [
        f"{int(count)} {name}"
        for name, count in (
            ("zero", (values == 0).sum()),
            ("NaN", np.isnan(values).sum()),
            ("Inf", np.isinf(values).sum()),
        )
        if count
    ]
    lines: list[Item] = []
    if finite.size:
        low, high = numbers.number(finite.min()), numbers.number(finite.max())
        bins = max(4, min(24, width - len(low) - len(high) - 6))
        lines.append(("line", f"  {low} {histogram(finite, bins)} {high}", ""))
        mean, std, norm = (numbers.number(moment) for moment in numbers.moments(finite))
        lines.append(("quiet", f"  mean {mean}  std {std}  norm {norm}", ""))
    if counts:
        lines.append(("quiet", f"  {', '.join(counts)} of {array.size}", ""))
    return lines


def histogram(values: Array, bins: int) -> str:
    """How the values are spread between the smallest and the largest: one bar a bin, the tallest
    bin full; a bin with few values still shows."""
    low, width = values.min(), np.ptp(values / 2) * 2
    if not 0 < width < np.inf:
        return BARS[-1] * bins
    places = np.minimum((values - low) / width * bins, bins - 1).astype(int)
    counts = np.bincount(places, minlength=bins)
    tallest = counts.max()
    heights = np.ceil(counts / tallest * (len(BARS) - 1)).astype(int) if tallest else counts
    return "".join(BARS[h] for h in heights)


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
