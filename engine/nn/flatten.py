"""From images to rows of numbers."""

from __future__ import annotations

from engine import functions
from engine.nn.module import Module
from engine.tensor import Tensor


class Flatten(Module):
    """Dimensions `start_dim` to `end_dim` as one; by default all but the batch."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, rows, columns) to (N, C * rows * columns)."""
        return functions.flatten(x, start_dim=self.start_dim, end_dim=self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"
