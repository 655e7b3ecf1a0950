"""Why a node's value and gradient are what they are: the page behind the key `w`."""

from __future__ import annotations

import numpy as np

from tui.session import numbers
from tui.session.causes import broken_grads, nonfinite, vanishing, zeros
from tui.session.causes.flow import Flow
from tui.session.explanation import GAP, Item
from tui.session.labels import Labels
from tui.session.protocol import Graph


def why(graph: Graph, labels: Labels, node_id: int) -> tuple[str, list[Item]]:
    """The title and the items of the page on a node, as far as the pass has come."""
    node = graph.nodes[node_id]
    items: list[Item] = []
    value = graph.value(node_id)
    if not nonfinite.is_finite(value):
        what = numbers.in_words(value) if numbers.is_inline(value) else "not finite"
        items += _part(f"Its value is {what}", [nonfinite.history_of(graph, labels, node_id)])
    changed = graph.changed(node_id)
    if changed is not None:
        items += _part("What it saved has changed", [_sentence(changed)])
    if node.requires_grad:
        flow = Flow(graph, labels)
        items += _part(*_gradient(graph, labels, flow, node_id))
        items += _part(*_stored(graph, node_id))
    else:
        items += _part("It has no gradient", graph.why_no_grad(node_id))
    items += _unreached(graph)
    return f"Why? Node {node_id}, {labels.full(node_id)}", items[:-1]


def _gradient(graph: Graph, labels: Labels, flow: Flow, node_id: int) -> tuple[str, list[str]]:
    grad, name = graph.grad(node_id), labels.short(node_id)
    if grad is None:
        missing = flow.missing(node_id)
        who = ", ".join(f"{labels.short(i)} (node {i})" for i in missing[:4])
        more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
        ahead = zeros.gates_ahead(flow, node_id)
        return (
            "Nothing has come to it yet",
            [f"{graph.position} of {graph.step_count} steps are done; it waits for {who}{more}."]
            + [f"On the way: {sentence}" for sentence in ahead],
        )
    waiting = graph.waiting(node_id)
    state = f" so far, with {waiting} to come" if waiting else ""
    heading = f"Its gradient is {numbers.in_words(grad)}{state}"
    if not nonfinite.is_finite(grad):
        return heading, broken_grads.why_not_finite(flow, node_id)
    if grad.size and not np.any(grad):
        return heading, zeros.why_zero(flow, node_id)
    came = flow.sum_of(node_id)
    seed = f"It is the seed: the gradient of {name} with respect to itself."
    reasons = [f"It is {came}{_how(flow, node_id)}." if came else seed]
    if node_id < graph.position and (before := graph.taken(node_id).unhooked) is not None:
        reasons.append(
            f"Its hooks made {numbers.in_words(grad)} of that; before, it was "
            f"{numbers.in_words(before)}."
        )
    if np.count_nonzero(grad) < grad.size:
        reasons += zeros.why_partly_zero(flow, node_id, grad)
    return heading, reasons + vanishing.why_vanished(flow, node_id)


def _how(flow: Flow, node_id: int) -> str:
    """How the only contribution to a node was made; nothing for the sum of several."""
    came = flow.came(node_id)
    if len(came) != 1:
        return ""
    (only,) = came
    raw, contribution = only.edge.raw, only.edge.contribution
    summed = (
        ""
        if raw is None
        else f", summed {numbers.shape(raw.shape)} → {numbers.shape(contribution.shape)}"
    )
    return f": {flow.formula(only).rstrip('.')}{summed}"


def _stored(graph: Graph, node_id: int) -> tuple[str, list[str]]:
    stored = graph.stored_grad(node_id)
    done = node_id < graph.position
    if not graph.nodes[node_id].leaf:
        if stored is not None:
            return f"Its .grad is {numbers.in_words(stored)}", [
                "It is no leaf, but it was asked to keep its gradient."
            ]
        return "Its .grad is None and stays so", [
            "It is no leaf: its gradient is handed on and not kept. retain_grad() would keep it."
        ]
    if stored is None:
        ahead = node_id - graph.position + 1
        return "Its .grad is None", [
            "It is a leaf that requires grad: its gradient is stored at its own step, "
            + ("the next one." if node_id == graph.position else f"{ahead} steps from here.")
        ]
    if not done:
        return f"Its .grad is {numbers.in_words(stored)}", [
            "That was there before this pass: what comes is added to it. zero_grad() empties it."
        ]
    step = graph.taken(node_id)
    if step.stored_before is not None:
        return f"Its .grad is {numbers.in_words(stored)}", [
            f"{numbers.in_words(step.stored_before)} was there before this pass, and "
            f"{numbers.in_words(step.grad_out)} was added. zero_grad() empties it."
        ]
    return "", []


def _unreached(graph: Graph) -> list[Item]:
    """The user's tensors that require grad and get none, and why."""
    found = graph.unreached()
    items: list[Item] = []
    for tensor in found:
        if tensor.leaf:
            items += _part(
                f"{tensor.name} {numbers.shape(tensor.shape)} gets no gradient from this pass",
                graph.why_unreached(tensor.name),
            )
    others = [tensor.name for tensor in found if not tensor.leaf]
    if others:
        items += _part("Not below the loss either, and no leaves", [", ".join(others)])
    return items


def _part(heading: str, reasons: list[str]) -> list[Item]:
    if not heading:
        return []
    return [("strong", heading, ""), *(("text", reason, "") for reason in reasons), GAP]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
