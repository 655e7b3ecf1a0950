"""Textual's driver for terminals, with its output replaced."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.color import ColorSystem
from rich.console import RenderableType
from rich.segment import Segment
from textual import events
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.errors import NoWidget
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from tui.terminal.output import Output
from tui.timers import SureTimers

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
            asyncio.get_running_loop().add_signal_handler(signal.SIGWINCH, self._tell_size)
            self.output.forget()
        else:
            self.output.stop_drawing()

    def _tell_size(self) -> None:
        """Tell the application how large the terminal is. Textual does so while the signal is
        handled, where the next signal interrupts it: of two sizes the older could come last."""
        if not self._in_band_window_resize:
            size = Size(*self._get_terminal_size())
            self.send_message(events.Resize(size, size))

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

    def send_message(self, message: Message) -> None:
        """Give the application what was read, from the thread that reads; Textual would start a
        task for each key."""
        self._app.post_message(message)


class CellApp(SureTimers, App[None]):
    """An application whose screen goes to a `CellDriver`, where it has one."""

    _has_drawn_lines = False
    """Whether lines were drawn that are not sent yet."""

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

    def draw_lines(self, widget: Widget, lines: Mapping[int, Sequence[Segment]]) -> bool:
        """Draw lines of a widget at once. Whether that was possible: where it was not, Textual is
        to be asked to draw them, which takes four messages, and the time for these.

        Where Textual is about to lay out the screen, what is drawn in the wrong place until then is
        drawn again by it, as whatever was there before.

        Args:
            widget: it is on the screen, and nothing lies on it.
            lines: each of them as wide as the widget, by its number.
        """
        driver, screen = self._driver, self.screen
        is_delayed = bool(getattr(self, "_batch_count", 0))
        if not isinstance(driver, CellDriver) or widget.screen is not screen or is_delayed:
            return False
        try:
            found = screen.find_widget(widget)
        except NoWidget:
            return False
        if found.visible_region != found.region or found.region.size != widget.size:
            return False
        place = found.region.offset
        if not driver.output.draw_lines(screen.outer_size, place, lines, self._colours):
            return False
        if not self._has_drawn_lines:
            self._has_drawn_lines = True
            asyncio.get_running_loop().call_soon(self._send_lines)
        return True

    def _send_lines(self) -> None:
        self._has_drawn_lines = False
        if isinstance(self._driver, CellDriver):
            self._driver.output.send_lines()

    @property
    def _colours(self) -> ColorSystem:
        return COLOURS.get(self.console.color_system or "", ColorSystem.TRUECOLOR)

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
            self._colours,
            bool(getattr(self, "_sync_available", False)),
        )
        self.post_display_hook()
