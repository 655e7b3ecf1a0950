"""What is typed for where a training stops, and the list of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from breaks_support import LONGER, break_at, do, run, session_for, session_on, undisturbed
from tui_support import load, text_of, write

from tui.errors import Refused
from tui.session.breaking.breakpoints import Breakpoints
from tui.session.labels import Labels
from tui.session.opening import open_graph
from tui.session.training.breaks import AtBatch, Compared, NotFinite, Rise, parse

# What is typed


def test_what_is_not_in_the_graph_is_said_to_be_elsewhere(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    assert (
        break_at(session, "op relu")
        == "c is slower now, and stops before op relu, not in this graph"
    )
    assert break_at(session, "op matmul") == "c is slower now, and stops before op matmul"
    assert break_at(session, "name nothing*").endswith(", not in this graph")


DRAWS = (
    LONGER
    + """
from engine import dropout
plain = training.loss_fn
training.loss_fn = lambda out, y: plain(dropout(out, 0.5), y)
"""
)


@pytest.mark.parametrize("text", ["node 0", "op matmul", "op relu"])
def test_looking_for_a_node_leaves_no_trace_in_the_training(tmp_path: Path, text: str) -> None:
    whole = undisturbed(tmp_path, DRAWS)
    session = session_for(tmp_path, DRAWS)
    break_at(session, text)
    break_at(session, "-1")
    assert run(session) == ""
    assert session.training.losses == whole


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("200", AtBatch(200)),
        (" batch 7 ", AtBatch(7)),
        ("nan", NotFinite()),
        ("NaN", NotFinite()),
        ("rise 2", Rise(2)),
        ("rises by 1.5", Rise(1.5)),
        ("loss > 3", Compared(">", 3)),
        ("loss<=1e-3", Compared("<=", 1e-3)),
        ("node 12", 12),
    ],
)
def test_what_can_be_typed(text: str, what: object) -> None:
    assert parse(text) == what


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("isnan(grad_out)", "isnan(grad_out)"),
        ('norm(contribution) > 10 and op == "matmul"', "norm(contribution)"),
        ("op relu", "op relu"),
        ("name linear*.bias", "name linear*.bias"),
        ("inf", "inf"),
    ],
)
def test_what_the_debugger_stops_at_can_be_typed(text: str, told: str) -> None:
    assert told in str(parse(text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rise", "rise 2"),
        ("rise 1", "above 1"),
        ("rise inf", "above 1"),
        ("rise two", "rise 2"),
        ("loss", "loss > 3"),
        ("loss == 3", "compared with a number"),
        ("loss > nan", "compared with a number"),
        ("losses > 3", "type 200 .a batch., nan, rise 2, loss > 3, or a condition: .* losses"),
        ("foo(", "cannot be read"),
        ("node b", "by its number"),
    ],
)
def test_what_cannot_be_typed_is_refused_with_what_can(text: str, told: str) -> None:
    with pytest.raises(Refused, match=told):
        parse(text)


@pytest.mark.parametrize("text", ["0", "61", "999"])
def test_a_batch_that_there_is_not(tmp_path: Path, text: str) -> None:
    with pytest.raises(Refused, match="1 to 60; E trains for more epochs"):
        break_at(session_for(tmp_path), text)


def test_a_node_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no node 999"):
        break_at(session_for(tmp_path), "node 999")


# The list


def test_the_list_is_added_to_switched_and_removed_from(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    assert break_at(session, "50") == "c stops at batch 50, before its update"
    assert "at a loss of NaN or Inf" in break_at(session, "nan")
    assert "slower" in break_at(session, "op subtract")
    with pytest.raises(Refused, match="at batch 50 already"):
        break_at(session, "batch 50")
    assert session.breaks.to_come(0) == [
        "at batch 50",
        "at a loss of NaN or Inf",
        "before op subtract",
    ]
    assert break_at(session, "!2") == "switched off: at a loss of NaN or Inf"
    assert "removed: before op subtract" in break_at(session, "-3")
    do(session, "breaks")
    page = text_of(session.messages[0]["items"])
    assert "1  at batch 50\n" in page
    assert "2  at a loss of NaN or Inf, off\n" in page
    assert "subtract" not in page
    assert session.breaks.to_come(50) == []
    assert break_at(session, "!2") == "switched on: at a loss of NaN or Inf"
    for text in ("-3", "!0"):
        with pytest.raises(Refused, match="there are 2"):
            break_at(session, text)


def test_an_open_list_is_brought_up_to_date(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    break_at(session, "nan")
    page = next(message for message in session.messages if message["type"] == "page")
    assert page["update"]
    assert "at a loss of NaN or Inf" in text_of(page["items"])


def test_a_batch_that_is_behind_says_the_way_there(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    do(session, "go", text="10")
    while session.running:
        session.train_when_due()
    assert "p goes back" in break_at(session, "5")
    assert session.breaks.to_come(10) == []


def test_without_a_text_the_debuggers_conditions_are_taken_over(tmp_path: Path) -> None:
    scenario = load(write(tmp_path, LONGER))
    debugger = Breakpoints()
    session = session_on(scenario, debugger)
    with pytest.raises(Refused, match="no condition that is switched on"):
        break_at(session, "")
    graph = open_graph(scenario)
    debugger.attach(graph, Labels(graph))
    for text in ("norm(grad_out) > 1e9", "isnan(value)", "op matmul", "1"):
        debugger.add_stop(text)
    debugger.switch(2)
    assert "norm(grad_out) > 1e9" in break_at(session, "  ")
    assert session.breaks.to_come(0) == ["where norm(grad_out) > 1e9"]
    with pytest.raises(Refused, match="here already"):
        break_at(session, "")
