"""Timers that are certain to fire."""

from __future__ import annotations

from typing import Any

from textual.message_pump import MessagePump
from textual.timer import Timer


class SureTimers(MessagePump):
    """Fires each timer of `set_timer`, however late.

    Textual leaves out what is too late already when a timer begins to wait, also where that is all
    the timer was for. Where a busy host lets the program stand still for a hundredth of a second
    there, it would never again hear that its terminal was resized.
    """

    def set_timer(self, *args: Any, **options: Any) -> Timer:
        """See `MessagePump.set_timer`."""
        timer = super().set_timer(*args, **options)
        timer._skip = False  # it begins once the event loop has its turn again
        return timer
