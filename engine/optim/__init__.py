"""Changing parameters along their gradients."""

from engine.optim.adam import Adam, AdamW
from engine.optim.base import Optimizer
from engine.optim.clipping import clip_grad_norm_, clip_grad_value_
from engine.optim.schedules import (
    CosineAnnealingLR,
    LinearWarmup,
    LRScheduler,
    SequentialLR,
    StepLR,
)
from engine.optim.sgd import SGD

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "CosineAnnealingLR",
    "LRScheduler",
    "LinearWarmup",
    "Optimizer",
    "SequentialLR",
    "StepLR",
    "clip_grad_norm_",
    "clip_grad_value_",
]
