"""The methods of a Tensor that change it in place.

Where the graph is being recorded and a gradient has to flow through the change, it is a step of the
graph like any other: the tensor becomes the result of the operation, and a tensor with the values
of before takes its place as the operation's argument. What else used the old values notices: its
backward pass refuses to go on with values that were changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

import engine
from engine import inplace
from engine.errors import ShapeError
from engine.operators import scaled
from engine.random import generator
from engine.registry import Array
from engine.state import STATE

if TYPE_CHECKING:
    from engine.tensor import Tensor

Function = Callable[..., "Tensor"]


class TensorChanges:
    """What changes a Tensor in place. Each method gives the tensor back."""

    __slots__ = ()

    def add_(self, other: Any, alpha: float = 1) -> Tensor:
        """Add `alpha * other`."""
        return _change(self, "add_", engine.add, np.add, scaled(other, alpha))

    def sub_(self, other: Any, alpha: float = 1) -> Tensor:
        """Subtract `alpha * other`."""
        return _change(self, "sub_", engine.subtract, np.subtract, scaled(other, alpha))

    def mul_(self, other: Any) -> Tensor:
        """Multiply by `other`."""
        return _change(self, "mul_", engine.multiply, np.multiply, other)

    def div_(self, other: Any) -> Tensor:
        """Divide by `other`."""
        return _change(self, "div_", engine.true_divide, np.true_divide, other)

    def relu_(self) -> Tensor:
        """Set what is below 0 to 0."""
        zero = 0.0 if cast("Tensor", self).array.dtype.kind == "f" else 0
        return _change(self, "relu_", engine.maximum, np.maximum, zero)

    def __iadd__(self, other: Any) -> Tensor:
        return self.add_(other)

    def __isub__(self, other: Any) -> Tensor:
        return self.sub_(other)

    def __imul__(self, other: Any) -> Tensor:
        return self.mul_(other)

    def __itruediv__(self, other: Any) -> Tensor:
        return self.div_(other)

    def zero_(self) -> Tensor:
        """Set all elements to 0."""
        return _overwrite(self, "zero_", lambda array: 0)

    def fill_(self, value: float) -> Tensor:
        """Set all elements to a number."""
        return _overwrite(self, "fill_", lambda array: value)

    def copy_(self, source: Any) -> Tensor:
        """Take over the values of another tensor or array, which is broadcast and converted."""
        values = source.array if isinstance(source, engine.Tensor) else source
        return _overwrite(self, "copy_", lambda array: values, source)

    def uniform_(self, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Fill with numbers drawn evenly from [low, high)."""
        return _overwrite(self, "uniform_", lambda a: generator().uniform(low, high, a.shape))

    def normal_(self, mean: float = 0.0, std: float = 1.0) -> Tensor:
        """Fill with numbers drawn from a normal distribution."""
        return _overwrite(self, "normal_", lambda a: generator().normal(mean, std, a.shape))

    def __setitem__(self, index: Any, value: Any) -> None:
        tensor = cast("Tensor", self)
        _refuse_leaf(tensor, "an assignment to an index")
        if _is_recorded(tensor, value):
            _refuse_recording(tensor, "an assignment to an index", "engine.where")
        values = value.array if isinstance(value, engine.Tensor) else value
        tensor.array[engine.coerce_index(index)] = values
        inplace.mark_changed(tensor.array, "an assignment to an index")


def _change(
    changed: TensorChanges, name: str, function: Function, ufunc: np.ufunc, other: Any
) -> Tensor:
    tensor = cast("Tensor", changed)
    _refuse_leaf(tensor, name)
    if _is_recorded(tensor, other):
        return _record_change(tensor, name, function, other)
    operand = other.array if isinstance(other, engine.Tensor) else other
    array = tensor.array
    try:
        ufunc(array, operand, out=array, casting="same_kind")
    except (ValueError, TypeError) as error:
        raise _does_not_fit(name, array, operand, error) from None
    inplace.mark_changed(array, name)
    return tensor


def _record_change(tensor: Tensor, name: str, function: Function, other: Any) -> Tensor:
    """Let the tensor become the result of `function`, in its own memory."""
    if _is_view(tensor):
        _refuse_recording(tensor, name, f"x = engine.{function.__name__}(x, ...)")
    before = tensor.replica(tensor.array.copy())
    result = function(before, before if other is tensor else other)
    if result.shape != tensor.shape or result.dtype.kind != tensor.dtype.kind:
        raise _does_not_fit(name, tensor.array, result.array, None)
    tensor.array[...] = result.array
    inplace.mark_changed(tensor.array, name)
    result.array = tensor.array
    tensor.take_place_of(result)
    return tensor


def _overwrite(
    changed: TensorChanges, name: str, values: Callable[[Array], Any], source: Any = None
) -> Tensor:
    tensor = cast("Tensor", changed)
    _refuse_leaf(tensor, name)
    if _is_recorded(tensor, source):
        _refuse_recording(tensor, name, "a new tensor")
    array = tensor.array
    new = values(array)
    try:
        array[...] = new
    except (ValueError, TypeError) as error:
        raise _does_not_fit(name, array, new, error) from None
    inplace.mark_changed(array, name)
    return tensor


def _is_recorded(tensor: Tensor, other: Any) -> bool:
    """Whether a gradient has to flow through a change of `tensor` by `other`."""
    return STATE.grad_enabled and (
        tensor.requires_grad or (isinstance(other, engine.Tensor) and other.requires_grad)
    )


def _is_view(tensor: Tensor) -> bool:
    """Whether others may hold the memory too. What an operation has newly made is its alone, also
    where it was made in another shape."""
    if tensor.array.base is None:
        return False
    arguments = [arg for arg in tensor._args if isinstance(arg, np.ndarray)]
    return tensor.is_leaf or any(np.may_share_memory(tensor.array, arg) for arg in arguments)


def _refuse_leaf(tensor: Tensor, name: str) -> None:
    if STATE.grad_enabled and tensor.requires_grad and tensor.is_leaf:
        raise RuntimeError(
            f"{name}: a leaf that requires grad cannot be changed in place while the graph is "
            "recorded; do it inside `with no_grad():`"
        )


def _refuse_recording(tensor: Tensor, name: str, instead: str) -> None:
    what = "of a view " if _is_view(tensor) else ""
    raise RuntimeError(
        f"{name}: a gradient has to flow through this change {what}in place, which cannot be "
        f"recorded; use {instead}, or do it inside `with no_grad():`"
    )


def _does_not_fit(name: str, array: Array, operand: Any, error: Exception | None) -> ShapeError:
    if not array.flags.writeable:
        return ShapeError(
            f"{name}: the tensor of shape {array.shape} is read-only, because its elements share "
            "their memory (as after expand); change a copy of it"
        )
    other = np.asarray(operand)
    if isinstance(error, TypeError) or other.shape == array.shape:
        return ShapeError(f"{name}: a {array.dtype} tensor cannot take in {other.dtype} in place")
    shapes = f"of shape {array.shape} cannot take in one of shape {other.shape}"
    return ShapeError(f"{name}: a tensor {shapes} in place")
