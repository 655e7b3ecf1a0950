"""Comparing the engine's values and gradients with central differences and with PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine import Tensor

Function = Callable[[list[Any]], Any]


def leaves(arrays: list[np.ndarray], dtype: Any = np.float64) -> list[Tensor]:
    """Tensors that require grad."""
    return [Tensor(np.array(a, dtype), requires_grad=True, dtype=dtype) for a in arrays]


def seed_for(shape: tuple[int, ...]) -> np.ndarray:
    """An end_grad whose elements all differ."""
    return np.cos(np.arange(int(np.prod(shape)))).reshape(shape) + 1.5


def gradients(function: Function, arrays: list[np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
    """The engine's value and the gradient of each array."""
    tensors = leaves(arrays)
    out = function(tensors)
    assert out.requires_grad
    out.backward(seed_for(out.shape))
    found = []
    for tensor in tensors:
        assert tensor.grad is not None
        assert tensor.grad.shape == tensor.shape
        assert tensor.grad.dtype == tensor.dtype
        found.append(tensor.grad.array)
    return out.array, found


def central_differences(
    function: Function, arrays: list[np.ndarray], step: float = 1e-6
) -> list[np.ndarray]:
    """The same gradients, by changing one element at a time."""

    def total(changed: list[np.ndarray]) -> float:
        out = function([Tensor(a, dtype=np.float64) for a in changed]).array
        return float((out * seed_for(out.shape)).sum())

    found = []
    for which, array in enumerate(arrays):
        gradient = np.zeros(array.shape)
        for place in np.ndindex(array.shape):
            sides = []
            for shift in (step, -step):
                changed = [a.copy() for a in arrays]
                changed[which][place] += shift
                sides.append(total(changed))
            gradient[place] = (sides[0] - sides[1]) / (2 * step)
        found.append(gradient)
    return found


def check_central(function: Function, arrays: list[np.ndarray]) -> None:
    """The engine's gradients are those of central differences."""
    _, got = gradients(function, arrays)
    for mine, wanted in zip(got, central_differences(function, arrays), strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-5, atol=1e-6)


def check_torch(
    function: Function, reference: Function, arrays: list[np.ndarray], rtol: float = 1e-9
) -> None:
    """The engine's value and gradients are PyTorch's."""
    import torch

    theirs = [torch.tensor(array, requires_grad=True) for array in arrays]
    wanted = reference(theirs)
    value, got = gradients(function, arrays)
    np.testing.assert_allclose(value, wanted.detach().numpy(), rtol=rtol, atol=1e-12)
    assert value.shape == tuple(wanted.shape)
    wanted.backward(torch.tensor(seed_for(value.shape)))
    for mine, other in zip(got, theirs, strict=True):
        np.testing.assert_allclose(mine, other.grad.numpy(), rtol=rtol, atol=1e-12)
