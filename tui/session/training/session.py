"""The training under the screen's control: run, paced, paused, taken back, started again."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import engine
from tui.session.explanation import Item
from tui.session.training.curve import Curve
from tui.session.training.history import History
from tui.session.training.keeper import Keeper
from tui.session.training.pace import Pace
from tui.session.training.run_folder import RunFolder

Json = dict[str, Any]


class Observer(Protocol):
    """Is told of each batch."""

    def before_batch(self) -> None:
        """A batch is about to be trained on."""

    def after(self, events: list[engine.Event]) -> None:
        """This has happened."""

    def went_back(self) -> None:
        """The training has gone back, by batches or to its start."""


class TrainingSession:
    """Runs a training a batch at a time, at a pace.

    States: paused, running, stopped (ended early, the test data evaluated), finished, failed.
    """

    def __init__(self, training: engine.Training) -> None:
        self.training = training
        self.state = "paused"
        self.problem = ""
        self.pace = Pace()
        self.history = History(training)
        self.curve = Curve(training)
        self.observers: list[Observer] = [self.curve]
        self.stopped_at: tuple[int, float | None, float | None] | None = None
        """The batch after which it was stopped, and what the test data gave there."""
        self.keeper: Keeper | None = None
        """Keeps the training in a folder; None where nobody does."""
        self.messages: list[Json] = []
        """What was said, where nobody is there to deliver it at once."""
        self.deliver: Callable[[Json], None] = self.messages.append
        """Takes what is to be said to the screen."""
        self._start = engine.TrainingSnapshot(training)

    @property
    def running(self) -> bool:
        """Whether batches are being trained on."""
        return self.state == "running"

    @property
    def would_be_lost(self) -> bool:
        """Whether quitting now would lose a training that is under way."""
        is_kept = self.keeper is not None and not self.keeper.problem
        return 0 < self.training.position < self.training.total_batches and not is_kept

    # Saying

    def say(self, text: str) -> None:
        """Say something in a line, which is shown until the next key."""
        self.deliver({"type": "notice", "text": text})

    def show_page(self, title: str, items: Sequence[Item], update: bool = False) -> None:
        """Show a page of items over the screen's body, see `Session.show_page`."""
        self.deliver({"type": "page", "title": title, "items": list(items), "update": update})

    def keep_in(self, run: RunFolder) -> None:
        """Keep the training in a folder; it may have come from there, and be over."""
        self.keeper = Keeper(run, self.say)
        self.observers.append(self.keeper)
        if self.training.finished:
            self.state = "finished"

    # Control

    def run(self) -> None:
        """Go on, at the pace that is set."""
        if not self.training.finished and self.state != "failed":
            self.state = "running"
            self.pace.start()

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
        """Train on one batch (and at an epoch's end evaluate), then stay paused."""
        if self.training.finished or self.state == "failed":
            return
        self.state = "paused"
        self._advance()
        while self.training.awaits_evaluation and self.state == "paused":
            self._advance()

    def back(self) -> bool:
        """Let the training be as it was before its last batch, and paused; False where that is not
        kept."""
        if not self.history.back():
            return False
        self.state, self.problem, self.stopped_at = "paused", "", None
        for observer in self.observers:
            observer.went_back()
        return True

    def stop(self) -> None:
        """End the training here and see what it has come to; the weights stay as they are."""
        if self.training.finished or self.training.position == 0 or self.state == "failed":
            return
        self.state = "stopped"
        if self.stopped_at is None or self.stopped_at[0] != self.training.position:
            with self._failing_as("the evaluation"):
                self.stopped_at = (self.training.position, *self.training.evaluate())

    def faster(self) -> None:
        """The next quicker pace."""
        self.pace.change(1)

    def slower(self) -> None:
        """The next slower pace."""
        self.pace.change(-1)

    def restart(self) -> None:
        """Back to the weights that the training started with, before its first batch."""
        self.curve.end_run()
        self._start.put_back(self.training)
        self.training.rewind()
        self.history.clear()
        self.state, self.problem, self.stopped_at = "paused", "", None
        for observer in self.observers:
            observer.went_back()

    def seconds_until_due(self) -> float:
        """How long to wait before the next batch; 0 at full speed, and in an evaluation."""
        return 0.0 if self.training.awaits_evaluation else self.pace.seconds_until_due()

    def train_when_due(self) -> bool:
        """Train on a batch, or go on with an evaluation, if it is time for it; whether it was."""
        if not self.running or self.seconds_until_due() > 0:
            return False
        self._advance()
        return True

    def _advance(self) -> None:
        training = self.training
        is_batch = not training.awaits_evaluation
        with self._failing_as(f"batch {training.position + 1}" if is_batch else "the evaluation"):
            if is_batch:
                self.history.keep()
                for observer in self.observers:
                    observer.before_batch()
            events = training.advance()
        if self.state == "failed":
            if is_batch:
                self.history.back()  # a batch that was not ended leaves nothing behind
            return
        if is_batch:
            self.history.batch_done()
            self.pace.batch_done()
        if training.finished:
            self.state = "finished"
        for observer in self.observers:
            observer.after(events)

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


def _line_of(error: BaseException) -> str:
    """Where it was raised, as far as that is the user's: ` (file.py, line 3)`."""
    ours = tuple(str(package) for package in (Path(engine.__file__).parent, TUI))
    cause = error.__cause__ or error
    frames = [
        f for f in traceback.extract_tb(cause.__traceback__) if not f.filename.startswith(ours)
    ]
    return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""


TUI = Path(__file__).resolve().parents[2]
"""The folder of the program's own code."""
