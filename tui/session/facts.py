"""The JSON of a trace: graph, step and end events, and the facts of an array."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tui.session import numbers
from tui.session.protocol import Array, Graph, StepFacts

DATA_UP_TO = 64
"""Arrays with at most so many elements come with their elements."""

Json = dict[str, Any]


def array_facts(array: Array | None, full: bool = False) -> Json | None:
    """Shape, dtype, statistics over the finite elements, counts of NaN, Inf and 0, and `data`
    where the array is small or `full` is asked for. None stays None."""
    if array is None:
        return None
    values = array.astype(np.float64).reshape(-1)
    nan = int(np.isnan(values).sum())
    inf = int(np.isinf(values).sum())
    finite = numbers.finite_values(array)
    mean, std, norm = numbers.moments(finite)
    facts: Json = {
        "shape": list(array.shape),
        "dtype": str(array.dtype),
        "min": float(finite.min()) if finite.size else None,
        "max": float(finite.max()) if finite.size else None,
        "mean": plain(mean) if finite.size else None,
        "std": plain(std) if finite.size else None,
        "norm": plain(norm) if finite.size else None,
        "nan": nan,
        "inf": inf,
        "zero": int((values == 0).sum()),
    }
    if full or array.size <= DATA_UP_TO:
        facts["data"] = plain(array.tolist())
    return facts


def plain(value: Any) -> Any:
    """Numbers that are not finite as strings, also in nested lists: JSON has none."""
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def graph_event(scenario: str, graph: Graph, full: bool = False) -> Json:
    """All nodes of a graph."""
    return {
        "event": "graph",
        "scenario": scenario,
        "nodes": [
            {
                "id": node.id,
                "name": node.name,
                "op": node.op,
                "shape": list(node.shape),
                "dtype": node.dtype,
                "leaf": node.leaf,
                "requires_grad": node.requires_grad,
                "parents": [{"arg": p.arg, "node": p.node} for p in node.parents],
                "line": node.line,
                "value": array_facts(graph.value(node.id), full),
            }
            for node in graph.nodes
        ],
    }


def step_event(step: StepFacts, full: bool = False, violations: Sequence[str] = ()) -> Json:
    """One step with its edges; `violations` says in words what was wrong with it, and is there
    only where something was."""
    return {
        "event": "step",
        "index": step.index,
        "node": step.node,
        "grad_out": array_facts(step.grad_out, full),
        "edges": [
            {
                "arg": edge.arg,
                "parent": edge.parent,
                "backward": function_name(edge.backward),
                "contribution": array_facts(edge.contribution, full),
                "raw": array_facts(edge.raw, full),
                "before": array_facts(edge.before, full),
                "accumulated": array_facts(edge.accumulated, full),
                "waiting": edge.waiting,
            }
            for edge in step.edges
        ],
        **({"violations": list(violations)} if violations else {}),
    }


def end_event(graph: Graph, full: bool = False) -> Json:
    """The gradients of the leaves."""
    return {
        "event": "end",
        "steps": graph.position,
        "leaves": [
            {
                "node": node.id,
                "name": node.name,
                "grad": array_facts(graph.stored_grad(node.id), full),
            }
            for node in graph.nodes[: graph.step_count]
            if node.leaf
        ],
    }


def function_name(function: Any) -> str:
    """What a backward function is called."""
    return getattr(function, "__name__", None) or repr(function)
