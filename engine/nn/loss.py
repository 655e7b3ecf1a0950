"""Losses as modules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from engine.functions.loss import cross_entropy
from engine.functions.plain_losses import (
    REDUCTIONS,
    binary_cross_entropy_with_logits,
    mse_loss,
    nll_loss,
)
from engine.nn.module import Module
from engine.tensor import Tensor


class _Loss(Module):
    _function: ClassVar[Callable[..., Tensor]]

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        if reduction not in REDUCTIONS:
            name = type(self).__name__
            raise ValueError(f"{name}: reduction is one of {REDUCTIONS}, not {reduction!r}")
        self.reduction = reduction

    def forward(self, input: Tensor, target: Any) -> Tensor:
        """What the network says, and what is right, to the loss."""
        return type(self)._function(input, target, reduction=self.reduction)


class CrossEntropyLoss(_Loss):
    """See `engine.cross_entropy`."""

    _function = staticmethod(cross_entropy)


class NLLLoss(_Loss):
    """See `engine.nll_loss`."""

    _function = staticmethod(nll_loss)


class MSELoss(_Loss):
    """See `engine.mse_loss`."""

    _function = staticmethod(mse_loss)


class BCEWithLogitsLoss(_Loss):
    """See `engine.binary_cross_entropy_with_logits`."""

    _function = staticmethod(binary_cross_entropy_with_logits)
