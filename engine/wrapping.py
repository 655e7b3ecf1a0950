"""Making a Tensor function of a NumPy function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine import inplace
from engine.errors import ShapeError
from engine.naming import name_in_caller
from engine.origin import current_origin
from engine.registry import BACK_FUNCS, Array, BackFunc, ForwardFunc
from engine.state import STATE
from engine.tensor import FLOAT32, FLOAT64, Tensor, parts_of


class Operation:
    """A function on arrays with the backward functions that hold for a graph built now."""

    __slots__ = ("back_func", "func", "name")

    def __init__(self, func: ForwardFunc, name: str) -> None:
        self.func = func
        self.name = name
        self.back_func: Callable[[int], BackFunc | None] = BACK_FUNCS.all_of(func)
        """The backward function of an argument by its position, None where there is none."""


_latest: dict[ForwardFunc, tuple[int, Operation]] = {}


def operation_of(func: ForwardFunc, name: str | None = None) -> Operation:
    """The operation of a function on arrays, with the backward functions of this moment."""
    version, operation = _latest.get(func, (-1, None))
    if operation is None or version != BACK_FUNCS.version:
        known = operation.name if operation else getattr(func, "__name__", repr(func))
        operation = Operation(func, name or known)
        _latest[func] = (BACK_FUNCS.version, operation)
    return operation


def wrap_forward_fn(
    numpy_fn: ForwardFunc, is_differentiable: bool = True, name: str | None = None
) -> Callable[..., Tensor]:
    """Turn a function on NumPy arrays into one on Tensors that records the graph.

    The result requires grad where the graph is being recorded, the function is differentiable
    and one of the positional arguments requires grad; otherwise it has no recipe. Its dtype is
    NumPy's promotion among the tensors: Python numbers, NumPy scalars and bare arrays never
    raise it.

    Args:
        numpy_fn: takes and returns arrays. Its backward functions are added to `BACK_FUNCS`.
        is_differentiable: False lets no gradient through.
        name: what the operation is called on the screen; the function's own name by default.

    Returns:
        The function on Tensors; `.numpy_fn` is the function inside.
    """
    operation_of(numpy_fn, name)

    def tensor_func(*args: Any, **kwargs: Any) -> Tensor:
        return _apply(operation_of(numpy_fn), is_differentiable, args, kwargs)

    tensor_func.__name__ = tensor_func.__qualname__ = operation_of(numpy_fn).name
    tensor_func.__doc__ = getattr(numpy_fn, "__doc__", None)
    tensor_func.numpy_fn = numpy_fn  # type: ignore[attr-defined]
    return tensor_func


def _apply(
    operation: Operation, is_differentiable: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Tensor:
    requires_grad = False
    plain = False
    arrays = []
    for arg in args:
        if isinstance(arg, Tensor):
            arrays.append(arg.array)
            requires_grad = requires_grad or arg._requires_grad
        else:
            arrays.append(arg)
            if type(arg) is not int and type(arg) is not float:
                plain = True
    if plain:
        arrays = _convert_plain(args, arrays)
    if kwargs:
        kwargs = _plain_kwargs(operation, kwargs)
    try:
        array = operation.func(*arrays, **kwargs)
    except ValueError as error:
        raise _explained(operation, args, error) from error
    if type(array) is not np.ndarray:
        array = np.asarray(array)
    if array.dtype is FLOAT64 and not _has_float64(args):
        array = array.astype(FLOAT32)

    out = Tensor.__new__(Tensor)
    out.array = array
    out.grad = None
    out._hooks = None
    if requires_grad and is_differentiable and STATE.grad_enabled:
        out._requires_grad = True
        out._op = operation
        out._args = tuple(arrays)
        out._kwargs = kwargs
        out._inputs = args
    else:
        out._requires_grad = False
        out._op = None
        out._args = out._inputs = ()
        out._kwargs = {}
    out._made_at = inplace.CLOCK.time
    out.origin = current_origin(operation.name) if STATE.origins_enabled else None
    return out


def _has_float64(args: tuple[Any, ...]) -> bool:
    return any(isinstance(a, Tensor) and a.array.dtype == FLOAT64 for a in args)


def _convert_plain(args: tuple[Any, ...], arrays: list[Any]) -> list[Any]:
    """Let what is not a Tensor follow the tensors' dtype instead of raising it."""
    dtypes = [a.array.dtype for a in args if isinstance(a, Tensor)]
    floats = [d for d in dtypes if d.kind == "f"]
    widest = np.result_type(*floats) if floats else FLOAT32
    converted = []
    for arg, array in zip(args, arrays, strict=True):
        if isinstance(arg, np.generic):
            array = arg.item()
        elif isinstance(arg, np.ndarray) and arg.dtype.kind == "f" and arg.dtype != widest:
            array = arg.astype(widest) if arg.dtype.itemsize > widest.itemsize else arg
        elif isinstance(arg, (tuple, list)):
            array = parts_of(arg)
        converted.append(array)
    return converted


def _plain_kwargs(operation: Operation, kwargs: dict[str, Any]) -> dict[str, Any]:
    for key, value in kwargs.items():
        if isinstance(value, Tensor) and value._requires_grad and STATE.grad_enabled:
            raise TypeError(
                f"{operation.name}: the keyword argument {key} requires grad, and gradients flow "
                f"to positional arguments only; pass it by position, or {key}.detach()"
            )
    return {key: parts_of(value) for key, value in kwargs.items()}


def _explained(operation: Operation, args: tuple[Any, ...], error: ValueError) -> ValueError:
    """The error in the user's words: which operation, on which tensors of which shapes."""
    shown = []
    for arg in args:
        if isinstance(arg, (Tensor, np.ndarray)):
            name = name_in_caller(arg)
            shown.append(f"{name} {arg.shape}" if name else str(arg.shape))
    if not shown:
        return error
    shapes: list[Array | tuple[int, ...]] = [
        a.shape for a in args if isinstance(a, (Tensor, np.ndarray))
    ]
    what = f"{operation.name}: {' and '.join(shown)}"
    if "broadcast" in str(error) and len(shapes) > 1:
        return ShapeError(
            f"{what} do not broadcast: aligned at the right, lengths must be equal or 1"
        )
    return ShapeError(f"{what}: {error}")
