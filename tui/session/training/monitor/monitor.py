"""Watches a training: measures its last batch when somebody wants to see it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

import engine
from engine.training.snapshot import tensors_of
from tui.session.protocol import Array
from tui.session.training.history import KEPT, History
from tui.session.training.monitor import slope_words
from tui.session.training.monitor.alive import Alive
from tui.session.training.monitor.measuring import Measurement, Named, measure
from tui.session.training.monitor.progress import Progress
from tui.session.training.monitor.slope import ParameterSlope, Slope, check, check_each
from tui.session.training.monitor.table import table
from tui.session.training.monitor.verdicts import Verdict, verdict

Json = dict[str, Any]

EACH = 0.5
"""Seconds from one measurement to the next while batches are being trained on."""

SHARE = 100
"""The slope is checked again after so many times as long as it took."""

LONG = 0.5
"""A check of the slope that takes more seconds is left to be asked for, from the second one on."""

TOO_LONG = 2.0
"""One that would take about so many is left at once."""


class Monitor:
    """Is told of each batch, which costs it a few microseconds, and keeps the graph of the last
    one; whatever takes longer waits until there is somebody to see it.

    Args:
        training: what is watched.
        history: how it was before its last batches.
        names: the names of tensors by `id(tensor)`; those of the model's parameters for the rest.
    """

    def __init__(
        self, training: engine.Training, history: History, names: dict[int, str] | None = None
    ) -> None:
        self._training = training
        self._history = history
        self.parameters = _parameters(training, names or {})
        self.gate_names: Sequence[str] = ()
        """What the ReLUs are called, the last one first; see `gates.gate_names`."""
        self.measured: list[Measurement] = []
        """The last ones, the last one last."""
        self.verdicts: list[Verdict] = []
        """Of each parameter, as last measured."""
        self.slope: Slope | None = None
        self.progress = Progress(training)
        self._tensors = [tensor for _, tensor in self.parameters]
        self._alive = Alive(training)
        self._slopes: dict[int, Slope] = {}
        """By how many batches had been trained on, as far back as the training can go."""
        self._coming: tuple[engine.TrainedBatch, list[Any]] | None = None
        self._last: tuple[engine.TrainedBatch, list[Any]] | None = None
        self._spoiled: set[int] = set()
        """The batches before which a parameter was not finite already, the first one of each run of
        losses that are not."""
        self._takes = 0.0
        """How many seconds the last check of the slope took."""
        self._next_measurement = self._next_slope = 0.0
        training.add_batch_hook(self._backward_is_over)

    # Each batch

    def before_batch(self) -> None:
        """A batch is about to be trained on: the last one's graph is needed no more."""
        self._coming = self._last = None
        self._alive.before_batch()

    def _backward_is_over(self, batch: engine.TrainedBatch) -> None:
        # Clipping replaces the gradients, and looking into the next batch clears them.
        self._coming = batch, [tensor._grad for tensor in self._tensors]
        if not np.isfinite(batch.loss.array).all():
            self._look_for_the_start()
        self._alive.look(batch.loss)

    def _look_for_the_start(self) -> None:
        """Where the loss has just ceased to be finite: whether the weights had, before it."""
        losses = self._training.losses
        is_first = bool(losses) and math.isfinite(losses[-1])
        if is_first and not all(np.isfinite(tensor.array).all() for tensor in self._tensors):
            self._spoiled.add(len(losses) + 1)

    def after(self, events: list[engine.Event]) -> None:
        """This has happened; a batch that has failed on its way is not among it."""
        if self._coming is not None:
            self._last, self._coming = self._coming, None

    def went_back(self) -> None:
        """The training is at an earlier batch: what was measured since is forgotten."""
        position = self._training.position
        self._coming = self._last = None
        self._alive.went_back()
        self.progress.went_back()
        self.measured = [m for m in self.measured if m.batch <= position]
        self._spoiled = {at for at in self._spoiled if at <= position}
        self._slopes = {at: slope for at, slope in self._slopes.items() if at <= position}
        self.slope = self._slopes.get(position)
        self._judge()

    # When it is seen

    def refresh(self, running: bool, now: float | None = None) -> None:
        """Measure what there is to measure: the last batch, and whether the gradient fits the
        loss; while the training runs not more often than is worth it."""
        now = time.monotonic() if now is None else now
        if not running or now >= self._next_measurement:
            self._next_measurement = now + EACH
            self.measure()
            if not running or now >= self._next_slope:
                self._check_slope()

    def facts(self, rows: int) -> Json:
        """The table in at most so many rows, how the loss goes, and the slope."""
        names = [name for name, _ in self.parameters]
        trend = self.progress.trend()
        return {
            **table(self.measured, self.verdicts, names, rows),
            "loss": {"warns": bool(trend.kind), "words": trend.words, "brief": trend.brief},
            "slope": slope_words.takes_long(self._takes)
            if self.slope is None and self._takes > LONG
            else slope_words.facts(self.slope),
        }

    def slope_of_each(self, seconds: float) -> list[ParameterSlope]:
        """Check each parameter by itself, as many as can be done in so many seconds.

        Raises:
            Uncomputable: see `recomputed`.
        """
        until = time.monotonic() + seconds
        names = {id(tensor): name for name, tensor in self.parameters}
        return check_each(self._training, *self._batch(), names, lambda: time.monotonic() < until)

    def check_now(self, patience: float = math.inf) -> Slope:
        """Check the slope here, where that takes less than so many seconds."""
        slope = check(self._training, *self._batch(), patience)
        if slope.was_left:
            self._takes = slope.seconds
            return slope
        self.slope = self._slopes[self._training.position] = slope
        for at in sorted(self._slopes)[: -KEPT - 1]:
            del self._slopes[at]
        self._takes = slope.seconds
        self._next_slope = time.monotonic() + SHARE * slope.seconds
        return slope

    def measure(self) -> None:
        """Measure the last batch, if that has not been done."""
        if self._last is None or self._history.last is None:
            return
        position = self._training.position
        if self.measured and self.measured[-1].batch == position:
            return
        trained, grads = self._last
        params = getattr(self._training.optimizer, "params", None)
        self.measured.append(
            measure(
                position,
                trained,
                grads,
                self.parameters,
                self._history.last.values(self._training),
                None if params is None else {id(tensor) for tensor in params},
                self._alive.seen,
                self.gate_names,
            )
        )
        del self.measured[:-KEPT]
        self._judge()

    def _judge(self) -> None:
        self.verdicts = (
            [
                verdict(self.measured, i, self._training.losses, self._spoiled)
                for i in range(len(self._tensors))
            ]
            if self.measured
            else []
        )

    def _check_slope(self) -> None:
        position = self._training.position
        self.slope = self._slopes.get(position)
        if self.slope is None and self._takes <= LONG:
            self.check_now(TOO_LONG)

    def _batch(self) -> tuple[Array, Array]:
        """The batch that was trained on last; where that is not there, the next one."""
        if self._last is not None:
            trained, _ = self._last
            return trained.inputs.array, trained.labels.array
        inputs, labels = self._training.next_batch()
        return inputs.array, labels.array


def _parameters(training: engine.Training, names: dict[int, str]) -> list[Named]:
    """The model's parameters in their order, then what else is optimised."""
    model = training.model
    named: list[Named] = []
    if isinstance(model, engine.Module):
        named = [(names.get(id(p), name), p) for name, p in model.named_parameters()]
    known = {id(p) for _, p in named}
    buffers = {id(b) for b in model.buffers()} if isinstance(model, engine.Module) else set()
    others = [t for t in tensors_of(training) if id(t) not in known | buffers]
    named += [(names.get(id(t), f"parameter {i}"), t) for i, t in enumerate(others, len(named))]
    return named
