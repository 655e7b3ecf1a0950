"""A training that can be paused, paced and watched: everything about it but the screen."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import engine
from tui.session import numbers
from tui.session.facts import plain

PACES: tuple[float, ...] = (1, 2, 5, 10, 20, 50, 100, math.inf)
"""Batches a second; the last is full speed."""

FIRST_PACE = 4
RECENT = 20
"""Over how many batches the running mean of the loss goes."""

Json = dict[str, Any]


class TrainingSession:
    """Runs a training a batch at a time, at a pace.

    States: paused, running, stopped (ended early, the test data evaluated), finished, failed.
    """

    def __init__(self, training: engine.Training) -> None:
        self.training = training
        self.state = "paused"
        self.problem = ""
        self._pace = FIRST_PACE
        self._due = 0.0
        self._stopped_at: tuple[int, float | None, float | None] | None = None
        self._start = _Snapshot(training)

    @property
    def running(self) -> bool:
        """Whether batches are being trained on."""
        return self.state == "running"

    @property
    def would_be_lost(self) -> bool:
        """Whether quitting now would lose a training that is under way."""
        return 0 < self.training.position < self.training.total_batches

    def run(self) -> None:
        """Go on, at the pace that is set."""
        if not self.training.finished and self.state != "failed":
            self.state = "running"
            self._due = time.monotonic()

    def pause(self) -> None:
        """Stay where it is."""
        if self.running:
            self.state = "paused"

    def toggle(self) -> None:
        """Pause, or go on."""
        if self.running:
            self.pause()
        else:
            self.run()

    def one_batch(self) -> None:
        """Train on one batch, then stay paused."""
        if self.training.finished or self.state == "failed":
            return
        self.state = "paused"
        self._batch()

    def stop(self) -> None:
        """End the training here and see what it has come to; the weights stay as they are."""
        if self.training.finished or self.training.position == 0 or self.state == "failed":
            return
        self.state = "stopped"
        if self._stopped_at is None or self._stopped_at[0] != self.training.position:
            with self._failing_as("the evaluation"):
                self._stopped_at = (self.training.position, *self.training.evaluate())

    def faster(self) -> None:
        """The next quicker pace."""
        self._set_pace(self._pace + 1)

    def slower(self) -> None:
        """The next slower pace."""
        self._set_pace(self._pace - 1)

    def restart(self) -> None:
        """Back to the weights that the training started with, before its first batch."""
        self._start.put_back(self.training)
        self.training.rewind()
        self.state, self.problem, self._stopped_at = "paused", "", None

    def seconds_until_due(self) -> float:
        """How long to wait before the next batch; 0 at full speed."""
        return max(0.0, self._due - time.monotonic())

    def train_when_due(self) -> bool:
        """Train on a batch if it is time for it; whether one was."""
        if not self.running or self.seconds_until_due() > 0:
            return False
        self._batch()
        pace = PACES[self._pace]
        if pace != math.inf:
            # A batch that took longer than its time is not made up for by a burst.
            self._due = max(self._due + 1 / pace, time.monotonic())
        return True

    def view(self, columns: int) -> Json:
        """All that the training screen shows.

        Args:
            columns: how many columns of points the plot of the loss has.
        """
        training = self.training
        losses = training.losses
        recent = losses[-RECENT:]
        return {
            "state": self.state,
            "problem": self.problem,
            "pace": _pace_in_words(PACES[self._pace]),
            "batch": training.position,
            "total": training.total_batches,
            "epoch": training.epoch,
            "epochs": training.epochs,
            "batch_in_epoch": _batch_in_epoch(training),
            "per_epoch": training.batches_per_epoch,
            "losses": binned(losses, training.total_batches, columns),
            "last_loss": numbers.number(losses[-1]) if losses else "",
            "recent_loss": numbers.number(sum(recent) / len(recent)) if recent else "",
            "recent": len(recent),
            "results": [
                {
                    "epoch": r.epoch,
                    "batch": r.epoch * training.batches_per_epoch,
                    "train_loss": plain(r.train_loss),
                    "test_loss": plain(r.test_loss),
                    "test_accuracy": r.test_accuracy,
                }
                for r in training.results
            ],
            "stopped": self._stopped_facts(),
            "optimizer": type(training.optimizer).__name__,
            "lr": numbers.number(training.optimizer.lr),
            "left": self._seconds_left(),
            "would_be_lost": self.would_be_lost,
        }

    def _batch(self) -> None:
        training = self.training
        batch = training.position + 1
        with self._failing_as(f"batch {batch}"):
            training.step()
        if training.position == batch and self.state == "failed":
            self.problem = self.problem.replace(f"batch {batch}", "the evaluation", 1)
        elif training.finished:
            self.state = "finished"

    @contextmanager
    def _failing_as(self, what: str) -> Iterator[None]:
        """Let whatever the scenario raises in this block end the training, told as a problem."""
        try:
            yield
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.state = "failed"
            self.problem = f"{what}{_line_of(error)}: {type(error).__name__}: {error}"

    def _set_pace(self, pace: int) -> None:
        self._pace = max(0, min(pace, len(PACES) - 1))
        self._due = time.monotonic()

    def _stopped_facts(self) -> Json | None:
        if self._stopped_at is None or self._stopped_at[0] != self.training.position:
            return None
        batch, loss, accuracy = self._stopped_at
        return {"batch": batch, "test_loss": plain(loss), "test_accuracy": accuracy}

    def _seconds_left(self) -> float | None:
        """At the present pace; None where nothing is known yet."""
        left = self.training.total_batches - self.training.position
        pace = PACES[self._pace]
        took = self.training.seconds / self.training.position if self.training.position else None
        if pace == math.inf:
            return None if took is None else left * took
        return left * max(1 / pace, took or 0.0)


def binned(losses: list[float], total: int, columns: int) -> list[list[float | int | None]]:
    """The losses in at most `columns` bins of equal width over the whole training: for each bin
    that has any its column, smallest and largest loss (over the finite ones)."""
    bins: dict[int, list[float]] = {}
    per_bin = max(1.0, total / max(1, columns))
    for i, loss in enumerate(losses):
        if math.isfinite(loss):
            column = min(
                columns - 1, int(i / per_bin) if per_bin > 1 else _spread(i, total, columns)
            )
            bins.setdefault(column, []).append(loss)
    return [[column, min(values), max(values)] for column, values in sorted(bins.items())]


def _spread(i: int, total: int, columns: int) -> int:
    return round(i * (columns - 1) / max(1, total - 1))


def _batch_in_epoch(training: engine.Training) -> int:
    """How many batches of the epoch under way (or just ended) are done."""
    if training.finished:
        return training.batches_per_epoch
    return training.position % training.batches_per_epoch


def _pace_in_words(pace: float) -> str:
    if pace == math.inf:
        return "full speed"
    return f"{pace:g} batch{'es' if pace != 1 else ''} a second"


class _Snapshot:
    """What a training has changed once it has run: weights, buffers, optimiser, random numbers."""

    def __init__(self, training: engine.Training) -> None:
        self._arrays = [array.copy() for array in _arrays_of(training)]
        self._optimizer = _state_of(training.optimizer)
        self._rng = engine.get_rng_state()

    def put_back(self, training: engine.Training) -> None:
        """Let the training be again as it was."""
        for array, value in zip(_arrays_of(training), self._arrays, strict=True):
            array[...] = value
        if self._optimizer is not None:
            training.optimizer.load_state_dict(self._optimizer)
        engine.set_rng_state(self._rng)


def _arrays_of(training: engine.Training) -> list[Any]:
    model = training.model
    tensors: list[engine.Tensor] = list(getattr(training.optimizer, "params", ()))
    if isinstance(model, engine.Module):
        tensors += [tensor for _, tensor in (*model.named_parameters(), *model.named_buffers())]
    return [tensor.array for tensor in tensors]


def _state_of(optimizer: Any) -> dict[str, Any] | None:
    return optimizer.state_dict() if isinstance(optimizer, engine.Optimizer) else None


def _line_of(error: BaseException) -> str:
    """Where it was raised, as far as that is the user's: ` (file.py, line 3)`."""
    ours = tuple(str(Path(package).parent) for package in (engine.__file__, __file__))
    cause = error.__cause__ or error
    frames = [
        f for f in traceback.extract_tb(cause.__traceback__) if not f.filename.startswith(ours)
    ]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
