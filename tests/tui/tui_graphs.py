"""Random graphs for the tests of the session."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

import engine
from tui.session.engine_graph import EngineGraph
from tui.session.session import Session, Subject

SHAPES = [(), (3,), (2, 3), (1,), (2, 1)]

UNARY = [engine.negative, engine.exp, engine.relu, lambda x: x.sum(), lambda x: x * 0.5]
BINARY = [engine.add, engine.multiply, engine.subtract, engine.maximum]


@st.composite
def tensors(draw: st.DrawFn, most: int = 14) -> engine.Tensor:
    """The root of a random graph that requires grad: shared parents, broadcasting, constants."""
    made: list[engine.Tensor] = []
    for i in range(draw(st.integers(1, 4))):
        shape = draw(st.sampled_from(SHAPES))
        values = np.random.default_rng(draw(st.integers(0, 99))).normal(0, 0.5, shape)
        made.append(engine.Tensor(values, requires_grad=i == 0 or draw(st.booleans())))
    for _ in range(draw(st.integers(0, most))):
        pick = st.sampled_from(made[-6:])
        if draw(st.booleans()):
            made.append(draw(st.sampled_from(UNARY))(draw(pick)))
        else:
            made.append(draw(st.sampled_from(BINARY))(draw(pick), draw(pick)))
    root = made[-1]
    return root if root.requires_grad else engine.add(root, made[0])


@st.composite
def networks(draw: st.DrawFn, most: int = 8) -> engine.Tensor:
    """The root of a random graph that was made in calls inside calls, some with steps of others
    between theirs, with parameters of modules."""
    made = [engine.Tensor([1.0, 2.0], requires_grad=True)]
    layers = [engine.LayerNorm(2) for _ in range(2)]

    @engine.composite
    def block(depth: int) -> engine.Tensor:
        result = made[-1]
        for _ in range(draw(st.integers(1, 4))):
            kind = draw(st.sampled_from(["one", "two", "layer", "block"]))
            pick = st.sampled_from(made[-4:])
            if kind == "block" and depth:
                result = block(depth - 1)
            elif kind == "layer":
                result = draw(st.sampled_from(layers))(draw(pick))
            elif kind == "one":
                result = engine.exp(draw(pick))
            else:
                result = engine.multiply(draw(pick), draw(pick))
            made.append(result)
        return result

    with np.errstate(all="ignore"), engine.record_origins():
        for _ in range(draw(st.integers(1, most))):
            block(draw(st.integers(0, 2)))
        return made[-1] + made[-2].sum()


def chain(length: int) -> engine.Tensor:
    """The root of a graph that needs scrolling."""
    root = engine.Tensor(0.5, requires_grad=True)
    for _ in range(length):
        root = root * 1.5
    return root


def graph_of(root: engine.Tensor, names: dict[int, str] | None = None) -> EngineGraph:
    return EngineGraph(root, None, names or {})


def session_of(graph: Any) -> Session:
    subject = Subject("random", "a graph", "A graph", "Of any kind.", "random.py", ["pass"] * 3)
    return Session(graph, subject)


def all_grads(session: Session) -> list[tuple[Any, ...]]:
    """Bit for bit what is known of every gradient, in the pass and stored."""
    graph = session.graph
    return [
        tuple(
            None if grad is None else (grad.shape, grad.dtype.str, grad.tobytes())
            for grad in (graph.grad(node.id), graph.stored_grad(node.id))
        )
        for node in graph.nodes
    ]
