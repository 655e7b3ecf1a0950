"""Turning values off at random, so that a network does not rely on single ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.functions.keywords import array_of, stands_for
from engine.random import generator
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

__all__ = ["dropout", "dropout_back"]


def _dropout(input: Array, keep: Array, p: float) -> Array:
    """input * keep / (1 - p)"""
    return np.asarray(input * keep * _scale(p))


def dropout_back(grad_out: Array, out: Array, input: Array, keep: Array, p: float) -> Array:
    """grad_out * keep / (1 - p)"""
    return np.asarray(grad_out * keep * _scale(p))


_dropout_of_arrays = wrap_forward_fn(_dropout, name="dropout")
BACK_FUNCS.add_back_func(_dropout, 0, dropout_back)


@stands_for(_dropout_of_arrays)
def dropout(input: Any, p: float = 0.5, training: bool = True) -> Tensor:
    """Set each element to 0 with probability `p` and multiply the others by 1 / (1 - p).

    The mean stays what it was, so nothing needs to be done for evaluation: with `training` off
    the input comes back as it is. The draws come from the engine's generator (`manual_seed`).

    Raises:
        ValueError: p is no probability.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout: p is a probability, 0 to 1, not {p}")
    if not training or p == 0:
        return input if isinstance(input, Tensor) else Tensor(input)
    keep = generator().random(array_of(input).shape, dtype=np.float32) >= p
    return _dropout_of_arrays(input, keep, p=float(p))


def _scale(p: float) -> float:
    return 1 / (1 - p) if p < 1 else 0.0
