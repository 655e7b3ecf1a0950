"""The layer that turns values off at random while training."""

from __future__ import annotations

from engine.functions.dropout import dropout
from engine.nn.module import Module
from engine.tensor import Tensor


class Dropout(Module):
    """In training each element is 0 with probability `p`; see `engine.dropout`."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout: p is a probability, 0 to 1, not {p}")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, to the same."""
        return dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace=False"
