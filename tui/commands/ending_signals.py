"""Signals that end a program in order: noted, for it to end when it can."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

from tui import interrupts

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")

PATIENCE = 1.0
"""Seconds after which it is said what is waited for."""


class EndingSignals:
    """The first signal is noted; the next one ends the program at once."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.number = 0
        """The signal that came; 0 for none."""
        self._reminder = threading.Timer(
            PATIENCE,
            say,
            ["ending after the batch under way; once more, and it ends at once, without it"],
        )
        self._reminder.daemon = True

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """A signal has come."""
        if self.number:
            interrupts.interrupt(number, frame)
        self.number = number
        self._reminder.start()

    def over(self) -> None:
        """It has ended."""
        self._reminder.cancel()


@contextlib.contextmanager
def ending_signals(say: Callable[[str], None]) -> Iterator[EndingSignals]:
    """In this block signals that would end the program are noted; those that are ignored (as by
    nohup) stay so.

    Args:
        say: takes a line for the user where the end is long in coming.
    """
    signals = EndingSignals(say)
    before = {}
    for name in NAMES:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, signals)
    try:
        with interrupts.first_spared():
            yield signals
    finally:
        signals.over()
        for number, handler in before.items():
            signal.signal(number, handler)
