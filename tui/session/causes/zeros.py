"""Why a gradient is 0, or 0 in places."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from tui.session import formulas, numbers
from tui.session.causes import gates
from tui.session.causes.flow import MOST, Came, Flow
from tui.session.protocol import Array


def why_zero(flow: Flow, node: int) -> list[str]:
    """Which step made a gradient 0 that is 0 in every element."""
    way = _up(flow, node, lambda came: not came.step.grad_out.any())
    hooked = flow.hook_made(way[-1], lambda grad: not grad.any())
    if hooked:
        return [hooked]
    top = way[-1]
    came = flow.came(top)
    short = flow.labels.short(top)
    tail = flow.way(way)
    if not came:
        if top == 0:
            return [f"The seed, the gradient of {short} itself, is 0.{tail}"]
        return [f"Nothing has come to {short}.{tail}"]
    if any(c.edge.contribution.any() for c in came):
        terms = " and ".join(
            f"{numbers.in_words(c.edge.contribution)} from {flow.node(c.step.node)}"
            for c in came[:MOST]
        )
        return [f"What came to {short} adds up to 0: {terms}.{tail}"]
    blocking = [c for c in came if c.step.grad_out.any()][:MOST]
    return [_blocked(flow, c) + tail for c in blocking]


def why_partly_zero(flow: Flow, node: int, grad: Array) -> list[str]:
    """How many elements of a gradient are 0, and which steps on its way brought zeros in."""
    found: dict[int, str] = {}
    waiting, seen = deque([node]), {node}
    while waiting:
        for came in flow.came(waiting.popleft()):
            step = came.step
            if came.edge.contribution.all():
                continue
            sentence = _zeros_of(flow, came)
            if sentence is not None:
                found.setdefault(step.index, sentence)
            if not step.grad_out.all() and step.node not in seen:
                seen.add(step.node)
                waiting.append(step.node)
    return [_share(grad), *(found[index] for index in sorted(found)[:MOST])]


def gates_ahead(flow: Flow, node: int) -> list[str]:
    """What will let little through on the ways to a node, from the values alone."""
    found = (gates.of(flow.graph, flow.labels, other) for other in flow.between(node))
    return [gate.sentence for gate in found if gate is not None and gate.blocks][:MOST]


def _share(grad: Array) -> str:
    whole = [
        f"{int(lines.sum())} of its {lines.size} {what}"
        for what, axis in (("rows", 1), ("columns", 0))
        if grad.ndim == 2 and min(grad.shape) > 1 and (lines := (grad == 0).all(axis=axis)).any()
    ]
    tail = f", among them {' and '.join(whole)}" if whole else ""
    return f"It is 0 in {int((grad == 0).sum()):,} of its {grad.size:,} elements{tail}."


def _zeros_of(flow: Flow, came: Came) -> str | None:
    """What brings zeros into a contribution that were not in the step's grad_out."""
    step, edge = came.step, came.edge
    zeros = edge.contribution.size - np.count_nonzero(edge.contribution)
    before = step.grad_out.size - np.count_nonzero(step.grad_out)
    if flow.graph.nodes[step.node].op == "matmul":
        sentence = _zero_factor(flow, came)
        if sentence is not None:
            return sentence
    if zeros * step.grad_out.size <= before * edge.contribution.size:
        return None
    gate = gates.of(flow.graph, flow.labels, step.node)
    if gate is not None and gate.blocks:
        return gate.sentence
    return (
        f"{flow.node(step.node)} hands on 0 in {zeros:,} of {edge.contribution.size:,} "
        f"elements to {flow.labels.called(edge.parent)}: {flow.formula(came)}."
    )


def _zero_factor(flow: Flow, came: Came) -> str | None:
    """Whether a product of matrices multiplies by columns (or rows) that are 0."""
    arguments = flow.graph.arguments(came.step.node)
    other = np.asarray(arguments[1 - came.edge.arg])
    if other.ndim != 2:
        return None
    what = "columns" if came.edge.arg else "rows"
    lines = (other == 0).all(axis=0 if came.edge.arg else 1)
    if not lines.any():
        return None
    parents = {p.arg: p.node for p in flow.graph.nodes[came.step.node].parents}
    node = parents.get(1 - came.edge.arg)
    gate = None if node is None else gates.of(flow.graph, flow.labels, node)
    return (
        f"{flow.node(came.step.node)} multiplies by "
        f"{flow.labels.operands(came.step.node)[1 - came.edge.arg]}, which is 0 in "
        f"{int(lines.sum())} of {lines.size} {what}."
        + (f" {gate.sentence}" if gate is not None and gate.blocks else "")
    )


def _blocked(flow: Flow, came: Came) -> str:
    """Why a step handed on nothing of what it had got."""
    step, edge = came.step, came.edge
    node = flow.graph.nodes[step.node]
    name, parent = flow.node(step.node), flow.labels.called(edge.parent)
    gate = gates.of(flow.graph, flow.labels, step.node)
    if gate is not None and gate.blocks:
        return gate.sentence
    arguments = flow.graph.arguments(step.node)
    if node.op == "multiply" and len(arguments) == 2:
        other = arguments[1 - edge.arg]
        if not np.any(other):
            factor = flow.labels.operands(step.node)[1 - edge.arg]
            factor = factor if factor == "0" else f"{factor}, which is 0"
            return f"{name} multiplies what goes to {parent} by {factor}."
    return (
        f"{name} gets {numbers.in_words(step.grad_out)} and hands 0 to {parent}: "
        f"{flow.formula(came)}{_too_small(flow, came)}."
    )


def _too_small(flow: Flow, came: Came) -> str:
    """Whether a contribution is 0 only because its dtype cannot hold such small numbers."""
    step, edge = came.step, came.edge
    formula = formulas.formula_of(edge.backward)
    if formula is None:
        return ""
    values = (step.grad_out, flow.graph.value(step.node), *flow.graph.arguments(step.node))
    exact = {
        name: np.asarray(value, np.float64) if isinstance(value, np.ndarray) else value
        for name, value in zip(formulas.parameter_names(edge.backward), values, strict=False)
    }
    try:
        with np.errstate(all="ignore"):
            result = np.asarray(formulas.evaluate(formula, exact))
    except (ValueError, TypeError, ZeroDivisionError, SyntaxError):
        return ""
    if not np.any(result):
        return ""
    largest = numbers.number(np.abs(result).max())
    return f" is {largest} at the most, and {edge.contribution.dtype} has only 0 for that"


def _up(flow: Flow, node: int, goes_on: Callable[[Came], object]) -> list[int]:
    """The way up along steps for which all that came (and what they had got) was nothing."""
    way = [node]
    while True:
        came = flow.came(way[-1])
        if not came or not all(goes_on(c) for c in came):
            return way
        way.append(came[0].step.node)
