"""The backward pass from its start to its end, with each of its steps shown to the step hooks and
none kept.

It takes the steps that `BackwardPass` takes, in the same order and to the same bits.
"""

from __future__ import annotations

from sys import getrefcount

from engine.contributions import hooked, store
from engine.graph import backward_order
from engine.hooks import STEP_HOOKS
from engine.owning import HELD_ONCE, owns_memory
from engine.propagation import propagate, waiting_in
from engine.registry import Array
from engine.steps import Edge, Step
from engine.straight import Stored
from engine.tensor import Tensor


def run_watched(root: Tensor, seed: Array) -> None:
    """Compute the gradients of all leaves, and call the step hooks with each step.

    What it takes and raises, and what becomes of `.grad` then, is as in `run_straight`.
    """
    order = backward_order(root)
    waiting = waiting_in(order)
    grads = {root: seed}
    del seed
    stored: Stored = []
    try:
        for index, node in enumerate(order):
            unhooked = grad_out = grads.pop(node)
            hooks = node._hooks
            grad_before = None if node._grad is None else node.grad
            if hooks is not None:
                grad_out = hooked(node, hooks, grad_out)
            edges: list[Edge] = []
            if node._op is None:
                stored.append((node, grad_before))
                if grad_before is None:
                    node._grad = grad_out
                else:
                    store(node, grad_out)
            else:
                if hooks is not None and hooks.retains_grad:
                    stored.append((node, grad_before))
                    store(node, grad_out)
                propagate(node, grad_out, grads, waiting, edges)
            step = Step(index, node, grad_out, unhooked, tuple(edges), grad_before, node._grad)
            for hook in STEP_HOOKS:
                hook(step)
            # Whoever keeps the step holds the gradient, too.
            del step, edges, unhooked
            if node._op is None and (
                getrefcount(grad_out) > _HELD_BY_LEAF or not owns_memory(grad_out)
            ):
                _hold_a_copy(node, grad_out)
    except BaseException:
        for changed, grad in reversed(stored):
            changed._grad = grad
        raise


_HELD_BY_LEAF = HELD_ONCE + 1
"""What `getrefcount` gives in a function for an array that a variable of it and a `.grad` hold."""


def _hold_a_copy(leaf: Tensor, grad: Array) -> None:
    """Let a leaf have a copy as its `.grad`, where that is this array: others hold it, too."""
    if leaf._grad is grad:
        leaf._grad = grad.copy(order="K")
    elif isinstance(leaf._grad, Tensor) and leaf._grad.array is grad:
        leaf._grad.array = grad.copy(order="K")
