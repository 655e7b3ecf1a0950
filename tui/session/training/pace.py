"""How fast batches follow each other."""

from __future__ import annotations

import math
import time

PACES: tuple[float, ...] = (1, 2, 5, 10, 20, 50, 100, math.inf)
"""Batches a second; the last is full speed."""

FIRST = 4


class Pace:
    """The pace that is set, and when the next batch is due."""

    def __init__(self) -> None:
        self._which = FIRST
        self._due = 0.0

    @property
    def batches_a_second(self) -> float:
        """Infinite at full speed."""
        return PACES[self._which]

    def change(self, by: int) -> bool:
        """A quicker pace, or with a negative number a slower one; whether there is one."""
        before, self._which = self._which, max(0, min(self._which + by, len(PACES) - 1))
        self.start()
        return self._which != before

    def start(self) -> None:
        """The next batch is due now."""
        self._due = time.monotonic()

    def seconds_until_due(self) -> float:
        """How long to wait before the next batch; 0 at full speed."""
        return max(0.0, self._due - time.monotonic())

    def batch_done(self) -> None:
        """A batch has been trained on: the next one is due as the pace says."""
        if self.batches_a_second != math.inf:
            # A batch that took longer than its time is not made up for by a burst.
            self._due = max(self._due + 1 / self.batches_a_second, time.monotonic())

    def __str__(self) -> str:
        if self.batches_a_second == math.inf:
            return "full speed"
        plural = "es" if self.batches_a_second != 1 else ""
        return f"{self.batches_a_second:g} batch{plural} a second"
