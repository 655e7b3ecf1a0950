"""A module's parameters and buffers as arrays under PyTorch's names, and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.errors import ShapeError
from engine.inplace import mark_all_changed
from engine.registry import Array
from engine.tensor import Tensor

if TYPE_CHECKING:
    from engine.nn.module import Module


class LoadResult(NamedTuple):
    """The names that did not match."""

    missing_keys: list[str]
    """The module's, not in the state."""
    unexpected_keys: list[str]
    """The state's, not in the module."""


def state_of(module: Module) -> dict[str, Array]:
    """See `Module.state_dict`."""
    return {name: tensor.array.copy() for name, tensor in named_state(module)}


def load_state(module: Module, state: Mapping[str, Any], strict: bool) -> LoadResult:
    """See `Module.load_state_dict`."""
    own = dict(named_state(module))
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    kind = type(module).__name__
    if strict and (missing or unexpected):
        told = [
            f"{what}: {', '.join(names)}"
            for what, names in (("missing", missing), ("not in the module", unexpected))
            if names
        ]
        raise RuntimeError(f"{kind}.load_state_dict: {'; '.join(told)}")
    arrays = {name: bare_array(state[name]) for name in own if name in state}
    wrong = [
        f"{name} has shape {own[name].shape}, but {array.shape} in the state"
        for name, array in arrays.items()
        if array.shape != own[name].shape
    ]
    if wrong:
        raise ShapeError(f"{kind}.load_state_dict: {'; '.join(wrong)}")
    for name, array in arrays.items():
        if not np.can_cast(array.dtype, own[name].dtype, "same_kind"):
            raise TypeError(
                f"{kind}.load_state_dict: {name} holds {own[name].dtype}, but {array.dtype} in the "
                "state"
            )
    for name, array in arrays.items():
        np.copyto(own[name].array, array, casting="same_kind")
    mark_all_changed([own[name].array for name in arrays], "load_state_dict")
    return LoadResult(missing, unexpected)


def bare_array(value: Any) -> Array:
    """The array of an array, a Tensor, or a tensor of PyTorch."""
    return np.asarray(value.detach().numpy() if hasattr(value, "detach") else value)


def named_state(module: Module) -> Iterator[tuple[str, Tensor]]:
    """As PyTorch orders it: a module's own parameters, its buffers, then its children.

    A tensor or a module that is there under several names comes under each of them.
    """
    open_modules = [("", module)]
    while open_modules:
        prefix, current = open_modules.pop()
        for name, parameter in current._parameters.items():
            yield prefix + name, parameter
        for name, buffer in current._buffers.items():
            if name not in current._passing:
                yield prefix + name, buffer
        open_modules.extend(
            (f"{prefix}{name}.", child) for name, child in reversed(current._modules.items())
        )
