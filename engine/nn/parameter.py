"""The tensors that are trained."""

from __future__ import annotations

from engine.tensor import Tensor


class Parameter(Tensor):
    """A leaf that a Module registers and an optimiser changes; it shares its tensor's array.

    Raises:
        TypeError: it is given something other than a Tensor.
    """

    __slots__ = ()

    def __init__(self, tensor: Tensor, requires_grad: bool = True) -> None:
        if not isinstance(tensor, Tensor):
            raise TypeError(
                f"Parameter takes a Tensor, not {type(tensor).__name__}: Parameter(Tensor(...))"
            )
        super().__init__(tensor.array, requires_grad, tensor.array.dtype)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"
