"""The training loop: an iterator of events, the same with and without a screen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.hooks import HookHandle, HookList
from engine.nn.module import Module
from engine.optim import LRScheduler, Optimizer, clip_grad_norm_, clip_grad_value_
from engine.random import initial_seed
from engine.registry import Array
from engine.tensor import Tensor
from engine.training.evaluation import Evaluation, as_tensor
from engine.training.events import (
    BatchDone,
    EpochDone,
    Event,
    LookAhead,
    TrainedBatch,
    TrainingDone,
)
from engine.training.modes import testing, unchanged
from engine.training.snapshot import TrainingSnapshot
from engine.training.state import load_state, state_of

Progress = tuple[int, float, int, int]
"""Position, seconds, and how many losses and results there are."""

Data = tuple[Any, Any]
"""Inputs and labels: arrays or Tensors of the same length."""


class Training:
    """What is needed to train a model, and how far it is.

    Args:
        model: called with a batch of inputs.
        optimizer: has `zero_grad()`, `step()` and `lr`.
        train_data: inputs and labels to train on.
        test_data: inputs and labels to test on after each epoch; None for none.
        loss_fn: takes what the model returns and the batch's labels, and returns the loss, a
            Tensor of one element: the mean over the batch.
        batch_size: examples a batch.
        epochs: how often all training data is seen. An epoch's last batch may have fewer examples.
        scheduler: sets the learning rate as the training goes on; None where it stays.
        scheduler_each: whether the scheduler's steps are epochs or batches: "epoch" or "batch".
        clip_grad_norm: the largest norm of all gradients together; None for any.
        clip_grad_value: the largest absolute value of an element of a gradient; None for any.

    In each epoch the examples come in another order, which depends on the seed and the epoch
    only (see `manual_seed`).

    Raises:
        ShapeError: inputs and labels differ in length, or there are none to train on.
        ValueError: the batch size, the number of epochs or what is clipped to cannot be.
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
        scheduler: LRScheduler | None = None,
        scheduler_each: str = "epoch",
        clip_grad_norm: float | None = None,
        clip_grad_value: float | None = None,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.train_data = _arrays("train_data", train_data)
        self.test_data = _arrays("test_data", test_data) if test_data is not None else None
        self.loss_fn = loss_fn
        self.batch_size = batch_size
        self.epochs = epochs
        self.scheduler = scheduler
        self.scheduler_each = scheduler_each
        self.clip_grad_norm = clip_grad_norm
        self.clip_grad_value = clip_grad_value
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
        self._batch_hooks = HookList()
        self._order: tuple[int, Array] | None = None
        self._evaluation: Evaluation | None = None

    def check(self) -> None:
        """Raise a ValueError where a setting cannot be."""
        if len(self.train_data[0]) == 0:
            raise ShapeError("Training: there is nothing to train on")
        for name, value in (("batch_size", self.batch_size), ("epochs", self.epochs)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"Training: {name} is a whole number from 1, not {value!r}")
        if self.scheduler_each not in ("epoch", "batch"):
            raise ValueError(
                f'Training: scheduler_each is "epoch" or "batch", not {self.scheduler_each!r}'
            )
        for name in ("clip_grad_norm", "clip_grad_value"):
            limit = getattr(self, name)
            if limit is not None and not limit > 0:
                raise ValueError(f"Training: {name} is a number above 0 or None, not {limit!r}")

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
        """Whether all batches have been trained on, and the test data evaluated."""
        return self.position >= self.total_batches and not self.awaits_evaluation

    @property
    def awaits_evaluation(self) -> bool:
        """Whether an epoch's batches are over, but not yet its evaluation."""
        return len(self.results) < self.position // self.batches_per_epoch

    @property
    def lr(self) -> float:
        """The learning rate of now. Set, a schedule goes on in proportion to it."""
        return float(self.optimizer.lr)

    @lr.setter
    def lr(self, lr: float) -> None:
        if not 0 <= lr < math.inf:
            raise ValueError(f"Training: a learning rate is a number from 0, not {lr}")
        if self.scheduler is None:
            self.optimizer.lr = lr
        else:
            self.scheduler.set_lr(lr)

    def add_batch_hook(self, hook: Callable[[TrainedBatch], None]) -> HookHandle:
        """Call `hook` with each batch after its backward pass, before the gradients are clipped
        and the parameters change."""
        return self._batch_hooks.add(hook)

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
        return as_tensor(inputs[indices]), as_tensor(labels[indices])

    def look_ahead(self) -> LookAhead:
        """The next batch and its loss with its graph.

        Nothing of the training changes: whatever the forward pass drew from random numbers is put
        back.
        """
        with unchanged(self.model):
            inputs, labels = self.next_batch()
            outputs = self.model(inputs)
            return LookAhead(inputs, labels, self.loss(outputs, labels), outputs)

    def events(self) -> Iterator[Event]:
        """Train from where the training is to its end, an event at a time."""
        while not self.finished:
            yield from self.advance()
        yield self.end()

    def step(self) -> list[Event]:
        """Train on the next batch; at the end of an epoch evaluate the test data, too.

        Raises:
            StopIteration: all batches have been trained on.
        """
        events = self.advance()
        while self.awaits_evaluation:
            events += self.advance()
        return events

    def advance(self) -> list[Event]:
        """Do the next piece of work: train on a batch, or at the end of an epoch evaluate up to a
        thousand examples of the test data; what has happened, which may be nothing.

        Raises:
            StopIteration: all batches have been trained on.
        """
        if self.finished:
            raise StopIteration("all batches have been trained on")
        start = time.perf_counter()
        if self.awaits_evaluation:
            return self._evaluate_on(start)
        self.optimizer.zero_grad()
        uncleared = self._uncleared() if self._batch_hooks else ()
        inputs, labels = self.next_batch()
        outputs = self.model(inputs)
        loss = self.loss(outputs, labels)
        loss.backward()
        for hook in self._batch_hooks:
            hook(TrainedBatch(inputs, labels, loss, outputs, uncleared))
        self._clip()
        self.optimizer.step()
        epoch = self.epoch
        self.position += 1
        is_last = self.position % self.batches_per_epoch == 0
        if self.scheduler is not None and (is_last or self.scheduler_each == "batch"):
            self.scheduler.step()
        self.losses.append(float(loss.item()))
        self.seconds += time.perf_counter() - start
        return [BatchDone(epoch, self.position, self.losses[-1], self.seconds)]

    def _evaluate_on(self, start: float) -> list[Event]:
        if self._evaluation is None:
            self._evaluation = Evaluation(self.model, self.loss_fn, self.test_data)
        is_over = self._evaluation.advance()
        self.seconds += time.perf_counter() - start
        if not is_over:
            return []
        loss, accuracy = self._evaluation.result()
        self._evaluation = None
        epoch = self.position // self.batches_per_epoch
        done = EpochDone(epoch, self._epoch_loss(), loss, accuracy, self.seconds)
        self.results.append(done)
        return [done]

    def _uncleared(self) -> tuple[Tensor, ...]:
        """The optimiser's parameters that have a gradient which is not 0."""
        params = getattr(self.optimizer, "params", None)
        if not isinstance(params, list | tuple):
            return ()
        held = [p for p in params if isinstance(p, Tensor) and p._grad is not None]
        return tuple(p for p in held if p.grad is not None and np.any(p.grad.array))

    def _clip(self) -> None:
        if self.clip_grad_norm is not None:
            clip_grad_norm_(self.optimizer.params, self.clip_grad_norm)
        if self.clip_grad_value is not None:
            clip_grad_value_(self.optimizer.params, self.clip_grad_value)

    def rewind(self) -> None:
        """Back before the first batch; weights and optimiser are left as they are."""
        self.position = 0
        self.seconds = 0.0
        self.losses.clear()
        self.results.clear()
        self._evaluation = None

    def progress(self) -> Progress:
        """How far the training is, to be given back to `set_progress`."""
        return self.position, self.seconds, len(self.losses), len(self.results)

    def set_progress(self, progress: Progress) -> None:
        """Let the training be as far as it was; what has come since is forgotten."""
        self.position, self.seconds, losses, results = progress
        del self.losses[losses:], self.results[results:]
        self._evaluation = None

    def state_dict(self, snapshot: TrainingSnapshot | None = None) -> dict[str, Any]:
        """All that `load_state_dict` needs to go on from here, as copies: arrays, plain numbers and
        texts, in lists, tuples and dicts.

        `["model"]` is the model's `state_dict()`, `["optimizer"]` has the form of PyTorch's.

        Args:
            snapshot: how the training was, to go on from there; None for how it is now.

        Raises:
            StateError: the optimiser or the scheduler holds what cannot be kept.
        """
        return state_of(self, snapshot or TrainingSnapshot(self))

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` of a training made in the same way gave, to the same losses,
        to the bit; seed, batch size and number of epochs become those, too.

        Raises:
            StateError: it does not fit; the training is then as it was.
        """
        load_state(self, state_dict)

    def forget_order(self) -> None:
        """Shuffle anew: seed or batch size have changed."""
        self._order = None

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
        evaluation = Evaluation(self.model, self.loss_fn, self.test_data)
        while not evaluation.advance():
            pass
        return evaluation.result()

    def predict(self, inputs: Array) -> Any:
        """What the model makes of inputs, in evaluation mode; nothing of the training changes."""
        with testing(self.model):
            return self.model(as_tensor(inputs))

    def loss(self, outputs: Any, labels: Tensor) -> Tensor:
        """The loss of a batch.

        Raises:
            ShapeError: it is not one number.
        """
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


def _arrays(name: str, data: Data) -> tuple[Array, Array]:
    inputs, labels = (d.array if isinstance(d, Tensor) else Tensor(d).array for d in data)
    if len(inputs) != len(labels):
        raise ShapeError(
            f"Training: {name} has {len(inputs)} inputs and {len(labels)} labels; there has to "
            "be one label for each input"
        )
    return inputs, labels
