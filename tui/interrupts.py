"""Ctrl+C without a screen: it ends the program at once, whatever the scenario is doing.

Python hands an interrupt to the main thread when that is between two of its instructions: not
inside a long call of NumPy's, and then to the scenario's code, which may swallow it. Here a thread
of its own hears of it as well, and ends the program where it has not come through to ours.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

EXIT_CODE = 130
PATIENCE = 0.5
"""Seconds that the scenario's code has for ending in order."""

CURSOR_SHOWN = b"\r\x1b[K\x1b[?25h"
"""A progress bar that is ended in the midst of it had hidden the cursor."""

_arrived = threading.Event()
"""Whether an interrupt has come through to our own code, which ends the program in order."""

_spared = 0
"""How many interrupts are not to end the program: what they mean is settled elsewhere."""

_depth = 0
"""In how many blocks we are in which code of the scenario's runs."""


@contextmanager
def heard() -> Iterator[None]:
    """A block that an interrupt ends, if need be with the whole program."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    _arrived.clear()
    handler = signal.signal(signal.SIGINT, interrupt)
    wakeup = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reading,), daemon=True).start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGINT, handler)
        os.close(writing)


@contextmanager
def inside_scenario() -> Iterator[None]:
    """A block in which code of the scenario's runs; Ctrl+C means afterwards what it meant before
    it."""
    global _depth
    in_main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT)
    _depth += 1
    try:
        yield
    except KeyboardInterrupt:
        if _depth == 1:
            _arrived.set()
        raise
    finally:
        _depth -= 1
        if in_main and handler is not None and signal.getsignal(signal.SIGINT) is not handler:
            signal.signal(signal.SIGINT, handler)


@contextmanager
def first_spared() -> Iterator[None]:
    """A block in which the first interrupt is another's to answer, however long that takes."""
    global _spared
    _spared = 1
    try:
        yield
    finally:
        _spared = 0


def are_possible() -> bool:
    """Whether an interrupt can be the user's: with a screen, Ctrl+C is a key."""
    return signal.getsignal(signal.SIGINT) != signal.SIG_IGN


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """The signal's handler."""
    if _depth == 0:
        _arrived.set()
    raise KeyboardInterrupt


def _watch(reading: int) -> None:
    """Runs in a thread until the other end of the pipe is closed."""
    global _spared
    while number := os.read(reading, 1):
        if number[0] == signal.SIGINT and _spared:
            _spared -= 1
        elif number[0] == signal.SIGINT:
            if not _arrived.wait(PATIENCE):
                _end()
            _arrived.clear()
    os.close(reading)


def _end() -> NoReturn:
    with suppress(OSError):
        if os.isatty(2) and os.environ.get("TERM") != "dumb":
            os.write(2, CURSOR_SHOWN)
        os.write(2, b"bp-tui: interrupted\n")
    os._exit(EXIT_CODE)


def leave_threads_behind(code: int) -> None:
    """End the program where threads of a scenario's would keep it from ending by itself."""
    others = (t for t in threading.enumerate() if t is not threading.main_thread())
    if any(not thread.daemon for thread in others):
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(code)
