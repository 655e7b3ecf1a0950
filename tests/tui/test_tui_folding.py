"""Which nodes stand in a row: what is folded at the start, by f, by F, and back."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_graphs import all_grads, graph_of, networks, session_of, tensors
from tui_support import load, session_on, text_of, view_of, write

import engine
from tui.session.engine_graph import EngineGraph
from tui.session.opening import open_graph
from tui.session.rail.folding import MANY_ROWS, Folding
from tui.session.session import Session

BLOCKS = """
@composite
def squash(x):
    return exp(x) * 0.5 + 1.0
class Block(Module):
    def __init__(self):
        super().__init__()
        self.inner = Linear(2, 2)
        self.act = ReLU()
    def forward(self, x):
        return x + squash(self.act(self.inner(x)))
model = Sequential(*[Block() for _ in range({blocks})])
x = Tensor([[1.0, 2.0]], requires_grad=True)
loss = model(x).sum()
"""


def rows(folding: Folding, steps: int) -> list[str]:
    """The rows with steps: a folded one as its path and its size."""
    found = []
    for index in range(len(folding)):
        row = folding.row(index)
        if row.first < steps:
            found.append(f"{row.call.path} {row.size}" if row.call else str(row.first))
    return found


def folded(session: Session) -> list[str]:
    return rows(session.folding, session.graph.step_count)


def labels(session: Session, count: int = 40) -> list[str]:
    return [row["label"] for row in view_of(session, count)["rail"]]


# The rows


@settings(max_examples=80, deadline=None)
@given(networks(), st.randoms(use_true_random=False))
def test_the_rows_hold_every_node_once_and_in_order(root: Any, random: Random) -> None:
    graph = graph_of(root)
    folding = Folding(graph)
    for _ in range(8):
        nodes = []
        for index in range(len(folding)):
            row = folding.row(index)
            assert (row.call is None) == (row.size == 1)
            for node in range(row.first, row.last + 1):
                assert folding.row_of(node) == row
                assert folding.index_of(node) == index
                nodes.append(node)
        assert nodes == list(range(len(graph.nodes)))
        # What was done step by step is what is done afresh.
        other = Folding(graph)
        other.set(())
        other.set(folding.folded)
        assert other.runs == folding.runs
        if random.random() < 0.2:
            folding.toggle_all()
        elif random.random() < 0.3:
            node = random.randrange(graph.step_count)
            folding.reveal(node)
            assert folding.row_of(node).call is None
        else:
            folding.toggle(random.randrange(graph.step_count))


@settings(max_examples=80, deadline=None)
@given(networks())
def test_a_gradient_never_goes_up_in_the_rows(root: Any) -> None:
    """The graph of the rows has no cycle, whatever is folded."""
    graph = graph_of(root)
    folding = Folding(graph)
    folding.toggle_all()
    for node in graph.nodes[: graph.step_count]:
        for parent in node.parents:
            assert folding.index_of(parent.node) >= folding.index_of(node.id)


@settings(max_examples=60, deadline=None)
@given(networks())
def test_f_twice_is_as_before(root: Any) -> None:
    folding = Folding(graph_of(root))
    for node in range(len(folding)):
        before = folding.folded, folding.runs
        if folding.row_of(node).call is None and folding.toggle(node):
            assert folding.row_of(node).call is not None
            assert folding.toggle(node)
            assert (folding.folded, folding.runs) == before


def test_functions_are_folded_at_the_start_and_modules_where_there_are_many_rows(
    tmp_path: Any,
) -> None:
    few = open_graph(load(write(tmp_path, BLOCKS.format(blocks=2), "few.py")))
    assert rows(Folding(few), few.step_count)[:4] == ["0", "1", "1.squash 3", "5"]
    assert {run.call.module for run in Folding(few).runs if run.call} == {None}
    many = open_graph(load(write(tmp_path, BLOCKS.format(blocks=12), "many.py")))
    assert many.step_count > MANY_ROWS
    assert rows(Folding(many), many.step_count)[:3] == ["0", "11 10", "10 10"]


def test_a_parameter_belongs_to_the_only_call_of_its_module() -> None:
    graph = open_graph(load("mlp"))
    folding = Folding(graph)
    folding.toggle_all()
    assert rows(folding, graph.step_count) == [
        "0",
        "1",
        "cross_entropy 6",
        "output 5",
        "13",
        "linear2 5",
        "19",
        "linear1 5",
    ]


def test_a_parameter_of_two_calls_belongs_to_neither() -> None:
    layer = engine.Linear(2, 2)
    with engine.record_origins():
        root = layer(layer(engine.Tensor([1.0, 2.0]))).sum()
    names = {id(p): f"layer.{name}" for name, p in layer.named_parameters()}
    graph = EngineGraph(root, None, names, {id(layer): "layer"})
    folding = Folding(graph)
    folding.toggle_all()
    shared = {n.id for n in graph.nodes if n.name in names.values()}
    assert len(shared) == 2
    assert all(folding.row_of(node).call is None for node in shared)
    assert [run.call.path for run in folding.runs if run.call] == ["layer", "layer (2)"]


def test_a_call_whose_steps_do_not_follow_each_other_has_several_rows() -> None:
    @engine.composite
    def pair(a: engine.Tensor, b: engine.Tensor) -> engine.Tensor:
        return engine.exp(engine.exp(a)) * engine.exp(engine.exp(b))

    a, b = (engine.Tensor(1.0, requires_grad=True) for _ in range(2))
    with engine.record_origins():
        root = pair(a * 2.0, b * 3.0) + 1.0
    graph = graph_of(root)
    folding = Folding(graph)
    assert rows(folding, graph.step_count) == ["0", "pair 3", "4", "5", "pair 2", "8", "9"]
    assert folding.toggle(6)
    assert len(folding) == len(graph.nodes)


# In a session


def test_a_network_in_a_network_unfolds_by_one_level(tmp_path: Any) -> None:
    session = session_on(write(tmp_path, BLOCKS.format(blocks=12)))
    session.point(1)
    session.fold()
    assert folded(session)[:6] == ["0", "1", "11.squash 3", "5", "11.inner 5", "10 10"]
    session.point(2)
    session.fold()
    assert folded(session)[1:6] == ["1", "2", "3", "4", "5"]
    session.point(3)
    session.fold()
    assert folded(session)[2] == "11.squash 3"
    session.point(5)
    session.fold()
    assert folded(session)[:3] == ["0", "11 10", "10 10"]
    assert session.cursor == 1


def test_folding_all_and_unfolding_all() -> None:
    session = session_on("mlp")
    assert labels(session)[2] == "+ cross_entropy"
    session.fold_all()
    assert [row for row in labels(session) if row.startswith("+")] == [
        "+ cross_entropy",
        "+ output Linear",
        "+ linear2 Linear",
        "+ linear1 Linear",
    ]
    session.fold_all()
    assert len(view_of(session, 40)["rail"]) == 27
    assert not [row for row in labels(session) if row.startswith("+")]


def test_where_there_is_nothing_to_fold_it_is_said() -> None:
    session = session_on("first_graph")
    session.fold()
    session.fold_all()
    assert [message["text"] for message in session.messages] == [
        "node 0 is in no module or function that can be folded",
        "there is no module or function to fold",
    ]


def test_the_first_rows_of_the_mlp() -> None:
    rail = view_of(session_on("mlp"), 20)["rail"]
    assert [row["id"] for row in rail] == [0, 1, 2, *range(8, 25)]
    assert [row["lanes"] for row in rail[:5]] == ["*", "*", "*", "*─╮", "│ *"]
    function = rail[2]
    assert (function["state"], function["shape"], function["note"]) == ("waits", "(64,)", "6 nodes")


def test_n_takes_all_steps_of_a_row_and_p_takes_them_back() -> None:
    session = session_on("mlp")
    session.next()
    session.next()
    before = view_of(session), all_grads(session)
    session.next()
    view = view_of(session)
    assert (session.done, session.cursor, view["shown"]) == (8, 2, 7)
    row = view["rail"][2]
    assert (row["state"], row["note"], bool(row["grad"])) == ("shown", "", True)
    told = text_of(view["step"])
    assert "nodes 2 to 7, just done" in told
    assert "7 subtract 7" in told
    assert "output.add now, complete" in told
    session.back()
    assert (view_of(session), all_grads(session)) == before


def test_s_goes_into_a_row_and_p_folds_it_again() -> None:
    session = session_on("mlp")
    session.next()
    session.next()
    assert view_of(session)["next"] == (
        "nodes 2 to 7, cross_entropy: n takes all 6, s goes into them."
    )
    before = view_of(session)
    session.into()
    view = view_of(session)
    assert [row["id"] for row in view["rail"][:5]] == [0, 1, 2, 3, 4]
    assert "node 2, under way" in text_of(view["step"])
    session.back()
    assert view_of(session) == before


def test_a_row_that_is_done_in_part() -> None:
    session = session_on("mlp")
    session.go_to(4)
    view = view_of(session)
    assert (view["rail"][2]["state"], view["rail"][2]["note"]) == ("shown", "2 of 6")
    assert "2 of 6 done" in text_of(view["step"])
    assert view["next"] == "nodes 4 to 7, cross_entropy: n takes all 4, s goes into them."
    session.next()
    assert session.done == 8
    session.back()
    assert view_of(session) == view
    session.back()
    assert session.done == 2


def test_the_tensors_of_a_row_are_those_of_its_output() -> None:
    session = session_on("mlp")
    session.next()
    session.point(5)
    assert session.cursor == 2
    told = text_of(view_of(session)["tensors"])
    assert "the output of cross_entropy: 6 nodes, f unfolds them" in told
    assert "node 2" in told


def test_run_to_a_row_runs_to_its_end() -> None:
    session = session_on("mlp")
    session.point(2)
    assert session.run_to_cursor()
    assert (session.done, session.cursor) == (8, 2)
    session.point(0)
    session.run_to_cursor()
    assert session.done == 1


def test_the_cursor_moves_by_rows() -> None:
    session = session_on("mlp")
    seen = []
    for _ in range(4):
        seen.append(session.cursor)
        session.move_cursor(1)
    assert seen == [0, 1, 2, 8]
    session.move_cursor(-3)
    assert session.cursor == 1
    session.move_cursor(100)
    assert session.cursor == 26
    session.move_cursor(-100)
    assert session.cursor == 0


def test_the_cursor_stays_on_the_step_when_its_row_is_unfolded() -> None:
    session = session_on("mlp")
    session.go_to(8)
    session.fold()
    assert (session.cursor, session.shown) == (7, 7)
    session.fold()
    assert session.cursor == 2


@settings(max_examples=50, deadline=None)
@given(
    networks() | tensors(),
    st.lists(st.sampled_from(["n", "s", "n", "s", "f", "F", "j", "k"]), max_size=30),
)
def test_p_undoes_presses_over_folds_cell_for_cell(root: Any, keys: list[str]) -> None:
    session = session_of(graph_of(root))
    press = {"n": session.next, "s": session.into}
    before = []
    for key in keys:
        if key in press:
            seen = view_of(session, 7), all_grads(session)
            if press[key]():
                before.append(seen)
        elif key in "fF":
            (session.fold if key == "f" else session.fold_all)()
        else:
            session.move_cursor(1 if key == "j" else -1)
        shown = view_of(session, 7)
        assert shown["cursor"] in [row["id"] for row in shown["rail"]]
    while before:
        assert session.back()
        assert (view_of(session, 7), all_grads(session)) == before.pop()
    assert not session.back()


def test_a_step_that_fails_in_a_row_leaves_what_was_taken(tmp_path: Any) -> None:
    body = (
        "def f(x):\n    return x * 2\nf_ = wrap_forward_fn(f)\n"
        "BACK_FUNCS.add_back_func(f_, 0, lambda grad_out, out, x: 1 / 0)\n"
        "@composite\ndef g(x):\n    return exp(f_(exp(x)))\n"
        "a = Tensor(1.0, requires_grad=True)\nloss = g(a) * 3.0\n"
    )
    session = session_on(write(tmp_path, body))
    session.next()
    before = view_of(session)
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        session.next()
    assert session.done == 2
    assert view_of(session)["rail"][1]["note"] == "1 of 3"
    session.back()
    assert view_of(session) == before


def test_a_run_stops_in_a_folded_row_and_unfolds_it() -> None:
    session = session_on("mlp")
    session.breakpoints.toggle_stop(5)
    assert view_of(session)["rail"][2]["mark"] == "breakpoint"
    while session.run_on():
        pass
    assert (session.done, session.cursor) == (5, 4)
    assert session.folding.row_of(4).call is None
    assert [row["mark"] for row in view_of(session)["rail"][2:7]] == ["", "", "", "breakpoint", ""]


def test_why_a_run_stopped_is_told_of_a_folded_row_too() -> None:
    session = session_on("mlp")
    session.breakpoints.add_stop("step == 7")
    while session.run_on():
        pass
    assert session.stopped
    assert session.done == 8
    view = view_of(session)
    assert "nodes 2 to 7, just done" in text_of(view["step"])
    assert session.stopped.at_the_step in text_of(view["step"])
