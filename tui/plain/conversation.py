"""Commands to the debugged process, one after the other, each with all that comes of it."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator

from tui.options import Options
from tui.process.channel import Message
from tui.process.client import Client

PATIENCE = 2.0
"""Seconds of silence before it is said what is waited for."""


class GivenUp(Exception):
    """The user does not wait any longer for the scenario's own code."""


class Conversation:
    """A debugged process that is asked, and waited for.

    Args:
        options: which scenario it loads, and how.
        on_wait: called, where a command takes long, with what is to be said about that.
    """

    def __init__(self, options: Options, on_wait: Callable[[str], None]) -> None:
        self.client = Client(options)
        self.is_over = False
        """Whether the process has ended."""
        self.was_interrupted = False
        """Whether the user has interrupted the last command."""
        self._on_wait = on_wait
        self._number = 0
        """How many commands had been sent with the last one that was asked."""
        self._answered = 0
        """How many commands have been carried out."""
        self._line = 0
        """How many lines have been typed."""
        # One that a signal handler may put into while the same thread takes from it.
        self._arrived: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.client.listen(self._arrived.put)

    def start_line(self) -> None:
        """What is asked from now on is for another line that was typed."""
        self._line += 1

    def interrupt(self) -> None:
        """The user wants to stop what this line asks; for a signal handler, too."""
        self._arrived.put({"type": "interrupted", "line": self._line})

    def ask(
        self, command: Message, waits_for: str | None, stops: Message | None
    ) -> Iterator[Message]:
        """Send a command; what the process says, until all that comes of it is there.

        Args:
            command: what to do.
            waits_for: what is said where it takes long; None where that is no news.
            stops: what is sent where the user interrupts it; None where nothing stops it but the
                end of the process.

        Raises:
            GivenUp: the user has interrupted it, and nothing came of that or could.
        """
        self.was_interrupted = False
        self._number = self.client.sent + 1
        self.client.send(**command)
        for message in self._messages(waits_for, stops):
            if message["type"] != "answered":
                yield message
            if self._answered >= self._number:
                return

    def until(
        self, done: Callable[[], bool], waits_for: str | None, stops: Message | None
    ) -> Iterator[Message]:
        """What the process says of its own until `done` holds, see `ask`."""
        if not done():
            for message in self._messages(waits_for, stops):
                yield message
                if done():
                    return

    def close(self) -> None:
        """End the process."""
        self.is_over = True
        self.client.close()

    def _messages(self, waits_for: str | None, stops: Message | None) -> Iterator[Message]:
        """What arrives, until the process has ended."""
        patience = None if waits_for is None else time.monotonic() + PATIENCE
        while not self.is_over:
            wait = None if patience is None else max(0.0, patience - time.monotonic())
            try:
                message = self._arrived.get(timeout=wait)
            except queue.Empty:
                patience = None
                self._on_wait(
                    f"{waits_for}; Ctrl+C "
                    + ("gives it up" if stops is None or self.was_interrupted else "stops it")
                )
                continue
            if message["type"] == "interrupted":
                if message["line"] != self._line:
                    continue  # that came too late for what it meant
                if stops is None or self.was_interrupted:
                    raise GivenUp
                self.was_interrupted = True
                self.client.send(**stops)
                patience, waits_for = time.monotonic() + PATIENCE, "it does not stop yet"
                continue
            self.is_over = message["type"] == "ended"
            # It does not belong to what there is to see.
            self._answered = message.pop("commands", self._answered)
            yield message
