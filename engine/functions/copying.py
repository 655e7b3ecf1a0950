"""The same values in other memory, or in another dtype."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.functions.keywords import stands_for
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

__all__ = ["clone", "clone_back", "to", "to_back"]


def _clone(x: Array) -> Array:
    """The same values in memory of their own."""
    return x.copy()


def clone_back(grad_out: Array, out: Array, x: Array) -> Array:
    """grad_out"""
    return grad_out


clone = wrap_forward_fn(_clone, name="clone")
BACK_FUNCS.add_back_func(_clone, 0, clone_back, reads=())


def _to(x: Array, dtype: str) -> Array:
    """The same values in another dtype."""
    return x.astype(dtype)


def to_back(grad_out: Array, out: Array, x: Array, dtype: str) -> Array:
    """grad_out, in the dtype of x"""
    return grad_out.astype(x.dtype if x.dtype.kind == "f" else np.float32)


_to_recorded = wrap_forward_fn(_to, name="to")
BACK_FUNCS.add_back_func(_to, 0, to_back, reads=())


@stands_for(_to_recorded)
def to(x: Tensor, dtype: Any) -> Tensor:
    """The same values in another dtype; `x` itself where it has it. Gradients flow to floats only.

    Raises:
        TypeError: there is no such dtype.
    """
    wanted = np.dtype(dtype)
    if wanted == x.dtype:
        return x
    converted = x.array.astype(wanted)
    if wanted.kind != "f":
        return Tensor(converted, dtype=wanted)
    out = _to_recorded(x, dtype=wanted.name)
    out.array = converted  # also where it is wider than any of the arguments
    return out
