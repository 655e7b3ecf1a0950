"""Keeps the training on the screen in a folder: a problem is told, and the training goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import engine
from tui.session.training.run_folder import NotKept, RunFolder


class Keeper:
    """An observer of a training that keeps it in a folder.

    Args:
        run: the folder.
        say: takes a line for the user.
    """

    def __init__(self, run: RunFolder, say: Callable[[str], None]) -> None:
        self.problem = ""
        """Why the training could not be kept the last time; empty where it was."""
        self._run = run
        self._say = say
        self._lock = threading.Lock()
        self._farewell = ""

    def before_batch(self) -> None:
        """See `Observer`."""

    def after(self, events: list[engine.Event]) -> None:
        """Write what has happened."""
        self._try(lambda: self._run.record(events))

    def went_back(self) -> None:
        """Take back what was written."""
        self._try(self._run.went_back)

    def facts(self) -> dict[str, Any]:
        """Where the training is kept, up to which batch, and what prevents it."""
        folder = self._run.folder
        return {"folder": str(folder), "batch": self._run.saved_at, "problem": self.problem}

    def leave(self, before_batch: engine.TrainingSnapshot | None = None, busy: bool = False) -> str:
        """Keep the training a last time, and say how to go on with it; once only, so that two
        threads may ask for it.

        Args:
            before_batch: with `busy`, how the training was before the batch under way.
            busy: whether something is under way that leaves the training half changed.
        """
        with self._lock:
            if not self._farewell:
                self._farewell = self._leave(before_batch, busy)
            return self._farewell

    def _leave(self, before_batch: engine.TrainingSnapshot | None, busy: bool) -> str:
        run = self._run
        try:
            if not busy:
                run.save()
            elif before_batch is not None and before_batch.position > run.saved_at:
                run.save(before_batch)
        except NotKept as problem:
            return str(problem)
        at = f"at batch {run.saved_at} of {run.training.total_batches}"
        return f"the training is kept {at}; go on with: {run.how_to_resume}"

    def _try(self, keep: Callable[[], None]) -> None:
        """Do it; say what prevents it, once."""
        saved_at = self._run.saved_at
        try:
            keep()
        except NotKept as problem:
            if str(problem) != self.problem:
                self.problem = str(problem)
                self._say(self.problem)
        else:
            # That nothing was tried is no sign that it can be kept again.
            if self.problem and self._run.saved_at != saved_at:
                self.problem = ""
                self._say(f"the training is kept in {self._run.folder} again")
