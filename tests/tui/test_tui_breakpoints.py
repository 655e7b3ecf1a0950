"""Breakpoints, conditions and watches in a session, without a screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tui_graphs import all_grads, chain, graph_of, session_of
from tui_support import session_on, text_of, view_of, write

import engine
from tui.errors import Refused
from tui.session.breaking.breakpoints import Breakpoints
from tui.session.breaking.syntax import ExpressionError
from tui.session.commands import carry_out
from tui.session.session import Session


def do(session: Session, name: str, **more: Any) -> list[str]:
    """Carry out a command; what is said."""
    session.messages.clear()
    carry_out(session, name, {"do": name, **more})
    return [message["text"] for message in session.messages if message["type"] == "notice"]


def page(session: Session) -> str:
    """The list of breakpoints as it is shown."""
    session.messages.clear()
    carry_out(session, "breakpoints", {"do": "breakpoints"})
    (shown,) = session.messages
    assert not shown["update"]
    return text_of(shown["items"])


def marks(session: Session) -> dict[int, str]:
    return {row["id"]: row["mark"] for row in view_of(session, 40)["rail"] if row["mark"]}


def stopping(scenario: str | Path, *stops: str) -> Session:
    session = session_on(scenario)
    for stop in stops:
        session.breakpoints.add_stop(stop)
    return session


# Running


def test_a_node_stops_the_run_before_its_step() -> None:
    session = session_on("first_graph")
    session.point(3)
    assert do(session, "breakpoint") == ["breakpoint on node 3, d"]
    assert marks(session) == {3: "breakpoint"}
    assert do(session, "continue") == ["Stopped before node 3, d: breakpoint"]
    assert (session.done, session.shown, session.cursor) == (3, 2, 2)
    view = view_of(session)
    assert "stopped before node 3, d: breakpoint" in text_of(view["step"])
    assert session.into()  # one can go into its step
    assert session.shown == 3
    assert do(session, "continue") == []
    assert session.done == 6


def test_the_next_run_goes_on_from_a_breakpoint_and_a_run_from_the_start_stops_again() -> None:
    session = stopping("first_graph", "node 3")
    do(session, "continue")
    do(session, "continue")
    assert session.done == 6
    do(session, "start")
    do(session, "continue")
    assert session.done == 3


def test_an_operation_and_a_name_stop_before_each_of_their_nodes() -> None:
    session = stopping("first_graph", "op add", "name [abc]", "name ?")
    assert marks(session) == dict.fromkeys(range(6), "breakpoint")
    session = stopping("mlp", "name *.bias")
    where = []
    while do(session, "continue"):
        where.append(session.done)
    labels = [session.labels.short(node) for node in where]
    assert labels == ["output.bias", "linear2.bias", "linear1.bias"]
    assert session.done == session.graph.step_count
    session = stopping("mlp", "op matmul")
    assert do(session, "continue") == ["Stopped before node 10, output.matmul: op matmul"]


def test_a_condition_stops_after_the_step_and_says_why() -> None:
    session = stopping("first_graph", "contribution > 5")
    assert do(session, "continue") == ["Stopped after node 3: contribution > 5 holds to b: 6 > 5"]
    assert (session.done, session.shown, session.revealed) == (4, 3, None)
    assert "stopped: contribution > 5 holds to b: 6 > 5" in text_of(view_of(session)["step"])


def test_all_that_holds_at_a_stop_is_said() -> None:
    session = stopping("first_graph", "accumulated == 7", "contribution > 5", "node 4")
    (said,) = do(session, "continue")
    assert said == (
        "Stopped after node 3: accumulated == 7 holds to b; contribution > 5 holds to b: 6 > 5; "
        "node 4, b, is next: breakpoint"
    )
    assert do(session, "continue") == []


def test_a_step_that_is_under_way_is_finished_and_asked() -> None:
    session = stopping("first_graph", "contribution > 5")
    for _ in range(3):
        session.next()
    session.into()
    assert session.revealed == 1
    assert do(session, "continue")[0].startswith("Stopped after node 3")
    assert session.revealed is None


def test_back_and_forth_over_a_stop_shows_the_same() -> None:
    session = stopping("first_graph", "contribution > 5")
    do(session, "continue")
    before, grads = view_of(session), all_grads(session)
    session.next()
    assert "stopped" not in text_of(view_of(session)["step"])
    session.back()
    assert (view_of(session), all_grads(session)) == (before, grads)
    session.back()
    assert session.done == 3
    assert "stopped" not in text_of(view_of(session)["step"])
    assert do(session, "continue")[0].startswith("Stopped after node 3")


def test_only_a_run_stops() -> None:
    session = stopping("first_graph", "node 2", "step == 1", "contribution == 1")
    while session.next():
        pass
    session.go_to(0)
    session.point(5)
    do(session, "run_to_cursor")
    assert session.done == 6
    assert not session.messages


def test_what_cannot_be_computed_stops_the_run_and_is_said() -> None:
    session = stopping("mlp", "grad_out + contribution > 1000")
    (said,) = do(session, "continue")
    assert said == (
        "Stopped after node 3: grad_out + contribution > 1000 cannot be computed: "
        "grad_out (64,) and contribution (64,10) do not broadcast"
    )
    assert session.done == 4


def test_the_first_nan_is_found(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "t = Tensor([-1.0, 0.0, 1.0], requires_grad=True)\n"
        "r = sqrt(t)\nkept = where(t.array > 0, r, 0.0)\nloss = kept.sum()\n",
    )
    with np.errstate(all="ignore"):
        session = stopping(path, "nan")
        (said,) = do(session, "continue")
    assert said == "Stopped after node 2: nan holds: the contribution to t has 2 NaN"


CHANGED = """x = Tensor([1.0, 2.0], requires_grad=True)
y = x * x
loss = y.sum()
with no_grad():
    x.fill_(5.0)
"""


def test_a_change_in_place_stops_before_the_step_that_the_engine_refuses(tmp_path: Path) -> None:
    session = stopping(write(tmp_path, CHANGED), "changed")
    (said,) = do(session, "continue")
    assert said.startswith("Stopped before node 1, y: changed holds: its argument 0: fill_ (")
    assert "line 7) changed it in place" in said
    with pytest.raises(engine.BackwardError):
        do(session, "continue")
    assert session.done == 1


def test_a_change_that_the_engine_does_not_refuse_is_told_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = stopping("first_graph", "changed")
    monkeypatch.setattr(session.graph, "changed", {3: "its value is another"}.get)
    assert do(session, "continue") == [
        "Stopped before node 3, d: changed holds: its value is another"
    ]
    assert do(session, "continue") == []
    assert session.done == 6
    monkeypatch.setattr(session.graph, "changed", {0: "its value is another"}.get)
    session.start()
    assert do(session, "continue") == ["Stopped after node 0: changed holds: its value is another"]


def test_what_is_asked_before_a_step_is_asked_after_it_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = stopping("first_graph", "changed or step == 2")
    monkeypatch.setattr(session.graph, "changed", {1: "its value is another"}.get)
    where = []
    while do(session, "continue"):
        where.append(session.done)
    assert where == [1, 2]  # before node 1, then before node 2; neither is told again after it
    x = engine.Tensor([1.0, 2.0], requires_grad=True)
    session = session_of(graph_of((x * 0.0).sum()))
    session.breakpoints.add_stop("changed or zero")
    (said,) = do(session, "continue")
    assert said.startswith("Stopped after node 1: changed or zero holds: the contribution to ")
    assert said.endswith(
        "is 0 throughout; node 2, leaf 2, is next: changed or zero holds: grad_out is 0 throughout"
    )


def test_a_run_with_nothing_to_stop_at_goes_to_the_end() -> None:
    session = stopping("first_graph", "isnan(grad_out)", 'op == "log"')
    assert do(session, "continue") == []
    assert session.done == 6
    assert do(session, "continue") == []


def test_a_run_can_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.session import patience

    monkeypatch.setattr(patience, "BETWEEN_SIGNS", 0)
    session = session_of(graph_of(chain(150)))
    session.is_interrupted = lambda: session.graph.position >= 100
    do(session, "continue")
    assert session.done == 100


def test_a_breakpoint_is_found_in_a_long_chain() -> None:
    with np.errstate(over="ignore"):
        session = session_of(graph_of(chain(20_000)))
        session.breakpoints.toggle_stop(15_000)
        do(session, "continue")
    assert session.done == 15_000


# Setting


def test_b_sets_and_takes_away() -> None:
    session = session_on("first_graph")
    session.point(4)
    do(session, "breakpoint")
    assert marks(session) == {4: "breakpoint"}
    assert do(session, "breakpoint") == ["no breakpoint any more on node 4, b"]
    assert marks(session) == {}
    assert session.breakpoints.breakpoints == []


def test_a_node_that_is_no_step_has_neither_breakpoint_nor_watch() -> None:
    session = session_on("mlp")
    session.point(len(session.graph.nodes) - 1)
    for command in ("breakpoint", "watch"):
        (said,) = do(session, command)
        assert "needs no grad" in said
    assert not marks(session)


def test_a_condition_is_typed() -> None:
    session = session_on("first_graph")
    assert do(session, "change_breakpoints", text=" contribution > 5 ") == [
        "c stops after a step where contribution > 5 holds"
    ]
    assert do(session, "change_breakpoints", text="op add") == ["c stops before op add"]
    assert do(session, "change_breakpoints", text="3") == ["c stops before node d"]
    assert do(session, "change_breakpoints", text="op ad") == [
        "c stops before op ad, not in this graph"
    ]
    assert do(session, "change_breakpoints", text="-4") == ["removed: op ad"]
    assert "  1  contribution > 5\n  2  op add\n  3  node 3, d\n" in page(session)


def test_the_list_says_what_the_graph_has_not() -> None:
    session = session_on("first_graph")
    session.breakpoints.add_stop("op matmull")
    session.breakpoints.add_stop("op m*")
    session.breakpoints.add_watch("name w?")
    lines = page(session).splitlines()
    assert lines[:3] == [
        "  1  op matmull, not in this graph",
        "  2  op m*",
        "  3  watch name w?, not in this graph",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("norm(gradout) > 1", "there is no name gradout; did you mean grad_out?"),
        ("6", "there is no node 6; the last one is 5"),
        ("node d", "a node is given by its number; for its name write: name d"),
        ("d", "write name d to stop before the node of that name"),
        ("multiply", "write op multiply to stop before each such node"),
        ("loss > 3", "a loss stops a training: t, then b there"),
        ("", "a condition is missing"),
        ("-1", "there is no number 1: there are none"),
        ("!7", "there is no number 7"),
    ],
)
def test_what_cannot_be_typed_is_refused(text: str, message: str) -> None:
    session = session_on("first_graph")
    with pytest.raises(Refused) as raised:
        carry_out(session, "change_breakpoints", {"text": text})
    assert message in str(raised.value)
    assert session.breakpoints.breakpoints == []


def test_nothing_is_added_twice() -> None:
    session = stopping("first_graph", "nan", "node 3", "op add")
    for text in ("nan", "3", "op add"):
        with pytest.raises(Refused, match="is there already"):
            session.breakpoints.add_stop(text)


def test_entries_are_switched_off_and_on_and_removed_by_their_numbers() -> None:
    session = stopping("first_graph", "node 3", "contribution > 5")
    session.point(4)
    do(session, "watch")
    assert do(session, "change_breakpoints", text="!1") == ["switched off: node d"]
    assert marks(session) == {3: "off", 4: "watched"}
    assert "  1  node 3, d, off\n" in page(session)
    assert do(session, "continue")[0].startswith("Stopped after node 3")
    assert do(session, "change_breakpoints", text="! 1") == ["switched on: node d"]
    assert do(session, "change_breakpoints", text="-2") == ["removed: contribution > 5"]
    with pytest.raises(Refused, match="2 is a watch; -2 removes it"):
        carry_out(session, "change_breakpoints", {"text": "!2"})
    do(session, "change_breakpoints", text="-2")
    assert marks(session) == {3: "breakpoint"}
    assert "watch" not in page(session).partition("\n\n")[0]


def test_an_open_list_shows_what_has_changed() -> None:
    session = session_on("first_graph")
    session.messages.clear()
    carry_out(session, "change_breakpoints", {"text": "nan"})
    (shown,) = [message for message in session.messages if message["type"] == "page"]
    assert shown["update"]
    assert "  1  nan\n" in text_of(shown["items"])


def test_the_list_says_how_often_each_has_stopped() -> None:
    session = stopping("first_graph", "op add", "contribution == 1", "nan")
    assert page(session).startswith("  1  op add\n  2  contribution == 1\n  3  nan\n")
    do(session, "continue")
    do(session, "continue")
    listed = page(session).splitlines()
    assert listed[0] == "  1  op add, stopped 1 time"
    assert listed[1] == "  2  contribution == 1, stopped 2 times"
    assert listed[2] == "  3  nan"


# Watches


def test_watched_gradients_are_shown_all_the_time() -> None:
    session = session_on("first_graph")
    session.point(4)
    assert do(session, "watch") == []
    assert marks(session) == {4: "watched"}

    def watched() -> list[tuple[str, str, str]]:
        rows = view_of(session)["watches"]["rows"]
        return [(row["label"], row["note"], row["grad"]) for row in rows]

    assert watched() == [("b", "", "")]
    session.go_to(2)
    assert watched() == [("b", "1 of 2", "1")]
    session.go_to(6)
    assert watched() == [("b", "", "7")]
    session.point(5)
    do(session, "watch")
    assert [label for label, _, _ in watched()] == ["b", "a"]
    session.point(4)
    assert do(session, "watch") == ["node 4, b, is watched no more"]
    assert [label for label, _, _ in watched()] == ["a"]


def test_a_watch_by_name_covers_all_of_that_name() -> None:
    session = session_on("mlp")
    session.breakpoints.add_watch("*")
    watches = view_of(session)["watches"]
    assert watches["count"] == session.graph.step_count
    assert 0 < len(watches["rows"]) < watches["count"]
    with pytest.raises(Refused, match="name \\* is watched"):
        session.breakpoints.toggle_watch(3)
    session.breakpoints.remove(1)
    assert view_of(session)["watches"] == {"rows": [], "count": 0}


def test_a_node_can_be_both() -> None:
    session = stopping("first_graph", "node 3")
    session.breakpoints.toggle_watch(3)
    assert marks(session) == {3: "both"}
    session.breakpoints.switch(1)
    assert marks(session) == {3: "watched"}


# From one graph to the next


def test_breakpoints_find_their_nodes_in_the_file_read_afresh(tmp_path: Path) -> None:
    before = "a = Tensor(2.0, requires_grad=True)\nb = a * a\nc = log(b)\nloss = c + a\n"
    session = stopping(write(tmp_path, before), "nan", "node 1")
    breakpoints = session.breakpoints
    breakpoints.toggle_watch(3)
    assert session.labels.short(1) == "c"
    assert session.labels.short(3) == "a"

    after = before.replace("loss = c + a", "d = c * 2\nloss = d + a")
    changed = session_on(write(tmp_path, after))
    again = Session(changed.graph, changed.subject, breakpoints)
    assert {again.labels.short(node): mark for node, mark in marks(again).items()} == {
        "c": "breakpoint",
        "a": "watched",
    }

    gone = session_on(write(tmp_path, "x = Tensor(2.0, requires_grad=True)\nloss = x * x\n"))
    without = Session(gone.graph, gone.subject, breakpoints)
    assert marks(without) == {}
    assert "  2  node c, not in this graph" in page(without)
    assert "  3  watch node a, not in this graph" in page(without)
    assert do(without, "continue") == []


def test_of_nodes_that_are_alike_the_same_one_is_meant() -> None:
    session = session_of(graph_of(chain(30)))
    session.breakpoints.toggle_stop(7)
    other = session_of(graph_of(chain(30)))
    again = Session(other.graph, other.subject, session.breakpoints)
    assert marks(again) == {7: "breakpoint"}


def test_a_change_is_told_to_whoever_remembers() -> None:
    session = session_on("first_graph")
    breakpoints = session.breakpoints
    told = []
    breakpoints.on_change = lambda: told.append(len(breakpoints.breakpoints))
    breakpoints.add_stop("nan")
    breakpoints.toggle_stop(3)
    breakpoints.switch(1)
    breakpoints.remove(1)
    breakpoints.toggle_stop(3)
    assert told == [1, 2, 2, 1, 0]
    with pytest.raises(ExpressionError):
        breakpoints.add_stop("norm(")
    breakpoints.toggle_watch(2)
    breakpoints.toggle_watch(2)
    assert len(told) == 7


def test_a_session_without_breakpoints_has_its_own() -> None:
    root = engine.Tensor(1.0, requires_grad=True) * 2.0
    first, second = session_of(graph_of(root)), session_of(graph_of(root))
    first.breakpoints.add_stop("nan")
    assert second.breakpoints.breakpoints == []
    assert isinstance(Breakpoints().breakpoints, list)
