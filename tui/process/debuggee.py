"""The process in which the scenario, its engine, the session and the training live.

It reads commands from its standard input and writes messages to its standard output; what the
scenario prints goes to its standard error, which the screen shows in its log. It ends when the
screen's process goes away, however that happens.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from tui import loader
from tui.errors import Refused, ScenarioError
from tui.options import Options
from tui.process.channel import Message, Sender, receive
from tui.session.breaking.breakpoints import Breakpoints
from tui.session.breaking.remembered import Memory
from tui.session.breaking.syntax import ExpressionError
from tui.session.commands import carry_out
from tui.session.engine_graph import EngineGraph
from tui.session.opening import about, open_graph
from tui.session.session import Session, Subject
from tui.session.tensors.inspector import Inspector
from tui.session.training.about_batch import about_batch
from tui.session.training.commands import MOVING
from tui.session.training.commands import carry_out as carry_out_training
from tui.session.training.run_folder import RunFolder
from tui.session.training.session import TrainingSession
from tui.session.training.stopping import Broken
from tui.session.training.view import view_of as training_view
from tui.session.view import tensor_view, view_of

GONE = None
"""Stands in the queue of commands where the screen has gone away."""

LAST_BATCH = 1.0
"""Seconds that a batch under way has to end when the screen has gone."""


class Debuggee:
    """Carries out the screen's commands and tells it what there is to see.

    Args:
        options: which scenario to load, and how.
        commands: the screen's commands in their order, GONE at the end.
        sender: takes the messages to the screen.
    """

    def __init__(
        self, options: Options, commands: queue.Queue[Message | None], sender: Sender
    ) -> None:
        self._options = options
        self._commands = commands
        self._sender = sender
        self._size = {"rows": 20, "width": 40, "height": 20, "both": False, "lanes": 24, "plot": 60}
        self._size |= {"tensor_width": 80, "tensor_height": 20}
        self._updates = 10.0
        self._showing = "stepping"
        self._unanswered: object = None
        """The number of the command carried out last, until what came of it is sent."""
        self._gone = False
        self._training: TrainingSession | None = None

    def run(self) -> bool:
        """Load the scenario, then carry out commands until the screen goes.

        Returns:
            Whether it has gone; else the scenario cannot be used.
        """
        try:
            self._scenario = loader.load(self._options, self._fetching)
            with loader.guarded(self._scenario.path):
                training = self._scenario.training
                self._breakpoints = Breakpoints()
                if training is not None:
                    self._training = TrainingSession(training, self._look_in, self._breakpoints)
                    self._training.deliver = self._sender.send
                notes = self._keep_training()
                self._open()
                if training is not None and training.position:  # it is gone on with
                    self._showing = "training"
                notes += self._recall()
        except ScenarioError as error:
            self._problem(error)
            return False
        self._send_view()
        if notes:
            self._notice("; ".join(notes))
        while not self._gone:
            counting = self._counting()
            changed = self._carry_out_waiting(block=not self._is_training() and counting is None)
            if self._is_training():
                self._train_for(1 / self._updates)
                changed = not self._attend_to_break()
            elif counting is not None and not changed:
                counting.count(1 / self._updates)
                changed = True
            if changed and not self._gone:
                self._send_view()
                self._answer()
        self.leave()
        return True

    def leave(self, busy: bool = False) -> None:
        """Keep the training a last time, where it is kept, and say so.

        Args:
            busy: whether this is another thread than the one that carries out the commands, which
                is still at it.
        """
        training = self._training
        if training is not None and (text := training.leave(busy)):
            with contextlib.suppress(OSError):
                self._sender.send({"type": "farewell", "text": text})

    def _keep_training(self) -> list[str]:
        """Have the training kept in the folder that was asked for, and go on with one that is
        there; what is to be said of it."""
        if self._options.out is None:
            return []
        run = RunFolder(self._scenario, self._options)
        if self._training is not None:
            self._training.keep_in(run)
        return run.notes

    def _answer(self) -> None:
        """Tell one who numbers commands that all there is to see of the last one has been sent."""
        if self._unanswered is not None:
            self._sender.send({"type": "answered", "number": self._unanswered})
            self._unanswered = None

    def _fetching(self, doing: str, done: int, total: int) -> None:
        share = f"  {done / total:.0%} of {total / 1e6:.1f} MB" if total else ""
        self._sender.send({"type": "progress", "text": f"{doing}{share}"})

    def _look_in(self) -> EngineGraph:
        return open_graph(self._scenario)

    def _open(self, folded: frozenset[str] | None = None, broken: Broken | None = None) -> None:
        """A session on the scenario's graph (for a training: that of its next batch).

        Args:
            folded: what is folded in it; None for what is at the start.
            broken: why the training has stopped at that batch by itself.
        """
        scenario, training = self._scenario, self._training
        if training is not None:
            training.look()
        graph = broken.graph if broken is not None and broken.graph else self._look_in()
        session = Session(
            graph,
            Subject(
                scenario.name,
                about(scenario),
                scenario.title,
                scenario.introduction,
                scenario.path.name,
                scenario.source,
                (*scenario.warned, *scenario.warned_ahead),
                [] if training is None else about_batch(training, graph, broken),
            ),
            self._breakpoints,
        )
        if folded is not None:
            session.folding.set(folded)
        session.deliver = self._sender.send
        session.is_interrupted = lambda: not self._commands.empty()
        self._session = session
        self._showing = "stepping"
        if broken is not None and broken.stop is not None:
            session.stop_at(broken.stop)

    def _attend_to_break(self) -> bool:
        """Where the training has stopped by itself, open the debugger on that batch and show it;
        whether it has."""
        assert self._training is not None
        broken, self._training.broken = self._training.broken, None
        if broken is None:
            return False
        try:
            with loader.guarded(self._scenario.path):
                self._open(self._session.folding.folded, broken)
        except ScenarioError as error:
            self._failed(error)
        self._send_view()
        self._notice(str(broken))
        return True

    def _recall(self) -> list[str]:
        """Have the breakpoints and watches that are remembered, and those of the command line;
        what is wrong with them."""
        breakpoints = self._breakpoints
        memory = Memory(self._scenario.path) if self._options.remembers else None
        told = [memory.recall(breakpoints) if memory else None]
        told += _add_given(breakpoints.add_stop, self._options.breaks)
        told += _add_given(breakpoints.add_watch, self._options.watches)
        breakpoints.attach(self._session.graph, self._session.labels)

        def keep() -> None:
            if memory and (problem := memory.keep(breakpoints)):
                self._notice(problem)

        breakpoints.on_change = keep
        return [text for text in told if text]

    def _is_training(self) -> bool:
        return self._training is not None and self._training.running

    def _counting(self) -> Inspector | None:
        """The tensor that is shown, where its elements are still being counted."""
        inspector = self._session.inspector if self._showing == "stepping" else None
        return inspector if inspector is not None and inspector.is_counting else None

    def _train_for(self, seconds: float) -> None:
        """Train at the pace that is set, until it is time to show something or a command waits."""
        assert self._training is not None
        until = time.monotonic() + seconds
        while self._training.running and self._commands.empty():
            now = time.monotonic()
            if now >= until:
                return
            if not self._training.train_when_due():
                wait = min(self._training.seconds_until_due(), until - now)
                self._wait_for_command(wait)

    def _wait_for_command(self, seconds: float) -> None:
        """Sleep, but wake when a command comes; it stays in the queue."""
        with self._commands.not_empty:
            if not self._commands.queue:
                self._commands.not_empty.wait(seconds)

    def _carry_out_waiting(self, block: bool) -> bool:
        """Carry out the commands that wait (with `block` at least one); whether any changed the
        view."""
        changed = False
        while True:
            try:
                command = self._commands.get(block=block)
            except queue.Empty:
                return changed
            block = False
            if command is GONE:
                self._gone = True
                return changed
            self._unanswered = command.get("number", self._unanswered)
            try:
                with loader.guarded(self._scenario.path):
                    self._carry_out(command)
            except ScenarioError as error:
                self._failed(error)
            except Refused as refusal:
                self._sender.send({"type": "refused", "text": str(refusal)})
            changed = True

    def _carry_out(self, command: Message) -> None:
        name = str(command["do"])
        if name == "size":
            self._size.update({key: command[key] for key in self._size if key in command})
            self._updates = float(command.get("updates", self._updates))
        elif name.startswith("training."):
            self._train_command(name.removeprefix("training."), command)
        else:
            carry_out(self._session, name, command)

    def _train_command(self, name: str, command: Message) -> None:
        training = self._training
        if training is None:
            if name == "reference":
                return  # the file that was read afresh has no training any more
            self._notice("this scenario has no training: it leaves no `training`, only a graph")
            return
        is_looked_at = self._showing == "stepping"
        if name == "open":
            training.look_away()
            self._showing = "training"
        elif is_looked_at and name == "close":
            return  # it has stopped by itself meanwhile
        elif name == "close":
            self._open(self._session.folding.folded)
        elif is_looked_at and name in MOVING:
            raise Refused("the training has stopped and is looked into: t goes back to it")
        else:
            carry_out_training(training, name, command)

    def _send_view(self) -> None:
        try:
            with loader.guarded(self._scenario.path):
                view = self._view()
        except ScenarioError as error:
            self._failed(error)
        else:
            self._sender.send(view)

    def _view(self) -> Message:
        if self._showing == "training" and self._training is not None:
            view = training_view(self._training, int(self._size["plot"]))
            data = _data_in_use()
            return {"type": "training", "name": self._scenario.name, **data, **view}
        size = self._size
        lost = self._training is not None and self._training.would_be_lost
        tensor = tensor_view(self._session, int(size["tensor_width"]), int(size["tensor_height"]))
        if tensor is not None:
            return {"type": "tensor", "would_be_lost": lost, **tensor}
        view = view_of(
            self._session,
            int(size["rows"]),
            int(size["width"]),
            int(size["height"]),
            bool(size["both"]),
            int(size["lanes"]),
        )
        trains = self._training is not None
        return {"type": "stepping", "would_be_lost": lost, "trains": trains, **view}

    def _notice(self, text: str) -> None:
        self._sender.send({"type": "notice", "text": text})

    def _failed(self, error: ScenarioError) -> None:
        """Say why a command could not be carried out; the scenario itself goes on."""
        self._sender.send({"type": "failed", "text": error.notice})

    def _problem(self, error: ScenarioError) -> None:
        self._sender.send(
            {
                "type": "problem",
                "message": error.message,
                "filename": error.filename,
                "line": error.line,
                "excerpt": error.excerpt,
            }
        )


def _add_given(add: Callable[[str, bool], object], texts: Iterable[str]) -> Iterator[str]:
    """Add what the command line gave; what is wrong with it for this graph."""
    for text in texts:
        try:
            add(text, True)
        except (Refused, ExpressionError) as error:
            yield f"{text}: {error}"


def _data_in_use() -> dict[str, Any]:
    from scenarios import data

    usage = data.in_use()
    if usage is None:
        return {"data": "", "hint": "", "note": ""}
    return {"data": usage.text, "hint": usage.hint, "note": usage.note}


def _read_commands(
    stream: IO[bytes], commands: queue.Queue[Message | None], debuggee: Debuggee
) -> None:
    """Runs in a thread, so that it sees the screen go even while the scenario is busy."""
    for command in receive(stream):
        commands.put(command)
    _screen_gone(commands, debuggee)


def _screen_gone(commands: queue.Queue[Message | None], debuggee: Debuggee) -> None:
    commands.put(GONE)
    # Give a training the time to end its batch; a scenario that never ends gets no more.
    threading.Timer(LAST_BATCH, _end_busy, (debuggee,)).start()


def _end_busy(debuggee: Debuggee) -> None:
    try:
        debuggee.leave(busy=True)
    finally:
        _end(True)


def _end_on_signals(commands: queue.Queue[Message | None], debuggee: Debuggee) -> None:
    """What ends all processes of a user or of the machine ends this one in order, too."""

    def end(number: int, frame: object) -> None:
        # In a thread: the queue may be locked by the very code that the signal interrupts.
        threading.Thread(target=_screen_gone, args=(commands, debuggee)).start()

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)


def _end(gone: bool) -> None:
    """End this process, and where the screen has gone whatever the scenario has started."""
    if gone and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def main() -> None:
    """Run the debugged process; its only argument is the options as JSON."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    options = Options.from_json(sys.argv[1])
    # The streams of the messages are taken away from the scenario, which may print and read.
    commands_in = os.fdopen(os.dup(0), "rb")
    messages_out = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)

    commands: queue.Queue[Message | None] = queue.Queue()
    debuggee = Debuggee(options, commands, Sender(messages_out))
    if options.out is not None:
        _end_on_signals(commands, debuggee)
    reading = (commands_in, commands, debuggee)
    threading.Thread(target=_read_commands, args=reading, daemon=True).start()
    gone = True
    try:
        gone = debuggee.run()
    except BrokenPipeError:
        debuggee.leave()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # the scenario may have closed it
            stream.flush()
    _end(gone)
