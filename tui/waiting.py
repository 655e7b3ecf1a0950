"""What the screen waits for: which commands the debugged process has not yet answered."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

SHOWN_AFTER = 0.5
"""Seconds without an answer after which it is said what is waited for."""

AFTER_A_SIGN = 2.0
"""The same where the process has said something meanwhile: how far it is, or the last batch of a
training."""


class _Sent(NamedTuple):
    number: int
    command: str
    what: str
    """What the user knows it by."""


class Waiting:
    """Keeps which commands are under way, and since when nothing has come.

    Args:
        clock: tells the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._sent: deque[_Sent] = deque()
        self._begun = self._heard = clock()
        """Since when the first of these can be under way; when something came last."""
        self._batch = ""

    def start(self) -> None:
        """A new process, which has not been asked for anything."""
        self._sent.clear()
        self._batch = ""

    def sent(self, number: int, command: str, what: str) -> None:
        """A command was sent.

        Args:
            number: how many have been, with this one.
            command: its name.
            what: what the user knows it by.
        """
        if not self._sent:
            self._begun = self._clock()
        self._sent.append(_Sent(number, command, what))

    def answered(self, number: int) -> None:
        """All commands up to this number have been carried out."""
        while self._sent and self._sent[0].number <= number:
            self._sent.popleft()
        self._begun = self._heard = self._clock()

    def heard(self) -> None:
        """The process has said something."""
        self._heard = self._clock()

    def trains_on(self, batch: str) -> None:
        """What a running training is at, which comes without being asked for; empty for none."""
        self._batch = batch

    @property
    def under_way(self) -> list[str]:
        """The names of the commands that have not been answered."""
        return [sent.command for sent in self._sent]

    @property
    def is_overdue(self) -> bool:
        """Whether the answer takes long."""
        due = self.due_in
        return due is not None and due <= 0

    @property
    def what(self) -> str:
        """What is waited for."""
        named = [sent.what for sent in self._sent if sent.what]
        return next(iter(named), self._batch or "the scenario")

    @property
    def due_in(self) -> float | None:
        """In how many seconds the answer takes long; None where nothing is under way."""
        times = []
        if self._sent:
            has_said = self._heard > self._begun
            times.append(self._heard + AFTER_A_SIGN if has_said else self._begun + SHOWN_AFTER)
        if self._batch:
            times.append(self._heard + AFTER_A_SIGN)
        return min(times) - self._clock() if times else None
