"""How many examples a second a training gets through."""

from __future__ import annotations

import time

import engine

EACH = 1.0
"""Seconds over which it is counted."""


class Throughput:
    """Counts examples while a training runs.

    Args:
        training: whose batches are counted.
    """

    def __init__(self, training: engine.Training) -> None:
        self._training = training
        self._since: tuple[float, int] | None = None
        self._text = ""

    def shown(self, running: bool, now: float | None = None) -> str:
        """Examples a second with two digits, lately; empty where it does not run, or has just
        begun to. To be asked a few times a second."""
        now = time.monotonic() if now is None else now
        position = self._training.position
        if not running:
            self._since, self._text = None, ""
        elif self._since is None or position < self._since[1]:
            self._since = now, position
        elif now - self._since[0] >= EACH:
            started, at = self._since
            rate = (position - at) * self._training.batch_size / (now - started)
            self._since = now, position
            self._text = _two_digits(rate)
        return self._text


def _two_digits(rate: float) -> str:
    return f"{float(f'{rate:.2g}'):,.0f}" if rate >= 10 else f"{rate:.1f}"
