"""The training under the screen's control: run, paced, paused, taken back, started again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import engine
from tui.session import numbers
from tui.session.breaking.breakpoints import Breakpoints
from tui.session.explanation import Item
from tui.session.protocol import Graph
from tui.session.training import stopping
from tui.session.training.breaks import Breaks
from tui.session.training.curve import Curve
from tui.session.training.failing import in_words
from tui.session.training.history import History
from tui.session.training.keeper import Keeper
from tui.session.training.monitor.monitor import Monitor
from tui.session.training.pace import Pace
from tui.session.training.run_folder import RunFolder
from tui.session.training.throughput import Throughput

Json = dict[str, Any]


class Observer(Protocol):
    """Is told of each batch."""

    def before_batch(self) -> None:
        """A batch is about to be trained on."""

    def after(self, events: list[engine.Event]) -> None:
        """This has happened."""

    def went_back(self) -> None:
        """The training has gone back, by batches or to its start."""


@dataclass(frozen=True)
class LrChange:
    """The user has set the learning rate."""

    position: int
    """After how many batches."""
    before: str
    """What it was until then."""


UPDATES_OF_ALL = 3.0
"""A second, where all of the curve is drawn anew: so many a line of 4 kB/s carries."""


class TrainingSession:
    """Runs a training a batch at a time, at a pace.

    States: paused, running, stopped (ended early, the test data evaluated), finished, failed.

    Args:
        training: what is run.
        look_in: makes the graph of the next batch; without it nothing of a pass can be asked for.
        debugger: the breakpoints of the debugger, whose conditions can be taken over.
        names: what the tensors are called, by `id(tensor)`.
    """

    def __init__(
        self,
        training: engine.Training,
        look_in: Callable[[], Graph] | None = None,
        debugger: Breakpoints | None = None,
        names: dict[int, str] | None = None,
    ) -> None:
        self.training = training
        self.look_in = look_in
        self.debugger = debugger
        self.state = "paused"
        self.problem = ""
        self.can_look_in = False
        """Whether it is a batch that has failed, and its graph can be made."""
        self.breaks = Breaks()
        self.broken: stopping.Broken | None = None
        """Why it has stopped by itself, until that was attended to."""
        self.target: int | None = None
        """After how many batches it pauses by itself."""
        self.lr_changes: list[LrChange] = []
        self.pace = Pace()
        self.history = History(training)
        self.curve = Curve(training)
        self.monitor = Monitor(training, self.history, names)
        self.throughput = Throughput(training)
        self.observers: list[Observer] = [self.curve, self.monitor]
        self.stopped_at: tuple[int, float | None, float | None] | None = None
        """The batch after which it was stopped, and what the test data gave there."""
        self.keeper: Keeper | None = None
        """Keeps the training in a folder; None where nobody does."""
        self.messages: list[Json] = []
        """What was said, where nobody is there to deliver it at once."""
        self.deliver: Callable[[Json], None] = self.messages.append
        """Takes what is to be said to the screen."""
        self._start = engine.TrainingSnapshot(training)
        self._looked_at: engine.TrainingSnapshot | None = None
        """How it was when its next batch was begun to be looked at."""

    @property
    def running(self) -> bool:
        """Whether batches are being trained on."""
        return self.state == "running"

    @property
    def is_kept(self) -> bool:
        """Whether it is kept in a folder, so that quitting loses nothing."""
        return self.keeper is not None and not self.keeper.problem

    @property
    def would_be_lost(self) -> bool:
        """Whether quitting now would lose a training that is under way."""
        done, total = self.training.position, self.training.total_batches
        return not self.is_kept and done < total and (done > 0 or self.running)

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

    def leave(self, busy: bool = False) -> str:
        """Keep the training a last time, where it is kept; how to go on with it.

        Args:
            busy: whether another thread is at it, so that it may be half changed.
        """
        if self.keeper is None:
            return ""
        if busy:
            return self.keeper.leave(self._looked_at or self.history.last, busy=True)
        self.look_away()
        return self.keeper.leave()

    # Control

    def run(self) -> None:
        """Go on, at the pace that is set."""
        self.look_away()
        self.target = None
        if not self.training.finished and self.state != "failed":
            self.state = "running"
            self.pace.start()

    def run_to(self, batches: int) -> None:
        """Go on until so many batches are done."""
        self.run()
        self.target = batches

    def pause(self) -> None:
        """Stay where it is."""
        self.target = None
        if self.running:
            self.state = "paused"

    def toggle(self) -> None:
        """Pause, or go on."""
        if self.running:
            self.pause()
        else:
            self.run()

    def one_batch(self) -> None:
        """Train on one batch (and at an epoch's end evaluate), then stay paused; no break stops
        it."""
        if self.training.finished or self.state == "failed":
            return
        self.look_away()
        self.pause()
        self.state = "paused"
        self._advance()
        self.monitor.measure()
        while self.training.awaits_evaluation and self.state == "paused":
            self._advance()

    def back(self) -> bool:
        """Let the training be as it was before its last batch, and paused; False where that is not
        kept."""
        self.look_away()
        if not self.history.back():
            return False
        self._went_back()
        self._forget_lr_changes(after=self.training.position)
        return True

    def stop(self) -> None:
        """End the training here and see what it has come to; the weights stay as they are."""
        if self.training.finished or self.training.position == 0 or self.state == "failed":
            return
        self.look_away()
        self.pause()
        self.state = "stopped"
        if self.stopped_at is None or self.stopped_at[0] != self.training.position:
            with self._failing_as("the evaluation"):
                self.stopped_at = (self.training.position, *self.training.evaluate())

    def faster(self) -> None:
        """The next quicker pace."""
        if not self.pace.change(1):
            self.say(f"{self.pace} is the quickest")

    def slower(self) -> None:
        """The next slower pace."""
        if not self.pace.change(-1):
            self.say(f"{self.pace} is the slowest; n trains on one batch at a time")

    def restart(self) -> None:
        """Back to the weights that the training started with, before its first batch."""
        self.look_away()
        self.curve.end_run()
        self._start.put_back(self.training)
        self.training.rewind()
        self.history.clear()
        self._went_back()
        self._forget_lr_changes(after=-1)

    def _went_back(self) -> None:
        self.pause()
        self.state, self.problem, self.stopped_at = "paused", "", None
        self.breaks.went_back()
        self._tell_went_back()

    def _forget_lr_changes(self, after: int) -> None:
        """Going back has undone the changes that were made after so many batches."""
        changes = [one for one in self.lr_changes if one.position <= after]
        if changes != self.lr_changes:
            self.lr_changes = changes
            self.say(f"the learning rate is {numbers.number(self.training.lr)} again, as it was")

    def _tell_went_back(self) -> None:
        for observer in self.observers:
            observer.went_back()

    def add_epochs(self, more: int) -> None:
        """Train for more epochs than it was to."""
        self.training.epochs += more
        if self.state == "finished":
            self.state = "paused"

    def look(self) -> None:
        """Pause, and keep how the training is while its next batch is looked at."""
        self.pause()
        self.breaks.looked_at(self.training.position)
        if self._looked_at is None:
            self._looked_at = engine.TrainingSnapshot(self.training)

    def look_away(self) -> None:
        """Let the training be as it was before it was looked at, whatever was done meanwhile."""
        if self._looked_at is not None:
            self._looked_at.put_back(self.training)
            self._looked_at = None

    def seconds_until_due(self) -> float:
        """How long to wait before the next batch; 0 at full speed, and in an evaluation."""
        return 0.0 if self.training.awaits_evaluation else self.pace.seconds_until_due()

    def updates(self, wanted: float) -> float:
        """How many times a second to show something: of a curve of the last batches only, all of
        which moves each time, not too often."""
        return wanted if self.curve.shown is None else min(wanted, UPDATES_OF_ALL)

    def train_when_due(self) -> bool:
        """Train on a batch, or go on with an evaluation, if it is time for it; whether it was."""
        if not self.running or self.seconds_until_due() > 0:
            return False
        self._advance()
        return True

    def _advance(self) -> None:
        training = self.training
        events = self._evaluate() if training.awaits_evaluation else self._train()
        if events is None:
            return
        if training.finished:
            self.pause()
            self.state = "finished"
        elif training.position == self.target and not training.awaits_evaluation:
            self.pause()
        for observer in self.observers:
            observer.after(events)

    def _evaluate(self) -> list[engine.Event] | None:
        """Go on with an evaluation; None where it has failed."""
        with self._failing_as("the evaluation"):
            return self.training.advance()
        return None

    def _train(self) -> list[engine.Event] | None:
        """Train on the next batch; None where it has failed, or the training stops before it."""
        training, breaks = self.training, self.breaks if self.running else None
        self.history.keep()
        with self._failing_as(f"batch {training.position + 1}"):
            if breaks is not None and self._stops_before(breaks):
                return None
            for observer in self.observers:
                observer.before_batch()
            events = training.advance()
            broken = None if breaks is None else stopping.after_batch(training, breaks)
            if broken is None:
                self.history.batch_done()
                self.pace.batch_done()
                return events
            self._break(broken)
        self.history.back()  # a batch that was not ended leaves nothing behind
        self._tell_went_back()
        if self.state == "failed":
            self.can_look_in = self._can_look_in()
        return None

    def _stops_before(self, breaks: Breaks) -> bool:
        """Whether the training stops before its next batch; else it is as it was before it was
        asked."""
        training = self.training
        is_stepped = bool(breaks.of_pass(training.position))
        broken = stopping.before_batch(training, breaks, self.look_in)
        if broken is None:
            if is_stepped:
                self.history.put_back()
            return False
        kept = self.history.take()
        if broken.graph is not None:
            self._looked_at = kept
        self._break(broken)
        return True

    def _break(self, broken: stopping.Broken) -> None:
        self.pause()
        self.broken = broken

    def _can_look_in(self) -> bool:
        """Whether the graph of the batch that has failed can be made."""
        if self.look_in is None:
            return False
        try:
            self.look_in()
        except KeyboardInterrupt:
            raise
        except BaseException:
            return False
        return True

    @contextmanager
    def _failing_as(self, what: str) -> Iterator[None]:
        """Let whatever the scenario raises in this block end the training, told as a problem."""
        try:
            yield
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.pause()
            self.state, self.can_look_in = "failed", False
            self.problem = in_words(what, error)
