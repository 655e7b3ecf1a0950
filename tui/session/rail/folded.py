"""A folded row, explained: which steps were taken in it, and what came of them."""

from __future__ import annotations

from tui.session import numbers
from tui.session.explanation import GAP, Item
from tui.session.labels import Labels
from tui.session.protocol import Array, Graph
from tui.session.rail.folding import Row

STEPS_TOLD = 8
"""So many steps of a row are listed; the others are counted."""


def folded_row(graph: Graph, labels: Labels, row: Row) -> list[Item]:
    """What the steps taken in a folded row have done: the gradient that came to each node, and
    what those outside the row have got by now."""
    assert row.call is not None
    done = graph.position - row.first
    state = "just done" if done == row.size else f"{done} of {row.size} done"
    items: list[Item] = [
        ("title", row.call.path, f"nodes {row.first} to {row.last}, {state}"),
        ("quiet", "what came to each node", ""),
        GAP,
    ]
    for node in range(row.first, row.first + min(done, STEPS_TOLD)):
        items.append(("line", f"  {node} {labels.brief(node)}", _amount(graph.grad(node))))
    if done > STEPS_TOLD:
        items.append(("quiet", f"  and {done - STEPS_TOLD:,} more", ""))
    handed_on = _outside(graph, row, done)
    if handed_on:
        items += [GAP, ("quiet", "handed on to", "")]
    for node in handed_on[:STEPS_TOLD]:
        waiting = graph.waiting(node)
        state = f"{waiting} to come" if waiting else "complete"
        items.append(("strong", f"  {labels.called(node)} now, {state}", _amount(graph.grad(node))))
    if len(handed_on) > STEPS_TOLD:
        items.append(("quiet", f"  and {len(handed_on) - STEPS_TOLD:,} more", ""))
    return [*items, GAP, ("text", "f unfolds it; p, then s, goes through it edge by edge.", "")]


def upcoming_row(row: Row, position: int) -> str:
    """What the next press does where the next step is in a folded row."""
    assert row.call is not None
    left = row.last + 1 - position
    which = f"nodes {position} to {row.last}" if left > 1 else f"node {position}"
    takes = f"n takes all {left}" if left > 1 else "n takes it"
    return f"{which}, {row.call.path}: {takes}, s goes into {'them' if left > 1 else 'it'}."


def about_folded(row: Row) -> Item:
    """Says of a node's tensors that they are those of a folded row."""
    assert row.call is not None
    return ("quiet", f"the output of {row.call.path}: {row.size} nodes, f unfolds them", "")


def _outside(graph: Graph, row: Row, done: int) -> list[int]:
    """The nodes outside the row that have got something from it."""
    found = {
        parent.node: None
        for node in graph.nodes[row.first : row.first + done]
        for parent in node.parents
        if row.last < parent.node < graph.step_count
    }
    return list(found)


def _amount(grad: Array | None) -> str:
    if grad is None:
        return ""
    return numbers.inline(grad) if grad.size == 1 else f"norm {numbers.measure(grad)}"
