"""The bundled scenarios, all of them: each fits the screen, and can be stepped at every place."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence

import numpy as np
import pytest
from rich.cells import cell_len
from scenario_support import in_torch
from tui_graphs import all_grads
from tui_support import BUNDLED, COMPLETE, REFUSED_AT, TRAINED, load, session_on, view_of

import engine
from scenarios import LESSONS
from tui.loading import catalog
from tui.session.session import Session
from tui.widgets import items
from tui.widgets.lines import Line

pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")

PANE = 38, 21
"""Columns and rows of the pane at the right of a terminal of 80x24."""

SMALL = tuple(name for name in BUNDLED if name not in TRAINED)


@pytest.fixture(autouse=True)
def a_short_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """`deep` looks alike at every length."""
    monkeypatch.setenv("N", "12")


def test_the_lessons_are_the_files_in_their_order() -> None:
    files = {path.stem for path in catalog.FOLDER.glob("*.py")} - {"__init__"}
    assert set(LESSONS) == files
    assert [entry.name for entry in catalog.bundled()] == list(LESSONS)
    assert LESSONS[0] == "first_graph"


@pytest.mark.parametrize("name", BUNDLED)
def test_what_is_said_before_the_first_step_fits_80_by_24(name: str) -> None:
    shown = view_of(session_on(name))["step"]
    width, height = PANE
    lines = items.lay_out(shown, width)
    assert len(lines) <= height
    assert shown[0][0] == "title"
    assert len(shown[0][1]) <= width
    bullets = [text for kind, text, _ in shown if kind == "text" and text.startswith("- ")]
    assert ("text", "Look for", "") in [tuple(item) for item in shown]
    assert 2 <= len(bullets) <= 4


@pytest.mark.parametrize("name", BUNDLED)
def test_what_each_press_of_s_brings_is_seen_at_80_by_24(name: str) -> None:
    width, height = PANE
    session = session_on(name)
    with contextlib.suppress(engine.BackwardError):
        while session.into():
            step = view_of(session)["step"]
            lines = items.fitted(step, width, height)
            assert len(lines) <= height, step[0][1]


def shown(lines: Sequence[Line]) -> str:
    """The text of lines."""
    return "\n".join("".join(text for text, _ in line) for line in lines)


def test_an_earlier_edge_is_told_in_short_only_where_that_is_enough() -> None:
    session = session_on("softmax_cross_entropy")
    session.go_to(5)
    step = view_of(session)["step"]
    in_short, in_full = (shown(items.fitted(step, PANE[0], n)) for n in (20, 4))
    assert "true_divide_back0\n  …\n  powers now" in in_short
    assert "  = [[0 0 -0.2] [0 -1 0]]" in in_full


def check_view(session: Session, both: bool) -> str:
    """A view that can be sent and drawn; as text, to be compared."""
    view = view_of(session, 7, both)
    text = json.dumps(view, allow_nan=False)
    assert len(text) < 60_000
    assert view["next"].strip()
    for row in view["rail"]:
        assert row["label"].strip()
        assert row["brief"].strip()
        assert len(row["label"]) < 200
    for shown in (view["step"], view["tensors"]):
        for item in shown or []:
            kind, left, right = item
            assert kind in items.STYLES
            assert kind == "gap" or (left + right).strip()
            for line in items.lay_out([item], PANE[0]):
                assert sum(cell_len(part) for part, _ in line) <= PANE[0]
    return text


@pytest.mark.parametrize("name", BUNDLED)
def test_every_view_of_every_place_forwards_and_back(name: str) -> None:
    session = session_on(name)
    seen = []
    refused = None
    going = True
    while going:
        own = session.cursor
        for node in range(len(session.graph.nodes)):
            session.point(node)
            check_view(session, both=node == own)
        session.point(own)
        seen.append((check_view(session, True), all_grads(session)))
        try:
            going = session.into()
        except engine.BackwardError:
            refused, going = session.graph.position, False
    assert refused == REFUSED_AT.get(name)
    assert session.done == (session.graph.step_count if refused is None else refused)
    for view, grads in reversed(seen):
        assert check_view(session, True) == view
        assert all_grads(session) == grads
        session.back()
    assert not session.back()


@pytest.mark.parametrize("name", [name for name in SMALL if name in COMPLETE])
def test_pytorch_gives_the_same_gradients(name: str) -> None:
    torch = pytest.importorskip("torch")
    theirs = in_torch(name)
    scenario = load(name)
    assert scenario.loss is not None
    scenario.loss.backward(scenario.end_grad)
    theirs["loss"].backward(torch.ones_like(theirs["loss"]))
    compared = 0
    for key, tensor in scenario.namespace.items():
        if isinstance(tensor, engine.Tensor) and tensor.is_leaf and tensor.requires_grad:
            wanted = theirs[key].grad
            if wanted is None or tensor.grad is None:
                assert wanted is tensor.grad is None, key
                continue
            compared += 1
            if name == "relu_kink":  # the one agreed difference: half of the gradient at 0
                assert wanted.tolist() == [0, 1, 3]
                wanted = wanted + 0.5 * (theirs["x"] == 0)
            np.testing.assert_allclose(tensor.grad.array, wanted.numpy(), rtol=1e-5, err_msg=key)
    assert compared
