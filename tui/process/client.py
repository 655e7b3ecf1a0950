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

from tui.options import Options
from tui.places import ROOT
from tui.process import blas_threads
from tui.process.channel import Message, Sender, receive

START = """
import sys
sys.path.append({root!r})
from tui.process.importing import uncollected, without_openssl
with uncollected(), without_openssl():
    from tui.process.main import main
main()
"""

LOG_LINES = 1000
"""How many of the last lines that the scenario printed are kept."""

LONGEST_LINE = 2000
"""How many characters of such a line are kept."""

LONGEST_REPORT = 65536
"""Bytes of what is told of a crash: as many as a pipe holds."""

GIVING_BACK = 1.0
"""Seconds that the system may take for getting a process's memory back."""

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
        self.unfinished = ""
        """What it has printed since, without an end of line."""
        self.sent = 0
        """How many commands it has been sent."""
        self._report, report = os.pipe()
        self._process = subprocess.Popen(
            # -P: the folder in which the program is started must not hide modules of ours.
            [sys.executable, "-P", "-c", START.format(root=ROOT), options.to_json(), str(report)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **blas_threads(os.environ)},
            start_new_session=True,
            pass_fds=(report,),
        )
        os.close(report)
        assert self._process.stdin is not None
        self._sender = Sender(self._process.stdin)
        self._lock = threading.Lock()
        self._early: list[Message] = []
        self._on_message: Callable[[Message], None] | None = None
        self._closed = False
        self._chunks = 0
        """How often something was added to the log."""
        self._log_changed = threading.Event()
        self._log_reader = threading.Thread(target=self._read_log, daemon=True)
        self._log_reader.start()
        self._message_reader = threading.Thread(target=self._read_messages, daemon=True)
        self._message_reader.start()
        for target in (self._tell_of_end, self._tell_of_prints):
            threading.Thread(target=target, daemon=True).start()

    def last_printed(self) -> list[str]:
        """The last lines that the scenario printed, with one that it has not ended."""
        return [*self.log, *filter(None, [self.unfinished])]

    def listen(self, on_message: Callable[[Message], None]) -> None:
        """Have each message given to `on_message`, in a thread of the client's own.

        Besides what the process sends there are `{"type": "printed"}`, when it printed something,
        and `{"type": "ended", "status": N, "report": TEXT}`, when it has gone: the text is what
        faulthandler has written of a crash.
        """
        with self._lock:
            self._on_message = on_message
            for message in self._early:
                on_message(message)
            self._early.clear()

    def send(self, **command: object) -> None:
        """Send a command; one to a process that has gone is lost (`ended` tells of that).

        When N commands have been carried out, `"commands": N` comes with what there is to see after
        them, or alone, in `{"type": "answered", "commands": N}`.
        """
        self.sent += 1
        self._send(command)

    def ask_where(self) -> None:
        """Ask where in the user's code the process is: `{"type": "where", ...}` comes at once, as
        far as it can answer, with what `tui.process.whereabouts.facts` tells."""
        self._send({"do": "where"})

    def _send(self, command: Message) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._sender.send(command)

    def close(self) -> None:
        """End the process, and whatever it has started; a busy one gets no more time, unless it
        keeps a training."""
        if self.options.out is not None:
            self._sender.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(KEEPING)
                self._message_reader.join(BETWEEN_NEWS)
        with self._lock:
            self._closed = True
        self._kill_all()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(GIVING_BACK)

    def _kill_all(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except (OSError, AttributeError):
            self._process.kill()

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
        with self._process.stdout as messages:
            for message in receive(messages):
                self._deliver(message)

    def _tell_of_end(self) -> None:
        status = self._process.wait()
        # Its last words come first, unless something that it has started still holds the pipes.
        self._message_reader.join(BETWEEN_NEWS)
        self._log_reader.join(BETWEEN_NEWS)
        os.set_blocking(self._report, False)
        report = b""
        with contextlib.suppress(BlockingIOError):
            report = os.read(self._report, LONGEST_REPORT)
        os.close(self._report)
        self._deliver(
            {"type": "ended", "status": status, "report": report.decode("ascii", "replace")}
        )
        self._sender.close()

    def _read_log(self) -> None:
        assert isinstance(self._process.stderr, io.BufferedReader)
        utf8 = codecs.getincrementaldecoder("utf-8")(errors="replace")
        decoder = io.IncrementalNewlineDecoder(utf8, translate=True)
        with self._process.stderr as printed:
            while chunk := printed.read1():
                *lines, rest = (self.unfinished + decoder.decode(chunk)).split("\n")
                self.unfinished = rest[:LONGEST_LINE]
                self._add_to_log(lines)
        rest = self.unfinished + decoder.decode(b"", final=True)
        self.unfinished = ""
        self._add_to_log(rest.split("\n") if rest else [])

    def _add_to_log(self, lines: list[str]) -> None:
        self.log.extend(line[:LONGEST_LINE] for line in lines[-LOG_LINES:])
        self.printed += len(lines)
        self._chunks += 1
        self._log_changed.set()

    def _tell_of_prints(self) -> None:
        """Tell at once of what is printed first, then of the rest a few times a second at most."""
        told = 0
        while self._log_reader.is_alive() or told < self._chunks:
            self._log_changed.wait()
            self._log_changed.clear()
            if told < self._chunks:
                told = self._chunks
                self._deliver({"type": "printed"})
            time.sleep(BETWEEN_NEWS)
