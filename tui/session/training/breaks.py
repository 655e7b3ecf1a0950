"""Where a training stops by itself: at a batch, by its loss, or by what holds in its pass."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tui.errors import Refused
from tui.session import numbers
from tui.session.breaking.condition import Condition
from tui.session.breaking.entries import parse_stop
from tui.session.breaking.listed import numbered
from tui.session.breaking.syntax import ExpressionError
from tui.session.breaking.targets import Target

BATCH = re.compile(r"(?:batch\s+)?#?(\d{1,9})", re.ASCII)
RISE = re.compile(r"rises?\b(?:\s+by\b)?\s*(.*)")
LOSS = re.compile(r"loss\b\s*(<=|>=|<|>)?\s*(.*)")

_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True)
class AtBatch:
    """Before a batch."""

    batch: int
    """From 1, through the whole training."""

    @property
    def typed(self) -> str:
        """As `parse` reads it."""
        return str(self.batch)

    def __str__(self) -> str:
        return f"at batch {self.batch}"


@dataclass(frozen=True)
class NotFinite:
    """Where the loss is NaN or infinite."""

    def why(self, loss: float, before: Sequence[float]) -> str | None:
        """Why it holds of a loss that comes after these; None where it does not."""
        return None if math.isfinite(loss) else f"the loss is {numbers.number(loss)}"

    @property
    def typed(self) -> str:
        """As `parse` reads it."""
        return "nan"

    def __str__(self) -> str:
        return "at a loss of NaN or Inf"


@dataclass(frozen=True)
class Rise:
    """Where the loss is more than a number of times the mean of the last ones before it."""

    factor: float

    def why(self, loss: float, before: Sequence[float]) -> str | None:
        """Why it holds of a loss that comes after these; None where it does not."""
        mean = sum(before) / len(before) if before else math.nan
        if not (mean > 0 and loss > self.factor * mean):
            return None
        return (
            f"the loss is {numbers.number(loss)}, more than {numbers.number(self.factor)} times "
            f"{numbers.number(mean)}, the mean of the {len(before)} before"
        )

    @property
    def typed(self) -> str:
        """As `parse` reads it."""
        return f"rise {self.factor!r}"

    def __str__(self) -> str:
        return f"at a rise by {numbers.number(self.factor)}"


@dataclass(frozen=True)
class Compared:
    """Where the loss is above or below a number."""

    comparison: str
    limit: float

    def why(self, loss: float, before: Sequence[float]) -> str | None:
        """Why it holds of a loss that comes after these; None where it does not."""
        if not _COMPARED[self.comparison](loss, self.limit):
            return None
        shown, limit = numbers.apart(loss, self.limit)
        return f"the loss is {shown} {self.comparison} {limit}"

    @property
    def typed(self) -> str:
        """As `parse` reads it."""
        return f"loss {self.comparison} {self.limit!r}"

    def __str__(self) -> str:
        return f"at a loss {self.comparison} {numbers.number(self.limit)}"


OfLoss = NotFinite | Rise | Compared
OfPass = Target | Condition
What = AtBatch | OfLoss | OfPass


@dataclass
class Break:
    """Something that stops a training."""

    what: What
    enabled: bool = True
    hits: int = 0
    """How often it has stopped the training."""
    told_at: int | None = None
    """After how many batches it was looked at: from there the training goes on past it."""

    def __str__(self) -> str:
        what = self.what
        if isinstance(what, Condition):
            return f"where {what}"
        return str(what) if isinstance(what, AtBatch | OfLoss) else f"before {what}"


class Breaks:
    """All places at which a training stops, in the order in which they were typed."""

    def __init__(self) -> None:
        self.entries: list[Break] = []
        self.on_change: Callable[[], None] = lambda: None
        """Called when there is something new to remember."""

    def add(self, what: What) -> Break:
        """Add one.

        Raises:
            Refused: it is there already.
        """
        added = Break(what)
        if any(one.what == what for one in self.entries):
            raise Refused(f"it stops {added} already; B lists where")
        self.entries.append(added)
        self.on_change()
        return added

    def remove(self, number: int) -> Break:
        """Remove one by its number in the list.

        Raises:
            Refused: there is none of that number.
        """
        entry = numbered(self.entries, number)
        self.entries.remove(entry)
        self.on_change()
        return entry

    def switch(self, number: int) -> Break:
        """Switch one off or on by its number in the list.

        Raises:
            Refused: there is none of that number.
        """
        entry = numbered(self.entries, number)
        entry.enabled = not entry.enabled
        self.on_change()
        return entry

    def drop_where(self, prevents: Callable[[What], str]) -> list[str]:
        """Drop those that can stop nothing; which, and why.

        Args:
            prevents: says what prevents one from stopping anything; empty where nothing does.
        """
        found = [(one, prevents(one.what)) for one in self.entries]
        self.entries = [one for one, why in found if not why]
        return [f"{one} ({why})" for one, why in found if why]

    def to_come(self, position: int) -> list[str]:
        """What may stop a training that has come so far."""
        return [
            str(one)
            for one in self.entries
            if one.enabled and not (isinstance(one.what, AtBatch) and one.what.batch <= position)
        ]

    # Stopping

    def at(self, position: int) -> list[Break]:
        """Those that stop the training before the batch after so many, whatever happens in it."""
        return [
            one
            for one in self._asked(position)
            if isinstance(one.what, AtBatch) and one.what.batch == position + 1
        ]

    def of_pass(self, position: int) -> list[tuple[Break, OfPass]]:
        """Those that ask for what happens in the backward pass of that batch, and for what."""
        return [
            (one, one.what)
            for one in self._asked(position)
            if not isinstance(one.what, AtBatch | OfLoss)
        ]

    def of_loss(self, position: int) -> list[tuple[Break, OfLoss]]:
        """Those that ask for the loss of that batch, and for what."""
        return [(one, one.what) for one in self._asked(position) if isinstance(one.what, OfLoss)]

    def _asked(self, position: int) -> list[Break]:
        return [one for one in self.entries if one.enabled and one.told_at != position]

    def looked_at(self, position: int) -> None:
        """The batch after so many is looked at without having been stopped at: what stops there,
        whatever happens in it, does not stop there once more."""
        for one in self.at(position):
            one.told_at = position

    def went_back(self) -> None:
        """What comes once more stops once more."""
        for one in self.entries:
            one.told_at = None


def parse(text: str) -> What | int:
    """Where to stop, as it is typed: `200`, `nan`, `rise 2`, `loss > 3`, or what the debugger stops
    at (of `node 12` the number is given).

    Raises:
        Refused: it is none of these.
    """
    text = text.strip()
    if batch := BATCH.fullmatch(text):
        return AtBatch(int(batch[1]))
    if text.lower() == "nan":
        return NotFinite()
    if rise := RISE.fullmatch(text):
        factor = _number(rise[1])
        if factor is None or factor <= 1:
            raise Refused("rise takes the factor by which the loss rises, above 1: rise 2")
        return Rise(factor)
    if loss := LOSS.fullmatch(text):
        limit = _number(loss[2])
        if loss[1] is None or limit is None:
            raise Refused("the loss is compared with a number: loss > 3, loss < 0.1")
        return Compared(loss[1], limit)
    try:
        return parse_stop(text)
    except ExpressionError as error:
        known = "type 200 (a batch), nan, rise 2, loss > 3, or a condition"
        raise Refused(f"{known}: {error}") from None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
