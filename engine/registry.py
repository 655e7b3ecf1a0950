"""Which backward function belongs to which argument of which forward function."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from numpy.typing import NDArray

Array = NDArray[Any]
ForwardFunc = Callable[..., Any]
BackFunc = Callable[..., Any]
"""`(grad_out, out, *args, **kwargs) -> gradient of one argument`, on bare arrays."""


OUT = -1
"""Stands for the result where the positions of arguments are counted."""


class _Added(NamedTuple):
    """A backward function, and what `add_back_func` was told of it."""

    back_fn: BackFunc
    reads: tuple[int, ...] | None
    on_scalars: bool


class BackwardFuncLookup:
    """Backward functions by forward function and argument position.

    A forward function may be given as the NumPy function or as the Tensor function that
    `wrap_forward_fn` made of it. What is added replaces what was there, for the graphs that are
    built afterwards.
    """

    def __init__(self) -> None:
        self._added: dict[ForwardFunc, dict[int, _Added]] = {}
        self._replaced: dict[tuple[ForwardFunc, int], BackFunc] = {}
        self._factories: dict[ForwardFunc, Callable[[int], BackFunc]] = {}
        self._own: dict[tuple[ForwardFunc, int], BackFunc] = {}
        self.version = 0
        """Counts the changes, so that what was looked up before can be looked up anew."""

    def add_back_func(
        self,
        forward_fn: ForwardFunc,
        arg_position: int,
        back_fn: BackFunc,
        reads: tuple[int, ...] | None = None,
        on_scalars: bool = False,
    ) -> None:
        """Let `back_fn` give the gradient of `forward_fn`'s positional argument `arg_position`.

        Args:
            forward_fn: a function on arrays, or the Tensor function made of it.
            arg_position: counts from 0.
            back_fn: `(grad_out, out, *args, **kwargs) -> gradient`.
            reads: the positions of the arguments at whose values, not only shapes, `back_fn` looks
                (`OUT` for the result); the others may be changed in place before it is called.
                None for all.
            on_scalars: whether `back_fn` may be called with NumPy's scalars instead of arrays that
                have no dimension, and gives the same to the bit.

        Raises:
            TypeError: a function is not callable.
            ValueError: the position is negative.
        """
        if not callable(forward_fn) or not callable(back_fn):
            raise TypeError("add_back_func takes a forward function, a position and a function")
        if arg_position < 0:
            raise ValueError(f"argument positions count from 0, not {arg_position}")
        inner = inner_function(forward_fn)
        before = self.all_of(inner)(arg_position)
        if before is not None:
            first = self._replaced.setdefault((inner, arg_position), before)
            if first is back_fn:
                del self._replaced[inner, arg_position]
        self._added.setdefault(inner, {})[arg_position] = _Added(back_fn, reads, on_scalars)
        self.version += 1

    def add_back_func_factory(
        self, forward_fn: ForwardFunc, factory: Callable[[int], BackFunc]
    ) -> None:
        """For a forward function of any number of arguments: `factory(position)` gives the
        backward function of each argument that has none of its own."""
        self._factories[inner_function(forward_fn)] = functools.cache(factory)
        self.version += 1

    def get_back_func(self, forward_fn: ForwardFunc, arg_position: int) -> BackFunc:
        """The backward function of one argument.

        Raises:
            KeyError: there is none.
        """
        inner = inner_function(forward_fn)
        back = self.all_of(inner)(arg_position)
        if back is None:
            name = getattr(inner, "__name__", repr(inner))
            raise KeyError(
                f"{name} has no backward function for argument {arg_position}: add one with "
                f"BACK_FUNCS.add_back_func({name}, {arg_position}, ...)"
            )
        return back

    def replaced(self, forward_fn: ForwardFunc, arg_position: int) -> BackFunc | None:
        """The backward function that stood here first, None where nothing was replaced."""
        return self._replaced.get((inner_function(forward_fn), arg_position))

    def mark_as_own(self) -> None:
        """Take what was added so far for the engine's own."""
        self._own = {(func, position): back for func, position, back in self._all()}

    def added(self) -> list[tuple[ForwardFunc, int, BackFunc]]:
        """What is not the engine's own: forward function, argument position, backward function."""
        return [
            (func, position, back)
            for func, position, back in self._all()
            if self._own.get((func, position)) is not back
        ]

    def _all(self) -> Iterator[tuple[ForwardFunc, int, BackFunc]]:
        for func, by_position in self._added.items():
            for position, added in by_position.items():
                yield func, position, added.back_fn

    def is_replaced(self, forward_fn: ForwardFunc) -> bool:
        """Whether a backward function of `forward_fn` has taken the place of another."""
        inner = inner_function(forward_fn)
        return any(func is inner for func, _ in self._replaced)

    def reads_of(self, forward_fn: ForwardFunc) -> dict[int, tuple[int, ...] | None]:
        """What the backward functions of a forward function read, as `add_back_func` was told."""
        added = self._added.get(inner_function(forward_fn), {})
        return {position: one.reads for position, one in added.items()}

    def on_scalars(self, forward_fn: ForwardFunc) -> bool:
        """Whether all backward functions of a forward function may be called with scalars, as
        `add_back_func` was told."""
        inner = inner_function(forward_fn)
        added = self._added.get(inner, {}).values()
        return bool(added) and inner not in self._factories and all(a.on_scalars for a in added)

    def all_of(self, forward_fn: ForwardFunc) -> Callable[[int], BackFunc | None]:
        """The backward functions of a forward function as they are now, by position: a function
        that gives None where there is none."""
        inner = inner_function(forward_fn)
        added = self._added.get(inner, {})
        by_position = {position: one.back_fn for position, one in added.items()}
        factory = self._factories.get(inner)
        if factory is None:
            return by_position.get
        return lambda position: by_position.get(position) or factory(position)


def inner_function(forward_fn: ForwardFunc) -> ForwardFunc:
    """The function on arrays inside a Tensor function; any other function is itself."""
    inner = getattr(forward_fn, "numpy_fn", None)
    return inner if callable(inner) else forward_fn


BACK_FUNCS = BackwardFuncLookup()
"""The engine's registry."""
