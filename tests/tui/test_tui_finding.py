"""Search and go to: by name, operation, number, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from tui_graphs import chain, graph_of, session_of
from tui_support import session_on, view_of, write

from tui.errors import Refused
from tui.session.rail.finding import go, search
from tui.session.session import Session


def said(session: Session) -> str:
    return str(session.messages[-1]["text"])


def found(session: Session, pattern: str, times: int = 1) -> list[int]:
    """Where the cursor comes by searching again and again."""
    cursors = []
    for i in range(times):
        search(session, "" if i else pattern)
        cursors.append(session.cursor)
    return cursors


# Search


def test_a_part_of_a_name_in_either_case() -> None:
    session = session_on("mlp")
    assert found(session, "BIAS", 4) == [9, 15, 21, 9]
    assert said(session) == "BIAS: 1 of 3"


def test_an_operation() -> None:
    session = session_on("mlp")
    assert found(session, "matmul", 3) == [10, 16, 22]
    assert found(session, "output.matmul") == [10]
    assert said(session) == "output.matmul: 1 of 1"


def test_a_module_by_its_class_and_its_place() -> None:
    session = session_on("mlp")
    assert found(session, "relu", 2) == [13, 19]
    assert found(session, "relu2") == [13]
    assert found(session, "Linear", 1)[0] > 13


def test_the_whole_name_comes_before_those_that_have_it_in_them() -> None:
    session = session_on("mlp")
    assert found(session, "linear2.weight", 3) == [18, 17, 18]
    assert said(session) == "linear2.weight: 2 of 2"


def test_what_is_shown_as_a_transpose_is_found_as_one() -> None:
    assert found(session_on("mlp"), "weight.T", 3) == [11, 17, 23]


def test_wildcards_stand_for_the_whole_name() -> None:
    session = session_on("mlp")
    assert found(session, "linear?.bias", 3) == [15, 21, 15]
    assert found(session, "l*s", 2) == [21, 0]  # linear1.bias, then loss
    assert found(session, "[ol]*.weight", 3) == [12, 18, 24]


def test_from_the_cursor_on_and_round_again() -> None:
    session = session_on("mlp")
    session.point(16)
    assert found(session, "bias", 2) == [21, 9]
    assert said(session) == "bias: 1 of 3"


def test_a_node_that_needs_no_grad_is_found_too() -> None:
    assert found(session_on("mlp"), "inputs") == [26]


def test_a_match_in_a_folded_row_unfolds_it() -> None:
    session = session_on("mlp")
    assert found(session, "exp") == [6]
    assert 6 in [row["id"] for row in view_of(session)["rail"]]
    folded = session_on("mlp")
    folded.fold_all()
    assert found(folded, "bias", 3) == [9, 15, 21]
    assert folded.folding.row_of(2).size == 6


@pytest.mark.parametrize("pattern", ["nothing like it", "zz*", "[", "a[", "*["])
def test_what_is_not_there_is_refused_and_nothing_moves(pattern: str) -> None:
    session = session_on("mlp")
    session.point(4)
    before = view_of(session)
    with pytest.raises(Refused, match=r"has .* in it"):
        search(session, pattern)
    assert view_of(session) == before


def test_nothing_searched_for_yet() -> None:
    with pytest.raises(Refused, match="type a part"):
        search(session_on("mlp"), "  ")


def test_a_refused_search_does_not_become_the_last_one() -> None:
    session = session_on("mlp")
    search(session, "bias")
    with pytest.raises(Refused):
        search(session, "not there")
    assert found(session, "") == [15]


# Go to


def test_a_number_of_steps() -> None:
    session = session_on("first_graph")
    for steps in (4, 0, 6, 1):
        go(session, f" {steps} ")
        assert (session.done, session.cursor) == (steps, max(0, steps - 1))


def test_the_start_and_the_end() -> None:
    session = session_on("first_graph")
    go(session, "END")
    assert session.done == 6
    go(session, "start")
    assert session.done == 0


@pytest.mark.parametrize(("text", "node"), [("#3", 3), ("d", 3), ("c", 2), ("#0", 0), ("L", 0)])
def test_a_node_by_its_number_or_name(text: str, node: int) -> None:
    session = session_on("first_graph")
    go(session, "end")
    go(session, text)
    assert (session.done, session.shown, session.cursor) == (node + 1, node, node)


def test_a_part_of_a_name_that_is_the_only_one() -> None:
    session = session_on("mlp")
    go(session, "linear2.m")
    assert session.shown == 16


def test_a_step_in_a_folded_row_unfolds_it() -> None:
    for text in ("5", "#4", "log"):
        session = session_on("mlp")
        go(session, text)
        assert (session.done, session.cursor) == (5, 4)
        assert session.folding.row_of(4).call is None
    session = session_on("mlp")
    go(session, "8")
    assert (session.done, session.cursor) == (8, 2)
    assert session.folding.row_of(2).size == 6


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("7", "there are 6 steps: 0 to 6"),
        ("#6", "the nodes are #0 to #5"),
        ("#x", "the nodes are #0 to #5"),
        ("-1", "there are 6 steps: 0 to 6"),
        ("zebra", "nothing is called zebra"),
        ("", "type how many steps"),
        ("add", r"2 are called so: L \(#0\), e \(#1\)"),
    ],
)
def test_a_place_that_is_none_is_refused(text: str, why: str) -> None:
    session = session_on("first_graph")
    go(session, "2")
    before = view_of(session)
    with pytest.raises(Refused, match=why):
        go(session, text)
    assert view_of(session) == before


def test_a_node_that_is_no_step_is_refused(tmp_path: Any) -> None:
    body = "a = Tensor([1.0, 2.0], requires_grad=True)\nk = Tensor([3.0, 4.0])\nloss = a * k\n"
    session = session_on(write(tmp_path, body))
    for text in ("k", "#2"):
        with pytest.raises(Refused, match=r"k .#2. needs no grad"):
            go(session, text)


def test_many_are_counted_and_a_few_named() -> None:
    session = session_of(graph_of(chain(50)))
    with pytest.raises(Refused, match=r"50 are called so: .*, .*, .* \.\.\."):
        go(session, "multiply")
