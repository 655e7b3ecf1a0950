"""Which units were off for every example of a whole epoch."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np

import engine
from tui.session.protocol import Array
from tui.session.training.history import KEPT
from tui.session.training.monitor.gates import (
    Route,
    gate_at,
    gates_in,
    off_units,
    routes_to,
    still_off,
    unit_axis,
)


class Off(NamedTuple):
    """The units of a ReLU that were off all the time."""

    size: int
    """How many units it has."""
    units: Array
    """The numbers of those that were off."""


Offs = tuple[Off | None, ...]
"""For each ReLU, the last one first; None for one without units."""


class Seen(NamedTuple):
    """What the batches of an epoch have shown so far. It is never changed, only replaced."""

    off: Offs | None
    """The units that were off for each example of the epoch; None where a part of it was not
    seen."""
    is_any: bool
    """Whether there is any such unit left: if not, no batch of this epoch need be looked at."""
    dead: Offs | None
    """The units that were off in the whole epoch before; None where there was none."""
    epoch: int
    """Which epoch that was, from 1; 0 for none."""


NOTHING = Seen(None, False, None, 0)


class Alive:
    """Follows a training from batch to batch, also back.

    A batch costs next to nothing once each unit was on for one example of the epoch, and a few
    microseconds where some never are.

    Args:
        training: which is followed.
    """

    def __init__(self, training: engine.Training) -> None:
        self._training = training
        self._per_epoch = training.batches_per_epoch
        self.seen = NOTHING
        self._routes: list[Route] = []
        """To the ReLUs, in the graph of the epoch's first batch: to look for them anew in the
        graph of each batch would take longer than all else."""
        self._at = training.position
        """After how many batches `seen` is what was seen."""
        self._before: deque[tuple[int, Seen]] = deque(maxlen=KEPT)

    def before_batch(self) -> None:
        """A batch is about to be trained on."""
        self._before.append((self._training.position, self.seen))

    def look(self, loss: engine.Tensor) -> None:
        """Take the graph of the batch that is being trained on into account."""
        position = self._training.position % self._per_epoch
        seen = self.seen
        if position == 0:
            off = self._first(loss)
            seen = Seen(off, _any(off), seen.dead, seen.epoch)
        elif seen.is_any and seen.off is not None:
            left = self._left(loss, seen.off)
            if left is not seen.off:
                seen = Seen(left, _any(left), seen.dead, seen.epoch)
        if position == self._per_epoch - 1:
            epoch = self._training.position // self._per_epoch + 1
            seen = Seen(None, False, seen.off, epoch if seen.off is not None else 0)
        self.seen, self._at = seen, self._training.position + 1

    def went_back(self) -> None:
        """The training is at an earlier batch: what was seen since is forgotten."""
        position = self._training.position
        while self._at != position and self._before:
            self._at, self.seen = self._before.pop()
        if self._at != position:
            self._at, self.seen = position, NOTHING

    def _first(self, loss: engine.Tensor) -> Offs:
        gates = gates_in(loss)
        self._routes = routes_to(loss, gates)
        masks = [off_units(gate.array) for gate in gates]
        return tuple(None if m is None else Off(m.size, np.flatnonzero(m)) for m in masks)

    def _left(self, loss: engine.Tensor, before: Offs) -> Offs | None:
        """Those units that are off in this batch, too; the same object where all are, and None
        where it has not the same ReLUs."""
        changed: list[tuple[int, Off]] = []
        for i, off in enumerate(before):
            if off is None or not off.units.size:
                continue
            gate = gate_at(loss, self._routes[i])
            axis = None if gate is None else unit_axis(gate.array)
            if gate is None or axis is None or gate.array.shape[axis] != off.size:
                return None
            units = still_off(gate.array, off.units)
            if units is not off.units:
                changed.append((i, Off(off.size, units)))
        if not changed:
            return before
        after = list(before)
        for i, off in changed:
            after[i] = off
        return tuple(after)


def _any(offs: Offs | None) -> bool:
    return offs is not None and any(off is not None and off.units.size for off in offs)
