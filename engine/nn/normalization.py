"""Layers that bring values to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.creation import ones, zeros
from engine.errors import ShapeError
from engine.functions.batch_normalization import batch_norm
from engine.functions.layer_normalization import layer_norm, lengths
from engine.inplace import mark_changed
from engine.nn.module import Module
from engine.nn.parameter import Parameter
from engine.tensor import Tensor


class _BatchNorm(Module):
    """By channel over the batch; see `engine.batch_norm`.

    Args:
        num_features: the number of channels.
        eps: added to the variance.
        momentum: how far a batch moves the running statistics; None for the mean of all batches.
        affine: whether there is a weight (ones at first).
        track_running_stats: whether running statistics are kept, for evaluation; without them
            the batch's own are always used.
        bias: whether there is a bias (zeros at first) beside the weight.
    """

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    _ndims: tuple[int, ...] = ()
    _takes = ""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_features < 1:
            raise ValueError(f"{type(self).__name__}: channels count from 1, not {num_features}")
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.affine = affine
        self.track_running_stats = track_running_stats
        self.weight = Parameter(ones(num_features)) if affine else None
        self.bias = Parameter(zeros(num_features)) if affine and bias else None
        tracked = track_running_stats
        self.register_buffer("running_mean", zeros(num_features) if tracked else None)
        self.register_buffer("running_var", ones(num_features) if tracked else None)
        count = Tensor(np.zeros((), np.int64)) if tracked else None
        self.register_buffer("num_batches_tracked", count)

    def forward(self, x: Tensor) -> Tensor:
        """Channels in the second dimension, to the same shape."""
        if x.ndim not in self._ndims:
            raise ShapeError(f"{type(self).__name__} takes {self._takes}, not shape {x.shape}")
        momentum = 0.0 if self.momentum is None else self.momentum
        if self.training and self.num_batches_tracked is not None:
            batches = self.num_batches_tracked.array
            if self.momentum is None:
                momentum = 1 / (int(batches) + 1)
        out = batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or self.running_mean is None,
            momentum,
            self.eps,
        )
        if self.training and self.num_batches_tracked is not None:
            batches += 1
            mark_changed(batches, "batch_norm")
        return out

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, bias={self.bias is not None}, "
            f"track_running_stats={self.track_running_stats}"
        )


class BatchNorm1d(_BatchNorm):
    """`_BatchNorm` of (N, C) or (N, C, length)."""

    _ndims = (2, 3)
    _takes = "(N, C) or (N, C, length)"


class BatchNorm2d(_BatchNorm):
    """`_BatchNorm` of images, (N, C, rows, columns)."""

    _ndims = (4,)
    _takes = "(N, C, rows, columns)"


class LayerNorm(Module):
    """Over the last dimensions of each example; see `engine.layer_norm`.

    Args:
        normalized_shape: their lengths; an integer for the last one alone.
        eps: added to the variance.
        elementwise_affine: whether there is a weight (ones at first) and a bias.
        bias: whether there is a bias (zeros at first) beside the weight.
    """

    def __init__(
        self,
        normalized_shape: Any,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.normalized_shape = lengths(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        shape = self.normalized_shape
        self.weight = Parameter(ones(shape)) if elementwise_affine else None
        self.bias = Parameter(zeros(shape)) if elementwise_affine and bias else None

    def forward(self, x: Tensor) -> Tensor:
        """(..., *normalized_shape), to the same."""
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )
