"""Large graphs: what is not seen is not computed. Counted, not timed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pytest
from tui_graphs import chain, graph_of, session_of
from tui_support import text_of, view_of

import engine
from tui.session.engine_graph import EngineGraph
from tui.session.explanation import EDGES_TOLD
from tui.session.labels import Labels
from tui.session.rail import lanes, rail
from tui.session.rail.finding import search
from tui.session.session import Session

ROWS = 20
NODES = 6_000


class Counts:
    """How often what a row needs was computed."""

    def __init__(self) -> None:
        self.rows = self.drawn = self.labels = self.passed = 0


@contextmanager
def counting() -> Iterator[Counts]:
    counts = Counts()

    def counted(name: str, function: object) -> mock.Mock:
        def call(*args: object) -> object:
            setattr(counts, name, getattr(counts, name) + 1)
            return function(*args)  # type: ignore[operator]

        return call  # type: ignore[return-value]

    with (
        mock.patch.object(rail, "row_view", counted("rows", rail.row_view)),
        mock.patch.object(lanes, "_drawn", counted("drawn", lanes._drawn)),
        mock.patch.object(lanes._State, "advance", counted("passed", lanes._State.advance)),
        mock.patch.object(Labels, "full", counted("labels", Labels.full)),
    ):
        yield counts


def sum_of_leaves(nodes: int) -> engine.Tensor:
    """Half of the nodes wait until the end, each on a lane."""
    root = engine.Tensor(1.0, requires_grad=True)
    for _ in range(nodes // 2):
        root = engine.Tensor(1.0, requires_grad=True) + root
    return root


def one_with_many_parents(nodes: int) -> engine.Tensor:
    leaves = [engine.Tensor(1.0, requires_grad=True) for _ in range(nodes // 2)]
    return engine.stack([leaf * 2.0 for leaf in leaves])


@pytest.fixture(params=[chain, sum_of_leaves, one_with_many_parents])
def session(request: pytest.FixtureRequest) -> Session:
    return session_of(graph_of(request.param(NODES)))


def test_a_first_frame_computes_its_rows(session: Session) -> None:
    with counting() as counts:
        view = view_of(session, ROWS, both=False)
    assert len(view["rail"]) == ROWS
    assert (counts.rows, counts.drawn, counts.passed) == (ROWS, ROWS, ROWS)
    assert counts.labels <= ROWS + 2  # the rail's, and those of the step


def test_a_step_computes_the_rows_that_are_seen(session: Session) -> None:
    view_of(session, ROWS)
    session.next()
    with counting() as counts:
        view_of(session, ROWS, both=False)
        session.back()
        view_of(session, ROWS, both=False)
    assert counts.rows == 2 * ROWS
    assert counts.passed <= 2 * ROWS  # lanes do not change by a step


def test_scrolling_goes_on_from_lanes_that_were_kept(session: Session) -> None:
    total = len(session.graph.nodes)
    session.point(total - 1)
    view_of(session, ROWS)
    near = lanes.KEPT_EVERY + NODES // 2 // lanes.LANES_FOR_A_ROW
    for node in (total // 2, total // 3, total - 10, 0):
        session.point(node)
        with counting() as counts:
            view_of(session, ROWS, both=False)
        assert counts.rows == counts.drawn == ROWS
        assert counts.passed <= near + ROWS


def test_what_is_kept_of_the_lanes_takes_no_more_room_than_the_graph(session: Session) -> None:
    session.point(len(session.graph.nodes) - 1)
    view_of(session, ROWS)
    kept = sum(len(ends) for _, ends in session.rail._lanes._kept)
    assert kept <= 16 * len(session.graph.nodes)


def test_a_search_looks_at_each_name_once(session: Session) -> None:
    search(session, "mul" if len(session.finder.matches("mul")) else "add")
    names = session.finder._names()
    assert len(names) < 10
    with counting() as counts:
        search(session, "")
        view_of(session, ROWS, both=False)
    assert counts.rows == ROWS


def test_a_node_with_many_parents_is_told_in_part() -> None:
    session = session_of(graph_of(one_with_many_parents(600)))
    session.next()
    view = view_of(session, ROWS)
    assert len(view["rail"][0]["label"]) < 300
    told = text_of(view["step"])
    assert f"and to {300 - EDGES_TOLD} other arguments" in told
    assert len(told.splitlines()) < 12 * EDGES_TOLD
    session.back()
    for _ in range(201):
        session.into()
    told = text_of(view_of(session, ROWS)["step"])
    assert f"after {101 - EDGES_TOLD} other arguments" in told
    assert "argument 100 " in told
    assert "argument 101 " not in told
    assert len(view_of(session, ROWS)["next"]) < 300


def test_going_into_a_fold_keeps_what_lies_above() -> None:
    model = engine.Sequential(*[engine.Linear(1, 1) for _ in range(400)])
    with engine.record_origins():
        root = model(engine.Tensor([[1.0]])).sum()
    names = {id(p): name for name, p in model.named_parameters()}
    graph = EngineGraph(root, None, names, {id(m): name for name, m in model.named_modules()})
    session = session_of(graph)
    folding = session.folding
    assert len(folding) < len(graph.nodes) / 2
    session.go_to(folding.row(len(folding) // 2).first)
    view_of(session, ROWS)
    with counting() as counts:
        session.into()
        view_of(session, ROWS, both=False)
    assert counts.passed <= lanes.KEPT_EVERY + 2 * ROWS
