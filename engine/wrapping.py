"""Making a Tensor function of a NumPy function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.inplace import CLOCK, check_current
from engine.naming import name_in_caller
from engine.origin import current_origin
from engine.registry import BACK_FUNCS, Array, BackFunc, ForwardFunc
from engine.state import STATE, SWITCHES
from engine.tensor import FLOAT32, Tensor, parts_of

# Looked up at every operation, so where Python finds them at once.
ndarray, asarray, new = np.ndarray, np.asarray, Tensor.__new__

Joint = Callable[[Array, Tensor], list[Array | None]]
"""`(grad_out, node) -> contributions`, one for each input; None for one that requires no grad. The
arguments of such a node are always in its tuples."""


class Operation:
    """A function on arrays with the backward functions that hold for a graph built now."""

    __slots__ = (
        "back_func",
        "func",
        "joint",
        "kwargs",
        "name",
        "on_scalars",
        "only",
        "reads",
        "take_apart",
    )

    def __init__(self, func: ForwardFunc, name: str) -> None:
        self.func = func
        self.name = name
        self.kwargs: dict[str, Any] = {}
        """The keyword arguments that it is called with."""
        self.joint: Joint | None = None
        """Computes the gradients of all arguments at once; None where the backward functions are
        called one by one."""
        self.only: BackFunc | None = None
        """Where a gradient goes to the first argument only: its backward function."""
        self.take_apart: Callable[[Tensor], None] | None = None
        """Puts nodes of its parts in the place of a node, for whoever looks at it. No tensor comes
        twice among the inputs of such a node."""
        self.back_func: Callable[[int], BackFunc | None] = BACK_FUNCS.all_of(func)
        """The backward function of an argument by its position, None where there is none."""
        self.on_scalars = BACK_FUNCS.on_scalars(func)
        """Whether the backward functions take scalars for arrays that have no dimension."""
        self.reads = BACK_FUNCS.reads_of(func)
        """By the same position, the arguments whose values it reads; see `add_back_func`."""

    def with_kwargs(self, kwargs: dict[str, Any]) -> Operation:
        """The same operation, called with these keyword arguments."""
        bound = Operation.__new__(Operation)
        bound.func, bound.name, bound.kwargs = self.func, self.name, kwargs
        bound.joint, bound.back_func, bound.reads = self.joint, self.back_func, self.reads
        bound.take_apart, bound.only = self.take_apart, self.only
        bound.on_scalars = self.on_scalars
        return bound


_names: dict[ForwardFunc, str] = {}
"""What each function was called first."""

_latest: dict[tuple[ForwardFunc, str], tuple[int, Operation]] = {}


def operation_of(func: ForwardFunc, name: str | None = None) -> Operation:
    """The operation of a function on arrays, with the backward functions of this moment."""
    called = name or _names.get(func) or str(getattr(func, "__name__", repr(func)))
    _names.setdefault(func, called)
    latest = _latest.get((func, called))
    if latest is None or latest[0] != BACK_FUNCS.version:
        latest = _latest[func, called] = (BACK_FUNCS.version, Operation(func, called))
    return latest[1]


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
    operation = operation_of(numpy_fn, name)
    version = BACK_FUNCS.version

    def tensor_func(*args: Any, **kwargs: Any) -> Tensor:
        nonlocal operation, version
        if version != BACK_FUNCS.version:
            operation = operation_of(numpy_fn, operation.name)
            version = BACK_FUNCS.version
        requires_grad = outdated = plain = False
        arrays: list[Any] = []
        now = CLOCK.time
        for arg in args:
            if isinstance(arg, Tensor):
                arrays.append(arg.array)
                if arg._requires_grad:
                    requires_grad = True
                    if arg._made_at != now and arg._op is not None:
                        outdated = True
            elif arg.__class__ is float or arg.__class__ is int:
                arrays.append(arg)
            else:
                arrays = _convert_plain(operation, args)
                plain = outdated = True  # at least it has to be looked at
                requires_grad = any(isinstance(a, Tensor) and a._requires_grad for a in args)
                break
        if kwargs:
            kwargs = _plain_kwargs(operation, kwargs)
        try:
            array = numpy_fn(*arrays, **kwargs) if kwargs else numpy_fn(*arrays)
        except ValueError as error:
            raise _explained(operation, args, error) from error
        if array.__class__ is not ndarray:
            array = asarray(array)
        if plain or array.dtype is not FLOAT32:
            array = _not_raised(array, args)

        out = new(Tensor)
        out.array = array
        out._grad = out._hooks = out._source = out._second_input = None
        out._made_at = now
        if SWITCHES.turned:
            requires_grad = requires_grad and STATE.grad_enabled
            if STATE.origins_enabled:
                out._source = current_origin(operation.name, args)
        if requires_grad and is_differentiable:
            if array.dtype is not FLOAT32 and array.dtype.kind not in "fiu":
                raise TypeError(_no_gradients(operation, array))
            if outdated:
                check_current(operation.name, args)
            out._requires_grad = True
            out._op = operation.with_kwargs(kwargs) if kwargs else operation
            out._kept_args = tuple(arrays)
            out._kept_inputs = args
        else:
            out._requires_grad = False
            out._op = None
            out._kept_args = out._kept_inputs = ()
        return out

    tensor_func.__name__ = tensor_func.__qualname__ = operation.name
    tensor_func.__doc__ = getattr(numpy_fn, "__doc__", None)
    tensor_func.numpy_fn = numpy_fn  # type: ignore[attr-defined]
    return tensor_func


def fused_node(
    operation: Operation, array: Array, arrays: tuple[Any, ...], inputs: tuple[Any, ...]
) -> Tensor:
    """The result of a fused operation on floats, computed already, as a node of the graph.

    Args:
        operation: what has computed it.
        array: the result.
        arrays: what the backward functions get after grad_out and out.
        inputs: the arguments, Tensors.
    """
    out = new(Tensor)
    out.array = array
    out._grad = out._hooks = out._source = out._second_input = None
    out._made_at = now = CLOCK.time
    requires_grad = outdated = False
    for tensor in inputs:
        if tensor._requires_grad:
            requires_grad = True
            if tensor._made_at != now and tensor._op is not None:
                outdated = True
    if requires_grad and (not SWITCHES.turned or STATE.grad_enabled):
        if outdated:
            check_current(operation.name, inputs)
        out._requires_grad = True
        out._op, out._kept_args, out._kept_inputs = operation, arrays, inputs
    else:
        out._requires_grad = False
        out._op, out._kept_args, out._kept_inputs = None, (), ()
    return out


def _widest_float(args: tuple[Any, ...]) -> np.dtype[Any]:
    """NumPy's promotion among the tensors with floats; float32 where there are none."""
    floats = [a.array.dtype for a in args if isinstance(a, Tensor) and a.array.dtype.kind == "f"]
    return np.result_type(*floats) if floats else FLOAT32


def _not_raised(array: Array, args: tuple[Any, ...]) -> Array:
    """The result in the dtype of the tensors, where numbers or integers have raised it; in float32
    where it is a float of integers."""
    if array.dtype.kind != "f":
        return array
    widest = _widest_float(args)
    if array.dtype.itemsize > widest.itemsize or not _any_float(args):
        return array.astype(widest, copy=False)
    return array


def _any_float(args: tuple[Any, ...]) -> bool:
    return any(isinstance(a, Tensor) and a.array.dtype.kind == "f" for a in args)


def _no_gradients(operation: Operation, array: Array) -> str:
    return f"{operation.name}: the result is {array.dtype}, and that cannot carry a gradient"


def _convert_plain(operation: Operation, args: tuple[Any, ...]) -> list[Any]:
    """The arrays of the arguments; what is not a Tensor follows their dtype, not raising it."""
    widest = _widest_float(args)
    converted = []
    for arg in args:
        array = arg
        if isinstance(arg, Tensor):
            array = arg.array
        elif isinstance(arg, np.generic):
            array = arg.item()
            if isinstance(array, np.floating):
                array = float(array)  # a long double is not a Python number even then
        elif isinstance(arg, np.ndarray):
            if arg.dtype.kind == "f" and arg.dtype.itemsize > widest.itemsize:
                array = arg.astype(widest)
        elif isinstance(arg, (tuple, list)):
            _refuse_hidden_gradients(operation, arg)
            array = parts_of(arg)
            if isinstance(arg, list):
                array = _as_array(array, widest)
        converted.append(array)
    return converted


def _as_array(values: list[Any], widest: np.dtype[Any]) -> Any:
    """Nested lists of numbers as an array; any other list as it is."""
    try:
        array = np.asarray(values)
    except ValueError:
        return values
    if array.dtype.kind == "f" and array.dtype.itemsize > widest.itemsize:
        return array.astype(widest)
    return array if array.dtype.kind in "fiub" else values


def _refuse_hidden_gradients(operation: Operation, value: object) -> None:
    """Gradients flow to arguments that are Tensors, not to Tensors inside an argument."""
    if isinstance(value, (tuple, list)):
        for part in value:
            _refuse_hidden_gradients(operation, part)
    elif isinstance(value, Tensor) and value._requires_grad and STATE.grad_enabled:
        raise TypeError(
            f"{operation.name}: a tensor inside a list or tuple requires grad, and no gradient "
            "could flow to it; give it as an argument of its own (of what max(dim) or sort give: "
            ".values), use stack or cat, or detach() it"
        )


SIMPLE = (int, str, float, type(None))


def _plain_kwargs(operation: Operation, kwargs: dict[str, Any]) -> dict[str, Any]:
    for value in kwargs.values():
        if not isinstance(value, SIMPLE):
            break
    else:
        return kwargs
    for key, value in kwargs.items():
        if isinstance(value, Tensor) and value._requires_grad and STATE.grad_enabled:
            raise TypeError(
                f"{operation.name}: the keyword argument {key} requires grad, and gradients flow "
                f"to positional arguments only; pass it by position, or {key}.detach()"
            )
        _refuse_hidden_gradients(operation, value)
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
