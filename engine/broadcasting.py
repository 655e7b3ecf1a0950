"""Undoing NumPy's broadcasting in a backward pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.registry import Array
from engine.state import STATE, SWITCHES

ndarray, float32 = np.ndarray, np.float32


def unbroadcast(broadcasted: Array, original: Any) -> Array:
    """Sum `broadcasted` until it has the shape of `original`.

    The adjoint of broadcasting: an element that was copied to several places gets the sum of
    what arrives there. First the prepended dimensions are summed away, then those that were 1
    in `original`, which stay as 1.

    Args:
        broadcasted: an array that `original` broadcasts to.
        original: the array (or number) before broadcasting.

    Returns:
        An array of `original`'s shape; `broadcasted` itself where the shapes are the same.

    Raises:
        ValueError: `original` does not broadcast to the shape of `broadcasted`.
    """
    kind = original.__class__
    shape = original.shape if kind is ndarray or kind is float32 else np.shape(original)
    result = broadcasted if broadcasted.shape == shape else _sum_to(broadcasted, shape)
    if SWITCHES.turned and STATE.unbroadcasts is not None:
        STATE.unbroadcasts.append((broadcasted, result))
    return result


def _sum_to(array: Array, shape: tuple[int, ...]) -> Array:
    prepended = array.ndim - len(shape)
    if prepended < 0 or any(
        length not in (1, wide) for length, wide in zip(shape, array.shape[prepended:], strict=True)
    ):
        raise ValueError(f"an array of shape {shape} does not broadcast to {array.shape}")
    if prepended:
        array = np.asarray(array.sum(axis=tuple(range(prepended))))
    ones = tuple(i for i, length in enumerate(shape) if length == 1 and array.shape[i] != 1)
    if ones:
        array = array.sum(axis=ones, keepdims=True)
    return array
