"""Saving a node's array, or the whole pass, to a file."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from tui import files
from tui.errors import Refused
from tui.session import facts, numbers
from tui.session.protocol import Array
from tui.session.session import Session

Json = dict[str, Any]

PATIENCE = 0.5
"""Seconds from one sign of progress to the next; as long nothing that is typed ends it."""


class _Interrupted(Exception):
    """The user wants something else."""


def save(session: Session, what: str, path: Path) -> None:
    """Save the `value` or the `gradient` of the node that is looked at, or the whole `pass`.

    Raises:
        Refused: there is no gradient yet, or the file cannot be written.
    """
    try:
        if what == "pass":
            _save_pass(session, path)
        else:
            _save_array(session, what, path)
    except OSError as error:
        raise Refused(f"cannot be written: {error.strerror} ({path.name})") from None


def _save_array(session: Session, what: str, path: Path) -> None:
    node = session.looked_at
    name = session.labels.short(node)
    if what == "value":
        told, array = "the value", session.graph.value(node)
    else:
        told, array = "the " + session.state_of_grad(node), _grad(session, node)
    with files.replacing(path) as file:
        np.save(file, array, allow_pickle=False)
    kind = f"{numbers.shape(array.shape)} {array.dtype}"
    session.say(f"saved {path.name}: {told} of {name}, {kind}")


def _grad(session: Session, node: int) -> Array:
    grad = session.grad_shown(node)
    if grad is None:
        needs = session.graph.nodes[node].requires_grad
        why = "no gradient has arrived yet" if needs else "it needs no grad"
        raise Refused(f"nothing to save for {session.labels.short(node)}: {why}")
    return grad


def _save_pass(session: Session, path: Path) -> None:
    """Save what `--trace --json` writes; the session stays where it is."""
    try:
        with closing(pass_events(session)) as events, files.replacing(path) as file:
            for event in _with_progress(session, events):
                file.write(json.dumps(event, allow_nan=False).encode() + b"\n")
    except _Interrupted:
        session.say("saving the pass was stopped; nothing has been written")
    else:
        session.say(f"saved {path.name}: all {session.graph.step_count} steps of the pass")


def pass_events(session: Session) -> Generator[Json, None, None]:
    """The events of a trace. Steps that have not been taken are taken, and taken back at the end,
    however that comes; hooks of the user's are called for them now."""
    graph, checked = session.graph, session.checked
    position = graph.position
    try:
        yield facts.graph_event(session.subject.name, graph)
        for index in range(graph.step_count):
            step = graph.taken(index) if index < position else checked.step()
            yield facts.step_event(step, violations=checked.violations(index))
        yield facts.end_event(graph)
    finally:
        while graph.position > position:
            graph.step_back()


def _with_progress(session: Session, events: Iterator[Json]) -> Iterator[Json]:
    """The same events; now and then it is said how far they are, and a key ends it.

    Raises:
        _Interrupted: the user asked for something else.
    """
    due = time.monotonic() + PATIENCE
    for done, event in enumerate(events):
        yield event
        if time.monotonic() > due:
            if session.is_interrupted():
                raise _Interrupted
            session.say(f"saving step {done} of {session.graph.step_count}; any key stops it")
            due = time.monotonic() + PATIENCE
