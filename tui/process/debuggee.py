"""Carrying out the screen's commands, in the process where the scenario, its engine, the session
and the training live."""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tui.errors import Refused, ScenarioError
from tui.loading import loader
from tui.options import Options
from tui.process.channel import Message, Sender
from tui.process.commands import GONE, Commands
from tui.session.breaking.breakpoints import Breakpoints
from tui.session.breaking.syntax import ExpressionError
from tui.session.commands import carry_out
from tui.session.engine_graph import EngineGraph
from tui.session.names import named_tensors
from tui.session.opening import about, open_graph
from tui.session.remembered import Memory
from tui.session.session import Session, Subject
from tui.session.tensors.inspector import Inspector
from tui.session.training import MOVING
from tui.session.training.about_batch import about_batch
from tui.session.training.break_commands import drop_senseless
from tui.session.training.breaks import Breaks
from tui.session.training.commands import carry_out as carry_out_training
from tui.session.training.monitor.gates import gate_names
from tui.session.training.run_folder import RunFolder
from tui.session.training.session import TrainingSession
from tui.session.training.stopping import Broken
from tui.session.training.view import view_of as training_view
from tui.session.view import tensor_view, view_of


class Debuggee:
    """Carries out the screen's commands and tells it what there is to see.

    Args:
        options: which scenario to load, and how.
        commands: the screen's commands in their order, GONE at the end.
        sender: takes the messages to the screen.
    """

    def __init__(self, options: Options, commands: Commands, sender: Sender) -> None:
        self._options = options
        self._commands = commands
        self._sender = sender
        self._size = {"rows": 20, "width": 40, "height": 20, "both": False, "lanes": 24, "plot": 60}
        self._size |= {"table": 8, "epochs": 20, "source": True}
        self._size |= {"tensor_width": 80, "tensor_height": 20}
        self._updates = 10.0
        self._showing = "stepping"
        self._gone = False
        self._training: TrainingSession | None = None
        self._told_epochs = 0
        """Of how many epochs of the training the results have been sent."""
        self._carried_out = self._answered = 0
        """How many commands were carried out, and how many of them were said to be."""

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
                    self._training = TrainingSession(
                        training, self._look_in, self._breakpoints, self._names()
                    )
                    self._training.deliver = self._sender.send
                notes = self._keep_training()
                if training is not None:
                    self._told_epochs = len(training.results)
                self._open()
                if self._training is not None:
                    session = self._session
                    self._training.monitor.gate_names = gate_names(session.graph, session.labels)
                    if self._options.at_training or self._training.training.position:
                        self._showing = "training"  # of the latter it was gone on with
                notes += self._recall()
        except ScenarioError as error:
            self._problem(error)
            return False
        self._guarded(self._send_view)
        if notes:
            self._notice("; ".join(notes))
        while not self._gone:
            # Also where nothing of the scenario's is called: a signal's handler may be.
            self._guarded(self._take_turns)
            self._say_answered()
        self.leave()
        return True

    def _guarded(self, do: Callable[[], None]) -> None:
        """Do something in which code of the scenario's may run; say what it raises."""
        try:
            with loader.guarded(self._scenario.path):
                do()
        except ScenarioError as error:
            self._failed(error)

    def _take_turns(self) -> None:
        while not self._gone:
            self._turn()
            self._say_answered()

    def _say_answered(self) -> None:
        """Say that the commands are carried out, where there is nothing to see that says it."""
        if self._carried_out != self._answered:
            self._answered = self._carried_out
            self._sender.send({"type": "answered", "commands": self._answered})

    def _turn(self) -> None:
        """Carry out what waits, or do a part of what takes long; tell what there is to see."""
        counting = self._counting()
        changed = self._carry_out_waiting(block=not self._is_training() and counting is None)
        if self._is_training() or self._showing == "training":
            # The scenario's code runs for it: what that prints, or leaves behind, is seen to now.
            with loader.guarded(self._scenario.path):
                if self._is_training():
                    self._train_until_shown()
                    changed = not self._attend_to_break()
                self._show(changed)
            return
        if counting is not None and not changed:
            counting.count(1 / self._updates)
            changed = True
        self._show(changed)

    def _show(self, changed: bool) -> None:
        """Tell what there is to see, where it has changed."""
        if changed and not self._gone:
            self._send_view()

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

    def _names(self) -> dict[int, str]:
        """What the scenario's tensors are called, by `id(tensor)`."""
        scenario = self._scenario
        named = named_tensors(scenario.namespace, scenario.training, scenario.source)
        return {id(tensor): name for name, tensor in named}

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
            self._guarded(self._send_view)
            self._failed(error)
        else:
            self._guarded(self._send_view)
            self._notice(str(broken))
        return True

    def _recall(self) -> list[str]:
        """Have what is remembered of breakpoints, watches and where the training stops, and what
        the command line gave; what is wrong with them."""
        breakpoints, training = self._breakpoints, self._training
        # Without a training they are for the file as it may be next time.
        breaks = Breaks() if training is None else training.breaks
        memory = Memory(self._scenario.path) if self._options.remembers else None
        told = [memory.recall(breakpoints, breaks) if memory else None]
        told += _add_given(breakpoints.add_stop, self._options.breaks)
        told += _add_given(breakpoints.add_watch, self._options.watches)
        breakpoints.attach(self._session.graph, self._session.labels)
        if training is not None:
            told.append(drop_senseless(training, breakpoints))

        def keep() -> None:
            if memory and (problem := memory.keep(breakpoints, breaks)):
                self._notice(problem)

        breakpoints.on_change = breaks.on_change = keep
        return [text for text in told if text]

    def _is_training(self) -> bool:
        return self._training is not None and self._training.running

    def _counting(self) -> Inspector | None:
        """The tensor that is shown, where its elements are still being counted."""
        inspector = self._session.inspector if self._showing == "stepping" else None
        return inspector if inspector is not None and inspector.is_counting else None

    def _train_until_shown(self) -> None:
        """Train at the pace that is set, until it is time to show something or a command waits."""
        assert self._training is not None
        until = time.monotonic() + 1 / self._training.updates(self._updates)
        while self._training.running and self._commands.empty():
            now = time.monotonic()
            if now >= until:
                return
            if not self._training.train_when_due():
                wait = min(self._training.seconds_until_due(), until - now)
                self._commands.wait(max(0.0, wait))

    def _carry_out_waiting(self, block: bool) -> bool:
        """Carry out the commands that wait (with `block` at least one); whether any changed the
        view."""
        changed = False
        while True:
            try:
                command = self._commands.get(block)
            except queue.Empty:
                return changed
            block = False
            if command is GONE:
                self._gone = True
                return changed
            self._carried_out += 1
            if command["do"] == "size":
                changed |= self._resize(command)
                continue
            try:
                with loader.guarded(self._scenario.path):
                    self._carry_out(command)
            except ScenarioError as error:
                self._failed(error)
            except Refused as refusal:
                self._sender.send({"type": "refused", "text": str(refusal)})
            changed = True

    def _resize(self, command: Message) -> bool:
        """Note what there is room for, and how often to show something; whether the room is
        another than before."""
        self._updates = float(command.get("updates", self._updates))
        size = self._size | {key: command[key] for key in self._size if key in command}
        before, self._size = self._size, size
        return size != before

    def _carry_out(self, command: Message) -> None:
        name = str(command["do"])
        if name.startswith("training."):
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
        view = self._view()
        self._answered = self._carried_out
        self._sender.send({**view, "commands": self._answered})

    def _view(self) -> Message:
        if self._showing == "training" and self._training is not None:
            columns, rows, epochs = (int(self._size[part]) for part in ("plot", "table", "epochs"))
            view = training_view(self._training, columns, rows, epochs, self._told_epochs)
            self._told_epochs = len(self._training.training.results)
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
            bool(size["source"]),
        )
        trains = self._training is not None
        return {"type": "stepping", "would_be_lost": lost, "trains": trains, **view}

    def _notice(self, text: str) -> None:
        self._sender.send({"type": "notice", "text": text})

    def _failed(self, error: ScenarioError) -> None:
        """Say why a command could not be carried out; the scenario itself goes on."""
        nearby = [[number, text, number == error.line] for number, text in error.nearby]
        self._sender.send(
            {
                "type": "failed",
                "text": error.notice,
                "message": error.message,
                "where": error.place,
                "nearby": nearby,
            }
        )

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
