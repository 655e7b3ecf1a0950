"""What the signs mean between Tensors: each is the function of the same meaning."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import numpy as np

import engine

if TYPE_CHECKING:
    from engine.tensor import Tensor


class TensorOperators:
    """The operators of a Tensor."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def ndim(self) -> int: ...

        def __len__(self) -> int: ...

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

    def __pow__(self, other: Any) -> Tensor:
        return engine.pow(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return engine.pow(other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return engine.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return engine.matmul(other, self)

    def __neg__(self) -> Tensor:
        return engine.negative(self)

    def __abs__(self) -> Tensor:
        return engine.abs(self)

    def __round__(self, ndigits: int = 0) -> Tensor:
        return engine.round(self, decimals=ndigits)

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

    def __pos__(self) -> Tensor:
        return cast("Tensor", self)

    def __invert__(self) -> Tensor:
        return engine.bitwise_not(self)

    def __and__(self, other: Any) -> Tensor:
        return engine.bitwise_and(self, other)

    def __rand__(self, other: Any) -> Tensor:
        return engine.bitwise_and(other, self)

    def __or__(self, other: Any) -> Tensor:
        return engine.bitwise_or(self, other)

    def __ror__(self, other: Any) -> Tensor:
        return engine.bitwise_or(other, self)

    # The same by name

    def add(self, other: Any, *, alpha: float = 1) -> Tensor:
        """`self + alpha * other`."""
        return engine.add(self, scaled(other, alpha))

    def sub(self, other: Any, *, alpha: float = 1) -> Tensor:
        """`self - alpha * other`."""
        return engine.subtract(self, scaled(other, alpha))

    def mul(self, other: Any) -> Tensor:
        """See `engine.multiply`."""
        return engine.multiply(self, other)

    def div(self, other: Any) -> Tensor:
        """See `engine.true_divide`."""
        return engine.true_divide(self, other)

    def neg(self) -> Tensor:
        """See `engine.negative`."""
        return engine.negative(self)

    subtract, multiply, true_divide, divide, negative = sub, mul, div, div, neg

    eq, ne, lt, le, gt, ge = __eq__, __ne__, __lt__, __le__, __gt__, __ge__

    # As a sequence of its rows

    def __getitem__(self, index: Any) -> Tensor:
        return engine.getitem(self, index)

    def __iter__(self) -> Iterator[Tensor]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d tensor, which has no rows")
        return (engine.getitem(self, row) for row in range(len(self)))

    def __contains__(self, value: Any) -> bool:
        return bool(engine.any(engine.eq(self, value)))


def scaled(other: Any, alpha: float) -> Any:
    """`alpha * other`, and `other` itself for an alpha of 1."""
    if alpha == 1:
        return other
    return (np.asarray(other) if isinstance(other, (list, tuple)) else other) * alpha
