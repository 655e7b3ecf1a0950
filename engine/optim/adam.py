"""Steps whose length each element's own gradients decide."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from engine.optim.base import Optimizer, State
from engine.registry import Array
from engine.tensor import Tensor


class Adam(Optimizer):
    """`param -= lr * mean / (sqrt(square) + eps)`, with running means of grad and grad**2.

    Both means start at 0 and are divided by what they lack for that (Diederik Kingma and Jimmy
    Ba 2015).

    Args:
        params: the tensors to train, leaves that require grad.
        lr: the learning rate.
        betas: the shares of the two running means that stay at each step.
        eps: added to the denominator.
        weight_decay: added to the gradient, times the parameter.

    Raises:
        ValueError: a setting cannot be; see also `Optimizer`.
        TypeError: a parameter is no Tensor of floats.
    """

    _settings = ("lr", "betas", "eps", "weight_decay")

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr)
        for i, beta in enumerate(betas):
            self._check_setting(f"betas[{i}]", beta, below=1)
        self._check_setting("eps", eps)
        self._check_setting("weight_decay", weight_decay)
        self.betas = betas
        self.eps = eps
        self.weight_decay = weight_decay

    def _update(self, param: Array, grad: Array, state: State, scratch: Array) -> None:
        if self.weight_decay:
            grad = grad + param * self.weight_decay
        self._move(param, grad, state, scratch)

    def _move(self, param: Array, grad: Array, state: State, scratch: Array) -> None:
        if not state:
            state["step"] = 0
            state["exp_avg"] = np.zeros_like(param)
            state["exp_avg_sq"] = np.zeros_like(param)
        state["step"] = step = int(state["step"]) + 1
        mean, square = state["exp_avg"], state["exp_avg_sq"]
        beta1, beta2 = self.betas

        np.subtract(grad, mean, out=scratch)
        scratch *= 1 - beta1
        mean += scratch
        np.multiply(grad, grad, out=scratch)
        scratch *= 1 - beta2
        square *= beta2
        square += scratch

        np.sqrt(square, out=scratch)
        scratch /= math.sqrt(1 - beta2**step)
        scratch += self.eps
        np.divide(mean, scratch, out=scratch)
        scratch *= self.lr / (1 - beta1**step)
        param -= scratch


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters themselves, by `lr * weight_decay` a step.

    (Ilya Loshchilov and Frank Hutter 2019.)
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def _update(self, param: Array, grad: Array, state: State, scratch: Array) -> None:
        param *= 1 - self.lr * self.weight_decay
        self._move(param, grad, state, scratch)
