"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from engine.optim.base import Optimizer, State
from engine.registry import Array
from engine.tensor import FLOAT32, Tensor


class SGD(Optimizer):
    """Stochastic gradient descent: `param -= lr * param.grad`.

    With momentum the step is `lr * velocity`, where `velocity = momentum * velocity + (1 -
    dampening) * grad` (the first time: the gradient); with Nesterov's it is `lr * (grad +
    momentum * velocity)`.

    Args:
        params: the tensors to train, leaves that require grad.
        lr: the learning rate.
        momentum: the share of the velocity that stays.
        dampening: the share of the gradient that does not enter the velocity.
        weight_decay: added to the gradient, times the parameter.
        nesterov: whether to look ahead; needs momentum, and no dampening.

    Raises:
        ValueError: a setting cannot be; see also `Optimizer`.
        TypeError: a parameter is no Tensor of floats.
    """

    _settings = ("lr", "momentum", "dampening", "weight_decay", "nesterov")

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(params, lr)
        self._check_setting("momentum", momentum)
        self._check_setting("weight_decay", weight_decay)
        if nesterov and (momentum == 0 or dampening != 0):
            raise ValueError("SGD: nesterov needs momentum, and no dampening")
        self.momentum = momentum
        self.dampening = dampening
        self.weight_decay = weight_decay
        self.nesterov = nesterov
        self._rate: tuple[float, Array] = float(lr), np.asarray(lr, np.float32)

    def _update_all(
        self, params: list[Array], grads: list[Array], states: list[State], scratch: list[Array]
    ) -> None:
        if self.momentum or self.weight_decay:
            super()._update_all(params, grads, states, scratch)
            return
        # As an array, for NumPy converts a Python number anew at each product.
        lr = float(self.lr)
        if self._rate[0] != lr:
            self._rate = lr, np.asarray(lr, np.float32)
        rate = self._rate[1]
        subtract, multiply = np.subtract, np.multiply
        for param, grad in zip(params, grads, strict=True):
            # Memory that was freed a moment ago is in the cache; what was kept for this is not.
            subtract(param, multiply(grad, rate if param.dtype is FLOAT32 else lr), param)

    def _update(self, param: Array, grad: Array, state: State, scratch: Array) -> None:
        if self.weight_decay:
            np.multiply(param, self.weight_decay, out=scratch)
            grad = np.add(scratch, grad, out=scratch)
        if self.momentum:
            grad = self._with_momentum(grad, state, scratch)
        param -= np.multiply(grad, self.lr, out=scratch)

    def _with_momentum(self, grad: Array, state: State, scratch: Array) -> Array:
        velocity: Array | None = state.get("momentum_buffer")
        if velocity is None:
            velocity = state["momentum_buffer"] = np.empty_like(scratch)
            velocity[...] = grad
        else:
            velocity *= self.momentum
            velocity += grad * (1 - self.dampening) if self.dampening else grad
        if not self.nesterov:
            return velocity
        return np.add(grad, velocity * self.momentum, out=scratch)
