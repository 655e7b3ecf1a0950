"""The line-by-line mode: reads a command, has it carried out, and again."""

from __future__ import annotations

import dataclasses
import signal
import sys
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import TextIO

from tui import saving
from tui.errors import Refused, ScenarioError
from tui.loading import catalog
from tui.options import Options
from tui.plain import news, wording
from tui.plain.meanings import MEANINGS
from tui.plain.output import Output
from tui.plain.telling import Teller
from tui.plain.typed import Typed, help_page, read

PROMPT = "bp-tui> "

DONE, WENT_WRONG = 0, 2
"""The exit codes: a script in which something was refused or has failed ends with the second."""

MOST_ROWS = 100_000
"""So many nodes are listed at once."""

SAVED = ("value", "gradient", "pass")
"""What of `tui.saving.MEANINGS` can be saved without a screen."""

GO_ON = "R reads the file afresh, o NAME opens another."

LOG_SETTLES = 0.1
"""Seconds that what the scenario has just printed may still be on its way."""


def run(options: Options) -> int:
    """Carry out the commands on standard input, to its end; returns the exit code.

    Args:
        options: the scenario to open (empty for none yet), and how scenarios are loaded.

    Raises:
        ScenarioError: there is no such scenario.
        KeyboardInterrupt: a script was interrupted.
    """
    is_script = not sys.stdin.isatty()
    mode = Plain(options, Output(sys.stdout, sys.stderr, is_script), sys.stdin)
    before = signal.getsignal(signal.SIGINT)
    if not is_script:
        signal.signal(signal.SIGINT, mode.on_interrupt)
    try:
        return mode.run()
    finally:
        mode.close()
        signal.signal(signal.SIGINT, before)


class Plain:
    """A session line by line.

    Args:
        options: the scenario to open (empty for none yet), and how scenarios are loaded.
        output: takes what is told.
        commands: what is typed, a command a line.
    """

    def __init__(self, options: Options, output: Output, commands: TextIO) -> None:
        self._options = dataclasses.replace(options, remembers=not output.is_script)
        self._output = output
        self._commands = commands
        self._teller: Teller | None = None
        self._last = ""
        """What was typed last."""
        self._is_reading = False
        self._is_over = False

    def run(self) -> int:
        """Open the scenario and carry out commands; the exit code."""
        if self._options.scenario:
            self._open(self._options.scenario)
        else:
            self._tell_scenarios()
        while not self._is_over:
            try:
                line = self._next_line()
                if line is None:
                    break
                self._carry_out(line)
            except KeyboardInterrupt:
                if self._output.is_script:
                    raise
                self._output.tell(["", "q quits"])
        return WENT_WRONG if self._output.is_script and self._output.went_wrong else DONE

    def close(self) -> None:
        """End the debugged process."""
        if self._teller is not None:
            self._teller.close()

    # Typing

    def _next_line(self) -> str | None:
        """What is typed next; None at the end."""
        if not self._output.is_script:
            self._output.ask(PROMPT)
        line = self._read_line()
        self._output.line += 1
        if not line and not self._output.is_script:
            self._output.tell([""])
        return line or None

    def _read_line(self) -> str:
        try:
            self._is_reading = True
            return self._commands.readline()
        finally:
            self._is_reading = False

    def on_interrupt(self, number: int, frame: FrameType | None) -> None:
        """Ctrl+C ends what is being typed, or the command that runs, and not the session."""
        if self._is_reading or self._teller is None:
            raise KeyboardInterrupt
        self._teller.interrupt()

    def _carry_out(self, line: str) -> None:
        """Carry out a line; an empty one is the last one again."""
        line = line.strip()
        if line.startswith("#"):
            return
        line = line or self._last
        if not line:
            self._output.tell(["? tells what can be typed"])
            return
        self._last = line
        if self._teller is not None:
            self._teller.start_line()
        try:
            self._do(read(self._kind, line))
        except (Refused, ScenarioError) as error:
            self._output.complain(str(error))

    @property
    def _kind(self) -> str:
        """What is shown, which decides what a key means."""
        view = self._teller.view if self._teller else None
        return "nothing" if view is None else str(view["type"])

    def _do(self, typed: Typed) -> None:
        name, kind = typed.action.name, self._kind
        meaning = MEANINGS.get(kind, {}).get(name)
        if meaning is None:
            OWN[name](self, typed.argument)
            return
        teller = self._shown
        commands = meaning.commands(typed.argument, typed.times, self._output.width)
        for nth, command in enumerate(commands):
            teller.ask(command, is_repeated=nth > 0)
            if not teller.went_on or self._kind != kind:
                break  # it would go no further, however often it is asked for

    @property
    def _shown(self) -> Teller:
        assert self._teller is not None
        return self._teller

    # Scenarios

    def _open(self, scenario: str, at_training: bool = False) -> None:
        """Load a scenario in a process of its own, in the place of the one before."""
        catalog.find(scenario)
        self.close()
        self._options = dataclasses.replace(
            self._options, scenario=scenario, at_training=at_training
        )
        self._teller = Teller(self._output, self._options, self._on_loss)
        self._teller.load()

    def _on_loss(self) -> None:
        """There is no session any more: whatever follows in a script was meant for it."""
        self._is_over = self._output.is_script
        if not self._output.is_script:
            self._output.tell([GO_ON])

    def _tell_scenarios(self) -> None:
        lines = [f"{entry.name}: {entry.title}" for entry in catalog.bundled()]
        self._output.tell(["o NAME opens a scenario, o FILE one of your own", *lines])

    def _open_other(self, scenario: str) -> None:
        if not scenario:
            self._tell_scenarios()
        elif self._may_lose("Open it, and lose the training?"):
            self._open(scenario)

    def _reload(self, _: str) -> None:
        if not self._options.scenario:
            raise Refused("there is no scenario yet; o NAME opens one")
        if self._may_lose("Read the file afresh, and lose the training?"):
            self._open(self._options.scenario, self._kind == "training")

    def _quit(self, _: str) -> None:
        self._is_over = self._may_lose("Quit, and lose the training?")

    def _may_lose(self, question: str) -> bool:
        """Ask where a training would be lost; nobody is asked in a script."""
        view = self._teller.view if self._teller else None
        return not (view and view["would_be_lost"]) or self._agrees(question)

    def _agrees(self, question: str) -> bool:
        if self._output.is_script:
            return True
        self._output.ask(f"{question} y or n: ")
        return self._read_line().strip().lower() in ("y", "yes")

    # What needs no session, or no more than its view

    def _help(self, _: str) -> None:
        self._output.tell(help_page(self._kind))

    def _log(self, _: str) -> None:
        time.sleep(LOG_SETTLES)
        lines = self._teller.log if self._teller else []
        self._output.tell(lines or ["the scenario has printed nothing"])

    def _again(self, _: str) -> None:
        assert self._shown.view is not None
        self._output.tell(news.all_of(self._shown.view))

    def _source(self, _: str) -> None:
        assert self._shown.view is not None
        self._output.tell(wording.source(self._shown.view))

    def _tensors(self, _: str) -> None:
        self._shown.look({"both": True}, wording.tensors)

    def _list(self, argument: str) -> None:
        if argument and not (argument.isdigit() and 0 < int(argument[:20]) <= MOST_ROWS):
            raise Refused(f"L takes how many nodes to list, 1 to {MOST_ROWS:,}")
        rows = {"rows": int(argument)} if argument else {}
        self._shown.look(rows, wording.rail)

    def _save(self, name: str) -> None:
        if not name:
            kinds = ", ".join(saving.MEANINGS[what] for what in SAVED)
            raise Refused(f"S takes a file, whose ending says what is saved: {kinds}")
        target = saving.target_of(name, SAVED)
        if target.is_there:
            question = f"{target.path.name} is there; write over it?"
            if self._output.is_script:
                raise Refused(f"{target.path.name} is there already; no script writes over a file")
            if not self._agrees(question):
                return
        self._shown.ask({"do": "save", "what": target.what, "path": str(target.path)})

    def _leave(self, _: str) -> None:
        assert self._shown.view is not None
        self._shown.ask({"do": "point", "node": self._shown.view["shown"] or 0})

    def _restart(self, _: str) -> None:
        assert self._shown.view is not None
        question = "Back to the untrained weights, and lose this training?"
        if not self._shown.view["batch"] or self._agrees(question):
            self._shown.ask({"do": "training.restart"})

    def _fetch(self, _: str) -> None:
        """All of MNIST through torchvision, in a new process; what is in use stays where that
        fails."""
        assert self._shown.view is not None
        if self._shown.view["kept"]:
            raise Refused(
                "this training is kept with its images: --data torchvision and another --out"
            )
        if not self._shown.view["hint"]:
            in_use = bool(self._shown.view["data"])
            raise Refused("all of MNIST is in use already" if in_use else "no MNIST here")
        if not self._may_lose("Load all of MNIST, and lose this training?"):
            return
        options = dataclasses.replace(self._options, data="torchvision")
        before, self._teller = self._shown, Teller(self._output, options, lambda: None)
        self._teller.load()
        if self._teller.view is None:
            self._teller = before
            self._output.tell(["What was in use stays."])
        else:
            before.close()
            self._options = options
            self._teller.ask({"do": "training.open"})


OWN: Mapping[str, Callable[[Plain, str], None]] = {
    "again": Plain._again,
    "app.open_other": Plain._open_other,
    "app.quit_program": Plain._quit,
    "app.reload": Plain._reload,
    "fetch": Plain._fetch,
    "help": Plain._help,
    "leave": Plain._leave,
    "list": Plain._list,
    "log": Plain._log,
    "restart": Plain._restart,
    "save": Plain._save,
    "show_source": Plain._source,
    "show_tensors": Plain._tensors,
}
"""What is no command of the session alone, by the name of its action."""
