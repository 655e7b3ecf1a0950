"""What is said about the digits in use."""

from __future__ import annotations

from dataclasses import dataclass

from .digits import FULL_TEST, FULL_TRAIN


@dataclass(frozen=True, slots=True)
class InUse:
    """Where the digits come from that `mnist()` has returned."""

    source: str
    """One of "embedded", "cache", "idx" and "torchvision" (fetched by this very call)."""

    train: int
    """How many images there are to train on."""

    test: int
    """How many images there are to test on."""

    where: str
    """The source in words, as they end `text`."""

    note: str = ""
    """What stood in the way of a better source, and how to mend it; mostly empty."""

    @property
    def text(self) -> str:
        """One line for the user."""
        return f"{self.train:,} to train, {self.test:,} to test, {self.where}"

    @property
    def hint(self) -> str:
        """How to get the full set; empty where it is in use."""
        if (self.train, self.test) == (FULL_TRAIN, FULL_TEST):
            return ""
        return f"all {FULL_TRAIN + FULL_TEST:,}: --data torchvision"
