"""Handing a node's gradient to its parents, with a record of each edge on which it goes."""

from __future__ import annotations

import numpy as np

from engine.contributions import watched_contribution
from engine.inplace import CLOCK, check_unchanged
from engine.registry import Array
from engine.steps import EdgeValues
from engine.tensor import Tensor


def propagate(
    node: Tensor,
    grad_out: Array,
    grads: dict[Tensor, Array],
    waiting: dict[Tensor, int],
    edges: list[EdgeValues],
) -> None:
    """Hand a node's gradient to its parents.

    Args:
        node: it has been computed.
        grad_out: its gradient.
        grads: what has arrived at each node so far.
        waiting: how many contributions each node waits for.
        edges: each edge is noted here before it changes anything.

    Raises:
        BackwardError: a backward function is missing or wrong.
    """
    if node._made_at != CLOCK.time:
        check_unchanged(node)
    operation = node._op
    assert operation is not None
    # Not added in place: the arrays may be shared with other nodes and with the user.
    if operation.joint is None:
        for arg, parent in enumerate(node._inputs):
            if isinstance(parent, Tensor) and parent._requires_grad:
                back, contribution, raw = watched_contribution(node, arg, parent, grad_out)
                before = grads.get(parent)
                accumulated = contribution if before is None else np.asarray(before + contribution)
                left = waiting[parent] - 1
                edges.append((arg, parent, back, contribution, raw, before, accumulated, left))
                grads[parent] = accumulated
                waiting[parent] = left
        return
    # The same, for a loop for both would take longer.
    inputs = node._kept_inputs
    for arg, given in enumerate(operation.joint(grad_out, node)):
        if given is not None:
            parent = inputs[arg]
            before = grads.get(parent)
            accumulated = given if before is None else np.asarray(before + given)
            left = waiting[parent] - 1
            edges.append((arg, parent, operation, given, None, before, accumulated, left))
            grads[parent] = accumulated
            waiting[parent] = left


def waiting_in(order: list[Tensor], start: int = 0) -> dict[Tensor, int]:
    """How many contributions each node of a pass waits for, before the step at a place."""
    waiting = dict.fromkeys(order, 0)
    for node in order[start:]:
        for parent in node._inputs:
            if isinstance(parent, Tensor) and parent._requires_grad:
                waiting[parent] += 1
    return waiting
