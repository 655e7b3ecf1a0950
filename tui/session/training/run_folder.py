"""A training kept in a folder: its newest checkpoint, and its metrics."""

from __future__ import annotations

import contextlib
import shlex
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import engine
from scenarios import data
from tui import files
from tui.errors import ScenarioError
from tui.loading import catalog
from tui.loading.loader import Scenario
from tui.options import Options
from tui.session.training import checkpoint, checkpoint_file, metrics
from tui.session.training.checkpoint_file import unusable
from tui.session.training.digests import sha256
from tui.session.training.resuming import METRICS, is_free

Json = dict[str, Any]


class NotKept(Exception):
    """The training could not be kept just now; the message says why, and what there is."""


class RunFolder:
    """Keeps a training in `options.out`, as it goes on; what is there already is gone on from.

    Args:
        scenario: its training; where the folder holds one, it becomes that one.
        options: how the scenario was loaded.

    Raises:
        ScenarioError: the folder cannot be used, or what is in it is of another training.
    """

    def __init__(self, scenario: Scenario, options: Options) -> None:
        assert options.out is not None
        if scenario.training is None:
            raise ScenarioError(
                "there is no training to keep: the scenario leaves no `training` (without --out "
                "and --resume it can be stepped through)",
                str(scenario.path),
            )
        self.training = scenario.training
        self.folder = Path(options.out)
        self.saved_at = 0
        """The position of the newest checkpoint."""
        self.notes: list[str] = []
        """What is to be said of what was found in the folder."""
        self._path = self.folder / checkpoint_file.NAME
        self._every = options.checkpoint_every
        self._lock = threading.RLock()
        self._behind = False
        """Whether an event could not be written."""
        self._run = _run_of(scenario, options)
        with self._telling():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._metrics = metrics.MetricsFile(self.folder / METRICS)
            try:
                if not is_free(self.folder):
                    self._go_on(options)
                self._restore_metrics()
                files.remove_parts(self._path)
                self.save()
            except BaseException:
                self.close()
                raise

    @property
    def how_to_resume(self) -> str:
        """The command that goes on from the folder."""
        return f"bp-tui --resume {shlex.quote(str(self.folder))}"

    def record(self, events: list[engine.Event]) -> None:
        """Write what has just happened, and a checkpoint where it is time for one.

        Raises:
            NotKept: it could not be written. At the next checkpoint it is tried again.
        """
        if not events:
            return
        training = self.training
        with self._lock:
            if not self._behind:
                with self._keeping():
                    self._metrics.cut(len(training.losses) + len(training.results) - len(events))
                    for event in events:
                        self._metrics.append(metrics.event_facts(event))
                    if training.finished:
                        self._metrics.append(metrics.event_facts(training.end()))
            if any(self._is_time_after(event) for event in events):
                self.save()

    def went_back(self) -> None:
        """The training has gone back: what has come since is not part of it any more.

        Raises:
            NotKept: that could not be written.
        """
        training = self.training
        with self._lock:
            # First the checkpoint: its losses have to be those of the lines up to its position.
            if training.position < self.saved_at:
                self.save()
            with self._keeping():
                self._metrics.cut(len(training.losses) + len(training.results))

    def save(self, snapshot: engine.TrainingSnapshot | None = None) -> None:
        """Write a checkpoint.

        Args:
            snapshot: how the training was, where it cannot be looked at now; None for how it is.

        Raises:
            NotKept: it could not be written; the one before is still there.
        """
        with self._lock, self._keeping():
            if snapshot is None:
                self._metrics.reopen_where_lost()
                if self._behind:
                    self._restore_metrics()
            self._metrics.sync()
            state = self.training.state_dict(snapshot)
            facts = {
                "run": self._run,
                "position": state["position"],
                "batches_per_epoch": self.training.batches_per_epoch,
                "batch_size": state["batch_size"],
                "epochs": state["epochs"],
                "checkpoint_every": self._every,
            }
            checkpoint.save(self._path, facts, state)
            self.saved_at = state["position"]

    def close(self) -> None:
        """Let others have the folder."""
        self._metrics.close()

    def _is_time_after(self, event: engine.Event) -> bool:
        if isinstance(event, engine.BatchDone):
            return self._every is not None and event.batch % self._every == 0
        return True

    def _go_on(self, options: Options) -> None:
        header, state = checkpoint.load(self._path)
        with _complete(self._path):
            self._check_run(header["run"])
        try:
            self.training.load_state_dict(state)
        except engine.StateError as error:
            raise unusable(
                self._path, f"it does not fit this scenario's training: {error}"
            ) from None
        self.saved_at = self.training.position
        self.training.epochs = max(self.training.epochs, options.epochs or 0)
        if self._every is None:
            self._every = header["checkpoint_every"]

    def _check_run(self, run: Json) -> None:
        """Refuse a checkpoint that was trained on other data; note a changed file."""
        ours, theirs = self._run["examples"], run["examples"]
        if theirs != ours:
            then, now = (f"{e['train']:,} (and {e['test']:,} to test on)" for e in (theirs, ours))
            others = "others, though as many" if then == now else f"{then}, here are {now}"
            raise unusable(
                self._path, f"the examples it was trained on were {others}: --data chooses them"
            )
        if run["source"] != self._run["source"]:
            self.notes.append(
                f"{self._run['file']} has changed since this training was started; it goes on with "
                "what the file says now"
            )

    def _restore_metrics(self) -> None:
        made = self._metrics.restore(metrics.events_so_far(self.training))
        if made and not self._behind:
            self.notes.append(
                f"{METRICS} lacked {made} lines, which were made again from the checkpoint "
                "(without their seconds)"
            )
        self._behind = False

    @contextlib.contextmanager
    def _keeping(self) -> Iterator[None]:
        try:
            yield
        except (OSError, engine.StateError) as error:
            self._behind |= isinstance(error, OSError)
            raise NotKept(
                f"the training is not kept: {_reason(error)}; the checkpoint in {self.folder} is "
                f"of batch {self.saved_at}"
            ) from error

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """At the start, whatever prevents it is an error."""
        try:
            yield
        except (OSError, NotKept) as problem:
            error = problem.__cause__ if isinstance(problem, NotKept) else problem
            mend = (
                "without --out it can be trained"
                if isinstance(error, engine.StateError)
                else "name a folder that can be written to"
            )
            raise ScenarioError(
                f"the training cannot be kept in this folder: {_reason(error)}; {mend}",
                str(self.folder),
            ) from None


def _reason(error: BaseException | None) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


@contextlib.contextmanager
def _complete(path: Path) -> Iterator[None]:
    """A block that reads a header."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise unusable(path, f"its header is not what it has to be ({error})") from None


def _run_of(scenario: Scenario, options: Options) -> Json:
    """What does not change in a run: what it is loaded from, and how."""
    training = scenario.training
    assert training is not None
    usage = data.in_use()
    scheduler = training.scheduler
    return {
        "scenario": catalog.reference(scenario.path),
        "file": scenario.path.name,
        "source": sha256("\n".join(scenario.source).encode(errors="replace")).hexdigest(),
        "seed": options.seed,
        # What "auto" finds may be more another time.
        "data": "embedded" if usage and usage.source == "embedded" else options.data,
        "data_dir": options.data_dir and str(Path(options.data_dir).expanduser().absolute()),
        "lr": options.lr,
        "start_lr": float(training.optimizer.lr if scheduler is None else scheduler.base_lr),
        "examples": _examples(training),
    }


def _examples(training: engine.Training) -> Json:
    """How many examples there are, and a checksum of them."""
    test = training.test_data
    arrays = [*training.train_data, *(test or ())]
    checksum = 0
    for array in arrays:
        checksum = zlib.crc32(str((array.dtype, array.shape)).encode(), checksum)
        checksum = zlib.crc32(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data, checksum)
    return {
        "train": len(arrays[0]),
        "test": 0 if test is None else len(test[0]),
        "checksum": checksum,
    }
