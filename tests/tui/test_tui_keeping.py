"""A training kept in a folder while a session runs it: how it goes on, and what is told of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keeping_support import DRAWING, Kept, lines, position, uninterrupted
from tui_support import load, write

import engine
from tui.session.training import metrics
from tui.session.training.view import view_of


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    return write(tmp_path, DRAWING)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "a"


# Going on


@given(st.lists(st.integers(0, 3), max_size=5), st.sampled_from([None, 1, 2]))
@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_wherever_it_is_left_it_goes_on(
    scenario: Path, out: Path, parts: list[int], every: int | None
) -> None:
    shutil.rmtree(out, ignore_errors=True)
    for batches in parts:
        kept = Kept(scenario, out, checkpoint_every=every)
        kept.batches(batches)
        kept.leave()
    kept = Kept(scenario, out)
    assert kept.session.training.position == min(6, sum(parts))
    kept.batches(6)
    kept.leave()
    assert lines(out) == uninterrupted(scenario)
    assert kept.run.notes == []


@given(st.integers(0, 6), st.integers(0, 6), st.booleans())
@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_going_back_takes_the_lines_back(
    scenario: Path, out: Path, forward: int, back: int, leaves: bool
) -> None:
    shutil.rmtree(out, ignore_errors=True)
    expected = uninterrupted(scenario)
    kept = Kept(scenario, out)
    kept.batches(forward)
    for _ in range(back):
        kept.session.back()
    at = max(0, forward - back)
    assert lines(out) == expected[: len(lines(out))]
    assert [e["batch"] for e in lines(out) if e["event"] == "batch"] == list(range(1, at + 1))
    assert position(out) <= at  # so that it never lacks lines, whenever it is killed
    if leaves:
        kept.leave()
        kept = Kept(scenario, out)
    else:
        kept.run.close()  # as if it were killed
        kept = Kept(scenario, out)
    assert kept.run.notes == []
    kept.batches(6)
    kept.run.close()
    assert lines(out) == expected


def test_started_again_from_the_start(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(5)
    kept.session.restart()
    assert (lines(out), position(out)) == ([], 0)
    kept.batches(6)
    kept.run.close()
    assert lines(out) == uninterrupted(scenario)


def test_a_training_that_was_gone_on_with_can_start_again(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(4)
    kept.leave()
    kept = Kept(scenario, out)
    kept.session.restart()
    kept.batches(6)
    assert lines(out) == uninterrupted(scenario)


@pytest.mark.parametrize(
    ("every", "expected"),
    [(None, [0, 0, 3, 3, 3, 6]), (2, [0, 2, 3, 4, 4, 6]), (1, [1, 2, 3, 4, 5, 6])],
)
def test_when_there_is_a_checkpoint(
    scenario: Path, out: Path, every: int | None, expected: list[int]
) -> None:
    kept = Kept(scenario, out, checkpoint_every=every)
    found = []
    for _ in range(6):
        kept.batches(1)
        found.append(position(out))
    assert found == expected


def test_more_epochs(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(6)
    assert kept.session.state == "finished"
    assert lines(out)[-1]["event"] == "end"
    kept.leave()
    kept = Kept(scenario, out)
    assert (kept.session.state, lines(out)[-1]["event"]) == ("finished", "end")
    kept.leave()
    kept = Kept(scenario, out, epochs=3)
    assert kept.session.state == "paused"
    assert lines(out)[-1]["event"] == "epoch"
    kept.batches(3)
    longer = load(scenario, epochs=3).training
    assert longer is not None
    expected = [{**metrics.event_facts(event), "seconds": 0} for event in longer.events()]
    assert lines(out) == expected
    # More epochs in a session that is at its end.
    kept.session.training.epochs = 4
    kept.session.state = "paused"
    kept.batches(1)
    assert [e["event"] for e in lines(out)][-2:] == ["epoch", "batch"]
    kept.leave()
    assert Kept(scenario, out).session.training.epochs == 4


def test_a_learning_rate_that_was_changed_stays_changed(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(2)
    kept.session.training.lr = 0.5
    kept.leave()
    assert Kept(scenario, out).session.training.lr == 0.5


# What the screen is told


def test_what_is_shown_and_said(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    shown = {"folder": str(out), "batch": 0, "problem": ""}
    assert view_of(kept.session, 10)["kept"] == shown
    kept.batches(4)
    view = view_of(kept.session, 10)
    assert view["kept"] == {**shown, "batch": 3}
    assert not view["would_be_lost"]
    text = kept.leave()
    assert text == f"the training is kept at batch 4 of 6; go on with: bp-tui --resume {out}"
    assert kept.leave() == text
    assert position(out) == 4


def test_the_state_before_a_batch_under_way_is_kept(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(4)
    kept.session.history.keep()
    kept.session.training.advance()  # changed, but the session does not know it yet
    assert "at batch 4 of 6" in kept.session.leave(busy=True)
    kept.run.close()
    kept = Kept(scenario, out)
    assert kept.session.training.position == 4
    kept.batches(2)
    assert lines(out) == uninterrupted(scenario)


def test_busy_with_something_else_no_older_state_is_kept(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(3)
    assert "at batch 3 of 6" in kept.session.leave(busy=True)
    assert position(out) == 3


@pytest.mark.parametrize("busy", [False, True])
def test_what_looking_into_a_batch_has_drawn_or_changed_is_not_kept(
    scenario: Path, out: Path, busy: bool
) -> None:
    expected = uninterrupted(scenario)
    kept = Kept(scenario, out)
    kept.batches(4)
    kept.session.look()
    np.random.random()
    engine.zeros(1).uniform_(0, 1)
    next(iter(kept.session.training.model.parameters())).array[...] = 7
    assert "at batch 4 of 6" in kept.session.leave(busy)
    kept.run.close()
    kept = Kept(scenario, out)
    kept.batches(2)
    assert lines(out) == expected
