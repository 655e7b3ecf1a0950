"""Learning rates that follow a formula."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, ClassVar

from engine.optim.base import Optimizer


class LRScheduler:
    """Sets an optimiser's `lr`, at first and at each `step()`; subclasses say to what.

    Args:
        optimizer: the `lr` that it was made with is what the formulas start from, also where
            another scheduler has set it since.
    """

    _apart: ClassVar[tuple[str, ...]] = ("optimizer",)
    """The attributes that `state_dict` does not simply copy."""

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        if not hasattr(optimizer, "initial_lr"):
            optimizer.initial_lr = optimizer.lr
        self.base_lr: float = optimizer.initial_lr
        self.last_epoch = 0
        """How many steps were made: epochs, or batches, as the caller likes."""
        self.factor = 1.0
        """What the formula's learning rate is multiplied by, see `set_lr`."""
        self._apply()

    def lr_at(self, epoch: int) -> float:
        """The learning rate after `epoch` steps."""
        raise NotImplementedError(f"{type(self).__name__} has no lr_at()")

    def step(self) -> None:
        """Go on to the next learning rate."""
        self.last_epoch += 1
        self._apply()

    def set_lr(self, lr: float) -> None:
        """Let the learning rate be `lr` now, and go on in proportion to it.

        Raises:
            ValueError: the schedule gives 0 now, so that there is no proportion.
        """
        now = self.lr_at(self.last_epoch)
        if now == 0:
            raise ValueError(
                f"{type(self).__name__}: the schedule gives a learning rate of 0 now, and no "
                "factor makes another of it"
            )
        self.factor = lr / now
        self.optimizer.lr = lr

    def set_base_lr(self, lr: float) -> None:
        """Let the formulas start from `lr`."""
        self.base_lr = self.optimizer.initial_lr = lr
        self._apply()

    def get_last_lr(self) -> list[float]:
        """The learning rate of now, in a list, as PyTorch gives it."""
        return [self.optimizer.lr]

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs to go on from here: all attributes but the optimiser, and
        its `lr`."""
        attributes = {
            name: copy.deepcopy(value)
            for name, value in vars(self).items()
            if name not in self._apart and not callable(value)
        }
        return {**attributes, "lr": self.optimizer.lr}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict` gave; the optimiser's `lr` is set to what it was then."""
        for name, value in state_dict.items():
            if name != "lr":
                setattr(self, name, copy.deepcopy(value))
        self.optimizer.lr = state_dict["lr"]

    def _apply(self) -> None:
        lr = self.lr_at(self.last_epoch)
        self.optimizer.lr = lr if self.factor == 1 else lr * self.factor


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


class SequentialLR(LRScheduler):
    """One scheduler after the other, each from its own beginning; such as a warm-up first.

    Args:
        optimizer: whose `lr` they set.
        schedulers: schedulers of this optimiser.
        milestones: after how many steps the second one begins, the third, and so on.
    """

    _apart = ("optimizer", "schedulers")

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]
    ) -> None:
        if len(milestones) != len(schedulers) - 1 or list(milestones) != sorted(set(milestones)):
            raise ValueError(
                "SequentialLR: there is one milestone fewer than schedulers, each above the one "
                f"before, not {list(milestones)} for {len(schedulers)}"
            )
        self.schedulers = list(schedulers)
        self.milestones = list(milestones)
        super().__init__(optimizer)

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "schedulers": [scheduler.state_dict() for scheduler in self.schedulers],
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        states = state_dict["schedulers"]
        for scheduler, state in zip(self.schedulers, states, strict=True):
            scheduler.load_state_dict(state)
        rest = {name: value for name, value in state_dict.items() if name != "schedulers"}
        super().load_state_dict(rest)

    def set_base_lr(self, lr: float) -> None:
        for scheduler in self.schedulers:
            scheduler.set_base_lr(lr)
        super().set_base_lr(lr)

    def lr_at(self, epoch: int) -> float:
        which = sum(epoch >= milestone for milestone in self.milestones)
        start = self.milestones[which - 1] if which else 0
        return self.schedulers[which].lr_at(epoch - start)


def _check_count(name: str, value: int) -> None:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is a whole number from 1, not {value!r}")
