"""The bends between the layers."""

from __future__ import annotations

from typing import Any

from engine import functions
from engine.nn.module import Module
from engine.tensor import Tensor


class ReLU(Module):
    """`maximum(x, 0)`.

    Args:
        inplace: whether the input itself is changed, as by `x.relu_()`.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, to the same."""
        return functions.relu(x, inplace=self.inplace)

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class Sigmoid(Module):
    """`1 / (1 + exp(-x))`."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, to the same."""
        return functions.sigmoid(x)


class Tanh(Module):
    """`tanh(x)`."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, to the same."""
        return functions.tanh(x)


class Softmax(Module):
    """`exp(x) / exp(x).sum(dim)`."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, to the same."""
        return functions.softmax(x, dim=self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """`log(softmax(x, dim))`."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, to the same."""
        return functions.log_softmax(x, dim=self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class Identity(Module):
    """Its input; takes, and forgets, whatever arguments another layer would."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        """Anything, to itself."""
        return x
