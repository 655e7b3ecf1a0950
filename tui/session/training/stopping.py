"""Whether a training stops at a batch, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import engine
from tui.loading.warned import noted
from tui.session.breaking.breakpoints import Breakpoint, Breakpoints
from tui.session.breaking.stop import Stop
from tui.session.labels import Labels
from tui.session.protocol import Graph
from tui.session.training.breaks import Break, Breaks, OfPass
from tui.session.training.curve import RECENT

BEFORE_ITS_UPDATE = "stopped before its update"


@dataclass(frozen=True)
class Broken:
    """At which batch a training has stopped by itself, and why."""

    batch: int
    """The batch that is next, from 1."""
    why: str
    """Where in it and why, in words: `stopped before its update: the loss is NaN`."""
    graph: Graph | None = None
    """Its graph, at the start of its pass, where it was stepped to know."""
    stop: Stop | None = None
    """Where in the pass it holds."""

    def __str__(self) -> str:
        return f"Batch {self.batch}: {self.why}"


def before_batch(
    training: engine.Training, breaks: Breaks, look_in: Callable[[], Graph] | None
) -> Broken | None:
    """Whether a training stops at its next batch before it was trained on.

    Where something is asked for that happens in the pass, its graph is made and stepped; what that
    changes is for the caller to put back.

    Args:
        training: it is before a batch.
        breaks: what can stop it.
        look_in: makes the graph of the next batch; None where nobody can.
    """
    position = training.position
    if at := breaks.at(position):
        _note(at, position)
        return Broken(position + 1, BEFORE_ITS_UPDATE)
    asked = breaks.of_pass(position)
    if not asked or look_in is None:
        return None
    graph = look_in()
    stop, holding = _first_stop(graph, asked)
    if stop is None:
        return None
    _note(holding, position)
    label = Labels(graph).short(stop.position - 1) if stop.after else ""
    while graph.position:
        graph.step_back()
    return Broken(position + 1, stop.told(label), graph, stop)


def after_batch(training: engine.Training, breaks: Breaks) -> Broken | None:
    """Whether a training stops at the batch that it was just trained on, by its loss; it is for the
    caller to take the batch back."""
    position = training.position - 1
    *before, loss = training.losses[-RECENT - 1 :]
    held = [(one, why) for one, what in breaks.of_loss(position) if (why := what.why(loss, before))]
    if not held:
        return None
    _note([one for one, _ in held], position)
    because = "; ".join(why for _, why in held)
    return Broken(position + 1, f"{BEFORE_ITS_UPDATE}: {because}")


def _first_stop(
    graph: Graph, asked: Sequence[tuple[Break, OfPass]]
) -> tuple[Stop | None, list[Break]]:
    """Where in a pass the first of these stops it, and which."""
    breakpoints = Breakpoints()
    pairs = [(one, Breakpoint(what)) for one, what in asked]
    breakpoints.breakpoints = [breakpoint for _, breakpoint in pairs]
    breakpoints.attach(graph, Labels(graph))
    stop = breakpoints.stop()
    with noted():
        while stop is None and graph.position < graph.step_count:
            graph.step()
            stop = breakpoints.stop()
    return stop, [one for one, breakpoint in pairs if breakpoint.hits]


def _note(breaks: Sequence[Break], position: int) -> None:
    for one in breaks:
        one.hits += 1
        one.told_at = position
