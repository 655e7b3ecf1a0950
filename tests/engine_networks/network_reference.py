"""What the networks' tests measure against: central differences, and PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engine import Tensor

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(5)


def normal(*shape: int) -> Array:
    """float64 numbers, other ones at each call."""
    return np.asarray(RNG.standard_normal(shape))


def apart(*shape: int) -> Array:
    """Numbers of which no two are close: a small step makes no other one the largest."""
    count = int(np.prod(shape))
    return (RNG.permutation(count).reshape(shape) - count / 2) / 8


def leaves(*arrays: Array) -> list[Tensor]:
    return [Tensor(a.copy(), requires_grad=True, dtype=a.dtype) for a in arrays]


def check_differences(function: Callable[..., Tensor], *arrays: Array, step: float = 1e-6) -> None:
    """Each gradient of a random combination of the outputs, against central differences."""
    arrays = tuple(np.asarray(a) for a in arrays)
    tensors = leaves(*arrays)
    out = function(*tensors)
    weights = RNG.standard_normal(out.shape)
    out.backward(weights)

    def combined(values: list[Array]) -> float:
        result = function(*(Tensor(v, dtype=v.dtype) for v in values))
        return float((result.array * weights).sum())

    for which, array in enumerate(arrays):
        numeric = np.zeros(array.shape)
        for place in np.ndindex(array.shape):
            values = [a.copy() for a in arrays]
            values[which][place] += step
            above = combined(values)
            values[which][place] -= 2 * step
            numeric[place] = (above - combined(values)) / (2 * step)
        grad = tensors[which].grad
        assert grad is not None
        assert grad.dtype == array.dtype
        np.testing.assert_allclose(grad.array, numeric, rtol=1e-5, atol=1e-7)


def check_torch(
    ours: Callable[..., Tensor],
    theirs: Callable[..., Any],
    *arrays: Array,
    tolerance: float = 1e-9,
) -> None:
    """Value and gradients, against PyTorch."""
    torch = pytest.importorskip("torch")
    tensors = leaves(*arrays)
    others = [torch.tensor(a, requires_grad=True) for a in arrays]
    out, other = ours(*tensors), theirs(*others)
    assert out.shape == tuple(other.shape)
    assert str(out.dtype) == str(other.dtype).removeprefix("torch.")
    np.testing.assert_allclose(out.array, other.detach().numpy(), rtol=tolerance, atol=tolerance)
    weights = RNG.standard_normal(out.shape).astype(out.dtype)
    out.backward(weights)
    other.backward(torch.tensor(weights))
    for tensor, expected in zip(tensors, others, strict=True):
        assert tensor.grad is not None
        np.testing.assert_allclose(
            tensor.grad.array, expected.grad.numpy(), rtol=tolerance, atol=tolerance
        )
