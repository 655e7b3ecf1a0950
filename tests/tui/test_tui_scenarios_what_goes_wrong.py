"""The bundled scenarios that show what goes wrong: where it does, and how it is mended."""

from __future__ import annotations

import itertools
import json
import re
import sys
from typing import Any

import numpy as np
import pytest
from scenario_support import Lesson, docstring, in_torch, source_of
from tui_support import (
    REFUSED_AT,
    assert_refused,
    environment,
    json_lines,
    load,
    run,
    session_on,
    view_of,
)

import engine

pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")


@pytest.fixture(autouse=True)
def a_short_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """`deep` looks alike at every length."""
    monkeypatch.setenv("N", "12")


def line_of(name: str, text: str) -> int:
    """The number of the one line of a scenario that is this text."""
    (found,) = (i for i, line in enumerate(source_of(name).splitlines(), 1) if line == text)
    return found


def test_vanishing_loses_three_quarters_at_each_sigmoid() -> None:
    lesson = Lesson("vanishing")
    assert lesson.value("h1") == 0.5
    column = [lesson.graph.grad(i) for i in range(1, lesson.ids["first"] + 1)]
    assert len(column) == 11
    ratios = [float(b / a) for a, b in itertools.pairwise(column)]
    assert max(ratios) == ratios[-1] == 0.25
    assert f"{column[-1]:.4g}" == "3.875e-07"
    assert f"{lesson.graph.grad(lesson.ids['last']):.4g}" == "0.659"
    assert "last.grad is 0.659, first.grad 3.875e-7" in docstring("vanishing")


def test_vanishing_is_mended_by_a_way_around() -> None:
    plain = re.compile(r"^(h\d+) = sigmoid\((h\d+)\)$", re.MULTILINE)
    tried = plain.sub(r"\1 = \2 + sigmoid(\2)", source_of("vanishing"))
    assert tried.count(" + sigmoid(") == 9 + 1  # and once in the docstring
    namespace: dict[str, Any] = {}
    exec(tried, namespace)
    namespace["loss"].backward()
    assert namespace["first"].grad.item() > 0.25


def test_exploding_grows_threefold_at_each_moment() -> None:
    lesson = Lesson("exploding")
    norms = [np.linalg.norm(lesson.graph.grad(lesson.ids[f"s{i}"])) for i in range(10, 0, -1)]
    np.testing.assert_allclose([b / a for a, b in itertools.pairwise(norms)], 3)
    assert (f"{norms[0]:.4g}", f"{norms[-1]:.0f}") == ("1.414", "27836")
    assert lesson.grad("s1") == [[3**9, 3**9]] == [[19683, 19683]]
    weight = lesson.ids["W"]
    assert sum(p.node == weight for node in lesson.graph.nodes for p in node.parents) == 10
    namespace = load("exploding").namespace
    namespace["loss"].backward()
    assert engine.clip_grad_norm_([namespace["W"]], 1.0) > 1e5
    np.testing.assert_allclose(np.linalg.norm(namespace["W"].grad.array), 1, rtol=1e-5)


def test_dead_relu_gets_no_gradient_anywhere() -> None:
    lesson = Lesson("dead_relu")
    before = np.array(lesson.value("before"))
    assert before[:, 1].tolist() == [-4, -7]
    assert ((before > 0).sum(axis=0)).tolist() == [2, 0, 1]
    assert [row[1] for row in lesson.grad("W")] == [0, 0]
    assert lesson.grad("b") == [2, 0, 3]
    assert lesson.grad("v") == [[7], [0], [2]]
    assert all(row[0] and row[2] for row in lesson.grad("W"))


def test_nan_starts_at_the_root_although_every_value_is_finite() -> None:
    lesson = Lesson("nan")
    assert all(np.isfinite(lesson.graph.value(node.id)).all() for node in lesson.graph.nodes)
    assert lesson.value("loss") == 7
    assert lesson.handed("guarded", "length") == [[1, 0, 1]]
    steps = [lesson.graph.taken(i) for i in range(lesson.graph.step_count)]
    first = next(s for s in steps for e in s.edges if np.isnan(e.contribution).any())
    assert first.node == lesson.ids["length"]
    assert not np.isnan(first.grad_out).any()
    assert first.edges[0].backward.__name__ == "sqrt_back"
    assert np.isnan(lesson.graph.grad(lesson.ids["scaled"])).tolist() == [False, True, False]
    assert np.isnan(lesson.graph.stored_grad(lesson.ids["w"])).all()


def test_nan_is_mended_inside_the_root() -> None:
    mended = source_of("nan").replace(
        "length = sqrt(square)", "length = sqrt(where(square > 0, square, 1.0))"
    )
    assert "sqrt(where(square > 0, square, 1.0))" in docstring("nan")
    namespace: dict[str, Any] = {}
    exec(mended, namespace)
    namespace["loss"].backward()
    assert (namespace["loss"].item(), namespace["w"].grad.item()) == (7, 7)


def test_detached_parameters_get_none() -> None:
    lesson = Lesson("detached")
    assert lesson.graph.stored_grad(lesson.ids["w3"]) == 12
    assert not {"w1", "w2"} & set(lesson.ids)
    for name in ("kept", "scale"):
        assert not lesson.graph.nodes[lesson.ids[name]].requires_grad
    namespace = load("detached").namespace
    assert namespace["kept"].tolist() == namespace["hidden"].tolist()
    namespace["loss"].backward()
    assert [namespace[f"w{i}"].grad is None for i in (1, 2, 3)] == [True, True, False]


def test_inplace_is_refused_where_the_old_value_is_needed() -> None:
    lesson = Lesson("inplace")
    session = lesson.session
    assert (lesson.value("out"), lesson.value("w2")) == (30, 4)
    assert session.done == REFUSED_AT["inplace"] == lesson.ids["out"]
    before = json.dumps(view_of(session))
    changed = line_of("inplace", "    w2 -= 1")
    for press in (session.next, session.into, lambda: session.go_to(99)):
        with pytest.raises(engine.BackwardError, match=rf"inplace\.py, line {changed}\)"):
            press()
        assert json.dumps(view_of(session)) == before
    assert lesson.grad("out") == 4
    assert 4 * 5 == 20
    assert 4 * lesson.value("w2") == 16
    assert [lesson.graph.stored_grad(lesson.ids[name]) for name in ("w1", "w2")] == [None, None]
    assert "the message names the line that changed w2" in docstring("inplace")


def test_a_jump_over_a_step_that_is_refused_ends_before_it() -> None:
    session = session_on("inplace")
    session.point(4)
    with pytest.raises(engine.BackwardError):
        session.run_to_cursor()
    assert (session.done, session.shown, session.cursor) == (2, 1, 1)
    assert session.back()
    assert (session.done, session.cursor) == (1, 0)


def test_inplace_is_mended_by_the_order() -> None:
    source = source_of("inplace")
    change = "with no_grad():\n    w2 -= 1\n"
    namespace: dict[str, Any] = {}
    exec(source.replace(change, "loss.backward()\n" + change), namespace)
    grads = [namespace[name].grad.item() for name in ("w1", "w2")]
    assert grads == [4 * 5 * 2, 4 * 6]


def test_pytorch_refuses_inplace_too() -> None:
    loss = in_torch("inplace")["loss"]
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_the_trace_of_inplace_ends_in_one_message(more: tuple[str, ...]) -> None:
    done = run("inplace", "--trace", *more)
    line = line_of("inplace", "    w2 -= 1")
    assert_refused(done, f"inplace.py, line {line}", "changed it in place", lines=1)
    if more:
        events = [event["event"] for event in json_lines(done.stdout)]
        assert events == ["graph", "step", "step"]
    else:
        assert "error = out - 28" in done.stdout


def test_deep_is_as_long_as_is_asked_for() -> None:
    lesson = Lesson("deep")
    assert lesson.graph.step_count == 12 + 1
    column = [float(lesson.graph.grad(i)) for i in range(4)]
    assert column == [1, 0.5, 1, 0.5]
    done = run("deep", "--trace", "--json", env=environment(N="7"))
    assert json_lines(done.stdout)[-1]["steps"] == 8


def test_deep_has_a_length_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("N")
    assert session_on("deep").graph.step_count == 100 + 1


def test_deep_can_be_too_deep_for_a_recursion(monkeypatch: pytest.MonkeyPatch) -> None:
    length = 20 * sys.getrecursionlimit()
    monkeypatch.setenv("N", str(length))
    session = session_on("deep")
    session.point(length)
    assert session.run_to_cursor()
    assert session.done == length + 1
    assert session.graph.stored_grad(length) == 1
    session.point(0)
    assert session.run_to_cursor()
    assert session.done == 1
    assert json.loads(json.dumps(view_of(session)))["total"] == length + 1


def test_deep_says_what_is_wrong_with_its_length() -> None:
    done = run("deep", "--trace", env=environment(N="many"))
    assert_refused(done, "deep.py, line", "'many'")
