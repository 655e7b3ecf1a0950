"""The screen's side: starting the debugged process, talking to it, ending it."""

from __future__ import annotations

import collections
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from tui.options import Options
from tui.process.channel import Message, Sender, receive

ROOT = str(Path(__file__).resolve().parents[2])

START = "import sys; sys.path.append({root!r}); from tui.process.debuggee import main; main()"

LOG_LINES = 1000
"""How many of the last lines that the scenario printed are kept."""


class Client:
    """A debugged process.

    It is started at once, so that it loads the scenario while the screen is still being
    imported; messages that come before `listen` are kept.

    Args:
        options: which scenario to load, and how.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.log: collections.deque[str] = collections.deque(maxlen=LOG_LINES)
        """The last lines that the scenario printed."""
        self.printed = 0
        """How many lines it has printed."""
        self._process = subprocess.Popen(
            # -P: the folder in which the program is started must not hide modules of ours.
            [sys.executable, "-P", "-c", START.format(root=ROOT), options.to_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        self._sender = Sender(self._process.stdin)
        self._lock = threading.Lock()
        self._early: list[Message] = []
        self._on_message: Callable[[Message], None] | None = None
        self._closed = False
        for target in (self._read_messages, self._read_log):
            threading.Thread(target=target, daemon=True).start()

    def listen(self, on_message: Callable[[Message], None]) -> None:
        """Have each message given to `on_message`, in a thread of the client's own.

        Besides what the process sends there are `{"type": "printed"}`, when it printed something,
        and `{"type": "ended", "status": N}`, when it has gone.
        """
        with self._lock:
            self._on_message = on_message
            for message in self._early:
                on_message(message)
            self._early.clear()

    def send(self, **command: object) -> None:
        """Send a command; one to a process that has gone is lost (`ended` tells of that)."""
        with contextlib.suppress(OSError, ValueError):
            self._sender.send(command)

    def close(self) -> None:
        """End the process, and whatever it has started; a busy one gets no more time."""
        with self._lock:
            self._closed = True
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (OSError, AttributeError):
            self._process.kill()
        self._process.wait()

    def _deliver(self, message: Message) -> None:
        with self._lock:
            if self._closed:
                return
            if self._on_message is None:
                self._early.append(message)
            else:
                self._on_message(message)

    def _read_messages(self) -> None:
        assert self._process.stdout
        with contextlib.suppress(ValueError):
            for message in receive(self._process.stdout):
                self._deliver(message)
        self._deliver({"type": "ended", "status": self._process.wait()})

    def _read_log(self) -> None:
        assert self._process.stderr
        for line in self._process.stderr:
            self.log.append(line.decode(errors="replace").rstrip("\n"))
            self.printed += 1
            if self.printed == 1 or self.printed % 100 == 0:
                self._deliver({"type": "printed"})
        if self.printed:
            self._deliver({"type": "printed"})
