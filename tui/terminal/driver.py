"""Textual's driver for terminals, with its output replaced."""

from __future__ import annotations

import signal
import sys
from typing import Any

from rich.color import ColorSystem
from rich.console import RenderableType
from textual import events
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.screen import Screen

from tui.terminal.output import Output

COLOURS = {
    "standard": ColorSystem.STANDARD,
    "256": ColorSystem.EIGHT_BIT,
    "truecolor": ColorSystem.TRUECOLOR,
}

OURS = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?1004h\x1b[?2004h"
"""Alternate screen, no cursor, no wrapping of lines, events of the focus and of pasting."""


class CellDriver(LinuxDriver):
    """Sends the cells that differ, and what else is written in between."""

    pace: float | None = None
    """Bytes a second at the most, see `Output`: set once for the whole program."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Textual draws on standard error, which may lead into a file.
        self._file = sys.__stdout__
        assert self._file is not None
        self.output = Output(self._file, self.pace)
        self._drops_input = True

    def start_application_mode(self) -> None:
        """Take the terminal, unless we are in the background; what was drawn before is drawn again,
        once it has gone to the alternate screen, which is blank then."""
        self.output.start()
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._key_thread is not None and self._key_thread.is_alive():
            self.output.forget()
        else:
            self.output.stop_drawing()

    def let_go(self) -> None:
        """Give the terminal back in order to take it again at once, since something else has had it
        without being given it: what has been typed meanwhile is for us."""
        self._drops_input = False
        try:
            self.suspend_application_mode()
        finally:
            self._drops_input = True

    def disable_input(self) -> None:
        """Stop reading. Textual always drops what nobody has read yet, so that it goes to no one
        else."""
        if self._drops_input:
            super().disable_input()
            return
        signal.signal(signal.SIGWINCH, signal.SIG_DFL)
        self._disable_mouse_support()
        self.exit_event.set()
        if self._key_thread is not None:
            self._key_thread.join()
        self.exit_event.clear()

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        self.output.stop_drawing()
        super().stop_application_mode()

    def close(self) -> None:
        """Write what is left to say."""
        self.output.close()
        super().close()

    def draw_anew(self) -> None:
        """Something else has had the terminal, and may have written anything: draw all again."""
        self.write(OURS)
        self.output.forget()

    def write(self, data: str) -> None:
        """Write what is no part of the screen."""
        self.output.say(data)


class CellApp(App[None]):
    """An application whose screen goes to a `CellDriver`, where it has one."""

    def on_mount(self) -> None:
        """Let what is said on standard error go there where it is not the terminal: Textual keeps
        it from the screen, and from everywhere else."""
        if sys.__stderr__ is not None and not sys.__stderr__.isatty():
            sys.stderr = sys.__stderr__

    async def on_event(self, event: events.Event) -> None:
        """A terminal that was resized is drawn anew, also where it is as large as before."""
        driver = getattr(self, "_driver", None)
        if isinstance(event, events.Resize) and isinstance(driver, CellDriver):
            driver.output.resized(event.size)
        await super().on_event(event)

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Draw what Textual's compositor gives.

        There is no public way to this: Textual's own method would encode whole lines anew. Should
        another version not call it any more, then all is shown in Textual's way.
        """
        driver = getattr(self, "_driver", None)
        is_delayed = bool(getattr(self, "_batch_count", 0))
        if renderable is None or is_delayed or not isinstance(driver, CellDriver):
            super()._display(screen, renderable)
            return
        driver.output.draw(
            screen.outer_size,
            self.console.render(renderable),
            COLOURS.get(self.console.color_system or "", ColorSystem.TRUECOLOR),
            bool(getattr(self, "_sync_available", False)),
        )
        self.post_display_hook()
