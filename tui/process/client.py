"""The screen's side: starting the debugged process, talking to it, ending it."""

from __future__ import annotations

import codecs
import collections
import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tui.options import Options
from tui.process import blas_threads
from tui.process.channel import Message, Sender, receive

ROOT = str(Path(__file__).resolve().parents[2])

START = """
import sys
sys.path.append({root!r})
from tui.process.importing import uncollected
with uncollected():
    from tui.process.debuggee import main
main()
"""

LOG_LINES = 1000
"""How many of the last lines that the scenario printed are kept."""

LONGEST_LINE = 2000
"""How many characters of such a line are kept."""

BETWEEN_NEWS = 0.25
"""Seconds from one message that something was printed to the next."""

KEEPING = 10.0
"""Seconds that a process has to keep its training before it is ended."""


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
        self.farewell = ""
        """What it has said at its end of where the training is kept."""
        self._process = subprocess.Popen(
            # -P: the folder in which the program is started must not hide modules of ours.
            [sys.executable, "-P", "-c", START.format(root=ROOT), options.to_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **blas_threads(os.environ)},
            start_new_session=True,
        )
        assert self._process.stdin is not None
        self._sender = Sender(self._process.stdin)
        self._lock = threading.Lock()
        self._early: list[Message] = []
        self._on_message: Callable[[Message], None] | None = None
        self._closed = False
        self._log_changed = threading.Event()
        self._log_reader = threading.Thread(target=self._read_log, daemon=True)
        self._log_reader.start()
        threading.Thread(target=self._tell_of_prints, daemon=True).start()
        self._reader = threading.Thread(target=self._read_messages, daemon=True)
        self._reader.start()

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
        """End the process, and whatever it has started; a busy one gets no more time, unless it
        keeps a training."""
        if self.options.out is not None:
            self._sender.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(KEEPING)
                self._reader.join(BETWEEN_NEWS)
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
            if message["type"] == "farewell":
                self.farewell = str(message["text"])
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
        status = self._process.wait()
        # Its last words come first, unless what it has started still holds the log open.
        self._log_reader.join(BETWEEN_NEWS)
        self._deliver({"type": "ended", "status": status})

    def _read_log(self) -> None:
        assert isinstance(self._process.stderr, io.BufferedReader)
        utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")
        decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
        rest = ""
        while chunk := self._process.stderr.read1():
            *lines, rest = (rest + decoder.decode(chunk)).split("\n")
            rest = rest[:LONGEST_LINE]
            self._add_to_log(lines)
        rest += decoder.decode(b"", final=True)
        self._add_to_log(rest.split("\n") if rest else [])
        self._log_changed.set()

    def _add_to_log(self, lines: list[str]) -> None:
        if lines:
            self.log.extend(line[:LONGEST_LINE] for line in lines[-LOG_LINES:])
            self.printed += len(lines)
            self._log_changed.set()

    def _tell_of_prints(self) -> None:
        """Tell at once of the first line, then of the others a few times a second at most."""
        told = 0
        while self._log_reader.is_alive() or told < self.printed:
            self._log_changed.wait()
            self._log_changed.clear()
            if told < self.printed:
                told = self.printed
                self._deliver({"type": "printed"})
            time.sleep(BETWEEN_NEWS)
