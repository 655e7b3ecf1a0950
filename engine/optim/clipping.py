"""Making gradients that are too large smaller."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from engine.tensor import Tensor


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients together so that their common norm is at most `max_norm`.

    Each `grad` becomes a new Tensor; whoever holds the old one keeps it unchanged.

    Args:
        parameters: those without a gradient are passed over.
        max_norm: the largest norm that there may be.
        norm_type: 2 for the Euclidean norm, inf for the largest element, or another p.
        error_if_nonfinite: whether a norm that is NaN or infinite is an error.

    Returns:
        The norm before.

    Raises:
        RuntimeError: the norm is not finite, and that was to be an error.
    """
    params = _with_grad(parameters)
    norms = [_norm(p.grad, norm_type) for p in params]
    norm = float(np.linalg.norm(np.array(norms, np.float64), norm_type)) if norms else 0.0
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(f"clip_grad_norm_: the norm of the gradients is {norm}")
    scale = max_norm / (norm + 1e-6)
    if not scale >= 1:
        for param in params:
            if param.grad is not None:
                array = param.grad.array
                param.grad = Tensor(array * scale, dtype=array.dtype)
    return Tensor(norm)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Bring each element of each gradient into -clip_value to clip_value.

    Each `grad` becomes a new Tensor; whoever holds the old one keeps it unchanged.
    """
    for param in _with_grad(parameters):
        if param.grad is not None:
            array = param.grad.array
            param.grad = Tensor(np.clip(array, -clip_value, clip_value), dtype=array.dtype)


def _with_grad(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    listed = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p for p in listed if p.grad is not None]


def _norm(grad: Tensor | None, norm_type: float) -> float:
    assert grad is not None
    return float(np.linalg.norm(grad.array.astype(np.float64).reshape(-1), norm_type))
