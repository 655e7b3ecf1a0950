"""Learning rates that follow a formula."""

from __future__ import annotations

import math
from typing import Any

from engine.optim.base import Optimizer


class LRScheduler:
    """Sets an optimiser's `lr`, at first and at each `step()`; subclasses say to what.

    Args:
        optimizer: its `lr` of now is what the formulas start from.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.base_lr = optimizer.lr
        self.last_epoch = 0
        """How many steps were made: epochs, or batches, as the caller likes."""
        self.optimizer.lr = self.lr_at(0)

    def lr_at(self, epoch: int) -> float:
        """The learning rate after `epoch` steps."""
        raise NotImplementedError(f"{type(self).__name__} has no lr_at()")

    def step(self) -> None:
        """Go on to the next learning rate."""
        self.last_epoch += 1
        self.optimizer.lr = self.lr_at(self.last_epoch)

    def get_last_lr(self) -> list[float]:
        """The learning rate of now, in a list, as PyTorch gives it."""
        return [self.lr_at(self.last_epoch)]

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on from here."""
        return {"base_lr": self.base_lr, "last_epoch": self.last_epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave; the optimiser's `lr` is set to what it was then."""
        self.base_lr = state_dict["base_lr"]
        self.last_epoch = state_dict["last_epoch"]
        self.optimizer.lr = self.lr_at(self.last_epoch)


class StepLR(LRScheduler):
    """Times `gamma` after each `step_size` steps."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        _check_count("StepLR: step_size", step_size)
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        return self.base_lr * self.gamma ** (epoch // self.step_size)


class CosineAnnealingLR(LRScheduler):
    """Down to `eta_min` in `T_max` steps, along half a cosine wave (and up again after that)."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        _check_count("CosineAnnealingLR: T_max", T_max)
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        wave = (1 + math.cos(math.pi * epoch / self.T_max)) / 2
        return self.eta_min + (self.base_lr - self.eta_min) * wave


class LinearWarmup(LRScheduler):
    """From `start_factor` times the learning rate evenly up to all of it, in `total_iters` steps.

    What PyTorch's LinearLR does by default.
    """

    def __init__(
        self, optimizer: Optimizer, total_iters: int = 5, start_factor: float = 1 / 3
    ) -> None:
        _check_count("LinearWarmup: total_iters", total_iters)
        if not 0 <= start_factor <= 1:
            raise ValueError(f"LinearWarmup: start_factor is 0 to 1, not {start_factor}")
        self.total_iters = total_iters
        self.start_factor = start_factor
        super().__init__(optimizer)

    def lr_at(self, epoch: int) -> float:
        way = min(epoch, self.total_iters) / self.total_iters
        return self.base_lr * (self.start_factor + (1 - self.start_factor) * way)


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is a whole number from 1, not {value!r}")
