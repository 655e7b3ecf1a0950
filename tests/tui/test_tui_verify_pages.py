"""The pages of v and V, and a session that goes on as if nothing had been."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from tui_graphs import all_grads, graph_of, session_of
from tui_support import view_of

from engine import BACK_FUNCS, Tensor
from tui.session.commands import carry_out
from tui.session.session import Session
from tui.session.verifying import pages as verify_pages


def pages(session: Session, name: str) -> list[dict[str, Any]]:
    """The pages that a command has brought."""
    session.messages.clear()
    carry_out(session, name, {})
    return [message for message in session.messages if message["type"] == "page"]


def notices(session: Session) -> list[str]:
    return [message["text"] for message in session.messages if message["type"] == "notice"]


def texts(page: dict[str, Any]) -> list[str]:
    return [f"{left}  {right}".strip() for _, left, right in page["items"] if left or right]


def product(values: tuple[float, ...] = (1.0, -2.0)) -> Session:
    a = Tensor(list(values), requires_grad=True)
    b = Tensor(3.0, requires_grad=True)
    return session_of(graph_of(a * b, {id(a): "a", id(b): "b"}))


def test_a_node_has_a_page() -> None:
    session = product()
    (page,) = pages(session, "verify")
    assert page["title"] == "Verify node 0, a * b"
    assert not page["update"]
    said = texts(page)
    assert said[0] == "to a, argument 0  multiply_back0"
    assert said[1].startswith("right, largest error ")
    assert said[2] == "tested: 2 elements"
    assert said[3] == "to b, argument 1  multiply_back1"
    assert "central differences" in said[-1]


def test_a_leaf_has_nothing_to_verify() -> None:
    session = product()
    session.point(1)
    assert pages(session, "verify") == []
    assert notices(session) == ["node 1, b, is a leaf: nothing to verify"]


def test_a_graph_of_a_leaf_has_nothing_to_verify(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BACK_FUNCS, "added", list)
    session = session_of(graph_of(Tensor(1.0, requires_grad=True)))
    assert pages(session, "verify_all") == []
    assert notices(session) == ["there is no backward function to verify"]


def test_all_nodes_have_one_page_with_the_wrong_ones_first() -> None:
    BACK_FUNCS.add_back_func(np.multiply, 1, lambda grad_out, out, x, y: grad_out.sum())
    session = product()
    (page,) = pages(session, "verify_all")
    said = texts(page)
    assert page["title"] == verify_pages.ALL
    assert said[0].endswith("1 wrong")
    assert said[1] == "node 0, a * b"
    assert said[2] == "to b, argument 1  <lambda>, yours"
    assert said[3].startswith("WRONG: got ")
    assert any(line == "0 multiply  to a, argument 0  multiply_back0  right" for line in said)


WRONG = "! verify: <lambda>, argument 1, is wrong: got "


@pytest.mark.parametrize("command", ["verify", "verify_all"])
def test_what_is_wrong_is_said_at_the_node_from_then_on(command: str) -> None:
    BACK_FUNCS.add_back_func(np.multiply, 1, lambda grad_out, out, x, y: grad_out.sum())
    session = product()
    session.next()
    assert "verify" not in str(view_of(session)["step"])
    assert not any("verify" in line for line in texts(pages(session, "why")[0]))
    pages(session, command)
    pages(session, command)
    said = texts(pages(session, "why")[0])
    assert said[0].startswith(WRONG)
    assert sum("verify" in line for line in said) == 1
    kind, text, _ = view_of(session)["step"][0]
    assert kind == "problem"
    assert text.startswith(WRONG)
    session.next()
    assert "verify" not in str(view_of(session)["step"])
    session.back()
    assert view_of(session)["step"][0][1] == text
    assert session_of(session.graph).found_wrong == {}


def test_nothing_is_said_of_a_node_that_is_right() -> None:
    session = product()
    session.next()
    before = view_of(session)["step"]
    pages(session, "verify_all")
    assert view_of(session)["step"] == before


def test_the_session_goes_on_as_if_nothing_had_been() -> None:
    session = product()
    session.into()
    before = all_grads(session), session.graph.position, session.revealed, session.cursor
    pages(session, "verify")
    pages(session, "verify_all")
    after = all_grads(session), session.graph.position, session.revealed, session.cursor
    assert after == before
    session.next()
    assert session.done == 1


def test_what_takes_long_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_pages, "PATIENCE", 0.0)
    shown = pages(product(), "verify_all")
    assert [page["update"] for page in shown[:3]] == [False, True, True]
    assert texts(shown[0])[0].startswith("0 of 2")
    assert texts(shown[0])[0].endswith("Esc stops")
    assert texts(shown[-1])[0] == "2 checked, all right"


def test_any_command_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    session = product()
    session.is_interrupted = lambda: True
    assert pages(session, "verify_all") == []
    assert notices(session) == ["Stopped after 0 of 2"]
    monkeypatch.setattr(verify_pages, "PATIENCE", 0.0)
    until = time.monotonic() + 60
    session.is_interrupted = lambda: bool(session.messages) or time.monotonic() > until
    first, last = pages(session, "verify_all")
    assert (first["update"], last["update"]) == (False, True)
    assert texts(last)[0] == "Stopped after 0 of 2"


def test_of_very_many_right_ones_some_are_counted_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify_pages, "MOST_RIGHT", 1)
    (page,) = pages(product(), "verify_all")
    assert "and 1 more  right" in texts(page)
