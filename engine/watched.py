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
from engine.propagation import propagate
from engine.registry import Array
from engine.steps import EdgeValues, Step
from engine.straight import Stored
from engine.tensor import Tensor


def run_watched(root: Tensor, seed: Array) -> None:
    """Compute the gradients of all leaves, and call the step hooks with each step.

    What it takes and raises, and what becomes of `.grad` then, is as in `run_straight`.
    """
    waiting: dict[Tensor, int] = {}
    order = backward_order(root, waiting)
    grads = {root: seed}
    new, take, hooks = Step.__new__, grads.pop, STEP_HOOKS.added
    del seed
    stored: Stored = []
    try:
        for index, node in enumerate(order):
            step = new(Step)
            step.index, step.node, step.unhooked = index, node, take(node)
            step.grad_out = grad_out = step.unhooked
            step.grad_before = grad_before = None if node._grad is None else node.grad
            of_node = node._hooks
            if of_node is not None:
                step.grad_out = grad_out = hooked(node, of_node, grad_out)
            if node._op is not None:
                if of_node is not None and of_node.retains_grad:
                    stored.append((node, grad_before))
                    store(node, grad_out)
                edges: list[EdgeValues] = []
                propagate(node, grad_out, grads, waiting, edges)
                step._edges, step._grad_after = edges, node._grad
                del edges
            else:
                stored.append((node, grad_before))
                if grad_before is None:
                    node._grad = grad_out
                else:
                    store(node, grad_out)
                step._edges, step._grad_after = (), node._grad
            if len(hooks) == 1:
                (hook,) = hooks.values()
                hook(step)
            else:
                for hook in STEP_HOOKS:
                    hook(step)
            del step  # whoever keeps it holds the gradient, too
            if node._op is None and (
                getrefcount(grad_out) > _HELD_BY_LEAF
                or not (grad_out.base is None or owns_memory(grad_out))
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
