"""The debugged process from its first line on.

It reads commands from its standard input and writes messages to its standard output; what the
scenario prints goes to its standard error, which the screen shows in its log. It ends when the
screen's process goes away, however that happens.
"""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from tui.errors import ScenarioError
from tui.loading import catalog
from tui.options import Options
from tui.process import whereabouts
from tui.process.channel import Sender, receive
from tui.process.commands import GONE, Commands
from tui.process.debuggee import Debuggee

LAST_BATCH = 1.0
"""Seconds that a batch under way has to end when the screen has gone."""


def main() -> None:
    """Run the debugged process; its arguments are the options as JSON, and the number of the file
    descriptor to which a crash is reported."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    options = Options.from_json(sys.argv[1])
    report = int(sys.argv[2])
    os.set_inheritable(report, False)
    faulthandler.enable(report, all_threads=False)
    # The streams of the messages are taken away from the scenario, which may print and read.
    commands_in = os.fdopen(os.dup(0), "rb")
    messages_out = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
    # What the scenario forks has nothing to tell, and must not keep the pipes open.
    ours = (commands_in.fileno(), messages_out.fileno(), report)
    os.register_at_fork(after_in_child=functools.partial(_let_go_of, ours))

    sender = Sender(messages_out)
    commands = Commands()
    debuggee = Debuggee(options, commands, sender)
    if options.out is not None:
        _end_on_signals(commands, debuggee)
    tell_where = functools.partial(_tell_where, sender, _path_of(options.scenario))
    reading = (commands_in, commands, tell_where, debuggee)
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


def _path_of(scenario: str) -> Path | None:
    """A scenario's file; None where there is none, which loading tells."""
    try:
        return catalog.find(scenario)
    except ScenarioError:
        return None


def _tell_where(sender: Sender, path: Path | None) -> None:
    place = None if path is None else whereabouts.of_main_thread(path)
    sender.send({"type": "where", **whereabouts.facts(place)})


def _read_commands(
    stream: IO[bytes],
    commands: Commands,
    tell_where: Callable[[], None],
    debuggee: Debuggee,
) -> None:
    """Runs in a thread, so that it sees the screen go, and says where the scenario is, even while
    that is busy."""
    for command in receive(stream):
        if command["do"] == "where":
            with contextlib.suppress(Exception):  # the scenario may have spoiled anything
                tell_where()
        else:
            commands.put(command)
    _screen_gone(commands, debuggee)


def _screen_gone(commands: Commands, debuggee: Debuggee) -> None:
    commands.put(GONE)
    # Give a training the time to end its batch; a scenario that never ends gets no more.
    threading.Timer(LAST_BATCH, _end_busy, (debuggee,)).start()


def _end_busy(debuggee: Debuggee) -> None:
    try:
        debuggee.leave(busy=True)
    finally:
        _end(True)


def _end_on_signals(commands: Commands, debuggee: Debuggee) -> None:
    """What ends all processes of a user or of the machine ends this one in order, too."""

    def end(number: int, frame: object) -> None:
        # In a thread: the queue may be locked by the very code that the signal interrupts.
        threading.Thread(target=_screen_gone, args=(commands, debuggee)).start()

    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), end)


def _let_go_of(numbers: Iterable[int]) -> None:
    """Have nothing behind these file descriptors any more."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in numbers:
        os.dup2(nothing, number, inheritable=False)
    os.close(nothing)


def _end(gone: bool) -> None:
    """End this process, and where the screen has gone whatever the scenario has started."""
    if gone and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)
