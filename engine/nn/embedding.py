"""The layer that looks up rows of a table."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.functions.embedding import embedding
from engine.nn.module import Module
from engine.nn.parameter import Parameter
from engine.random import generator
from engine.tensor import Tensor


class Embedding(Module):
    """A vector for each number; see `engine.embedding`.

    Args:
        num_embeddings: how many numbers there are, from 0.
        embedding_dim: the length of a vector.
        padding_idx: a number whose vector stays as it is, zeros at first.

    The weight (num_embeddings, embedding_dim) starts normally distributed, with variance 1.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None
    ) -> None:
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"Embedding: padding_idx={padding_idx} is none of {num_embeddings} numbers"
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        table = generator().standard_normal((num_embeddings, embedding_dim), dtype=np.float32)
        if padding_idx is not None:
            table[padding_idx] = 0
        self.weight = Parameter(Tensor(table))

    def forward(self, x: Any) -> Tensor:
        """Integers of any shape, to (*that shape, embedding_dim)."""
        return embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
