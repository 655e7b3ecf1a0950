"""Tensor functions whose tensors may also be given by keyword, as PyTorch's users write them.

Gradients flow to positional arguments only (see `wrap_forward_fn`), so each such function is a
plain one with PyTorch's signature, which hands its tensors on by position.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec

import numpy as np

from engine.registry import Array, inner_function
from engine.tensor import Tensor

P = ParamSpec("P")


def stands_for(
    tensor_func: Callable[..., Tensor],
) -> Callable[[Callable[P, Tensor]], Callable[P, Tensor]]:
    """Mark a function that ends in a call of `tensor_func`: in `BACK_FUNCS` it is the same."""

    def mark(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
        function.numpy_fn = inner_function(tensor_func)  # type: ignore[attr-defined]
        return function

    return mark


def array_of(value: Any) -> Array:
    """The array of a Tensor, or of anything that NumPy makes an array of."""
    return value.array if isinstance(value, Tensor) else np.asarray(value)
