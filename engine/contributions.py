"""What a backward pass does at a node: call a backward function, check what it returns, call the
hooks, keep the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import BackwardError, ShapeError
from engine.hooks import TensorHooks
from engine.naming import name_in_caller
from engine.registry import Array, BackFunc
from engine.state import STATE, SWITCHES
from engine.tensor import FLOAT32, Tensor

UnbroadcastCall = tuple[Array, Array]
"""The array before and after one call of `unbroadcast`."""


def seed_of(root: Tensor, end_grad: Any) -> Array:
    """The gradient with which a backward pass over `root` starts, in an array of its own.

    Raises:
        RuntimeError: the root does not require grad.
        ShapeError: the seed has another shape than the root.
        TypeError: it holds no numbers.
    """
    if not root._requires_grad:
        raise RuntimeError(
            f"backward: {described(root)} does not require grad, so there is nothing to "
            "compute: no tensor that it was made from has requires_grad=True, or it was made "
            "while the graph was not recorded"
        )
    dtype = _grad_dtype(root)
    if end_grad is None:
        shape = root.array.shape
        return np.ones(shape, dtype) if shape else np.array(1, dtype)
    seed = np.asarray(end_grad.array if isinstance(end_grad, Tensor) else end_grad)
    if seed.shape != root.array.shape:
        raise ShapeError(
            f"backward: end_grad has shape {seed.shape}, but {described(root)} has shape "
            f"{root.array.shape}; they have to be the same"
        )
    if seed.dtype.kind not in "fiu":
        raise TypeError(f"backward: end_grad holds {seed.dtype}, not numbers of a gradient")
    return seed.astype(dtype)


def _grad_dtype(tensor: Tensor) -> np.dtype[Any]:
    dtype = tensor.array.dtype
    return dtype if dtype.kind == "f" else FLOAT32


def store(node: Tensor, grad: Array) -> None:
    """Add to `.grad`, in an array that nobody else holds."""
    before = node.grad
    node._grad = grad.copy(order="K") if before is None else np.asarray(before.array + grad)


def hooked(node: Tensor, hooks: TensorHooks, grad: Array) -> Array:
    """A node's gradient after its hooks.

    Raises:
        BackwardError: a hook returned a gradient of another shape.
    """
    for hook in hooks:
        replaced = hook(Tensor(grad, dtype=grad.dtype))
        if replaced is None:
            continue
        array = np.asarray(replaced.array if isinstance(replaced, Tensor) else replaced)
        if array.shape != grad.shape:
            raise BackwardError(
                f"a hook of {described(node)} returned a gradient of shape {array.shape}; it has "
                f"to be {grad.shape}"
            )
        grad = array.astype(grad.dtype, copy=False)
    return grad


def watched_contribution(
    node: Tensor, arg: int, parent: Tensor, grad_out: Array
) -> tuple[BackFunc, Array, Array | None]:
    """The backward function of an argument, what it returns, and what that was before
    `unbroadcast` summed it (None: it did not).

    Raises:
        BackwardError: there is none, or what it returns is no gradient of the argument.
    """
    back = back_func_of(node, arg)
    assert node._op is not None
    SWITCHES.turn()
    before, STATE.unbroadcasts = STATE.unbroadcasts, []
    try:
        contribution = back(grad_out, node.array, *node._args, **node._op.kwargs)
        calls = STATE.unbroadcasts
    except Exception as error:
        raise failed(node, arg, back, error) from error
    finally:
        STATE.unbroadcasts = before
        SWITCHES.turn_back()
    summed = [(wide, result) for wide, result in calls if wide is not result]
    returned = [wide for wide, result in summed if result is contribution]
    raws = returned or [wide for wide, _ in summed]
    return back, checked(contribution, node, arg, parent, back), raws[-1] if raws else None


def back_func_of(node: Tensor, arg: int) -> BackFunc:
    """The backward function of one argument of the node's operation.

    Raises:
        BackwardError: there is none.
    """
    operation = node._op
    assert operation is not None
    back = operation.back_func(arg)
    if back is None:
        raise BackwardError(
            f"{operation.name} has no backward function for argument {arg}, which requires "
            f"grad: add one with BACK_FUNCS.add_back_func({operation.name}, {arg}, ...)"
        )
    return back


def failed(node: Tensor, arg: int, back: BackFunc, error: Exception) -> BackwardError:
    """The error that says which backward function has raised another one."""
    hint = ""
    frames = error.__traceback__
    if isinstance(error, TypeError) and frames is not None and frames.tb_next is None:
        # Its body was not reached: it does not take what it is called with.
        count = len(node._args)
        arguments = f"the {count} arguments" if count != 1 else "the argument"
        hint = f"; it is called with grad_out, out and {arguments} of {node.op}"
    elif isinstance(error, ValueError) and "read-only" in str(error):
        hint = (
            "; what it is given is used by others as well: make a new array, as grad_out * y does, "
            "instead of writing into it"
        )
    raised = f"{type(error).__name__}: {error}"
    return BackwardError(f"{_where(node, arg, back)} raised {raised}{hint}", back)


def checked(result: Any, node: Tensor, arg: int, parent: Tensor, back: BackFunc) -> Array:
    """A contribution as an array of its parent's shape and dtype.

    Raises:
        BackwardError: it is none.
    """
    if result is None:
        raise BackwardError(f"{_where(node, arg, back)} returned None instead of a gradient", back)
    array = np.asarray(result.array if isinstance(result, Tensor) else result)
    if array.dtype.kind not in "fiub":
        raise BackwardError(f"{_where(node, arg, back)} returned {array.dtype}, not numbers", back)
    if array.shape != parent.array.shape:
        raise BackwardError(
            f"{_where(node, arg, back)} returned a gradient of shape {array.shape}; its argument "
            f"has shape {parent.array.shape}, and its gradient must have the same"
            f"{_how_to_sum(array, parent.array)}",
            back,
        )
    return array.astype(_grad_dtype(parent), copy=False)


def _how_to_sum(grad: Array, original: Array) -> str:
    """What is to be done with a gradient of the shape that an argument was broadcast to."""
    try:
        was_broadcast = np.broadcast_shapes(original.shape, grad.shape) == grad.shape
    except ValueError:
        return ""
    if not was_broadcast:
        return ""
    return ": the argument was broadcast, and unbroadcast(gradient, argument) adds its copies up"


def _where(node: Tensor, arg: int, back: BackFunc) -> str:
    name = getattr(back, "__name__", repr(back))
    return f"{name}, the backward function of argument {arg} of {node.op} ({described(node)}),"


def described(tensor: Tensor) -> str:
    """A tensor's name, where it has one, and its shape."""
    name = name_in_caller(tensor)
    if name:
        return f"{name} {tensor.shape}"
    return f"a tensor of shape {tensor.shape}" + (f" made by {tensor.op}" if tensor.op else "")
