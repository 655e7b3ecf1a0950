"""Saying what the screen waits for, and where in the user's code the scenario is meanwhile."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from textual.timer import Timer

from tui.screens.base import BaseScreen
from tui.session.training import MOVING
from tui.waiting import Waiting

if TYPE_CHECKING:
    from tui.app import BpTui

BETWEEN_LOOKS = 1.0
"""Seconds after which it is asked anew where the scenario is."""

CHANGING = frozenset(f"training.{name}" for name in MOVING)
"""The commands that change a training."""

NOT_LONG = 0.05
"""Seconds; sooner it is not looked."""


class Watching:
    """Looks, while something is under way, whether the debugged process answers.

    Args:
        program: shows what is waited for in its screen's line above the keys.
    """

    def __init__(self, program: BpTui) -> None:
        self._program = program
        self._waiting = Waiting()
        self._is_shown = False
        """Whether it is said what is waited for."""
        self._timer: Timer | None = None
        self.place: dict[str, Any] = {}
        """Where the scenario is, as far as it is known; see `tui.process.whereabouts.facts`."""

    @property
    def waits_for(self) -> str:
        """What the process has not answered for long; empty where there is nothing."""
        return self._waiting.what if self._is_shown else ""

    @property
    def place_in_words(self) -> str:
        """Where the scenario is; empty where that is not known."""
        if not self.place.get("filename"):
            return ""
        place = f"{os.path.basename(self.place['filename'])}, line {self.place['line']}"
        function = self.place["function"]
        return f"{function} ({place})" if function else place

    def start(self) -> None:
        """A new process, or none any more: nothing is waited for."""
        self._waiting.start()
        self._is_shown, self.place = False, {}

    @property
    def may_be_training(self) -> bool:
        """Whether a command is under way that may change the training."""
        return any(command in CHANGING for command in self._waiting.under_way)

    def sent(self, number: int, command: str, what: str) -> None:
        """A command was sent, see `Waiting.sent`."""
        self._waiting.sent(number, command, what)
        self._watch()

    def hear(self, content: dict[str, Any]) -> None:
        """Take what the process says for a sign that it is alive."""
        kind = content["type"]
        if "commands" in content:
            self._waiting.answered(content["commands"])
        else:
            self._waiting.heard()
        if kind in ("training", "stepping", "tensor"):
            running = content.get("state") == "running"
            self._waiting.trains_on(f"batch {content['batch'] + 1}" if running else "")
            self._watch()
        if self._is_shown and not self._waiting.is_overdue:
            self._is_shown, self.place = False, {}
            self._show()

    def found(self, place: dict[str, Any]) -> None:
        """The process has said where it is."""
        self.place = place
        if self._is_shown:
            self._show()

    def _watch(self) -> None:
        """Look again when the answer is overdue; while it is, now and then."""
        due = self._waiting.due_in
        if due is not None and self._timer is None:
            delay = max(NOT_LONG, due) if due > 0 else BETWEEN_LOOKS
            self._timer = self._program.set_timer(delay, self._look)

    def _look(self) -> None:
        self._timer = None
        client = self._program.client
        if self._waiting.is_overdue and client is not None:
            self._is_shown = True
            client.ask_where()
            self._show()
        self._watch()

    def _show(self) -> None:
        screen = self._program.current()
        if isinstance(screen, BaseScreen) and screen.is_shown:
            screen.draw_footer()
