"""Back to the shell and on again: ctrl+z, `kill -TSTP`, `fg`, `kill -CONT`.

Textual does this in signal handlers of Python's, in the midst of whatever it is just doing, stops
for good where there is no shell to continue it, and takes a terminal that it has itself changed for
the user's where it is continued without having been suspended. Here it is done between two events.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from types import FrameType
from typing import TYPE_CHECKING

from tui.terminal.driver import CellDriver

if TYPE_CHECKING:
    from tui.app import BpTui

A_MOMENT = 0.02
"""Seconds after which a program that goes on has also heard that it was continued."""

NO_SHELL = "there is no shell here to go back to"


class Suspending:
    """Leaves the terminal to the shell, and takes it again.

    Args:
        program: is running in a terminal.
    """

    def __init__(self, program: BpTui) -> None:
        self._program = program
        driver = program._driver
        self._driver = driver if isinstance(driver, CellDriver) else None
        self._loop = asyncio.get_running_loop()
        self._is_away = False
        """Whether the terminal is the shell's."""
        self._is_known = False
        """Whether the loop is still to hear of a SIGCONT that we know of."""
        if self._driver is not None:
            self._listen()

    def suspend(self) -> None:
        """Give the terminal back and stop, until the shell continues the program; where there is
        none that could, go on at once."""
        if self._driver is None or self._is_ending:
            return
        self._driver.suspend_application_mode()
        self._is_away = True
        if not self._stop():
            self._program.say(NO_SHELL)
        self._come_back()

    def _stop(self) -> bool:
        """Stop until we are continued; False where the system does not do that."""
        continued = False

        def note(number: int, frame: FrameType | None) -> None:
            nonlocal continued
            continued = True

        self._loop.remove_signal_handler(signal.SIGTSTP)
        self._loop.remove_signal_handler(signal.SIGCONT)
        signal.signal(signal.SIGCONT, note)
        # To all that the shell has started with us, as by the key itself. Unlike SIGSTOP the
        # system ignores this where nobody is there to continue them.
        os.kill(0, signal.SIGTSTP)
        time.sleep(A_MOMENT)
        self._listen()
        self._is_known = continued
        return continued

    def _listen(self) -> None:
        self._loop.add_signal_handler(signal.SIGTSTP, self.suspend)
        self._loop.add_signal_handler(signal.SIGCONT, self._continue)

    @property
    def _is_ending(self) -> bool:
        return self._program._exit

    def _continue(self) -> None:
        """Take the terminal again: after SIGSTOP the shell may have changed anything."""
        if self._is_known:
            self._is_known = False
            return
        if self._driver is None or self._is_ending:
            return
        if not self._is_away and _is_raw():
            self._driver.draw_anew()
            self._program.refresh(layout=True)
            return
        if not self._is_away:
            self._driver.let_go()
            self._is_away = True
        self._come_back()

    def _come_back(self) -> None:
        """Take the terminal, unless we are in the background, and draw everything."""
        assert self._driver is not None
        self._driver.resume_application_mode()
        reader = getattr(self._driver, "_key_thread", None)
        self._is_away = reader is None or not reader.is_alive()
        if not self._is_away:
            self._program.refresh(layout=True)


def _is_raw() -> bool:
    """Whether keys still come one by one, so that nobody has given the terminal other attributes
    meanwhile."""
    import termios

    assert sys.__stdin__ is not None
    try:
        local_modes: int = termios.tcgetattr(sys.__stdin__.fileno())[3]
    except (termios.error, OSError):
        return False
    return not local_modes & termios.ICANON
