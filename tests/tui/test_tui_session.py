"""The session: moving forwards and backwards in time, and what is to be seen on the way."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_graphs import all_grads, chain, graph_of, session_of, tensors
from tui_support import COMPLETE, REGRESSION, TRAINED, session_on, text_of, view_of, write

from tui.session.session import Session

SMALL = [name for name in COMPLETE if name not in TRAINED]


def press(session: Session, key: str) -> bool:
    return {"n": session.next, "s": session.into, "p": session.back}[key]()


def to_the_end(session: Session, key: str = "n") -> int:
    """Press a key until the end; how often."""
    count = 0
    while press(session, key):
        count += 1
    return count


def states(view: dict[str, Any]) -> str:
    """The states of the rail's rows by their first letters."""
    return "".join(row["state"][0] for row in view["rail"])


# Undoing


@settings(max_examples=60, deadline=None)
@given(
    tensors(most=30) | st.integers(5, 30).map(chain), st.text("ns", max_size=40), st.integers(3, 12)
)
def test_as_many_p_as_presses_bring_every_view_back(root: Any, keys: str, rows: int) -> None:
    session = session_of(graph_of(root))
    before = [(json.dumps(view_of(session, rows)), all_grads(session))]
    for key in keys:
        if press(session, key):
            before.append((json.dumps(view_of(session, rows)), all_grads(session)))
    while len(before) > 1:
        shown, grads = before.pop()
        assert json.loads(json.dumps(view_of(session, rows))) == json.loads(shown)
        assert all_grads(session) == grads
        assert session.back()
    assert (json.dumps(view_of(session, rows)), all_grads(session)) == before[0]
    assert not session.back()


@settings(max_examples=40, deadline=None)
@given(
    tensors(), st.lists(st.sampled_from(["n", "s", "p", "c", "r", "enter", "k", "j"]), max_size=25)
)
def test_any_way_to_a_place_shows_the_same(root: Any, keys: list[str]) -> None:
    session = session_of(graph_of(root))
    for key in keys:
        if key in "nsp":
            press(session, key)
        elif key == "c":
            session.go_to(session.graph.step_count)
        elif key == "r":
            session.start()
        elif key == "enter":
            session.run_to_cursor()
        else:
            session.point(session.cursor + (1 if key == "j" else -1))
        assert 0 <= session.cursor < len(session.graph.nodes)
        assert 0 <= session.done <= session.graph.step_count
        view_of(session)
    done = session.done
    session.go_to(done)
    reached = states(view_of(session, 40)), all_grads(session)
    session.start()
    direct = session_of(graph_of(root))
    direct.go_to(done)
    assert (states(view_of(direct, 40)), all_grads(direct)) == reached


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("key", ["n", "s"])
def test_p_undoes_a_press_cell_for_cell(name: str, key: str) -> None:
    session = session_on(name)
    rows = 9
    while True:
        before = json.dumps(view_of(session, rows))
        if not press(session, key):
            break
        view_of(session, rows)
        session.back()
        assert json.dumps(view_of(session, rows)) == before
        press(session, key)


@pytest.mark.parametrize("name", SMALL)
def test_a_pass_that_was_taken_back_leaves_no_gradient(name: str) -> None:
    session = session_on(name)
    fresh = all_grads(session)
    to_the_end(session)
    ended = all_grads(session)
    session.start()
    assert all_grads(session) == fresh
    to_the_end(session, "s")
    assert all_grads(session) == ended


def test_a_step_that_fails_is_no_press(tmp_path: Path) -> None:
    body = (
        "def f(x):\n    return x * 2\nf_ = wrap_forward_fn(f)\n"
        "BACK_FUNCS.add_back_func(f_, 0, lambda grad_out, out, x: 1 / 0)\n"
        "a = Tensor(1.0, requires_grad=True)\nb = f_(a)\nloss = b * 3.0\n"
    )
    session = session_on(write(tmp_path, body))
    start = json.dumps(view_of(session))
    session.next()
    first = json.dumps(view_of(session))
    for key in "nsn":
        with pytest.raises(RuntimeError, match="ZeroDivisionError"):
            press(session, key)
    assert json.dumps(view_of(session)) == first
    session.back()
    assert json.dumps(view_of(session)) == start


# Jumping


@pytest.mark.parametrize("name", COMPLETE)
def test_run_to_cursor_in_either_direction(name: str) -> None:
    session = session_on(name)
    session.folding.set(())
    last = session.graph.step_count - 1
    for node in (last, 0, last // 2, last, 1):
        session.point(node)
        assert session.run_to_cursor()
        assert (session.done, session.shown, session.cursor) == (node + 1, node, node)
        assert view_of(session)["shown"] == node


def test_run_to_a_node_that_is_no_step(tmp_path: Path) -> None:
    body = "a = Tensor([1.0, 2.0], requires_grad=True)\nk = Tensor([3.0, 4.0])\nloss = a * k\n"
    session = session_on(write(tmp_path, body))
    session.next()
    session.point(2)
    assert not session.run_to_cursor()
    assert (session.done, session.cursor) == (1, 2)


def test_go_to_keeps_within_the_pass() -> None:
    session = session_on("first_graph")
    session.go_to(100)
    assert session.done == 6
    session.go_to(-3)
    assert session.done == 0
    session.point(100)
    assert session.cursor == 5
    session.point(-1)
    assert session.cursor == 0


def test_after_a_jump_p_takes_one_step_back() -> None:
    session = session_on("first_graph")
    session.go_to(4)
    for done in (3, 2, 1, 0):
        assert session.back()
        assert (session.done, session.cursor) == (done, max(0, done - 1))
    assert not session.back()


def test_the_end_and_the_start_are_ends() -> None:
    session = session_on("first_graph")
    assert not session.back()
    assert to_the_end(session) == 6
    ended = json.dumps(view_of(session))
    assert not session.next()
    assert not session.into()
    assert json.dumps(view_of(session)) == ended
    session.back()
    assert session.done == 5


def test_a_moved_cursor_does_not_steer_the_steps() -> None:
    session = session_on("first_graph")
    session.point(4)
    session.next()
    assert (session.shown, session.cursor) == (0, 0)
    session.point(5)
    session.back()
    assert (session.done, session.cursor) == (0, 4)


# Edge by edge


def test_s_shows_formula_then_result_of_each_edge() -> None:
    session = session_on("first_graph")
    session.go_to(3)
    seen = []
    for _ in range(4):
        assert session.into()
        view = view_of(session)
        seen.append((session.done, text_of(view["step"]), states(view)))
    done = [part[0] for part in seen]
    texts = [part[1] for part in seen]
    assert done == [3, 3, 3, 4]
    assert "multiply_back0" in texts[0]
    assert "multiply_back1" not in texts[0]
    assert "?" in texts[0]
    assert "?" not in texts[1]
    assert "a now, complete  2" in texts[1]
    assert "multiply_back1" in texts[2]
    assert texts[2].count("?") == 2
    assert "b now, complete  7" in texts[3]
    assert "Why add?" in texts[3]
    assert "Why add?" not in "".join(texts[:3])


def test_what_is_not_shown_yet_has_not_arrived() -> None:
    session = session_on("first_graph")
    session.go_to(3)
    grads = []
    for _ in range(5):
        rail = view_of(session)["rail"]
        grads.append([(rail[i]["state"], rail[i]["grad"]) for i in (4, 5)])
        session.into()
    unknown = ("waits", "1"), ("waits", "")
    first = ("waits", "1"), ("ready", "2")
    assert grads == [list(pair) for pair in (unknown, unknown, first, first)] + [
        [("ready", "7"), ("ready", "2")]
    ]
    assert view_of(session)["shown"] == 4


def test_counting_contributions_of_one_node_edge_by_edge() -> None:
    session = session_on("shared_parent")
    x = next(n.id for n in session.graph.nodes if n.name == "x")
    square = next(n.id for n in session.graph.nodes if n.name == "square")
    session.go_to(square)
    before = view_of(session)["rail"][x]["note"]
    arrived = int(before.split()[0])
    notes = []
    for _ in range(4):
        session.into()
        notes.append(view_of(session)["rail"][x]["note"])
    assert notes[:2] == [f"{arrived} of 5", f"{arrived + 1} of 5"]
    assert notes[2] == f"{arrived + 1} of 5"
    assert notes[3] == (f"{arrived + 2} of 5" if arrived + 2 < 5 else "")


@pytest.mark.parametrize("name", COMPLETE)
def test_how_many_presses_a_pass_takes(name: str) -> None:
    session = session_on(name)
    graph = session.graph
    steps = graph.step_count
    parents = [[p for p in n.parents if p.node < steps] for n in graph.nodes[:steps]]
    rows = {session.folding.index_of(node) for node in range(steps)}
    assert to_the_end(session) == len(rows)
    session.start()
    assert to_the_end(session, "s") == sum(2 * len(p) if p else 1 for p in parents)


def test_n_finishes_the_node_under_way() -> None:
    session = session_on("first_graph")
    session.into()
    assert session.done == 0
    assert session.next()
    assert (session.done, session.revealed) == (1, None)
    whole = session_on("first_graph")
    whole.next()
    assert view_of(session) == view_of(whole)


def test_the_two_ways_meet_in_the_same_views() -> None:
    one, other = session_on("log_chain"), session_on("log_chain")
    while one.next():
        while other.done < one.done:
            other.into()
        assert view_of(one) == view_of(other)


# The view


@pytest.mark.parametrize("name", COMPLETE)
@pytest.mark.parametrize("rows", [1, 2, 5, 18, 60])
def test_the_view_holds_together(name: str, rows: int) -> None:
    session = session_on(name)
    graph = session.graph
    total, steps = len(graph.nodes), graph.step_count
    for key in ["s"] * 5 + ["n"] * steps:
        view = view_of(session, rows)
        json.dumps(view, allow_nan=False)
        assert (view["steps"], view["total"], view["done"]) == (steps, total, session.done)
        rail = view["rail"]
        assert len(rail) == min(rows, view["rows"])
        ids = [row["id"] for row in rail]
        first = session.folding.index_of(ids[0])
        assert ids == [session.folding.row(first + i).first for i in range(len(rail))]
        assert view["cursor"] in [row["id"] for row in rail]
        for row in rail:
            node = graph.nodes[row["id"]]
            assert row["label"]
            assert row["brief"]
            if not node.requires_grad:
                assert (row["state"], row["grad"]) == ("rests", "")
                continue
            covered = session.folding.row_of(row["id"])
            if row["id"] < session.graph.position:
                shown = covered.first <= view["shown"] <= covered.last
                assert row["state"] == ("shown" if shown else "done")
                assert row["grad"]
            elif row["state"] == "ready":
                assert row["grad"]
            else:
                assert row["state"] == "waits"
                if covered.call is None:
                    assert bool(row["grad"]) == bool(row["note"])
                else:
                    assert row["grad"] or row["note"] == f"{covered.size} nodes"
        ready = [row["id"] for row in rail if row["state"] == "ready"]
        if graph.position < steps and session.revealed is None and graph.position in ids:
            assert graph.position in ready
        assert view["next"]
        assert view["step"]
        press(session, key)


def test_the_rail_scrolls_no_more_than_needed() -> None:
    session = session_on("mlp")
    firsts = []
    for node in range(len(session.graph.nodes)):
        session.point(node)
        first = view_of(session, 8)["rail"][0]["id"]
        firsts.append(session.folding.index_of(first))
    assert firsts[0] == 0
    assert all(0 <= b - a <= 1 for a, b in itertools.pairwise(firsts))
    assert firsts[-1] == len(session.folding) - 8


def test_on_the_step_or_on_another_node() -> None:
    session = session_on("first_graph")
    session.next()
    here = view_of(session, both=False)
    assert here["step"]
    assert here["tensors"] is None
    session.point(3)
    there = view_of(session, both=False)
    assert there["step"] is None
    assert "d = a * b" in text_of(there["tensors"])


def test_the_introduction_is_shown_at_the_start() -> None:
    view = view_of(session_on("first_graph"))
    assert view["step"][0] == ("title", "One tensor used twice", "")
    assert "Look for" in text_of(view["step"])
    assert view["next"] == "node 0, L = d + e. Its grad_out is the seed, 1."


def test_what_comes_next() -> None:
    session = session_on("first_graph")
    session.go_to(4)
    said = view_of(session)["next"]
    assert said == "node 4, b: a leaf that requires grad, so b.grad becomes 7."
    session.go_to(6)
    assert "every step is done" in view_of(session)["next"]


def test_what_comes_next_where_a_leaf_has_a_gradient_already(tmp_path: Path) -> None:
    """A student's own script has called backward(): the pass adds to what is there."""
    body = "a = Tensor(3.0, requires_grad=True)\nloss = a * 2.0\nloss.backward()\n"
    session = session_on(write(tmp_path, body))
    session.next()
    assert "becomes 4" in view_of(session)["next"]
    session.next()
    explained = text_of(view_of(session)["step"])
    assert "a.grad before  2" in explained
    assert "a.grad now  4" in explained


def test_the_source_around_the_cursor() -> None:
    session = session_on("first_graph")
    session.point(3)
    source = view_of(session)["source"]
    line = source["lines"][source["line"] - source["first"]]
    assert line == "d = a * b"
    assert source["filename"] == "first_graph.py"


def test_the_function_that_was_called_last(tmp_path: Path) -> None:
    session = session_on("first_graph")
    session.go_to(4)
    called = view_of(session)["called"]
    assert (called["owner"], called["when"]) == ("engine", "last")
    assert called["lines"][0] == "multiply_back1(grad_out, out, x, y):"
    assert called["lines"][-1].strip() == "return unbroadcast(grad_out * x, y)"
    session.go_to(3)
    session.into()
    assert view_of(session)["called"]["lines"][0].startswith("multiply_back0(")
    body = (
        "def own_back(grad_out, out, x):\n    return grad_out * 2\n"
        "BACK_FUNCS.add_back_func(exp, 0, own_back)\n"
        "a = Tensor(1.0, requires_grad=True)\nloss = exp(a)\n"
    )
    own = session_on(write(tmp_path, body))
    own.next()
    called = view_of(own)["called"]
    assert called["owner"] == "yours"
    assert called["lines"] == ["own_back(grad_out, out, x):", "  return grad_out * 2"]


LOOP = """
x = Tensor([1.0, 2.0])
w = Tensor([3.0, 4.0], requires_grad=True)
opt = SGD([w], lr=0.1)
for _ in range(3):
    opt.zero_grad()
    loss = (w * x * w).sum()
    loss.backward()
    opt.step()
"""


def test_a_loss_that_an_update_has_left_behind_is_told_at_once(tmp_path: Path) -> None:
    session = session_on(write(tmp_path, LOOP))
    first = text_of(view_of(session)["step"]).splitlines()[0]
    assert first.startswith("! SGD.step (line 11) has changed the parameters since this loss was")
    assert "Compute the loss once more" in first


@pytest.mark.parametrize(
    "after",
    ["loss = (w * x * w).sum()\n", "v = Tensor(2.0, requires_grad=True)\nloss = v * v\n"],
)
def test_one_that_is_computed_after_the_loop_is_not(tmp_path: Path, after: str) -> None:
    session = session_on(write(tmp_path, LOOP + after))
    assert "has changed" not in text_of(view_of(session)["step"])


def test_nor_is_that_of_a_training(tmp_path: Path) -> None:
    session = session_on(write(tmp_path, REGRESSION + "training.step()\n"))
    assert "has changed" not in text_of(view_of(session)["step"])
