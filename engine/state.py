"""What the engine remembers for each thread: is the graph recorded, and how closely?"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.contributions import UnbroadcastCall
    from engine.origin import Call


class _Switches:
    """How many blocks that turn a switch of a thread are open, in all threads together.

    Each operation asks for the switches, and asking a thread's own takes many times as long as
    reading this. It may count too many (then time is lost), but never too few.
    """

    def __init__(self) -> None:
        self.turned = 0
        self._lock = threading.Lock()

    def turn(self) -> None:
        """A block opens."""
        with self._lock:
            self.turned += 1

    def turn_back(self) -> None:
        """It is closed again."""
        with self._lock:
            self.turned -= 1


SWITCHES = _Switches()
"""Where `SWITCHES.turned` is 0, the graph is recorded, and origins are not, in every thread."""


class ThreadState(threading.local):
    """The switches of one thread; the class attributes are a new thread's defaults."""

    def __init__(self) -> None:
        self.grad_enabled_before: list[bool] = []
        """What `grad_enabled` was outside each `no_grad` block that is open, outermost first."""

    grad_enabled: bool = True
    """Whether operations record the graph (off inside `no_grad`)."""

    origins_enabled: bool = False
    """Whether tensors remember the line and the modules that made them (`record_origins`)."""

    call: Call | None = None
    """The innermost module or composite function being called, while origins are recorded."""

    unbroadcasts: list[UnbroadcastCall] | None = None
    """Where a stepped backward pass collects the calls of `unbroadcast`; None elsewhere."""


STATE = ThreadState()
