"""Changing parameters along their gradients."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine import inplace
from engine.tensor import Tensor


class SGD:
    """Stochastic gradient descent: `param -= lr * param.grad`.

    Args:
        params: the tensors to train, leaves that require grad.
        lr: the learning rate.

    Raises:
        ValueError: there are no parameters, or the learning rate is negative or not a number.
        TypeError: a parameter is no Tensor.
    """

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        self.params = list(params)
        if not self.params:
            raise ValueError("SGD: there are no parameters to train")
        for param in self.params:
            if not isinstance(param, Tensor):
                raise TypeError(f"SGD: parameters are Tensors, not {type(param).__name__}")
        if not lr >= 0:
            raise ValueError(f"SGD: the learning rate cannot be {lr}")
        self.lr = lr

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for param in self.params:
            param.grad = None

    def step(self) -> None:
        """Change the parameters that have a gradient, in place and unrecorded."""
        for param in self.params:
            if param.grad is None:
                continue
            np.subtract(param.array, param.grad.array * self.lr, out=param.array)
            inplace.mark_changed(param.array, "SGD.step")

    def __repr__(self) -> str:
        return f"SGD(lr={self.lr})"
