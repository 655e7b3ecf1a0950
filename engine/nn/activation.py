"""The bends between the layers."""

from __future__ import annotations

from engine.functions import relu
from engine.nn.module import Module
from engine.tensor import Tensor


class ReLU(Module):
    """`maximum(x, 0)`."""

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, to the same."""
        return relu(x)
