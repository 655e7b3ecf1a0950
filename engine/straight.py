"""The backward pass from its start to its end, with nothing kept of its steps.

It computes what `BackwardPass` computes, in the same order and to the same bits, and costs less: it
is what a training does at every batch.
"""

from __future__ import annotations

from sys import getrefcount
from typing import Any

import numpy as np

from engine.contributions import back_func_of, checked, failed, hooked, store
from engine.inplace import CLOCK, check_unchanged
from engine.registry import Array, BackFunc
from engine.tensor import Tensor


def run_straight(order: list[Tensor], seed: Array) -> None:
    """Compute the gradients of all leaves.

    Where an error or an interrupt ends the pass before its end, every `.grad` is put back to what
    it was.

    Args:
        order: the nodes in the order of the pass, the root first.
        seed: the root's gradient, in an array that nobody else holds.

    Raises:
        BackwardError: a backward function is missing or wrong.
    """
    stored: list[tuple[Tensor, Any]] = []
    grads: dict[Tensor, Any] = {order[0]: seed}
    del seed
    take, known, asarray = grads.pop, grads.get, np.asarray
    array_type, arrays = np.ndarray, (np.ndarray, np.generic)
    called: BackFunc | None = None  # the backward function that is running
    try:
        for node in order:
            grad_out = take(node)
            if grad_out.__class__ is not array_type:
                grad_out = asarray(grad_out)  # NumPy makes scalars of 0-d arrays
            if node._hooks is not None:
                grad_out = hooked(node, node._hooks, grad_out)
                if node._hooks.retains_grad and node._op is not None:
                    stored.append((node, node._grad))
                    store(node, grad_out)
            operation = node._op
            if operation is None:
                before = node._grad
                stored.append((node, before))
                # An array that nobody else holds is kept as it is.
                if (
                    before is None
                    and getrefcount(grad_out) == _HELD_ONCE
                    and (grad_out.base is None or _owns_memory(grad_out))
                ):
                    node._grad = grad_out
                else:
                    store(node, grad_out)
                continue
            if node._made_at != CLOCK.time:
                check_unchanged(node)
            joint = operation.joint
            if joint is not None:
                for parent, contribution in zip(node._inputs, joint(grad_out, node), strict=True):
                    if contribution is not None:
                        so_far = known(parent)
                        grads[parent] = contribution if so_far is None else so_far + contribution
                contribution = None  # or a leaf would not be the only one to hold it
                continue
            out, args = node.array, node._args
            kwargs, back_func = operation.kwargs, operation.back_func
            if len(args) == 2:
                first, second = args
            for arg, parent in enumerate(node._inputs):
                if not isinstance(parent, Tensor) or not parent._requires_grad:
                    continue
                called = back = back_func(arg) or back_func_of(node, arg)
                if kwargs:
                    contribution = back(grad_out, out, *args, **kwargs)
                elif len(args) == 2:
                    # The same as below, but quicker.
                    contribution = back(grad_out, out, first, second)
                else:
                    contribution = back(grad_out, out, *args)
                called = None
                original = parent.array
                if (
                    not isinstance(contribution, arrays)
                    or contribution.shape != original.shape
                    or contribution.dtype is not original.dtype
                ):
                    contribution = checked(contribution, node, arg, parent, back)
                so_far = known(parent)
                # Not added in place: the arrays may be shared with other nodes and with the user.
                grads[parent] = contribution if so_far is None else so_far + contribution
    except BaseException as error:
        for leaf, before in reversed(stored):
            leaf._grad = before
        if called is not None and isinstance(error, Exception):
            raise failed(node, arg, called, error) from error
        raise


def _references_to_one_held_once() -> int:
    array = np.empty(1)
    return getrefcount(array)


_HELD_ONCE = _references_to_one_held_once()
"""What `getrefcount` gives in a function for an array that only a variable of it holds."""


def _references_to_a_base() -> int:
    array = np.empty((2, 2)).T
    base = array.base
    return getrefcount(base)


_BASE_HELD_ONCE = _references_to_a_base()


def _owns_memory(array: Array) -> bool:
    """Whether the array's memory is its own: it is no view, or the only one of an array that
    nobody else holds."""
    base = array.base
    if base is None:
        return True
    return (
        base.__class__ is np.ndarray
        and base.base is None
        and getrefcount(base) == _BASE_HELD_ONCE
        and base.size == array.size
        and array.flags.writeable
    )
