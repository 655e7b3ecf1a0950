"""The methods of a Tensor that compute: each is the function of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import engine
from engine.converting import TensorConversions
from engine.errors import ShapeError
from engine.operators import TensorOperators

if TYPE_CHECKING:
    from engine.functions.dims import Dims
    from engine.tensor import Tensor


class TensorMethods(TensorConversions, TensorOperators):
    """What can be computed with a Tensor."""

    __slots__ = ()

    # Element by element

    def abs(self) -> Tensor:
        """See `engine.abs`."""
        return engine.abs(self)

    def sqrt(self) -> Tensor:
        """See `engine.sqrt`."""
        return engine.sqrt(self)

    def log(self) -> Tensor:
        """See `engine.log`."""
        return engine.log(self)

    def exp(self) -> Tensor:
        """See `engine.exp`."""
        return engine.exp(self)

    def sin(self) -> Tensor:
        """See `engine.sin`."""
        return engine.sin(self)

    def cos(self) -> Tensor:
        """See `engine.cos`."""
        return engine.cos(self)

    def tanh(self) -> Tensor:
        """See `engine.tanh`."""
        return engine.tanh(self)

    def sigmoid(self) -> Tensor:
        """See `engine.sigmoid`."""
        return engine.sigmoid(self)

    def relu(self) -> Tensor:
        """See `engine.relu`."""
        return engine.relu(self)

    def pow(self, exponent: Any) -> Tensor:
        """See `engine.pow`."""
        return engine.pow(self, exponent)

    def maximum(self, other: Any) -> Tensor:
        """See `engine.maximum`."""
        return engine.maximum(self, other)

    def minimum(self, other: Any) -> Tensor:
        """See `engine.minimum`."""
        return engine.minimum(self, other)

    def clamp(self, min: Any = None, max: Any = None) -> Tensor:
        """See `engine.clamp`."""
        return engine.clamp(self, min, max)

    clip = clamp

    def where(self, condition: Any, other: Any) -> Tensor:
        """This tensor's elements where the condition holds, `other`'s elsewhere."""
        return engine.where(condition, self, other)

    def floor(self) -> Tensor:
        """See `engine.floor`."""
        return engine.floor(self)

    def ceil(self) -> Tensor:
        """See `engine.ceil`."""
        return engine.ceil(self)

    def round(self, decimals: int = 0) -> Tensor:
        """See `engine.round`."""
        return engine.round(self, decimals=decimals)

    def sign(self) -> Tensor:
        """See `engine.sign`."""
        return engine.sign(self)

    def isnan(self) -> Tensor:
        """See `engine.isnan`."""
        return engine.isnan(self)

    def isinf(self) -> Tensor:
        """See `engine.isinf`."""
        return engine.isinf(self)

    def isfinite(self) -> Tensor:
        """See `engine.isfinite`."""
        return engine.isfinite(self)

    # Along dimensions

    def sum(self, dim: Dims = None, keepdim: bool = False) -> Tensor:
        """See `engine.sum`."""
        return engine.sum(self, dim=dim, keepdim=keepdim)

    def mean(self, dim: Dims = None, keepdim: bool = False) -> Tensor:
        """See `engine.mean`."""
        return engine.mean(self, dim=dim, keepdim=keepdim)

    def var(
        self,
        dim: Dims = None,
        unbiased: bool | None = None,
        keepdim: bool = False,
        *,
        correction: float = 1,
    ) -> Tensor:
        """See `engine.var`."""
        return engine.var(self, dim, unbiased, keepdim, correction=correction)

    def std(
        self,
        dim: Dims = None,
        unbiased: bool | None = None,
        keepdim: bool = False,
        *,
        correction: float = 1,
    ) -> Tensor:
        """See `engine.std`."""
        return engine.std(self, dim, unbiased, keepdim, correction=correction)

    def prod(self, dim: Dims = None, keepdim: bool = False) -> Tensor:
        """See `engine.prod`."""
        return engine.prod(self, dim=dim, keepdim=keepdim)

    def max(self, dim: Any = None, keepdim: bool = False) -> Any:
        """See `engine.max`."""
        return engine.max(self, dim, keepdim)

    def min(self, dim: Any = None, keepdim: bool = False) -> Any:
        """See `engine.min`."""
        return engine.min(self, dim, keepdim)

    def amax(self, dim: Dims = None, keepdim: bool = False) -> Tensor:
        """See `engine.amax`."""
        return engine.amax(self, dim=dim, keepdim=keepdim)

    def amin(self, dim: Dims = None, keepdim: bool = False) -> Tensor:
        """See `engine.amin`."""
        return engine.amin(self, dim=dim, keepdim=keepdim)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """See `engine.argmax`."""
        return engine.argmax(self, dim=dim, keepdim=keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """See `engine.argmin`."""
        return engine.argmin(self, dim=dim, keepdim=keepdim)

    def all(self, dim: Dims = None, keepdim: bool = False) -> Tensor:
        """See `engine.all`."""
        return engine.all(self, dim=dim, keepdim=keepdim)

    def any(self, dim: Dims = None, keepdim: bool = False) -> Tensor:
        """See `engine.any`."""
        return engine.any(self, dim=dim, keepdim=keepdim)

    def sort(self, dim: int = -1, descending: bool = False) -> Any:
        """See `engine.sort`."""
        return engine.sort(self, dim, descending)

    def argsort(self, dim: int = -1, descending: bool = False) -> Tensor:
        """See `engine.argsort`."""
        return engine.argsort(self, dim=dim, descending=descending)

    def cumsum(self, dim: int) -> Tensor:
        """See `engine.cumsum`."""
        return engine.cumsum(self, dim=dim)

    def logsumexp(self, dim: Dims, keepdim: bool = False) -> Tensor:
        """See `engine.logsumexp`."""
        return engine.logsumexp(self, dim=dim, keepdim=keepdim)

    def softmax(self, dim: int) -> Tensor:
        """See `engine.softmax`."""
        return engine.softmax(self, dim=dim)

    def log_softmax(self, dim: int) -> Tensor:
        """See `engine.log_softmax`."""
        return engine.log_softmax(self, dim=dim)

    # Products

    def matmul(self, other: Any) -> Tensor:
        """See `engine.matmul`."""
        return engine.matmul(self, other)

    def mm(self, other: Any) -> Tensor:
        """See `engine.mm`."""
        return engine.mm(self, other)

    def bmm(self, other: Any) -> Tensor:
        """See `engine.bmm`."""
        return engine.bmm(self, other)

    def dot(self, other: Any) -> Tensor:
        """See `engine.dot`."""
        return engine.dot(self, other)

    def outer(self, other: Any) -> Tensor:
        """See `engine.outer`."""
        return engine.outer(self, other)

    # In another shape

    @property
    def T(self) -> Tensor:
        """The tensor with its dimensions in reverse order."""
        return engine.transposed(self)

    @property
    def mT(self) -> Tensor:
        """The tensor with its last two dimensions in each other's place."""
        return engine.transpose(self, -2, -1)

    def t(self) -> Tensor:
        """The transpose of a matrix; a vector or a number as it is.

        Raises:
            ShapeError: there are more dimensions than two.
        """
        if self.ndim > 2:
            raise ShapeError(
                f"t: {self.ndim} dimensions have no one transpose; name two of them in "
                "transpose(dim0, dim1)"
            )
        return engine.transposed(self)

    def reshape(self, *shape: Any) -> Tensor:
        """See `engine.reshape`; the lengths may be given one by one or as a tuple."""
        return engine.reshape(self, _sizes(shape))

    def view(self, *shape: Any) -> Tensor:
        """See `engine.view`; the lengths may be given one by one or as a tuple."""
        return engine.view(self, _sizes(shape))

    def permute(self, *dims: Any) -> Tensor:
        """See `engine.permute`; the dimensions may be given one by one or as a tuple."""
        return engine.permute(self, _sizes(dims))

    def expand(self, *shape: Any) -> Tensor:
        """See `engine.expand`; the lengths may be given one by one or as a tuple."""
        return engine.expand(self, _sizes(shape))

    def expand_as(self, other: Tensor) -> Tensor:
        """See `engine.expand`, to the shape of another tensor."""
        return engine.expand(self, other.shape)

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """See `engine.transpose`."""
        return engine.transpose(self, dim0=dim0, dim1=dim1)

    def squeeze(self, dim: Dims = None) -> Tensor:
        """See `engine.squeeze`."""
        return engine.squeeze(self, dim=dim)

    def unsqueeze(self, dim: int) -> Tensor:
        """See `engine.unsqueeze`."""
        return engine.unsqueeze(self, dim=dim)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """See `engine.flatten`."""
        return engine.flatten(self, start_dim=start_dim, end_dim=end_dim)

    def split(self, split_size_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """See `engine.split`."""
        return engine.split(self, split_size_or_sections, dim)

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        """See `engine.chunk`."""
        return engine.chunk(self, chunks, dim)


def _sizes(given: tuple[Any, ...]) -> tuple[int, ...]:
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        return tuple(given[0])
    return given
