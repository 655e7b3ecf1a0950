"""The ReLUs in the graph of a loss, and which of their units are off."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import engine
from engine.graph import backward_order
from tui.session.labels import Labels
from tui.session.protocol import Array, Graph


def gates_in(loss: engine.Tensor) -> list[engine.Tensor]:
    """The results of the ReLUs that a loss was computed through, the last one first.

    Fused operations count, as do `maximum(x, 0)` and a `clamp` from 0.
    """
    # A recipe would be made anew for each node, and this runs with many a batch.
    return [
        node
        for node in backward_order(loss)
        if node._op is not None and _is_gate(node._op.name, node._args)
    ]


def _is_gate(op: str, args: Sequence[Any]) -> bool:
    if op in ("relu", "linear_relu"):
        return True
    if op == "maximum":
        return any(_is_zero(arg) for arg in args)
    return op == "clamp" and len(args) > 1 and _is_zero(args[1])


def _is_zero(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 0 and not value
    return isinstance(value, (int, float)) and value == 0


Route = tuple[int, ...]
"""A way down a graph: at each node which argument is next."""


def routes_to(loss: engine.Tensor, nodes: Sequence[engine.Tensor]) -> list[Route]:
    """A shortest way from a loss to each of some nodes below it."""
    routes: dict[int, Route] = {id(loss): ()}
    waiting = deque([loss])
    while waiting:
        node = waiting.popleft()
        for i, parent in enumerate(node._inputs):
            if isinstance(parent, engine.Tensor) and id(parent) not in routes:
                routes[id(parent)] = (*routes[id(node)], i)
                waiting.append(parent)
    return [routes[id(node)] for node in nodes]


def gate_at(loss: engine.Tensor, route: Route) -> engine.Tensor | None:
    """The ReLU at the end of a way down another loss's graph; None where there is none."""
    node: Any = loss
    try:
        for i in route:
            node.take_apart()
            node = node._inputs[i]
        node.take_apart()
        return node if _is_gate(node._op.name, node._args) else None
    except (AttributeError, IndexError):
        return None


def unit_axis(out: Array) -> int | None:
    """Which dimension of a ReLU's result its units are: of (examples, units) and of images
    (examples, channels, rows, columns) the second one, else the last one; None where there are no
    units beside the examples."""
    if out.ndim < 2:
        return None
    return 1 if out.ndim in (2, 4) else out.ndim - 1


def off_units(out: Array) -> Array | None:
    """Which units (of images: channels) of a ReLU's result are 0 for every example; None where
    there are no units beside the examples."""
    units = unit_axis(out)
    if units is None:
        return None
    on = out.any(axis=0) if out.ndim == 2 else out.max(axis=_others(out, units)) != 0
    return np.logical_not(on)


def still_off(out: Array, units: Array) -> Array:
    """Those of some units (their numbers) that are 0 for every example of a ReLU's result; to be
    quick where all of them still are."""
    axis = unit_axis(out)
    assert axis is not None
    part = out.take(units, axis)
    if not np.count_nonzero(part):
        return units
    return np.asarray(units[~part.any(axis=_others(part, axis))])


def _others(out: Array, axis: int) -> tuple[int, ...]:
    return tuple(i for i in range(out.ndim) if i != axis)


@dataclass(frozen=True, slots=True)
class Units:
    """The units of one ReLU."""

    name: str
    count: int
    off: int | None
    """How many are off for every example of the batch; None where the batch has one example."""
    dead: int
    """How many were off for every example of the last whole epoch."""
    epoch: int
    """Which epoch that was; 0 for none."""

    @property
    def all_off(self) -> bool:
        """Whether nothing comes through."""
        return self.off == self.count


def gate_names(graph: Graph, labels: Labels) -> list[str]:
    """What the ReLUs of a graph that is stepped through are called, the last one first; empty for
    one that has no name of its own, as `relu(x)` in a module's forward().

    The graph of a batch that is trained on knows neither modules nor names.
    """
    return [
        _name(node.name or node.path or "", labels.short(node.id))
        for node in graph.nodes[: graph.step_count]
        if node.op is not None and _is_gate(node.op, graph.arguments(node.id))
    ]


def _name(own: str, label: str) -> str:
    if not own or own != label:
        return ""
    return f"module {own}" if own.rpartition(".")[2].isdigit() else own
