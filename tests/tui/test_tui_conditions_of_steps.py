"""Conditions asked of real steps: at which step of a scenario they hold, and what is said of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from tui_graphs import graph_of
from tui_support import session_on

import engine
from tui.session.breaking.condition import Condition
from tui.session.breaking.holding import why
from tui.session.labels import Labels
from tui.session.protocol import StepFacts


def steps_of(scenario: str) -> tuple[Any, Labels, list[StepFacts]]:
    graph = session_on(scenario).graph
    return graph, Labels(graph), [graph.step() for _ in range(graph.step_count)]


def where(scenario: str, text: str) -> list[int]:
    graph, labels, steps = steps_of(scenario)
    condition = Condition(text)
    return [step.index for step in steps if why(condition, graph, labels, step) is not None]


def test_an_edge_s_name_holds_where_any_edge_does() -> None:
    graph, labels, steps = steps_of("first_graph")
    assert why(Condition("contribution == 6"), graph, labels, steps[3]) == (
        "contribution == 6 holds to b"
    )
    assert where("first_graph", "accumulated == 7") == [3]
    # The whole condition is asked of one edge: no edge has both.
    assert where("first_graph", "contribution == 2 and contribution == 6") == []
    assert where("first_graph", "contribution == 2 or contribution == 6") == [3]


def test_at_a_leaf_nothing_holds_of_an_edge() -> None:
    graph, _, steps = steps_of("first_graph")
    inner = [step.index for step in steps if not graph.nodes[step.node].leaf]
    assert where("first_graph", "contribution == contribution") == inner
    assert where("first_graph", "not isnan(accumulated)") == inner
    assert where("first_graph", 'op == "leaf"') == [s.index for s in steps if s.index not in inner]


def test_names_are_those_of_the_rail() -> None:
    assert where("first_graph", 'name in ("b", "d")') == [3, 4]
    graph, labels, _ = steps_of("mlp")
    biases = [i for i in range(graph.step_count) if labels.short(i).endswith(".bias")]
    assert len(biases) == 3
    assert where("mlp", 'name == "*.bias"') == biases
    transposed = where("mlp", 'shape == (784, 64) and dtype == "float32"')
    assert [labels.short(i) for i in transposed] == ["linear1.weight.T"]


def facts_of(root: engine.Tensor) -> tuple[Any, Labels, list[StepFacts]]:
    graph = graph_of(root)
    return graph, Labels(graph), [graph.step() for _ in range(graph.step_count)]


@pytest.mark.parametrize(
    ("make", "flag", "said"),
    [
        (lambda x: engine.log(x).sum(), "inf", "the contribution to leaf 2 has 1 Inf"),
        (lambda x: (engine.log(x) * 0).sum(), "nan", "the contribution to leaf 3 has 1 NaN"),
        (lambda x: (x * 0).sum(), "zero", "the contribution to leaf 2 is 0 throughout"),
    ],
)
def test_flags(make: Any, flag: str, said: str) -> None:
    x = engine.Tensor([0.0, 1.0], requires_grad=True)
    with np.errstate(all="ignore"):
        graph, labels, steps = facts_of(make(x))
    told = [why(Condition(flag), graph, labels, step) for step in steps]
    first = next(filter(None, told))
    assert first == f"{flag} holds: {said}"
    for other in ("mismatch", "changed"):
        assert all(why(Condition(other), graph, labels, step) is None for step in steps)


def test_a_gradient_of_another_dtype_or_shape_than_its_tensor() -> None:
    graph, labels, steps = steps_of("log_chain")
    step = steps[1]
    edge = step.edges[1]
    assert why(Condition("mismatch"), graph, labels, step) is None

    def with_edge(**changes: Any) -> StepFacts:
        return dataclasses.replace(step, edges=(dataclasses.replace(edge, **changes),))

    wrong = with_edge(contribution=edge.contribution.astype(np.float64))
    assert why(Condition("mismatch"), graph, labels, wrong) == (
        "mismatch holds: the contribution to e is float64, its tensor float32"
    )
    wrong = with_edge(accumulated=np.ones((3,), np.float32))
    assert why(Condition("mismatch"), graph, labels, wrong) == (
        "mismatch holds: what e has now is (3,), its tensor (1,)"
    )


def test_a_tensor_of_integers_has_no_mismatch() -> None:
    x = engine.Tensor([1, 2], requires_grad=True)
    graph, labels, steps = facts_of((x * 2.5).sum())
    assert all(why(Condition("mismatch"), graph, labels, step) is None for step in steps)


def test_a_value_that_was_changed_in_place() -> None:
    x = engine.Tensor([1.0, 2.0], requires_grad=True)
    x.grad = None
    with engine.no_grad():
        x.uniform_()  # before the forward pass: nothing is wrong
    loss = (x + 1.0).sum()
    graph, labels, steps = facts_of(loss)
    assert all(why(Condition("changed"), graph, labels, step) is None for step in steps)
    with engine.no_grad():
        x.fill_(3.0)
    said = [why(Condition("changed"), graph, labels, step) for step in steps]
    assert said[0] is None
    assert "fill_" in (said[1] or "")
    assert "fill_" in (said[-1] or "")
