"""The Tensor: a NumPy array that remembers how it was computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

import engine
from engine import inplace
from engine.changing import TensorChanges
from engine.methods import TensorMethods
from engine.origin import current_origin, user_line
from engine.registry import Array, ForwardFunc
from engine.state import STATE

if TYPE_CHECKING:
    import engine.backward
    from engine.hooks import HookHandle, TensorHooks
    from engine.origin import Origin
    from engine.wrapping import Operation

FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)


@dataclass(frozen=True, eq=False)
class Recipe:
    """How a tensor was computed."""

    func: ForwardFunc
    """The function on arrays."""
    args: tuple[Any, ...]
    """What it was called with: arrays where the caller gave tensors."""
    kwargs: dict[str, Any]
    """Its keyword arguments."""
    parents: dict[int, Tensor]
    """The arguments that were tensors, by position."""


class _Recipes:
    set_by_hand = False


RECIPES = _Recipes()
"""`RECIPES.set_by_hand` tells whether any tensor has been given a recipe: only so can a graph have
a cycle."""


class Tensor(TensorMethods, TensorChanges):
    """A NumPy array, its gradient, and how it was computed.

    Args:
        array: anything NumPy makes an array of. An array that already has the wanted dtype is
            shared, not copied.
        requires_grad: whether a backward pass is to leave a gradient in `grad`.
        dtype: the wanted dtype. Without one, float64 and Python floats become float32, and
            everything else stays what it is.

    Raises:
        TypeError: a gradient is asked for where the dtype cannot carry one.
    """

    __slots__ = (
        "__weakref__",
        "_grad",
        "_hooks",
        "_kept_args",
        "_kept_inputs",
        "_made_at",
        "_op",
        "_requires_grad",
        "_second_arg",
        "_second_input",
        "_source",
        "array",
    )

    __hash__ = object.__hash__  # by identity, although == compares the elements

    array: Array
    _grad: Array | Tensor | None  # a backward pass leaves the bare array
    _requires_grad: bool
    _op: Operation | None
    # All that its function was called with, and the arguments of which that was taken, as tuples;
    # or, where they are two single numbers, the first, and the second in slots of its own: the
    # garbage collector walks through each tuple again and again, a third of a long chain's time.
    # More slots would have each Tensor lie in three lines of the processor's cache, not in two.
    _kept_args: Any
    _kept_inputs: Any
    _second_arg: Any
    _second_input: Any  # None where all is in the tuples
    _hooks: TensorHooks | None
    _made_at: int
    _source: Origin | tuple[str, int] | None

    __array_priority__ = 1000.0  # so that `ndarray + Tensor` asks the Tensor

    def __init__(self, array: Any, requires_grad: bool = False, dtype: Any = None) -> None:
        if isinstance(array, Tensor):
            array = array.array
        made = np.asarray(array, dtype)
        if dtype is None and made.dtype.kind == "f" and made.dtype.itemsize > 4:
            made = made.astype(FLOAT32)
        elif not made.dtype.isnative:
            made = made.astype(made.dtype.newbyteorder("="))
        self.array = made if made.dtype is FLOAT32 else _with_known_dtype(made)
        self._grad = None
        self._op = None
        self._kept_args = self._kept_inputs = ()
        self._second_input = None
        self._hooks = None
        self._made_at = 0
        self._source = user_line() if STATE.origins_enabled else None
        self._requires_grad = False
        if requires_grad:
            self.requires_grad = True

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        for name, value in state[1].items():
            setattr(self, name, value)
        self.array = _with_known_dtype(self.array)

    # How it was computed

    @property
    def grad(self) -> Tensor | None:
        """The gradient that backward passes have left here, None where none has."""
        grad = self._grad
        if grad is None or isinstance(grad, Tensor):
            return grad
        self._grad = wrapped = bare_tensor(grad)
        return wrapped

    @grad.setter
    def grad(self, grad: Tensor | None) -> None:
        self._grad = grad

    @property
    def requires_grad(self) -> bool:
        """Whether a backward pass through this tensor computes its gradient."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if wanted and self.array.dtype.kind not in "fiu":
            raise TypeError(
                f"a tensor of dtype {self.array.dtype} cannot carry a gradient: only numbers that "
                "change smoothly can (float16, float32, float64; integers are accepted)"
            )
        if not wanted and self._op is not None:
            raise RuntimeError(
                "requires_grad can be turned off for leaves only; use detach() for a tensor that "
                "shares the array and has no history"
            )
        self._requires_grad = bool(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` and give the tensor back."""
        self.requires_grad = requires_grad
        return self

    @property
    def recipe(self) -> Recipe | None:
        """How the tensor was computed; None for a leaf."""
        self.take_apart()
        if self._op is None:
            return None
        parents = {i: t for i, t in enumerate(self._inputs) if isinstance(t, Tensor)}
        return Recipe(self._op.func, self._args, self._op.kwargs, parents)

    @recipe.setter
    def recipe(self, recipe: Recipe | None) -> None:
        from engine.wrapping import operation_of

        RECIPES.set_by_hand = True
        if recipe is None:
            self.set_history(None, (), ())
        else:
            operation = operation_of(recipe.func).with_kwargs(dict(recipe.kwargs))
            inputs = [recipe.parents.get(i, arg) for i, arg in enumerate(recipe.args)]
            self.set_history(operation, tuple(recipe.args), tuple(inputs))
        self._made_at = inplace.CLOCK.time

    @property
    def _args(self) -> tuple[Any, ...]:
        """What its function was called with: arrays where the arguments were Tensors."""
        if self._second_input is None:
            return cast("tuple[Any, ...]", self._kept_args)
        return self._kept_args, self._second_arg

    @property
    def _inputs(self) -> tuple[Any, ...]:
        """The arguments."""
        if self._second_input is None:
            return cast("tuple[Any, ...]", self._kept_inputs)
        return self._kept_inputs, self._second_input

    def set_history(
        self, op: Operation | None, args: tuple[Any, ...], inputs: tuple[Any, ...]
    ) -> None:
        """Let it have been computed like this."""
        # In one statement, where nothing comes between: no interrupt, no other thread.
        (self._op, self._kept_args, self._kept_inputs, self._second_arg, self._second_input) = (
            op,
            args,
            inputs,
            None,
            None,
        )

    def parents(self) -> list[Tensor]:
        """The tensors that this one was made from, by argument; one used twice comes twice."""
        self.take_apart()
        return [t for t in self._inputs if isinstance(t, Tensor)]

    def take_apart(self) -> None:
        """Put the operations that were computed as one in the place of this tensor's, where it was
        made by such a one: called by whatever lets its history be seen."""
        if self._op is not None and self._op.take_apart is not None:
            self._op.take_apart(self)

    @property
    def op(self) -> str | None:
        """The name of the operation that made it; None for a leaf."""
        self.take_apart()
        return None if self._op is None else self._op.name

    @property
    def is_leaf(self) -> bool:
        """Whether it was given, not computed by a recorded operation."""
        return self._op is None

    @property
    def origin(self) -> Origin | None:
        """What made it; None where that was not recorded."""
        source = self._source
        return None if isinstance(source, tuple) else source

    @property
    def given_at(self) -> tuple[str, int] | None:
        """The user's file and line that gave it; None where none did, or it was not recorded."""
        source = self._source
        return source if isinstance(source, tuple) else None

    def backward(
        self, end_grad: Any = None, retain_graph: bool = True, create_graph: bool = False
    ) -> None:
        """Compute the gradients of all leaves below, adding to what their `grad` holds.

        Args:
            end_grad: the gradient of the loss with respect to this tensor (an array or a
                Tensor of its shape); ones where it is not given.
            retain_graph: taken for PyTorch's sake; a graph lives as long as its root.
            create_graph: would record a graph of the gradients for second derivatives, which
                this engine does not have.

        Raises:
            NotImplementedError: second derivatives are asked for.
            RuntimeError: the tensor does not require grad.
            ShapeError: the seed has another shape.
            BackwardError: a backward function is missing or wrong.
        """
        if create_graph:
            raise NotImplementedError(
                "backward: create_graph=True asks for second derivatives, and this engine has "
                "first derivatives only; backward functions work on bare arrays"
            )
        engine.backward.backward(self, end_grad)

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> HookHandle:
        """Call `hook` with the gradient of this tensor whenever a backward pass has completed it.

        What the hook returns, unless None, takes the gradient's place.
        """
        return self._hooks_to_edit("register_hook").add(hook)

    def retain_grad(self) -> None:
        """Let backward passes set `grad` although this tensor is not a leaf."""
        self._hooks_to_edit("retain_grad").retains_grad = True

    def _hooks_to_edit(self, wanted: str) -> TensorHooks:
        from engine.hooks import TensorHooks

        if not self._requires_grad:
            raise RuntimeError(f"{wanted}: this tensor does not require grad, none will arrive")
        if self._hooks is None:
            self._hooks = TensorHooks()
        return self._hooks

    def detach(self) -> Tensor:
        """A leaf that shares the array and needs no gradient."""
        out = Tensor(self.array, dtype=self.array.dtype)
        if STATE.origins_enabled:
            out._source = current_origin("detach", (self,))
        return out

    # Shape and values

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the dimensions."""
        return self.array.shape

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of an element."""
        return self.array.dtype

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one dimension."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """The number of dimensions."""
        return self.array.ndim

    def numel(self) -> int:
        """The number of elements."""
        return int(self.array.size)

    def item(self) -> Any:
        """The only element, as a Python number.

        Raises:
            RuntimeError: there is not exactly one.
        """
        if self.array.size != 1:
            raise RuntimeError(
                f"item() takes a tensor of one element, not one of shape {self.shape}"
            )
        return self.array.item()

    def numpy(self) -> Array:
        """The array itself."""
        return self.array

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        return self.array.tolist()

    def __len__(self) -> int:
        if self.array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return int(self.array.shape[0])

    def __bool__(self) -> bool:
        if self.array.size != 1:
            raise RuntimeError(
                f"the truth of a tensor with {self.array.size} values is ambiguous: use .any() "
                "or .all() on its array, or compare one element"
            )
        return bool(self.array.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.array.size != 1 or self.array.dtype.kind not in "iub":
            raise TypeError("only an integer tensor of one element can be used as an index")
        return int(self.array.item())

    def __repr__(self) -> str:
        suffix = ", requires_grad=True" if self._requires_grad else ""
        return f"Tensor({self.array!r}{suffix})"

    # Taking the place of another, for changes in place

    def replica(self, array: Array) -> Replica:
        """A tensor with the same history as this one, and another array of the same values."""
        other = Replica(array, dtype=array.dtype)
        other._requires_grad = self._requires_grad
        other.set_history(self._op, self._args, self._inputs)
        other._made_at, other._hooks, other._source = self._made_at, self._hooks, self._source
        return other

    def take_place_of(self, other: Tensor) -> None:
        """Have the history of `other` from now on."""
        self._requires_grad = other._requires_grad
        self.set_history(other._op, other._args, other._inputs)
        self._made_at, self._hooks, self._source = inplace.CLOCK.time, None, other._source


class Replica(Tensor):
    """What a tensor was before a change in place that is a step of the graph."""

    __slots__ = ()


def _with_known_dtype(array: Array) -> Array:
    """The array with NumPy's own object for its dtype, by which dtypes are told apart here: out of
    a pickle comes another one that is equal to it."""
    dtype = array.dtype
    known = np.dtype(dtype.type) if dtype.kind in "fiub" else dtype
    return array if dtype is known or dtype != known else array.view(known)


def bare_tensor(array: Array) -> Tensor:
    """A leaf that holds just this array, without the checks of the constructor."""
    tensor = Tensor.__new__(Tensor)
    tensor.array = array
    tensor._grad = tensor._source = tensor._op = tensor._hooks = None
    tensor._kept_args = tensor._kept_inputs = ()
    tensor._second_input = None
    tensor._made_at = 0
    tensor._requires_grad = False
    return tensor


def parts_of(value: Any) -> Any:
    """`value` with every Tensor in it (also inside tuples and lists) replaced by its array."""
    if isinstance(value, Tensor):
        return value.array
    if isinstance(value, tuple):
        return tuple(parts_of(part) for part in value)
    if isinstance(value, list):
        return [parts_of(part) for part in value]
    return value
