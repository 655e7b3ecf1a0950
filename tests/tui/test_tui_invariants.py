"""What has to hold at every step, seen on a student's engine with one mistake each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from student_graph import BREADTH_FIRST, FIRST_GRAPH, StudentGraph
from tui_graphs import graph_of, session_of, tensors
from tui_support import view_of

import engine
from tui.session.checks.invariants import Invariants
from tui.session.labels import Labels
from tui.session.protocol import Array, Graph, Node, Parent


def violations(graph: Graph) -> dict[str, list[str]]:
    """What is violated in a whole pass, by the names of the nodes."""
    labels = Labels(graph)
    invariants = Invariants(graph, labels)
    found = {}
    while graph.position < graph.step_count:
        step = graph.step()
        if problems := invariants.violated(step):
            found[labels.short(step.node)] = problems
    return found


def test_a_right_pass_violates_nothing() -> None:
    assert violations(StudentGraph(FIRST_GRAPH)) == {}
    assert violations(StudentGraph(FIRST_GRAPH, a=5.0, b=-1.0)) == {}


@given(root=tensors())
@settings(max_examples=60, deadline=None)
def test_the_engine_violates_nothing(root: engine.Tensor) -> None:
    assert violations(graph_of(root)) == {}


def test_the_order_of_the_sum_does_not_matter() -> None:
    class Backwards(StudentGraph):
        """Adds the contributions of a node up when it is used, the last one first."""

        came: dict[int, list[Array]]

        def contribution(self, node: Node, parent: Parent, grad_out: Array) -> Array | None:
            found = super().contribution(node, parent, grad_out)
            assert found is not None
            self.came = getattr(self, "came", {})
            self.came.setdefault(parent.node, []).append(found)
            return found

        def grad_out(self, node: int) -> Array:
            terms = self.__dict__.get("came", {}).get(node)
            return np.asarray(sum(reversed(terms))) if terms else super().grad_out(node)

    chain: list[Any] = [("s4", "add", "s3", "p4")]
    for i in (3, 2, 1):
        chain += [
            (f"p{i + 1}", "multiply", "x", f"c{i + 1}"),
            (f"s{i}", "add", f"s{i - 1}", f"p{i}"),
        ]
    chain += [("p1", "multiply", "x", "c1"), ("s0", "multiply", "x", "c0")]
    chain += [(f"c{i}", np.full(3, 10.0**-i / 3)) for i in range(5)] + [("x", np.ones(3))]
    backwards = Backwards(chain)
    assert violations(backwards) == {}
    x = len(chain) - 1
    assert (backwards.grads[x] != backwards.taken(x).grad_out).any(), "no rounding was seen"


def test_breadth_first_order() -> None:
    found = violations(StudentGraph(BREADTH_FIRST))
    assert list(found) == ["a", "b", "e"]
    assert found["b"] == [
        "b is used before all its contributions have come: e (node 5) has not contributed yet. "
        "A node's step comes after the steps of all nodes that use it."
    ]
    assert found["e"] == [
        "the contribution to b, argument 0, is lost: b (node 4) has already been used.",
        "the contribution to a, argument 1, is lost: a (node 3) has already been used.",
    ]


def test_a_leaf_that_is_overwritten() -> None:
    class Overwriting(StudentGraph):
        def store(self, before: Array | None, grad: Array) -> Array:
            return grad

    assert violations(Overwriting(FIRST_GRAPH)) == {}
    assert violations(Overwriting(FIRST_GRAPH, a=5.0)) == {
        "a": [
            "a.grad is not what was there before the pass plus what came: it was overwritten, "
            "not added to; it is 2, and should be 7."
        ]
    }


def test_a_leaf_that_is_not_stored() -> None:
    class Forgetful(StudentGraph):
        def store(self, before: Array | None, grad: Array) -> None:
            return None

    found = violations(Forgetful(FIRST_GRAPH))
    assert found["a"] == ["a.grad is still None: its gradient was not stored."]


def test_a_leaf_that_stores_something_else() -> None:
    class Doubling(StudentGraph):
        def store(self, before: Array | None, grad: Array) -> Array:
            return np.asarray(2 * grad)

    assert violations(Doubling(FIRST_GRAPH))["b"] == [
        "b.grad is not what came; it is 14, and should be 7."
    ]


def test_contributions_that_overwrite_each_other() -> None:
    class Last(StudentGraph):
        def accumulate(self, before: Array | None, contribution: Array) -> Array:
            return contribution

    found = violations(Last(FIRST_GRAPH))
    assert found == {
        "d": [
            "b so far is not the sum of what has come to it: it was overwritten, not added to; "
            "it is 6, and should be 7."
        ],
        "b": [
            "grad_out of b is not the sum of what came from e (node 1), d (node 3): it is 6, and "
            "should be 7."
        ],
    }


def test_a_dropped_contribution() -> None:
    class Dropping(StudentGraph):
        def contribution(self, node: Node, parent: Parent, grad_out: Array) -> Array | None:
            if node.name == "d" and parent.arg == 1:
                return None
            return super().contribution(node, parent, grad_out)

    assert violations(Dropping(FIRST_GRAPH)) == {
        "d": ["nothing is contributed to b, argument 1, although it requires grad."]
    }


def test_a_node_to_which_nothing_came() -> None:
    class Dropping(StudentGraph):
        def contribution(self, node: Node, parent: Parent, grad_out: Array) -> Array | None:
            return None if node.name == "L" else super().contribution(node, parent, grad_out)

    assert violations(Dropping(FIRST_GRAPH))["e"] == [
        "grad_out of e is used, but nothing has come to it."
    ]


def test_a_grad_out_that_is_something_else() -> None:
    class Halving(StudentGraph):
        def grad_out(self, node: int) -> Array:
            whole = super().grad_out(node)
            return whole / 2 if node == 3 else whole

    assert violations(Halving(FIRST_GRAPH)) == {
        "d": [
            "grad_out of d is not the sum of what came from L (node 0): it is 0.5, and should be 1."
        ]
    }


def test_a_contribution_of_the_wrong_shape() -> None:
    class Unsummed(StudentGraph):
        """Does not unbroadcast."""

    graph = Unsummed([("p", "multiply", "x", "y"), ("x", np.ones((2, 3))), ("y", np.ones(3))])
    assert violations(graph) == {
        "p": ["the contribution to y, argument 1, has shape (2,3), but y has shape (3,)."],
        "y": ["grad_out has shape (2,3), but y has shape (3,)."],
    }


def test_one_wrong_element_of_many_is_found_where_it_is() -> None:
    class Slightly(StudentGraph):
        def accumulate(self, before: Array | None, contribution: Array) -> Array:
            whole = super().accumulate(before, contribution)
            if before is not None:
                whole[4, 7] *= 1 + 1e-12
            return whole

    values = np.linspace(1, 2, 100).reshape(10, 10)
    graph = Slightly(
        [("s", "add", "p", "q"), ("p", "multiply", "x", "x"), ("q", "add", "x", "x"), ("x", values)]
    )
    (told,) = violations(graph)["p"]
    assert told.startswith("x so far is not the sum of what has come to it; at [4, 7] it is 2.9")


def hooked() -> engine.Tensor:
    a = engine.Tensor([1.0, 2.0], requires_grad=True)
    a.register_hook(lambda grad: grad * 0.5)
    middle = a * 3
    middle.register_hook(lambda grad: grad * 10)
    return middle.sum() + a.sum()


def test_hooks_may_change_a_gradient() -> None:
    graph = graph_of(hooked())
    assert violations(graph) == {}
    changed = [s for i in range(graph.step_count) if (s := graph.taken(i)).unhooked is not None]
    assert len(changed) == 2
    assert np.array_equal(changed[0].grad_out, changed[0].unhooked * 10)  # type: ignore[operator]


def test_what_is_stored_is_what_the_hooks_gave() -> None:
    root = hooked()
    a = root.parents()[1].parents()[0]
    a.grad = engine.Tensor([1.0, 1.0])
    graph = graph_of(root)
    assert violations(graph) == {}
    assert a.grad is not None
    assert a.grad.tolist() == [16.5, 16.5]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_rounding_and_overflow_are_no_mistakes(dtype: str) -> None:
    x = engine.Tensor(np.linspace(0.1, 1, 50), requires_grad=True, dtype=dtype)
    root = sum((x * (0.1 * i) for i in range(1, 30)), x).sum()
    assert violations(graph_of(root)) == {}
    seed = np.finfo(dtype).max
    y = engine.Tensor(np.ones(2), requires_grad=True, dtype=dtype)
    from tui.session.engine_graph import EngineGraph

    with np.errstate(all="ignore"):
        assert violations(EngineGraph(y + y - y + y, np.full(2, seed, dtype))) == {}


def test_nan_and_inf_are_compared_too() -> None:
    class Cleaning(StudentGraph):
        def grad_out(self, node: int) -> Array:
            return np.nan_to_num(super().grad_out(node))

    tensors = [("p", "multiply", "x", "y"), ("x", [1.0, 2.0]), ("y", [np.nan, np.inf])]
    assert violations(StudentGraph(tensors)) == {}
    (told,) = violations(Cleaning(tensors))["x"]
    assert "it is [0 1.798e308], and should be [NaN Inf]" in told


def test_a_retained_grad_is_checked_as_well() -> None:
    a = engine.Tensor(2.0, requires_grad=True)
    d = a * 3
    d.retain_grad()
    d.grad = engine.Tensor(4.0)
    assert violations(graph_of(d * d)) == {}


def test_a_violation_is_shown_at_its_step_before_everything_else() -> None:
    session = session_of(StudentGraph(BREADTH_FIRST))
    session.go_to(session.graph.step_count)
    session.go_to(3)
    assert "problem" not in {kind for kind, _, _ in view_of(session)["step"]}
    for press in (session.next, session.back, session.into, session.into):
        press()
    kind, text, _ = view_of(session)["step"][0]
    assert kind == "problem"
    assert text.startswith("! b is used before all its contributions have come: e (node 5)")


@pytest.mark.parametrize("order", [FIRST_GRAPH, BREADTH_FIRST])
def test_a_session_shows_another_engine_whatever_its_order(order: Any) -> None:
    session = session_of(StudentGraph(order))
    views = [view_of(session)]
    while session.into():
        views.append(view_of(session))
    while session.back():
        assert view_of(session)["rail"] == views[len(session._presses)]["rail"]
