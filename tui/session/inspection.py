"""A tensor on the screen: what it is, how its elements are spread, and its first elements."""

from __future__ import annotations

from tui.session import numbers
from tui.session.explanation import GAP, Item
from tui.session.labels import Labels
from tui.session.protocol import Array, Graph
from tui.session.tensors.chunks import sample
from tui.session.tensors.health import Health, health_of
from tui.session.tensors.histogram import bar_rows, merged
from tui.session.tensors.text import Part, flowing, plain_text

SUMMARISED = 1 << 20
"""Of a larger tensor so many elements are looked at: it is drawn again with every key."""
VALUE_ROWS = 8
"""So many rows are kept for the value of a tensor, so that from node to node the gradient below it
stays where it is, and less has to be sent."""
STATISTIC, EXTREME = 17, 10
"""Columns kept for a statistic, and for the smallest and the largest value, for the same reason,
where there is room for two statistics side by side."""
MOST_BARS = 24
"""Of the histogram."""
NARROWEST = 3
"""Columns that an element in the grid of numbers takes at the least."""


def inspect_node(
    graph: Graph, labels: Labels, node_id: int, grad: Array | None, width: int, height: int
) -> list[Item]:
    """Value and gradient of a node, fitted into `width` columns and about `height` rows."""
    node = graph.nodes[node_id]
    if node.op:
        what = f"made by {node.op}"
    elif node.requires_grad:
        what = "a leaf that requires grad"
    else:
        what = "needs no grad: no step, nothing flows here"
    line = "" if node.line is None else f"line {node.line}: "
    items: list[Item] = [
        ("title", labels.full(node_id), f"node {node_id}"),
        ("quiet", f"{line}{what}", ""),
    ]
    half = (height - len(items) - 2) // 2
    value = _array("value", graph.value(node_id), width, half)
    items += [GAP, *value]
    if not node.requires_grad:
        return items
    if graph.value(node_id).size > 1:
        items += [GAP] * (min(half, VALUE_ROWS) - len(value))
    if grad is None:
        items += [GAP, ("tensor", "gradient", "nothing yet"), *_waiting(graph, node_id)]
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
        return [("tensor", what, kind), ("line", f"  {numbers.inline(array)}", "")]
    items: list[Item] = [("tensor", what, kind)]
    if array.size == 0:
        return [*items, ("line", "  it has no elements", "")]
    items += _summary(array, width)
    rows = max(1, height - len(items))
    items += [("line", line, "") for line in grid(array, width - 2, rows)]
    return items


def _summary(array: Array, width: int) -> list[Item]:
    """How the elements are spread; of a huge tensor, those of a sample, which the line says."""
    health = health_of(sample(array, SUMMARISED))
    counts = [f"{numbers.share(health.zero / health.array.size)} zero"] if health.zero else []
    counts += [
        f"{count} {name}" for name, count in (("NaN", health.nan), ("Inf", health.inf)) if count
    ]
    told: list[Part] = []
    if health.finite:
        moments = {"mean": health.mean, "std": health.std, "norm": health.norm}
        if array.size > SUMMARISED:
            del moments["norm"]
        told += [(f"{name} {numbers.number(value)}", "quiet") for name, value in moments.items()]
    if counts and array.size <= SUMMARISED:
        told.append((", ".join(counts), "quiet"))
    rows = flowing(told, width - 1, STATISTIC if width >= 2 * STATISTIC else 1)
    lines: list[Item] = [("quiet", f" {plain_text(row)}", "") for row in rows]
    if array.size > SUMMARISED:
        seen = ", ".join([f"{SUMMARISED:,} of {array.size:,} looked at", *counts])
        lines.append(("quiet", f"  {seen}; i looks at all", ""))
    if health.finite:
        lines.append(("bars", _bars(health, width), ""))
    return lines


def _bars(health: Health, width: int) -> str:
    """The smallest value, how many there are from there on, and the largest."""
    low, high = numbers.number(health.min), numbers.number(health.max)
    kept = EXTREME if width >= 2 * STATISTIC else 0
    room = width - max(kept, len(low)) - max(kept, len(high)) - 4
    # A bar takes three bytes, and nearly all change from node to node: the full view has more.
    bins = merged(health.bins, max(4, min(MOST_BARS, room * 2 // 3)))
    return f"  {low:>{kept}} {bar_rows(bins)[0]} {high}"


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
    columns, cell = _as_many_as_fit(texts, width, matrix.shape[1])
    more = ""
    if matrix.shape[1] > columns:
        more, cell = " …", max(cell, (width - 2) // columns)
    placed = _under_each_other([row[:columns] for row in texts], cell)
    shown = [("".join(row) + more).rstrip() for row in placed]
    if 1 < rows < matrix.shape[0]:
        shown[-1] = f"  …  {matrix.shape[0] - rows + 1} more rows"
    if note:
        shown.insert(0, f"  [{note}:, :]")
    return shown


def _as_many_as_fit(rows: list[list[str]], width: int, most: int) -> tuple[int, int]:
    """How many columns of numbers fit, one at least, and the width of each, two blanks included;
    with room for dots where there are more."""
    columns = cell = 0
    for columns in range(min(most, len(rows[0])), 0, -1):
        cell = max(len(text) for row in rows for text in row[:columns]) + 2
        if columns * cell <= (width if columns == most else width - 2):
            break
    return columns, cell


def _under_each_other(rows: list[list[str]], cell: int) -> list[list[str]]:
    """Numbers in cells of so many columns, their points one below the other (and, from node to
    node, in the same columns) where there is room for that, else their ends."""
    whole = max((_whole(text.removeprefix("-")) for row in rows for text in row), default=0) + 1
    part = max((len(text) - _whole(text) for row in rows for text in row), default=0)
    if 1 + whole + part > cell:
        return [[f"{text:>{cell}}" for text in row] for row in rows]
    return [
        [f"{' ' * (1 + whole - _whole(text))}{text}".ljust(cell) for text in row] for row in rows
    ]


def _whole(number: str) -> int:
    """How many columns of a number stand before its point."""
    return len(number.partition(".")[0])
