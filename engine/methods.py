"""The operators and methods of a Tensor: each is the function of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import engine

if TYPE_CHECKING:
    from engine.tensor import Tensor


class TensorMethods:
    """What can be computed with a Tensor."""

    __slots__ = ()

    def __add__(self, other: Any) -> Tensor:
        return engine.add(self, other)

    def __radd__(self, other: Any) -> Tensor:
        return engine.add(other, self)

    def __sub__(self, other: Any) -> Tensor:
        return engine.subtract(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return engine.subtract(other, self)

    def __mul__(self, other: Any) -> Tensor:
        return engine.multiply(self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return engine.multiply(other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return engine.true_divide(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return engine.true_divide(other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return engine.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return engine.matmul(other, self)

    def __neg__(self) -> Tensor:
        return engine.negative(self)

    def __eq__(self, other: Any) -> Tensor:  # type: ignore[override]
        return engine.eq(self, other)

    def __ne__(self, other: Any) -> Tensor:  # type: ignore[override]
        return engine.ne(self, other)

    def __lt__(self, other: Any) -> Tensor:
        return engine.lt(self, other)

    def __le__(self, other: Any) -> Tensor:
        return engine.le(self, other)

    def __gt__(self, other: Any) -> Tensor:
        return engine.gt(self, other)

    def __ge__(self, other: Any) -> Tensor:
        return engine.ge(self, other)

    def __getitem__(self, index: Any) -> Tensor:
        return engine.getitem(self, index)

    @property
    def T(self) -> Tensor:
        """The tensor with its dimensions in reverse order."""
        return engine.transposed(self)

    def log(self) -> Tensor:
        """See `engine.log`."""
        return engine.log(self)

    def exp(self) -> Tensor:
        """See `engine.exp`."""
        return engine.exp(self)

    def relu(self) -> Tensor:
        """See `engine.relu`."""
        return engine.relu(self)

    def maximum(self, other: Any) -> Tensor:
        """See `engine.maximum`."""
        return engine.maximum(self, other)

    def sum(self, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
        """See `engine.sum`."""
        return engine.sum(self, dim=dim, keepdim=keepdim)

    def reshape(self, *shape: Any) -> Tensor:
        """See `engine.reshape`; the lengths may be given one by one or as a tuple."""
        return engine.reshape(self, _sizes(shape))

    def permute(self, *dims: Any) -> Tensor:
        """See `engine.permute`; the dimensions may be given one by one or as a tuple."""
        return engine.permute(self, _sizes(dims))

    def expand(self, *shape: Any) -> Tensor:
        """See `engine.expand`; the lengths may be given one by one or as a tuple."""
        return engine.expand(self, _sizes(shape))

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """See `engine.argmax`."""
        return engine.argmax(self, dim=dim, keepdim=keepdim)


def _sizes(given: tuple[Any, ...]) -> tuple[int, ...]:
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        return tuple(given[0])
    return given
