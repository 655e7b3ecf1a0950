"""The debugged process behind the lines: it is asked, and what is new is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from tui.options import Options
from tui.plain import news, training, wording
from tui.plain.conversation import PATIENCE, Conversation, GivenUp
from tui.plain.meanings import MEANINGS
from tui.plain.output import Output
from tui.process import ending
from tui.process.channel import Message

Json = dict[str, Any]

ROWS, HEIGHT = 20, 24
"""Rows of the list of nodes and of epochs, and those that a tensor is told in."""

PARAMETERS = 100
"""So many rows of the table of a training's parameters are told."""

PROGRESS = 5.0
"""Seconds from one line on how far a training is to the next."""

EPOCHS_AT_ONCE = 5
"""Of more that end within half a second, nobody who is there could follow each."""

STOP: Message = {"do": "stop"}
PAUSE: Message = {"do": "training.pause"}
WAITS = "still at it"


class Teller:
    """A scenario in a process of its own, told line by line.

    Args:
        output: takes what is told.
        options: which scenario it is, and how it is loaded.
        on_loss: called where there is no session any more, after why has been told.
    """

    def __init__(self, output: Output, options: Options, on_loss: Callable[[], None]) -> None:
        self.view: Json | None = None
        """What is shown; None where there is no session (any more)."""
        self.went_on = False
        """Whether the last command has changed what is shown, without being stopped."""
        self._output = output
        self._told: Json | None = None
        """What has been told of it."""
        self._epochs: list[Json] = []
        """The results of the training's epochs so far; of earlier ones none were sent."""
        self._page: Message | None = None
        self._problem = ""
        """Why the scenario cannot be used; its process ends then."""
        self._has_told = False
        self._progress_due = 0.0
        self._name = options.scenario
        self._on_loss = on_loss
        self._talk = Conversation(options, output.hint)

    @property
    def log(self) -> list[str]:
        """The last lines that the scenario printed."""
        return self._talk.client.last_printed()

    def start_line(self) -> None:
        """What is asked from now on is for another line that was typed."""
        self._talk.start_line()

    def interrupt(self) -> None:
        """Stop what this line asks; for a signal handler, too."""
        self._talk.interrupt()

    def close(self) -> None:
        """End the process, and tell what it has kept."""
        self.view = None
        self._talk.close()
        if self._talk.client.farewell:
            self._output.tell([self._talk.client.farewell])

    def load(self) -> None:
        """Wait for the scenario, and tell what it is."""
        self._ask(self._size(), f"{self._name} is still running its own code", None)

    def ask(self, command: Message, is_repeated: bool = False) -> None:
        """Have a command carried out, and tell what is new then.

        Args:
            command: what to do.
            is_repeated: whether nothing is to be told where nothing is new.
        """
        of_training = str(command["do"]).startswith("training.")
        self._ask(command, WAITS, PAUSE if of_training else STOP, is_repeated)

    def look(self, size: Message, tell: Callable[[Json], Iterable[str]]) -> None:
        """Tell something of a view of another size.

        Args:
            size: what differs from the usual size.
            tell: gives the lines for the view.
        """
        self._exchange(self._size() | size, WAITS, STOP)
        if self.view is not None:
            self._output.tell(tell(self.view))
            self._exchange(self._size(), WAITS, STOP)

    def _size(self) -> Message:
        """The command that says how much is told at once."""
        width = self._output.width
        return {
            "do": "size",
            "rows": ROWS,
            "width": width,
            "height": HEIGHT,
            "both": False,
            "lanes": 1,
            "tensor_width": width,
            "tensor_height": HEIGHT,
            "plot": 2,
            "table": PARAMETERS,
            "epochs": ROWS,
            "updates": 2,
        }

    def _ask(
        self, command: Message, waits_for: str, stops: Message | None, is_repeated: bool = False
    ) -> None:
        before = self.view
        self.went_on = True
        self._page, self._has_told = None, is_repeated
        self._exchange(command, waits_for, stops)
        if self._page is not None:
            self._say(wording.page(self._page["title"], self._page["items"]))
        if self.view is not None:
            self._tell_news(self.view)
        self.went_on &= not self._talk.was_interrupted and self.view not in (None, before)

    def _exchange(self, command: Message, waits_for: str, stops: Message | None) -> None:
        """Send a command, and take all that comes of it, also what it goes on with."""
        try:
            for message in self._talk.ask(command, waits_for, stops):
                self._take(message)
            for message in self._talk.until(lambda: not self._is_counting, "still counting", STOP):
                self._take(message)
            self._progress_due = time.monotonic() + PROGRESS
            for message in self._talk.until(lambda: not self._is_training, None, PAUSE):
                self._take(message)
                self._tell_progress()
        except GivenUp:
            self._lose("Given up: it was still running its own code.")

    @property
    def _is_counting(self) -> bool:
        return bool(self.view and self.view.get("counting"))

    @property
    def _is_training(self) -> bool:
        return bool(self.view and self.view.get("state") == "running")

    def _tell_progress(self) -> None:
        """The epochs of a training that runs, as they end, and now and then how far it is."""
        if self.view is None or not self._is_training:
            return
        before = self._told if self._told and self._told["type"] == "training" else None
        if epochs := training.epochs(before, self.view):
            if len(epochs) > EPOCHS_AT_ONCE and not self._output.is_script:
                epochs = [f"{len(epochs)} more epochs, the last of them:", epochs[-1]]
            self._say(epochs)
            self._told = self.view
        elif time.monotonic() > self._progress_due:
            self._output.hint(training.batch(self.view))
        else:
            return
        self._progress_due = time.monotonic() + PROGRESS

    def _tell_news(self, view: Json) -> None:
        fresh = news.since(self._told, view)
        if self._told is None:
            fresh = [*news.heading(view), *fresh]
        elif not fresh and not self._has_told:
            fresh = [news.standing(view)]
        failed = view.get("state") == "failed" and view["problem"] != (self._told or {}).get(
            "problem"
        )
        self._told = view
        if failed:
            self.went_on = False
            self._output.complain(view["problem"])
        self._say(fresh)

    def _take(self, message: Message) -> None:
        """Take what the process says."""
        kind = message["type"]
        if kind in MEANINGS:
            if kind == "training":
                self._epochs = training.results_with(self._epochs, message["results"])
                message["results"] = self._epochs
            self.view = message
        elif kind == "notice":
            self._say([wording.said(message["text"])])
        elif kind in ("refused", "failed"):
            self.went_on = False
            self._has_told = True
            self._output.complain(wording.said(message["text"]))
        elif kind == "page":
            # One that is only brought up to date was opened by an earlier command, or is no news.
            if not message["update"] or self._page is not None:
                self._page = message
        elif kind == "copy":
            self._say(message["text"].splitlines())
        elif kind == "progress" and time.monotonic() > self._progress_due:
            self._progress_due = time.monotonic() + PATIENCE
            self._output.hint(message["text"])
        elif kind == "problem":
            self._problem = _problem(message)
        elif kind == "ended":
            scenario = self._talk.client.options.scenario
            how = ending.told(scenario, message["status"], message["report"])
            self._lose(self._problem or _problem(how))

    def _say(self, lines: list[str]) -> None:
        self._has_told = True
        self._output.tell(lines)

    def _lose(self, why: str) -> None:
        """There is no session any more."""
        self._output.complain(why)
        printed = [f"  {line}" for line in self.log[-8:]]
        if printed:
            self._output.hint("\n".join(["It printed, at the end:", *printed]))
        self.close()
        self._on_loss()


def _problem(message: Message) -> str:
    """Why a scenario cannot be used, with its place."""
    where = message["filename"] or ""
    if message["line"]:
        where += f", line {message['line']}"
    text = f"{where}: {message['message']}" if where else str(message["message"])
    return f"{text}\n    {message['excerpt']}" if message["excerpt"] else text
