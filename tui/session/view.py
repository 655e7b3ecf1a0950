"""What there is to see of a session: the rail, the step explained, tensors, source."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from tui.session import numbers
from tui.session.code import called_code, scenario_code
from tui.session.explanation import Item, problem_items
from tui.session.facts import function_name
from tui.session.inspection import inspect_node
from tui.session.rail.folded import about_folded, folded_row, upcoming_row
from tui.session.rail.folding import Row
from tui.session.rail.rail import row_view

if TYPE_CHECKING:
    from tui.session.session import Session

Json = dict[str, Any]

LANES_AT_MOST = 24
"""How many columns of the rail the lanes take where the screen has not said how many fit."""

WATCHES = 8
"""So many watched gradients are shown at most."""


@numbers.each_measured_once()
def view_of(
    session: Session,
    rows: int,
    width: int,
    height: int,
    both: bool,
    lanes: int = LANES_AT_MOST,
    source: bool = True,
) -> Json:
    """All that the stepping screen shows.

    Args:
        session: what is shown.
        rows: how many rows the rail has.
        width: how many columns the pane beside it has.
        height: how many rows that pane has.
        both: whether it shows the tensors of the node under the cursor beside the step.
        lanes: how many columns of the rail the lanes may take.
        source: whether it shows the scenario's lines and the backward function.
    """
    subject, graph = session.subject, session.graph
    on_step = session.on_step
    return {
        "name": subject.name,
        "about": subject.about,
        "done": session.done,
        "steps": graph.step_count,
        "cursor": session.cursor,
        "shown": session.shown,
        "total": len(graph.nodes),
        "rows": len(session.folding),
        "rail": session.rail.view(session, rows, lanes),
        "under_way": session.revealed is not None,
        "step": _step_items(session) if on_step or both else None,
        "tensors": _tensor_items(session, width, height) if not on_step or both else None,
        "next": _upcoming(session),
        "source": scenario_code(subject.filename, subject.source, graph.nodes[session.cursor].line)
        if source
        else None,
        "called": called_code(graph, session.revealed) if source else None,
        "watches": _watches(session),
    }


def tensor_view(session: Session, width: int, height: int) -> Json | None:
    """All that the screen of a tensor shows; None where it is not open."""
    inspector = session.inspector
    if inspector is None:
        return None
    return {
        "name": session.subject.name,
        "done": session.done,
        "steps": session.graph.step_count,
        **inspector.view(width, height, session.chosen.get(inspector.node)),
    }


def _upcoming(session: Session) -> str:
    if session.revealed is None:
        row = session.folding.row_of(session.graph.position)
        if row.call is not None:
            return upcoming_row(row, session.graph.position)
        return session.explainer.upcoming()
    step = session.graph.taken(session.graph.position - 1)
    edge = step.edges[session.revealed // 2]
    if session.revealed % 2:
        return f"s shows what {function_name(edge.backward)} gives; n finishes the step."
    parent = session.labels.called(edge.parent)
    return f"s goes to argument {edge.arg}, {parent}; n finishes the step."


def _step_items(session: Session) -> list[Item]:
    if session.graph.position == 0:
        return session.introduction
    row = session.folding.row_of(session.at)
    if row.call is not None and session.revealed is None:
        items = folded_row(session.graph, session.labels, row)
    else:
        step = session.graph.taken(session.graph.position - 1)
        items = session.explainer.step(step, session.revealed)
    stopped, position = session.stopped, session.graph.position
    if stopped is not None and (stopped.position, None) == (position, session.revealed):
        items[1:1] = [("strong", stopped.at_the_step, "")]
    return [*_problems(session, row.first), *items]


def _problems(session: Session, first: int) -> list[Item]:
    """What was wrong with the steps from the first one on, and what verifying has found wrong
    with their backward functions, above what explains them."""
    problems: list[str] = []
    for step in range(first, session.graph.position):
        problems += session.found_wrong.get(step, {}).values()
        problems += session.checked.problems(step)
    return problem_items(problems)


def _tensor_items(session: Session, width: int, height: int) -> list[Item]:
    row = session.folding.row_of(session.cursor)
    folded = [] if row.call is None else [about_folded(row)]
    items = inspect_node(
        session.graph,
        session.labels,
        session.cursor,
        session.grad_shown(session.cursor),
        width,
        height - len(folded),
    )
    return [*items[:1], *folded, *items[1:]]


def _watches(session: Session) -> Json:
    """The watched nodes, as many as are ever shown, and how many there are."""
    watched = session.breakpoints.watched()
    rows = [
        {
            **row_view(session, Row(node, node, None)),
            "label": session.labels.short(node),
            "mark": "watched",
        }
        for node in itertools.islice(watched, WATCHES)
    ]
    return {"rows": rows, "count": len(watched)}
