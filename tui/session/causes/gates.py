"""Operations that let a gradient through in some places and not in others: the ReLU and its kin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tui.session import numbers
from tui.session.labels import Labels
from tui.session.protocol import Array, Graph

ONE_SIDED = {"maximum": "below", "minimum": "above", "relu": "below"}
"""Operations with a number beyond which nothing comes through, and on which side that is."""


@dataclass(frozen=True, slots=True)
class Gate:
    """What a node lets through."""

    blocks: bool
    """Whether there is something that it does not let through."""
    sentence: str


def of(graph: Graph, labels: Labels, node_id: int) -> Gate | None:
    """What a node lets through, by its arguments; None where it is no gate."""
    found = _closed(graph, node_id)
    if found is None:
        return None
    closed, where = found
    name = f"{labels.short(node_id)} (node {node_id})"
    count = int(closed.sum())
    if count == closed.size:
        if closed.size == 1:
            return Gate(True, f"{name} lets nothing through: its input is {where}.")
        return Gate(
            True, f"{name} lets nothing through: all {count:,} elements of its input are {where}."
        )
    share = f"{1 - count / closed.size:.0%} of the elements"
    dead = _dead_units(closed)
    if dead is not None and dead.any():
        examples = closed.shape[0]
        return Gate(
            True,
            f"{name} lets nothing through for {int(dead.sum())} of {dead.size} units: their input "
            f"is {where} for each of the {examples} examples. In all, {share} come through.",
        )
    return Gate(count > 0, f"{name} lets {share} through: elsewhere its input is {where}.")


def _closed(graph: Graph, node_id: int) -> tuple[Array, str] | None:
    """Where a node lets nothing through, and what its input is like there."""
    op, arguments = graph.nodes[node_id].op, graph.arguments(node_id)
    if op == "clamp":
        return _outside(arguments)
    if op not in ONE_SIDED or not arguments:
        return None
    limits = [a for a in arguments if not _is_tensor(a)]
    inputs = [a for a in arguments if _is_tensor(a)]
    if op != "relu" and (len(limits) != 1 or len(inputs) != 1):
        return None
    limit = float(limits[0]) if limits else 0.0
    x = np.asarray(inputs[0])
    closed = x < limit if ONE_SIDED[op] == "below" else x > limit
    return closed, f"{ONE_SIDED[op]} {numbers.number(limit)}"


def _outside(arguments: tuple[Any, ...]) -> tuple[Array, str] | None:
    if len(arguments) < 3 or not _is_tensor(arguments[0]):
        return None
    x, low, high = arguments[:3]
    if _is_tensor(low) or _is_tensor(high):
        return None
    below = np.zeros(x.shape, bool) if low is None else x < low
    above = np.zeros(x.shape, bool) if high is None else x > high
    limits = [
        f"{side} {numbers.number(limit)}"
        for side, limit in (("below", low), ("above", high))
        if limit is not None
    ]
    return below | above, " or ".join(limits)


def _dead_units(closed: Array) -> Array | None:
    """Which units (or channels) are closed for every example; None where there is one example or
    no such dimension."""
    if closed.ndim < 2 or closed.shape[0] < 2:
        return None
    # (examples, units), images are (examples, channels, rows, columns); else the last one counts.
    unit = 1 if closed.ndim in (2, 4) else closed.ndim - 1
    return np.asarray(closed.all(axis=tuple(axis for axis in range(closed.ndim) if axis != unit)))


def _is_tensor(value: Any) -> bool:
    return isinstance(value, np.ndarray) and (value.ndim > 0 or value.dtype.kind == "f")
