"""The methods of a Tensor that give its values in another form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

import engine

if TYPE_CHECKING:
    from engine.registry import Array
    from engine.tensor import Tensor


class TensorConversions:
    """A Tensor's values for NumPy, in other memory, in another dtype."""

    __slots__ = ()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """For NumPy's functions: the array, or a copy of it where one is asked for or the dtype is
        another.

        Raises:
            RuntimeError: the tensor requires grad, and its history would be lost unsaid.
        """
        tensor = cast("Tensor", self)
        if tensor.requires_grad:
            raise RuntimeError(
                f"a tensor {tensor.shape} that requires grad is no NumPy array: what NumPy makes "
                "of it would not be recorded; use the engine's functions, or x.detach() or x.array "
                "where no gradient is wanted"
            )
        return np.array(tensor.array, dtype=dtype, copy=copy)

    def clone(self) -> Tensor:
        """See `engine.clone`."""
        return engine.clone(self)

    def contiguous(self) -> Tensor:
        """The tensor itself where its elements lie in memory in their order; else a `clone`."""
        tensor = cast("Tensor", self)
        return tensor if tensor.array.flags.c_contiguous else engine.clone(tensor)

    def to(self, dtype: Any) -> Tensor:
        """See `engine.to`."""
        return engine.to(cast("Tensor", self), dtype)

    def half(self) -> Tensor:
        """In float16; see `engine.to`."""
        return self.to(np.float16)

    def float(self) -> Tensor:
        """In float32; see `engine.to`."""
        return self.to(np.float32)

    def double(self) -> Tensor:
        """In float64; see `engine.to`."""
        return self.to(np.float64)

    def int(self) -> Tensor:
        """In int32, a fraction cut off; nothing flows through it."""
        return self.to(np.int32)

    def long(self) -> Tensor:
        """In int64, a fraction cut off; nothing flows through it."""
        return self.to(np.int64)

    def bool(self) -> Tensor:
        """What is not 0; nothing flows through it."""
        return self.to(np.bool_)
