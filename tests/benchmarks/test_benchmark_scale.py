r"""How opening, stepping, scrolling and searching grow with the number of nodes.

    pytest tests/benchmarks/test_benchmark_scale.py --benchmark-only \
        --benchmark-group-by=func,param:kind --benchmark-columns=median,rounds

Opening is to grow with the number of nodes, the others not at all (a search: with the number of
names).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import engine
from tui.session.engine_graph import EngineGraph
from tui.session.rail.finding import search
from tui.session.session import Session, Subject
from tui.session.view import view_of

SIZES = [100, 1_000, 10_000, 100_000]
SUBJECT = Subject("scale", "many nodes", "Many nodes", "As many as wanted.", "scale.py", ["pass"])
LAYER_NODES = 6
"""A layer of `network` has so many: three operations, a transpose, weight and bias."""


def chain(nodes: int) -> EngineGraph:
    """One operation after the other."""
    root = engine.Tensor(1.0, requires_grad=True)
    with engine.record_origins():
        for _ in range(nodes - 1):
            root = root * 1.0
    return EngineGraph(root)


def waiting(nodes: int) -> EngineGraph:
    """A sum in which half of the nodes are leaves that wait until the end: as many lanes."""
    root = engine.Tensor(1.0, requires_grad=True)
    with engine.record_origins():
        for _ in range(nodes // 2):
            root = engine.Tensor(1.0, requires_grad=True) + root
    return EngineGraph(root)


def network(nodes: int) -> EngineGraph:
    """Layers in blocks, folded at the start where there are many."""
    block = [engine.Linear(1, 1), engine.ReLU()]
    layers = max(1, nodes // LAYER_NODES)
    model = engine.Sequential(*[engine.Sequential(*block) for _ in range(layers)])
    with engine.record_origins():
        root = model(engine.Tensor([[1.0]])).sum()
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return EngineGraph(root, None, names, {id(m): name for name, m in model.named_modules()})


KINDS: dict[str, Callable[[int], EngineGraph]] = {
    "chain": chain,
    "waiting": waiting,
    "network": network,
}


def opened(kind: str, nodes: int) -> Session:
    """A session that has shown the first, the last and the middle part of its rail."""
    session = Session(KINDS[kind](nodes), SUBJECT)
    seen(session)
    session.point(nodes)
    seen(session)
    session.point(nodes // 2)
    seen(session)
    return session


def seen(session: Session) -> dict[str, Any]:
    return view_of(session, 20, 40, 20, both=False, lanes=12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nodes", SIZES)
def test_opening(benchmark: Any, nodes: int, kind: str) -> None:
    """The session and its first frame; the graph itself is the engine's part."""
    graph = KINDS[kind](nodes)
    benchmark.pedantic(lambda: seen(Session(graph, SUBJECT)), rounds=3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nodes", SIZES)
def test_a_step_and_back(benchmark: Any, nodes: int, kind: str) -> None:
    session = opened(kind, nodes)

    def step_and_back() -> None:
        session.next()
        seen(session)
        session.back()
        seen(session)

    benchmark(step_and_back)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nodes", SIZES)
def test_scrolling(benchmark: Any, nodes: int, kind: str) -> None:
    session = opened(kind, nodes)

    rows = len(session.folding)

    def some_pages_on() -> None:
        """To a place where it has not been lately: the rows drawn last are kept."""
        place = session.folding.index_of(session.cursor)
        session.move_cursor(73 if place + 73 < rows else -place)
        seen(session)

    benchmark(some_pages_on)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("nodes", SIZES)
def test_searching(benchmark: Any, nodes: int, kind: str) -> None:
    session = opened(kind, nodes)
    search(session, "*")

    def again() -> None:
        search(session, "")
        seen(session)

    benchmark(again)
