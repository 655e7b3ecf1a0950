"""A node as text, to be pasted elsewhere."""

from __future__ import annotations

import numpy as np

from tui.session import numbers
from tui.session.protocol import Array
from tui.session.session import Session

WHOLE_UP_TO = 2000
"""Elements; of an array with more come its statistics and its corners."""

LONGEST = 70_000
"""Bytes. Many a terminal takes no more than 100,000 by OSC 52, a third of which is encoding."""


def copy_node(session: Session) -> None:
    """Send the node that is looked at to the screen's clipboard."""
    node = session.looked_at
    what = "value" if session.grad_shown(node) is None else "value and gradient"
    text = text_of(session, node)
    session.deliver({"type": "copy", "what": f"{what} of node {node}", "text": text})


def text_of(session: Session, node_id: int) -> str:
    """Name, value and gradient of a node, the elements as Python writes them in lists, at most
    LONGEST bytes."""
    node = session.graph.nodes[node_id]
    lines = [f"node {node_id}  {session.labels.full(node_id)}"]
    lines += _array("value", session.graph.value(node_id))
    grad = session.grad_shown(node_id)
    if grad is not None:
        lines += _array(session.state_of_grad(node_id), grad)
    elif node.requires_grad:
        lines.append("gradient: nothing yet")
    else:
        lines.append("gradient: none, it needs no grad")
    text = "\n".join(lines) + "\n"
    kept = text.encode(errors="replace")[:LONGEST].decode(errors="ignore")
    return kept if len(kept) == len(text) else f"{kept}\n... cut off here\n"


def _array(what: str, array: Array) -> list[str]:
    lines = [f"{what}: {numbers.shape(array.shape)} {array.dtype}"]
    if array.size > WHOLE_UP_TO:
        finite = numbers.finite_values(array)
        if finite.size:
            mean, std, norm = map(numbers.number, numbers.moments(finite))
            low, high = numbers.number(finite.min()), numbers.number(finite.max())
            lines.append(f"min {low}  max {high}  mean {mean}  std {std}  norm {norm}")
        lines.append(f"{array.size:,} elements, {array.size - finite.size:,} of them NaN or Inf")
    elements = np.array2string(
        array, max_line_width=100, separator=", ", threshold=WHOLE_UP_TO, floatmode="unique"
    )
    return [*lines, elements]
