"""The backward pass from its start to its end, with nothing kept of its steps.

It computes what `BackwardPass` computes, in the same order and to the same bits, and costs less: it
is what a training does at every batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from sys import getrefcount
from typing import Any

from numpy import asarray, float32, generic, ndarray

from engine.contributions import back_func_of, checked, failed, hooked, store
from engine.graph import backward_order
from engine.inplace import CLOCK, check_unchanged
from engine.owning import HELD_ONCE, owns_memory
from engine.registry import Array, BackFunc
from engine.tensor import FLOAT32, RECIPES, Tensor

Grads = dict[Tensor, Any]
"""What has arrived at tensors that have not handed it on."""

Stored = list[tuple[Tensor, Any]]
"""The tensors whose `.grad` has been set, and what it was before."""


def run_straight(root: Tensor, seed: Array) -> None:
    """Compute the gradients of all leaves.

    Where an error or an interrupt ends the pass before its end, every `.grad` is put back to what
    it was.

    Args:
        root: where the pass starts.
        seed: the root's gradient, in an array that nobody else holds.

    Raises:
        BackwardError: a backward function is missing or wrong.
        CycleError: the graph has a cycle.
    """
    stored: Stored = []
    grads: Grads = {root: seed}
    del seed
    try:
        node = root if RECIPES.set_by_hand else _run_down(root, grads, stored)
        if node is not None:
            _run_on(root, node, grads, stored)
    except BaseException:
        for leaf, before in reversed(stored):
            leaf._grad = before
        raise


def _run_down(node: Tensor, grads: Grads, stored: Stored) -> Tensor | None:
    """Go on for as long as there is nothing to put in order: to the first node whose gradient
    somebody looks at, or that hands it on to others than leaves of its own; None where there is
    none. A usual training needs no more than this, so it is to have few instructions."""
    grad = grads.pop(node)
    while (
        (operation := node._op) is not None
        and operation.joint is not None
        and node._hooks is None
        and node._made_at == CLOCK.time
    ):
        if operation.only is not None:
            grad = operation.only(asarray(grad), node.array, *node._kept_args)
            node = node._kept_inputs[0]
            continue
        if operation.take_apart is None:
            break
        inputs = node._kept_inputs
        for leaf in inputs:
            if leaf._op is not None or leaf._hooks is not None:
                grads[node] = grad
                return node
        for leaf, own in zip(inputs, operation.joint(asarray(grad), node), strict=True):
            if own is not None:
                before = leaf._grad
                stored.append((leaf, before))
                if before is None:
                    leaf._grad = own
                else:
                    store(leaf, own)
        return None
    grads[node] = grad
    return node


def _run_on(root: Tensor, first: Tensor, grads: Grads, stored: Stored) -> None:
    """Go on from the first node whose gradient has not been handed on.

    As long as each node was made from one other node (and any leaves), that one is the next and
    nothing has to be put in order. Leaves wait until all else is done, unless somebody could see
    it: a hook.
    """
    take, known = grads.pop, grads.get
    called: BackFunc | None = None  # the backward function that is running
    contribution: Any = None
    # What comes after the node, once that is not known without putting all below it in order.
    rest: Iterator[Tensor] | None = iter(backward_order(root)) if RECIPES.set_by_hand else None
    following: Tensor | None = first if rest is None else next(rest)
    try:
        while following is not None:
            node = following
            operation = node._op
            if node._hooks is not None or (operation is not None and node._made_at != CLOCK.time):
                if rest is None:
                    rest = _all_after(node, root, grads, stored)
                    operation = node._op  # it may have been taken apart
                if node._hooks is not None:
                    grads[node] = hooked(node, node._hooks, asarray(known(node)))
                    if node._hooks.retains_grad and operation is not None:
                        stored.append((node, node._grad))
                        store(node, grads[node])
                if operation is not None:
                    check_unchanged(node)
            following, branches = None, False
            if operation is None:
                contribution = None
                _finish([node], grads, stored)
            elif node._second_input is not None:
                # Two single numbers: all is float32 and has no dimension.
                grad_out, back_func = take(node), operation.back_func
                out, one, other = node.array, node._kept_args, node._second_arg
                arg, parent, second = 0, node._kept_inputs, node._second_input
                if not operation.on_scalars:
                    grad_out = asarray(grad_out)
                elif one.__class__ is other.__class__:
                    # A scalar times an array takes longer than two of either.
                    out, one, other = out[()], one[()], other[()]
                # As a loop over both, without what such a loop makes.
                while True:
                    if parent.__class__ is Tensor and parent._requires_grad:
                        called = back = back_func(arg) or back_func_of(node, arg)
                        contribution = back(grad_out, out, one, other)
                        called = None
                        original = parent.array
                        if (
                            contribution.__class__ is not float32
                            or original.ndim
                            or original.dtype is not FLOAT32
                        ):
                            contribution = checked(contribution, node, arg, parent, back)
                        so_far = known(parent)
                        grads[parent] = contribution if so_far is None else so_far + contribution
                        if parent._op is not None or parent._hooks:
                            if following is None:
                                following = parent
                            elif following is not parent:
                                branches = True
                    if arg:
                        break
                    arg, parent = 1, second
            elif operation.joint is not None:
                if rest is None and operation.take_apart is not None:
                    # All but the first part's input, which comes last.
                    between = node._kept_inputs[:-1]
                    if any(map(_OPERATION, between)) or any(map(_HOOKS, between)):
                        # Not only leaves that nobody looks at: its parts are steps of their own.
                        rest = _all_after(node, root, grads, stored)
                        following = node
                        continue
                grad_out = take(node)
                if grad_out.__class__ is not ndarray:
                    grad_out = asarray(grad_out)  # NumPy makes scalars of 0-d arrays
                contributions = operation.joint(grad_out, node)
                for parent, contribution in zip(node._kept_inputs, contributions, strict=True):
                    if contribution is None:
                        continue
                    so_far = known(parent)
                    # Not added in place: others may hold the arrays, too.
                    grads[parent] = contribution if so_far is None else so_far + contribution
                    if parent._op is not None or parent._hooks:
                        if following is None:
                            following = parent
                        elif following is not parent:
                            branches = True
            else:
                grad_out = take(node)
                out, args = node.array, node._kept_args
                kwargs, back_func = operation.kwargs, operation.back_func
                if len(args) == 2:
                    one, other = args
                if grad_out.__class__ is not ndarray:
                    if operation.on_scalars and len(args) == 1:
                        out, args = out[()], (args[0][()],)
                    else:
                        grad_out = asarray(grad_out)
                for arg, parent in enumerate(node._kept_inputs):
                    if not isinstance(parent, Tensor) or not parent._requires_grad:
                        continue
                    called = back = back_func(arg) or back_func_of(node, arg)
                    if kwargs:
                        contribution = back(grad_out, out, *args, **kwargs)
                    elif len(args) == 2:
                        # The same as below, but quicker.
                        contribution = back(grad_out, out, one, other)
                    else:
                        contribution = back(grad_out, out, *args)
                    called = None
                    original = parent.array
                    if (
                        not isinstance(contribution, _ARRAYS)
                        or contribution.shape != original.shape
                        or contribution.dtype is not original.dtype
                    ):
                        contribution = checked(contribution, node, arg, parent, back)
                    # As twice above: one loop for all would take a quarter longer.
                    so_far = known(parent)
                    grads[parent] = contribution if so_far is None else so_far + contribution
                    if parent._op is not None or parent._hooks:
                        if following is None:
                            following = parent
                        elif following is not parent:
                            branches = True
            if rest is None and branches:
                rest = _all_after(node, root, grads, stored)
            if rest is not None:
                following = next(rest, None)
        contributions = []
        contribution = None  # or a leaf would not be the only one to hold its own
        if grads:
            _finish(list(grads), grads, stored)
    except Exception as error:
        if called is None:
            raise
        raise failed(node, arg, called, error) from error


def _all_after(node: Tensor, root: Tensor, grads: Grads, stored: Stored) -> Iterator[Tensor]:
    """What comes after a node, in the order of the pass; leaves that come before it in that order
    get their gradient, for a hook may look at it."""
    order = backward_order(root)
    place = next(i for i, other in enumerate(order) if other is node)
    _finish([leaf for leaf in order[:place] if leaf in grads], grads, stored)
    return iter(order[place + 1 :])


def _finish(leaves: list[Tensor], grads: Grads, stored: Stored) -> None:
    """Let leaves have their gradients."""
    stored += zip(leaves, map(_GRAD, leaves), strict=True)
    take = grads.pop
    for leaf in leaves:
        grad = take(leaf)
        # An array that nobody else holds is kept as it is.
        if (
            leaf._grad is None
            and grad.__class__ is ndarray
            and getrefcount(grad) == HELD_ONCE
            and (grad.base is None or owns_memory(grad))
        ):
            leaf._grad = grad
        elif grad is not None:
            store(leaf, asarray(grad))


_ARRAYS = ndarray, generic
_GRAD, _HOOKS, _OPERATION = attrgetter("_grad"), attrgetter("_hooks"), attrgetter("_op")
