"""What the engine remembers for each thread: is the graph recorded, and how closely?"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.contributions import UnbroadcastCall
    from engine.origin import Call


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
