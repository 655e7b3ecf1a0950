"""The curve of the loss: this run's, and those of the runs before it, in columns to draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import engine

Json = dict[str, Any]
Points = list[list[float]]
"""Pairs of a batch, from 1, and a loss."""

RECENT = 20
"""Over how many batches the running mean goes."""

ZOOMS = (None, 500, 100, 20)
"""Of how many last batches the curve is shown; None for all."""

REFERENCES = 3
"""How many earlier runs stay."""

REFERENCE_POINTS = 100
"""Of how many points the curve of an earlier run has at most."""


@dataclass(frozen=True, slots=True)
class Run:
    """An earlier run, kept as a reference."""

    number: int
    about: str
    """How it was trained, in a few words."""
    points: Points
    """Its running mean."""


class Curve:
    """The losses of a training and of the runs before it, and which part of them is shown."""

    def __init__(self, training: engine.Training) -> None:
        self._training = training
        self._means: list[float] = []
        self._bins: Bins | None = None
        self.references: list[Run] = []
        self.number = 1
        """Of this run."""
        self.is_log = False
        """Whether the axis of the losses is logarithmic."""
        self._zoom = 0

    # What changes it

    def before_batch(self) -> None:
        """Nothing has to be known before a batch."""

    def after(self, events: list[engine.Event]) -> None:
        """What is new is read from the training when it is to be seen."""

    def went_back(self) -> None:
        """What was of batches that are no more is forgotten."""
        del self._means[self._training.position :]
        self._bins = None

    def end_run(self) -> None:
        """Another run is to start: this one stays as a reference."""
        run = self.run()
        if run is not None:
            self.add_reference(run.about, run.points)

    def add_reference(self, about: str, points: Points) -> None:
        """Show an earlier run beside this one."""
        self.references.append(Run(self.number, about, points))
        del self.references[:-REFERENCES]
        self.number += 1

    def toggle_log(self) -> None:
        """A logarithmic axis, or a linear one."""
        self.is_log = not self.is_log

    def zoom(self) -> None:
        """Show fewer of the last batches; after the fewest all of them again."""
        self._zoom = (self._zoom + 1) % len(ZOOMS)

    @property
    def shown(self) -> int | None:
        """Of how many last batches the curve is shown; None for all."""
        return ZOOMS[self._zoom]

    # What there is to see

    def run(self) -> Run | None:
        """This run, as a reference for a later one; None where it has no losses."""
        means = self._caught_up()
        if not means:
            return None
        every = math.ceil(len(means) / REFERENCE_POINTS)
        chosen = range(len(means) - 1, -1, -every)
        points = [[i + 1, means[i]] for i in reversed(chosen) if math.isfinite(means[i])]
        training = self._training
        about = f"{type(training.optimizer).__name__} {training.optimizer.lr:.4g}"
        return Run(self.number, about, points)

    def view(self, columns: int) -> Json:
        """What the plot draws: columns count from 0, batches from 1.

        Args:
            columns: how many columns of points there are.
        """
        training, means = self._training, self._caught_up()
        first, last = self._window()
        place = Columns(first, last, columns)
        if self._bins is None or self._bins.place != place:
            self._bins = Bins(place)
        self._bins.catch_up(training.losses, means)
        self._bins.catch_up_tests(training.results, training.batches_per_epoch)
        return {
            "first": first,
            "last": last,
            "zoom": self.shown,
            "scale": "log" if self.is_log else "linear",
            "raw": self._bins.losses(),
            "bad": self._bins.bad(),
            "mean": self._bins.means(),
            "tests": self._bins.tests(),
            "number": self.number,
            "references": [
                {
                    "number": run.number,
                    "about": run.about,
                    "mean": _last_of_each(
                        [
                            (place.of(int(batch) - 1), loss)
                            for batch, loss in run.points
                            if first < batch <= last
                        ]
                    ),
                }
                for run in self.references
            ],
        }

    def _window(self) -> tuple[int, int]:
        """The batches that are shown: after so many, up to so many."""
        training = self._training
        if self.shown is None:
            return 0, training.total_batches
        # It moves in leaps, so that not all of the curve is new with each batch.
        leap = self.shown // 5
        first = max(0, math.ceil((training.position - self.shown) / leap) * leap)
        return first, first + self.shown

    def _caught_up(self) -> list[float]:
        """The running mean at each batch so far; NaN where no loss is finite."""
        losses, means = self._training.losses, self._means
        del means[len(losses) :]
        for i in range(len(means), len(losses)):
            recent = [x for x in losses[max(0, i - RECENT + 1) : i + 1] if math.isfinite(x)]
            means.append(sum(recent) / len(recent) if recent else math.nan)
        return means


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column a batch (from 0) is in, where those from `first` on to before `last` are spread
    over `count` columns."""

    first: int
    last: int
    count: int

    def of(self, batch: int) -> int:
        """The column of a batch."""
        span = max(1, self.last - self.first)
        i = batch - self.first
        if span >= self.count:
            return min(self.count - 1, i * self.count // span)
        return round(i * (self.count - 1) / max(1, span - 1))


class Bins:
    """Losses, running means and test losses in columns; what is new is added to what is there.

    Args:
        place: which column each batch is in.
    """

    def __init__(self, place: Columns) -> None:
        self.place = place
        self._done = place.first
        self._tests_done = 0
        self._losses: dict[int, list[float]] = {}
        self._means: dict[int, float] = {}
        self._tests: dict[int, list[float]] = {}
        self._bad: dict[int, None] = {}

    def catch_up(self, losses: Sequence[float], means: Sequence[float]) -> None:
        """Take in the losses, and the running mean at each, that have come since."""
        for i in range(self._done, min(len(losses), self.place.last)):
            loss, column = losses[i], self.place.of(i)
            if not math.isfinite(loss):
                self._bad[column] = None
            else:
                _widen(self._losses, column, loss)
            if math.isfinite(means[i]):
                self._means[column] = means[i]
            self._done = i + 1

    def catch_up_tests(self, results: Sequence[engine.EpochDone], per_epoch: int) -> None:
        """Take in the test losses that have come since.

        Args:
            results: of all epochs so far.
            per_epoch: how many batches an epoch has.
        """
        for i in range(max(self._tests_done, self.place.first // per_epoch), len(results)):
            batch, loss = results[i].epoch * per_epoch, results[i].test_loss
            if batch <= self.place.last and loss is not None and math.isfinite(loss):
                _widen(self._tests, self.place.of(batch - 1), loss)
            self._tests_done = i + 1

    def tests(self) -> list[list[float]]:
        """For each column that has any its number and its smallest finite test loss, and the same
        with its largest."""
        return [
            [column, loss] for column, *ends in self._tests.values() for loss in sorted({*ends})
        ]

    def losses(self) -> list[list[float]]:
        """For each column that has any its number, and its smallest and largest finite loss."""
        return list(self._losses.values())

    def means(self) -> list[list[float]]:
        """For each column that has any its number, and its last finite mean."""
        return [[column, mean] for column, mean in self._means.items()]

    def bad(self) -> list[int]:
        """The columns in which a loss is not finite."""
        return list(self._bad)


def _widen(columns: dict[int, list[float]], column: int, loss: float) -> None:
    """Have a loss between the smallest and the largest one of a column."""
    if (known := columns.get(column)) is None:
        columns[column] = [column, loss, loss]
    else:
        known[1], known[2] = min(known[1], loss), max(known[2], loss)


def _last_of_each(points: list[tuple[int, float]]) -> list[list[float]]:
    """The last finite value of each column that has any."""
    return [[c, value] for c, value in dict(p for p in points if math.isfinite(p[1])).items()]
