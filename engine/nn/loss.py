"""Losses as modules."""

from __future__ import annotations

from typing import Any

from engine.functions.binary_cross_entropy import binary_cross_entropy_with_logits
from engine.functions.class_weights import weight_tensor
from engine.functions.loss import cross_entropy
from engine.functions.negative_log_likelihood import nll_loss
from engine.functions.plain_losses import check_reduction, mse_loss
from engine.nn.module import Module
from engine.tensor import FLOAT32, Tensor


class _Loss(Module):
    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        check_reduction(type(self).__name__, reduction)
        self.reduction = reduction


class MSELoss(_Loss):
    """See `engine.mse_loss`."""

    def forward(self, input: Tensor, target: Any) -> Tensor:
        """What the network says, and what is right, to the loss."""
        return mse_loss(input, target, reduction=self.reduction)


class _WeightedLoss(_Loss):
    weight: Tensor | None

    def __init__(self, weight: Any, reduction: str) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", self._weight("weight", weight))

    def _weight(self, name: str, weight: Any) -> Tensor | None:
        return None if weight is None else weight_tensor(type(self).__name__, weight, FLOAT32, name)


class NLLLoss(_WeightedLoss):
    """See `engine.nll_loss`. The weight is a buffer."""

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Any) -> Tensor:
        """Log-probabilities (batch, classes) and the right classes (batch,), to the loss."""
        return nll_loss(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class CrossEntropyLoss(_WeightedLoss):
    """See `engine.cross_entropy`. The weight is a buffer."""

    def __init__(
        self,
        weight: Any = None,
        *,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Any) -> Tensor:
        """Logits (batch, classes) and the right classes (batch,), to the loss."""
        return cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class BCEWithLogitsLoss(_WeightedLoss):
    """See `engine.binary_cross_entropy_with_logits`. The weights are buffers."""

    pos_weight: Tensor | None

    def __init__(
        self, weight: Any = None, *, reduction: str = "mean", pos_weight: Any = None
    ) -> None:
        super().__init__(weight, reduction)
        self.register_buffer("pos_weight", self._weight("pos_weight", pos_weight))

    def forward(self, input: Tensor, target: Any) -> Tensor:
        """Logits and the right answers, of one shape, to the loss."""
        return binary_cross_entropy_with_logits(
            input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )
