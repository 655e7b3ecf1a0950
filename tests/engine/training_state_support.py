"""Trainings of every kind for the tests of a training's state, and what each comes to."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np

import engine
from engine import (
    BatchNorm1d,
    Dropout,
    Linear,
    Module,
    ReLU,
    Sequential,
    Tensor,
    Training,
    cross_entropy,
    manual_seed,
    optim,
)

INPUTS = np.random.default_rng(3).standard_normal((22, 4)).astype(np.float32)
LABELS = (INPUTS.sum(axis=1) > 0).astype(np.int64)

Make = Callable[[list[Tensor]], Any]

OPTIMIZERS: dict[str, Make] = {
    "SGD": lambda params: optim.SGD(params, 0.1),
    "momentum": lambda params: optim.SGD(params, 0.05, momentum=0.9, nesterov=True),
    "Adam": lambda params: optim.Adam(params, 0.01),
    "AdamW": lambda params: optim.AdamW(params, np.float32(0.01)),
}
SCHEDULERS: dict[str, Callable[[Any], Any]] = {
    "none": lambda optimizer: None,
    "StepLR": lambda optimizer: optim.StepLR(optimizer, 2),
    "cosine": lambda optimizer: optim.CosineAnnealingLR(optimizer, 7),
    "warm-up, then cosine": lambda optimizer: optim.SequentialLR(
        optimizer,
        [optim.LinearWarmup(optimizer, 3), optim.CosineAnnealingLR(optimizer, 9)],
        [3],
    ),
}


def mean_loss(logits: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(logits, labels, reduction="none").sum() / len(labels)


def noisy_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Draws from every generator that is kept."""
    noise = np.random.standard_normal(logits.shape).astype(np.float32) * random.random()
    return mean_loss(logits + noise + engine.zeros(1).uniform_(-0.1, 0.1), labels)


def network() -> Module:
    return Sequential(Linear(4, 6), BatchNorm1d(6), ReLU(), Dropout(0.3), Linear(6, 2))


def training_with(
    optimizer: Make = OPTIMIZERS["momentum"],
    scheduler: Callable[[Any], Any] = SCHEDULERS["none"],
    loss_fn: Callable[[Any, Tensor], Tensor] = noisy_loss,
    each: str = "batch",
    seed: int = 5,
) -> Training:
    """18 batches in 3 epochs, the last of each a smaller one."""
    manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    model = network()
    made = optimizer(list(model.parameters()))
    data = (INPUTS, LABELS)
    return Training(
        model, made, data, data, loss_fn, 4, 3, scheduler(made), each, clip_grad_norm=1.0
    )


def advance(training: Training, pieces: int) -> None:
    for _ in range(pieces):
        if not training.finished:
            training.advance()


def told(training: Training) -> list[Any]:
    """What a training comes to, without the time that it took."""
    return [
        training.losses,
        [(r.epoch, r.train_loss, r.test_loss, r.test_accuracy) for r in training.results],
        {name: array.tobytes() for name, array in training.model.state_dict().items()},
        training.lr,
    ]


def to_the_end(training: Training) -> list[Any]:
    for _ in training.events():
        pass
    return told(training)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and bool((a == b).all())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)
