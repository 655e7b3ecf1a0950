"""The numbers of each parameter at one batch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import engine
from tui.session import numbers
from tui.session.protocol import Array
from tui.session.training.monitor.alive import Seen
from tui.session.training.monitor.flow import Flow
from tui.session.training.monitor.gates import Units, off_units

Named = tuple[str, engine.Tensor]


@dataclass(frozen=True, slots=True)
class Row:
    """What one batch has done to a parameter."""

    name: str
    shape: tuple[int, ...]
    is_trained: bool
    """Whether it requires grad."""
    is_optimized: bool
    """Whether it is among the optimiser's parameters, as far as that can be seen."""
    is_finite: bool
    """Whether neither its value nor its gradient has a NaN or Inf."""
    grad: float | None
    """The norm of its gradient before any clipping (NaN or Inf where the gradient has one); None
    where none has come."""
    value: float | None
    """The norm of its value before the batch; None where that is not known."""
    zeros: float | None
    """The share of zeros in the gradient."""
    update: float | None
    """|update| / |value before|; None where the value was 0 or is not known."""
    along: float | None
    """The update times the gradient, summed over the elements: what is below 0 goes down; None
    where either is not known."""
    has_changed: bool
    is_cleared: bool
    """Whether the gradient is this batch's alone."""
    feeds: Units | None
    """The units that it goes into."""
    hears: Units | None
    """The units that it is applied to."""
    blocked_by: Units | None
    """A ReLU that lets nothing through, where its gradient had to come through it."""

    @property
    def is_weight(self) -> bool:
        """Whether it has at least two dimensions: rules of thumb hold for these. A bias may start
        at 0, or be without any influence, as one before a normalisation."""
        return len(self.shape) > 1

    @property
    def typical_grad(self) -> float | None:
        """The root mean square of the gradient's elements, which does not depend on how many there
        are."""
        size = math.prod(self.shape)
        return self.grad / math.sqrt(size) if self.grad is not None and size else None


@dataclass(frozen=True, slots=True)
class Measurement:
    """All parameters at one batch."""

    batch: int
    """How many batches had been trained on with it."""
    loss: float
    rows: tuple[Row, ...]
    units: tuple[Units, ...]
    """Of each ReLU, the first one first."""
    last_weight: int | None
    """Which row is the weight that is nearest to the loss."""

    @property
    def along(self) -> float:
        """`Row.along` of all parameters together."""
        return sum(row.along or 0.0 for row in self.rows)

    @property
    def largest_update(self) -> float | None:
        """The largest update of a weight, as a share of its value."""
        updates = [row.update for row in self.rows if row.is_weight and row.update is not None]
        return max(updates, default=None)


def measure(
    batch: int,
    trained: engine.TrainedBatch,
    grads: Sequence[Any],
    parameters: Sequence[Named],
    before: Mapping[int, Array],
    optimized: set[int] | None,
    seen: Seen,
    gate_names: Sequence[str],
) -> Measurement:
    """Measure a batch that has just been trained on.

    Args:
        batch: how many have been trained on with it.
        trained: the batch and its graph.
        grads: the gradients of the parameters before they were clipped.
        parameters: what is measured.
        before: the values of the parameters before the batch, by id.
        optimized: the ids of the optimiser's parameters; None where that is not known.
        seen: which units were off so far.
        gate_names: what the ReLUs are called, the last one first.
    """
    tensors = [tensor for _, tensor in parameters]
    flow = Flow(trained.loss, tensors)
    units = _units(flow, seen, _gate_names(flow, parameters, gate_names))
    blocked = {
        parameter: one
        for gate, one in units.items()
        if one.all_off
        for parameter in flow.behind(gate)
    }
    rows = tuple(
        _row(
            name,
            tensor,
            grad,
            before.get(id(tensor)),
            optimized is None or id(tensor) in optimized,
            all(tensor is not held for held in trained.uncleared),
            units.get(flow.feeds.get(id(tensor), -1)),
            units.get(flow.hears.get(id(tensor), -1)),
            blocked.get(id(tensor)),
        )
        for (name, tensor), grad in zip(parameters, grads, strict=True)
    )
    weights = [tensor for tensor in flow.last_first(tensors) if tensor.ndim > 1]
    last = next((i for i, t in enumerate(tensors) if weights and t is weights[0]), None)
    in_order = tuple(units[gate] for gate in sorted(units, reverse=True))
    return Measurement(batch, float(trained.loss.item()), rows, in_order, last)


def _gate_names(flow: Flow, parameters: Sequence[Named], known: Sequence[str]) -> list[str]:
    """What the ReLUs are called: as is known, or after the layer before them."""
    before: dict[int, str] = {}
    for name, tensor in parameters:
        if id(tensor) in flow.feeds:
            before.setdefault(flow.feeds[id(tensor)], name.rpartition(".")[0] or name)
    count = len(flow.gates)
    own = known if len(known) == count else [""] * count
    return [
        name or (f"the ReLU after {before[i]}" if i in before else f"ReLU {count - i}")
        for i, name in enumerate(own)
    ]


def _units(flow: Flow, seen: Seen, names: Sequence[str]) -> dict[int, Units]:
    """The units of each ReLU, by its place."""
    found: dict[int, Units] = {}
    dead = seen.dead if seen.dead is not None and len(seen.dead) == len(flow.gates) else None
    for i, gate in enumerate(flow.gates):
        off = off_units(gate.array)
        if off is None:
            continue
        several = len(gate.array) > 1
        died = None if dead is None else dead[i]
        if died is not None and died.size != off.size:
            died = None
        found[i] = Units(
            names[i],
            off.size,
            int(off.sum()) if several else None,
            0 if died is None else died.units.size,
            0 if died is None else seen.epoch,
        )
    return found


def _row(
    name: str,
    tensor: engine.Tensor,
    grad: Any,
    before: Array | None,
    is_optimized: bool,
    is_cleared: bool,
    feeds: Units | None,
    hears: Units | None,
    blocked_by: Units | None,
) -> Row:
    value = tensor.array
    got = None if grad is None else np.asarray(getattr(grad, "array", grad))
    norm = None if got is None else _norm(got)
    is_finite = (norm is None or math.isfinite(norm)) and _is_finite(value)
    length, update, along, has_changed = None, None, None, True
    if before is not None and is_finite:
        difference = np.subtract(value, before, dtype=np.float64)
        has_changed = bool(difference.any())
        length = numbers.norm(before)
        update = numbers.norm(difference) / length if length else None
        along = None if got is None else float(np.vdot(difference, got))
    return Row(
        name,
        tensor.shape,
        tensor.requires_grad,
        is_optimized,
        is_finite,
        norm,
        length,
        None if got is None or not got.size else 1 - np.count_nonzero(got) / got.size,
        update,
        along,
        has_changed,
        is_cleared,
        feeds,
        hears if tensor.ndim > 1 else None,
        blocked_by,
    )


def _norm(array: Array) -> float:
    """As `numbers.norm`, but NaN or Inf where an element is."""
    if _is_finite(array):
        return numbers.norm(array)
    return math.nan if np.isnan(array).any() else math.inf


def _is_finite(array: Array) -> bool:
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())
