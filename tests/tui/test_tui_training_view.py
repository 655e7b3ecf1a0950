"""What is sent of a training: as much after thousands of epochs as after a few."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tui_support import REGRESSION, debugged, load, write

from tui.session.training.session import TrainingSession
from tui.session.training.view import view_of

COLUMNS, ROWS = 20, 10

BUDGET = 8000
"""Bytes of a view of that size."""


def trained(folder: Path, epochs: int) -> TrainingSession:
    """A training that has come to its end."""
    scenario = load(write(folder, REGRESSION), epochs=epochs)
    assert scenario.training is not None
    session = TrainingSession(scenario.training)
    while not session.training.finished:
        session.training.advance()
    return session


def size_of(view: dict[str, Any]) -> int:
    return len(json.dumps(view, allow_nan=False))


def test_a_view_is_no_larger_after_2000_epochs_than_after_5(tmp_path: Path) -> None:
    sizes = {}
    for epochs in (5, 400, 2000):
        session = trained(tmp_path, epochs)
        view = view_of(session, COLUMNS, ROWS, epochs=5, told=len(session.training.results))
        assert [result["epoch"] for result in view["results"]] == list(
            range(epochs - 4, epochs + 1)
        )
        sizes[epochs] = size_of(view)
    assert max(sizes.values()) < BUDGET
    assert abs(sizes[2000] - sizes[400]) < 100  # longer numbers


def test_what_is_new_is_sent_whatever_there_is_room_for(tmp_path: Path) -> None:
    session = trained(tmp_path, 30)
    for room, told, first in ((5, 30, 26), (5, 10, 11), (20, 30, 11), (50, 30, 1), (5, 99, 26)):
        results = view_of(session, COLUMNS, ROWS, room, told)["results"]
        assert [result["epoch"] for result in results] == list(range(first, 31))


@pytest.mark.parametrize("epochs", [3, 200])
def test_the_curve_has_the_ends_of_the_test_losses_of_each_column(
    epochs: int, tmp_path: Path
) -> None:
    session = trained(tmp_path, epochs)
    expected: dict[int, set[float]] = {}
    total = session.training.total_batches
    for result in session.training.results:
        batch = result.epoch * session.training.batches_per_epoch
        column = (batch - 1) * COLUMNS // total if total >= COLUMNS else None
        if column is None:
            column = round((batch - 1) * (COLUMNS - 1) / (total - 1))
        assert result.test_loss is not None
        expected.setdefault(column, set()).add(result.test_loss)
    tests = view_of(session, COLUMNS)["curve"]["tests"]
    assert tests == [
        [column, loss]
        for column, losses in expected.items()
        for loss in sorted(losses & ends(losses))
    ]


def ends(losses: set[float]) -> set[float]:
    return {min(losses), max(losses)}


def test_the_curve_of_the_last_batches_has_their_test_losses_alone(tmp_path: Path) -> None:
    session = trained(tmp_path, 300)
    session.curve.zoom()
    curve = view_of(session, COLUMNS)["curve"]
    shown = [
        result.test_loss
        for result in session.training.results
        if result.epoch * session.training.batches_per_epoch > curve["first"] > 0
    ]
    losses = [loss for _, loss in curve["tests"]]
    assert 0 < len(losses) <= 2 * COLUMNS
    assert set(losses) <= set(shown)
    assert {min(shown), max(shown)} <= set(losses)  # type: ignore[type-var]


def test_no_epoch_is_left_out_while_it_runs(tmp_path: Path) -> None:
    with debugged(write(tmp_path, REGRESSION), epochs=1500) as there:
        there.wait_for("stepping")
        there.ask("size", plot=COLUMNS, table=ROWS, epochs=7)
        there.ask("training.open")
        for _ in range(8):
            there.ask("training.faster")
        there.ask("training.run")
        told, state = 0, ""
        while state != "finished":
            view = there.wait_for("training", within=60)
            state = view["state"]
            epochs = [result["epoch"] for result in view["results"]]
            if epochs:
                assert epochs == list(range(epochs[0], epochs[-1] + 1))
                assert epochs[0] <= told + 1
                told = epochs[-1]
        assert told == 1500
        there.ask("training.log")
        last = there.wait_for("training")
        assert len(last["results"]) == 7
        assert size_of(last) < BUDGET
