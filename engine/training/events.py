"""What a training tells of, and what it gives to whoever looks in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from engine.tensor import Tensor


@dataclass(frozen=True, slots=True)
class BatchDone:
    """A batch was trained on."""

    epoch: int
    """From 1."""
    batch: int
    """From 1, through the whole training."""
    loss: float
    """The loss of the batch, before its update."""
    seconds: float
    """Time spent in training so far, pauses not counted."""


@dataclass(frozen=True, slots=True)
class EpochDone:
    """All training data was seen once more, and the test data evaluated."""

    epoch: int
    train_loss: float
    """The mean over the epoch's examples, each as its batch saw it."""
    test_loss: float | None
    """The mean over the test data, None where there is none."""
    test_accuracy: float | None
    """The fraction of the test data whose largest output is its label; None where the labels
    are not classes."""
    seconds: float


@dataclass(frozen=True, slots=True)
class TrainingDone:
    """The last epoch is over."""

    epochs: int
    batches: int
    train_loss: float | None
    test_loss: float | None
    test_accuracy: float | None
    seconds: float


Event = BatchDone | EpochDone | TrainingDone


class LookAhead(NamedTuple):
    """The batch that will be trained on next."""

    inputs: Tensor
    labels: Tensor
    loss: Tensor
    outputs: Any
    """What the model makes of the inputs."""


class TrainedBatch(NamedTuple):
    """A batch whose backward pass is over, while its graph and the gradients are still there."""

    inputs: Tensor
    labels: Tensor
    loss: Tensor
    outputs: Any
    """What the model made of the inputs."""
    uncleared: tuple[Tensor, ...] = ()
    """The optimiser's parameters that `zero_grad()` has left with a gradient of earlier batches, to
    which this batch's was added."""
