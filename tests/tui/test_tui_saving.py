"""Copying a node, saving its arrays, and saving the whole pass; files that are whole or not."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import numpy as np
import pytest
from tui_support import COMPLETE, json_lines, run, session_on, view_of, write

from tui import files
from tui.errors import Refused
from tui.saving import MEANINGS, target_of
from tui.session.commands import carry_out
from tui.session.output.copying import LONGEST, WHOLE_UP_TO, text_of
from tui.session.session import Session

EVERYTHING = tuple(MEANINGS)


def save(session: Session, what: str, path: Path) -> str:
    """Save, and what is said of it."""
    carry_out(session, "save", {"what": what, "path": str(path)})
    return str(session.messages[-1]["text"])


# Names


@pytest.mark.parametrize(
    ("text", "name", "what"),
    [
        ("w.npy", "w.npy", "value"),
        (" w.grad.npy ", "w.grad.npy", "gradient"),
        ("pass.json", "pass.json", "pass"),
        ("pass.JSONL", "pass.JSONL", "pass"),
        ("a b.svg", "a b.svg", "picture"),
        ("./x/../w.npy", "w.npy", "value"),
    ],
)
def test_the_ending_says_what_is_saved(
    text: str, name: str, what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    target = target_of(text, EVERYTHING)
    assert (target.path, target.what) == (tmp_path / name, what)


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert target_of("~/w.npy", EVERYTHING).path == tmp_path / "w.npy"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the ending says what: .npy value, .grad.npy gradient, .json pass, .svg screen"),
        ("w.txt", "the ending says what"),
        (".npy", "the ending says what"),
        (".grad.npy", "the ending says what"),
        ("nowhere/w.npy", "there is no folder"),
        ("folder.npy", "folder.npy is a folder"),
        ("pipe.npy", "pipe.npy is no ordinary file"),
    ],
)
def test_a_name_that_cannot_be_saved_to(
    text: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.npy").mkdir()
    os.mkfifo(tmp_path / "pipe.npy")
    with pytest.raises(Refused, match=why):
        target_of(text, EVERYTHING)


def test_where_the_folder_in_which_the_program_was_started_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(Refused, match="give the whole path"):
        target_of("w.npy", EVERYTHING)
    assert target_of(f"{tmp_path}/w.npy", EVERYTHING).path == tmp_path / "w.npy"


def test_where_only_a_picture_can_be_saved() -> None:
    with pytest.raises(Refused, match=r"the ending says what: \.svg screen$"):
        target_of("w.npy", ("picture",))


# Files


def test_a_file_that_cannot_be_finished_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"before")
    with pytest.raises(TypeError), files.replacing(path) as file:
        file.writelines([b"half", None])  # type: ignore[list-item]
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    goal, link = tmp_path / "goal", tmp_path / "link"
    goal.write_bytes(b"before")
    link.symlink_to(goal)
    with files.replacing(link) as file:
        file.write(b"after")
    assert link.is_symlink()
    assert goal.read_bytes() == b"after"


# Arrays


def test_value_and_gradient_of_the_node_under_the_cursor(tmp_path: Path) -> None:
    session = session_on("mlp")
    session.go_to(session.graph.step_count)
    node = next(n.id for n in session.graph.nodes if n.name == "output.weight")
    session.point(node)
    said = save(session, "value", tmp_path / "w.npy")
    assert said == "saved w.npy: the value of output.weight, (10,64) float32"
    said = save(session, "gradient", tmp_path / "w.grad.npy")
    assert said == "saved w.grad.npy: the gradient of output.weight, (10,64) float32"
    value, grad = np.load(tmp_path / "w.npy"), np.load(tmp_path / "w.grad.npy")
    np.testing.assert_array_equal(value, session.graph.value(node), strict=True)
    wanted = session.graph.grad(node)
    assert wanted is not None
    np.testing.assert_array_equal(grad, wanted, strict=True)


def test_a_gradient_that_is_not_complete_is_saved_as_shown(tmp_path: Path) -> None:
    session = session_on("first_graph")
    session.go_to(2)
    session.point(4)
    said = save(session, "gradient", tmp_path / "b.npy")
    assert said == "saved b.npy: the gradient so far, 1 to come of b, () float32"
    assert np.load(tmp_path / "b.npy") == 1
    session.go_to(3)
    for _ in range(3):  # the formula of the second edge, not yet its result
        session.into()
    session.point(4)
    save(session, "gradient", tmp_path / "b.npy")
    assert np.load(tmp_path / "b.npy") == 1
    session.into()
    session.point(4)
    save(session, "gradient", tmp_path / "b.npy")
    assert np.load(tmp_path / "b.npy") == 7


def test_a_gradient_that_is_not_there(tmp_path: Path) -> None:
    session = session_on("mlp")
    session.point(5)
    with pytest.raises(Refused, match="no gradient has arrived yet"):
        save(session, "gradient", tmp_path / "x.npy")
    session.point(len(session.graph.nodes) - 1)
    with pytest.raises(Refused, match="inputs: it needs no grad"):
        save(session, "gradient", tmp_path / "x.npy")
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    session = session_on("first_graph")
    for what in ("value", "pass"):
        with pytest.raises(
            Refused, match=r"cannot be written: No such file or directory \(x\.npy\)"
        ):
            save(session, what, tmp_path / "nowhere" / "x.npy")
        assert session.graph.position == 0


# The pass


def state(session: Session) -> list[bytes | None]:
    """All that a step changes, to the bit."""
    graph = session.graph
    found = [graph.grad(n.id) for n in graph.nodes]
    found += [graph.stored_grad(n.id) for n in graph.nodes]
    return [None if array is None else array.tobytes() for array in found]


@pytest.mark.parametrize("presses", ["", "n", "nnns", "nnnnnn"])
def test_the_pass_is_that_of_trace_and_the_session_stays(presses: str, tmp_path: Path) -> None:
    session = session_on("first_graph")
    for key in presses:
        carry_out(session, "next" if key == "n" else "into", {})
    before, seen = state(session), view_of(session)
    said = save(session, "pass", tmp_path / "pass.json")
    assert said == "saved pass.json: all 6 steps of the pass"
    assert (state(session), view_of(session)) == (before, seen)
    traced = run("first_graph", "--trace", "--json").stdout
    assert json_lines((tmp_path / "pass.json").read_text()) == json_lines(traced)
    if session.next():
        session.back()
    assert (state(session), view_of(session)) == (before, seen)


@pytest.mark.parametrize("scenario", [n for n in COMPLETE if n not in ("first_graph", "deep")])
def test_every_lesson_can_be_saved(scenario: str, tmp_path: Path) -> None:
    session = session_on(scenario)
    session.next()
    before = state(session)
    save(session, "pass", tmp_path / "pass.json")
    assert state(session) == before
    events = json_lines((tmp_path / "pass.json").read_text())
    assert [e["event"] for e in events[:2]] == ["graph", "step"]
    assert events[-1]["steps"] == session.graph.step_count == len(events) - 2


def test_a_pass_that_is_refused_saves_nothing_and_moves_nothing(tmp_path: Path) -> None:
    session = session_on("inplace")
    path = tmp_path / "pass.json"
    path.write_text("before")
    with pytest.raises(RuntimeError, match="saved argument"):
        save(session, "pass", path)
    assert session.graph.position == 0
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_long_pass_says_how_far_it_is_and_a_key_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.session.output.saving.PATIENCE", 0)
    session = session_on("first_graph")
    session.next()
    before = state(session)
    save(session, "pass", tmp_path / "pass.json")
    texts = [m["text"] for m in session.messages]
    assert "saving step 3 of 6; any key stops it" in texts
    session.is_interrupted = lambda: session.graph.position == 4
    said = save(session, "pass", tmp_path / "other.json")
    assert said == "saving the pass was stopped; nothing has been written"
    assert not (tmp_path / "other.json").exists()
    assert state(session) == before


# Copying


def copied(session: Session, node: int) -> str:
    session.point(node)
    carry_out(session, "copy", {})
    message = session.messages[-1]
    assert message["type"] == "copy"
    assert f"of node {node}" in message["what"]
    return str(message["text"])


def test_a_small_node_is_copied_whole(tmp_path: Path) -> None:
    body = "a = Tensor([[1.0, 0.1], [-3.0, 4e-9]], requires_grad=True)\nloss = a.sum()\n"
    session = session_on(write(tmp_path, body))
    session.go_to(2)
    head, kind, *value, what, one, two = copied(session, 1).splitlines()
    assert head == "node 1  a"
    assert kind == "value: (2,2) float32"
    again = np.array(ast.literal_eval("".join(value)), np.float32)
    np.testing.assert_array_equal(again, session.graph.value(1), strict=True)
    assert (what, one, two) == ("gradient: (2,2) float32", "[[1., 1.],", " [1., 1.]]")


def test_what_is_not_there_is_said() -> None:
    session = session_on("mlp")
    assert "gradient: nothing yet" in copied(session, 2)
    assert "value of node" in session.messages[-1]["what"]
    assert "gradient: none, it needs no grad" in copied(session, len(session.graph.nodes) - 1)


@pytest.mark.parametrize("shape", [(WHOLE_UP_TO,), (WHOLE_UP_TO + 1,), (300, 300), (7,) * 6])
def test_a_large_node_is_copied_in_part(shape: tuple[int, ...], tmp_path: Path) -> None:
    body = f"a = randn(*{shape}, requires_grad=True)\nloss = (a * a).sum()\n"
    session = session_on(write(tmp_path, body))
    session.go_to(session.graph.step_count)
    node = next(n.id for n in session.graph.nodes if n.name == "a")
    text = text_of(session, node)
    assert len(text.encode()) <= LONGEST + 100
    assert ("..." in text) == (np.prod(shape) > WHOLE_UP_TO)
    assert ("elements, 0 of them NaN or Inf" in text) == (np.prod(shape) > WHOLE_UP_TO)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_numbers_that_are_not_finite_are_copied_too(tmp_path: Path) -> None:
    body = "a = Tensor([float('nan'), float('inf'), -1.0], requires_grad=True)\nloss = a.sum()\n"
    text = text_of(session_on(write(tmp_path, body)), 1)
    assert "[nan, inf, -1.]" in text.replace(" nan", "nan").replace(" inf", " inf")
