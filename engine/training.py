"""The training loop: an iterator of events, the same with and without a screen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from engine.errors import ShapeError
from engine.grad_mode import no_grad
from engine.nn.module import Module
from engine.optim import Optimizer
from engine.random import get_rng_state, initial_seed, set_rng_state
from engine.registry import Array
from engine.tensor import Tensor

TEST_BATCH = 1000
"""How many examples are evaluated at once."""

Data = tuple[Any, Any]
"""Inputs and labels: arrays or Tensors of the same length."""


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


class LookAhead(NamedTuple):
    """The batch that will be trained on next."""

    inputs: Tensor
    labels: Tensor
    loss: Tensor
    outputs: Any
    """What the model makes of the inputs."""


Event = BatchDone | EpochDone | TrainingDone


class Training:
    """What is needed to train a model, and how far it is.

    Args:
        model: called with a batch of inputs.
        optimizer: has `zero_grad()`, `step()` and `lr`.
        train_data: inputs and labels to train on.
        test_data: inputs and labels to test on after each epoch; None for none.
        loss_fn: takes what the model returns and the batch's labels, and returns the loss, a
            Tensor of one element: the mean over the batch.
        batch_size: examples a batch; an epoch's last batch may have fewer.
        epochs: how often all training data is seen.

    In each epoch the examples come in another order, which depends on the seed and the epoch
    only (see `manual_seed`).

    Raises:
        ShapeError: inputs and labels differ in length, or there are none to train on.
        ValueError: the batch size or the number of epochs is less than 1.
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        train_data: Data,
        test_data: Data | None,
        loss_fn: Callable[[Any, Tensor], Tensor],
        batch_size: int = 64,
        epochs: int = 5,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.train_data = _arrays("train_data", train_data)
        self.test_data = _arrays("test_data", test_data) if test_data is not None else None
        self.loss_fn = loss_fn
        self.batch_size = batch_size
        self.epochs = epochs
        self.check()
        self.seed = initial_seed()
        self.position = 0
        """How many batches have been trained on."""
        self.seconds = 0.0
        """Time spent in training, pauses not counted."""
        self.losses: list[float] = []
        """The loss of each batch so far."""
        self.results: list[EpochDone] = []
        """The epochs so far."""
        self._order: tuple[int, Array] | None = None

    def check(self) -> None:
        """Raise a ValueError where batch size or epochs cannot be."""
        if len(self.train_data[0]) == 0:
            raise ShapeError("Training: there is nothing to train on")
        for name, value in (("batch_size", self.batch_size), ("epochs", self.epochs)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"Training: {name} is a whole number from 1, not {value!r}")

    @property
    def batches_per_epoch(self) -> int:
        """How many batches an epoch has."""
        return math.ceil(len(self.train_data[0]) / self.batch_size)

    @property
    def total_batches(self) -> int:
        """How many batches the whole training has."""
        return self.batches_per_epoch * self.epochs

    @property
    def epoch(self) -> int:
        """The epoch of the next batch, from 1 (after the last batch: the last epoch)."""
        return min(self.position // self.batches_per_epoch + 1, self.epochs)

    @property
    def finished(self) -> bool:
        """Whether all batches have been trained on."""
        return self.position >= self.total_batches

    def next_indices(self) -> Array:
        """Which examples of the training data the next batch has (after the last: the last)."""
        position = min(self.position, self.total_batches - 1)
        epoch, batch = divmod(position, self.batches_per_epoch)
        if self._order is None or self._order[0] != epoch:
            shuffled = np.random.default_rng([self.seed, epoch]).permutation(
                len(self.train_data[0])
            )
            self._order = (epoch, shuffled)
        return self._order[1][batch * self.batch_size : (batch + 1) * self.batch_size]

    def next_batch(self) -> tuple[Tensor, Tensor]:
        """The inputs and labels of the next batch."""
        indices = self.next_indices()
        inputs, labels = self.train_data
        return _as_tensor(inputs[indices]), _as_tensor(labels[indices])

    def look_ahead(self) -> LookAhead:
        """The next batch and its loss with its graph.

        Nothing of the training changes: whatever the forward pass drew from the engine's random
        numbers is put back.
        """
        with _unchanged(self.model):
            inputs, labels = self.next_batch()
            outputs = self.model(inputs)
            return LookAhead(inputs, labels, self._loss(outputs, labels), outputs)

    def events(self) -> Iterator[Event]:
        """Train from where the training is to its end, an event at a time."""
        while not self.finished:
            yield from self.step()
        yield self.end()

    def step(self) -> list[Event]:
        """Train on the next batch; at the end of an epoch evaluate the test data, too.

        Raises:
            StopIteration: all batches have been trained on.
        """
        if self.finished:
            raise StopIteration("all batches have been trained on")
        start = time.perf_counter()
        self.optimizer.zero_grad()
        inputs, labels = self.next_batch()
        loss = self._loss(self.model(inputs), labels)
        loss.backward()
        self.optimizer.step()
        epoch = self.epoch
        self.position += 1
        self.losses.append(float(loss.item()))
        self.seconds += time.perf_counter() - start
        events: list[Event] = [BatchDone(epoch, self.position, self.losses[-1], self.seconds)]
        if self.position % self.batches_per_epoch == 0:
            start = time.perf_counter()
            test_loss, accuracy = self.evaluate()
            self.seconds += time.perf_counter() - start
            done = EpochDone(epoch, self._epoch_loss(), test_loss, accuracy, self.seconds)
            self.results.append(done)
            events.append(done)
        return events

    def rewind(self) -> None:
        """Back before the first batch; weights and optimiser are left as they are."""
        self.position = 0
        self.seconds = 0.0
        self.losses.clear()
        self.results.clear()

    def end(self) -> TrainingDone:
        """What the training has come to."""
        last = self.results[-1] if self.results else None
        return TrainingDone(
            len(self.results),
            self.position,
            last.train_loss if last else None,
            last.test_loss if last else None,
            last.test_accuracy if last else None,
            self.seconds,
        )

    def evaluate(self) -> tuple[float | None, float | None]:
        """The mean loss and the accuracy over the test data; see `EpochDone`."""
        if self.test_data is None or len(self.test_data[0]) == 0:
            return None, None
        inputs, labels = self.test_data
        loss, right, classes = 0.0, 0, labels.dtype.kind in "iu" and labels.ndim == 1
        with no_grad(), _unchanged(self.model), _evaluating(self.model):
            for start in range(0, len(inputs), TEST_BATCH):
                part = slice(start, start + TEST_BATCH)
                outputs = self.model(_as_tensor(inputs[part]))
                count = len(labels[part])
                loss += float(self.loss_fn(outputs, _as_tensor(labels[part])).item()) * count
                classes = classes and isinstance(outputs, Tensor) and outputs.ndim == 2
                if classes:
                    right += int((outputs.array.argmax(axis=1) == labels[part]).sum())
        return loss / len(inputs), right / len(inputs) if classes else None

    def _loss(self, outputs: Tensor, labels: Tensor) -> Tensor:
        loss = self.loss_fn(outputs, labels)
        if isinstance(loss, Tensor) and loss.array.size != 1:
            raise ShapeError(
                f"Training: the loss of a batch has shape {loss.shape}; it has to be one number, "
                "such as the mean over the batch"
            )
        return loss

    def _epoch_loss(self) -> float:
        losses = np.array(self.losses[-self.batches_per_epoch :])
        sizes = np.full(len(losses), self.batch_size)
        sizes[-1] = len(self.train_data[0]) - self.batch_size * (self.batches_per_epoch - 1)
        return float(np.average(losses, weights=sizes))


@contextmanager
def _unchanged(model: Any) -> Iterator[None]:
    """Whatever this block draws from the engine's random numbers, or changes in the model's
    buffers (such as running means), is put back."""
    state = get_rng_state()
    buffers = list(model.named_buffers()) if isinstance(model, Module) else []
    values = [buffer.array.copy() for _, buffer in buffers]
    try:
        yield
    finally:
        set_rng_state(state)
        for (_, buffer), value in zip(buffers, values, strict=True):
            buffer.array[...] = value


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """The model is in evaluation mode inside this block."""
    if not isinstance(model, Module):
        yield
        return
    mode = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(mode)


def _arrays(name: str, data: Data) -> tuple[Array, Array]:
    inputs, labels = (d.array if isinstance(d, Tensor) else Tensor(d).array for d in data)
    if len(inputs) != len(labels):
        raise ShapeError(
            f"Training: {name} has {len(inputs)} inputs and {len(labels)} labels; there has to "
            "be one label for each input"
        )
    return inputs, labels


def _as_tensor(array: Any) -> Tensor:
    return Tensor(array, dtype=array.dtype)
