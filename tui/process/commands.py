"""The screen's commands, from the thread that reads them to the one that carries them out."""

from __future__ import annotations

import contextlib
import queue

from tui.process.channel import Message

GONE = None
"""Stands among the commands where the screen has gone away."""


class Commands:
    """Commands in their order, GONE at the end. One thread takes them, any may add to them."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._waited_for: list[Message | None] = []
        """The command that has ended a wait, and is the next one to be taken."""

    def put(self, command: Message | None) -> None:
        """Add one at the end."""
        self._queue.put(command)

    def empty(self) -> bool:
        """Whether there is none."""
        return not self._waited_for and self._queue.empty()

    def get(self, block: bool) -> Message | None:
        """Take the first one; with `block` one that may be still to come.

        Raises:
            queue.Empty: there is none.
        """
        return self._waited_for.pop() if self._waited_for else self._queue.get(block)

    def wait(self, seconds: float) -> None:
        """Sleep, but wake when a command is there."""
        if not self._waited_for:
            with contextlib.suppress(queue.Empty):
                self._waited_for.append(self._queue.get(timeout=seconds))
