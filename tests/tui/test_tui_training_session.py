"""A training that is paused, paced, looked into and started again: its losses stay the same."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_support import FAILS_BACKWARD, REGRESSION, load, write

import engine
from tui.loading.loader import Scenario
from tui.session.opening import about, open_graph
from tui.session.training.pace import PACES
from tui.session.training.session import TrainingSession
from tui.session.training.view import view_of as view_of_columns

NOISY = REGRESSION + (
    "def noisy(out, y):\n"
    "    return mean_square(out + Tensor(np.zeros(1)).uniform_(-1, 1), y)\n"
    "training.loss_fn = noisy\n"
)
"""Draws from the engine's random numbers in each forward pass."""


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    return load(write(tmp_path, NOISY))


def session_for(scenario: Scenario) -> TrainingSession:
    assert scenario.training is not None
    return TrainingSession(scenario.training)


def train_all(session: TrainingSession) -> list[float]:
    """Train to the end at full speed."""
    while view_of_columns(session, 40)["pace"] != "full speed":
        session.faster()
    session.run()
    while session.running:
        assert session.train_when_due()
    return list(session.training.losses)


def weights(scenario: Scenario) -> bytes:
    return b"".join(p.array.tobytes() for p in scenario.namespace["model"].parameters())


def view_of(session: TrainingSession) -> dict[str, Any]:
    view = view_of_columns(session, 40)
    json.dumps(view, allow_nan=False)
    return view


# States


def test_it_opens_paused_before_the_first_batch(scenario: Scenario) -> None:
    session = session_for(scenario)
    view = view_of(session)
    assert (view["state"], view["batch"], view["total"]) == ("paused", 0, 6)
    assert (view["epoch"], view["epochs"], view["batch_in_epoch"], view["per_epoch"]) == (
        1,
        2,
        0,
        3,
    )
    assert view["curve"]["raw"] == view["results"] == view["runs"] == []
    assert (view["last_loss"], view["recent_loss"], view["left"] is not None) == ("", "", True)
    assert not view["would_be_lost"]
    assert not session.train_when_due()
    assert session.training.position == 0


def test_from_batch_to_batch_to_the_end(scenario: Scenario) -> None:
    session = session_for(scenario)
    seen = []
    for _ in range(8):
        session.one_batch()
        view = view_of(session)
        seen.append((view["state"], view["batch"], view["epoch"], view["batch_in_epoch"]))
    assert seen[:6] == [
        *(("paused", 1, 1, 1), ("paused", 2, 1, 2), ("paused", 3, 2, 0)),
        *(("paused", 4, 2, 1), ("paused", 5, 2, 2), ("finished", 6, 2, 3)),
    ]
    assert seen[6:] == [seen[5]] * 2
    results = view_of(session)["results"]
    assert [(r["epoch"], r["batch"]) for r in results] == [(1, 3), (2, 6)]


def test_run_pause_toggle(scenario: Scenario) -> None:
    session = session_for(scenario)
    session.pause()
    assert session.state == "paused"
    session.toggle()
    assert session.running
    session.toggle()
    assert session.state == "paused"
    session.run()
    session.one_batch()
    assert (session.state, session.training.position) == ("paused", 1)
    assert session.would_be_lost
    train_all(session)
    assert session.state == "finished"
    assert not session.would_be_lost
    for press in (session.run, session.toggle, session.one_batch, session.stop, session.pause):
        press()
        assert session.state == "finished"


def test_stop_evaluates_and_c_goes_on(scenario: Scenario) -> None:
    session = session_for(scenario)
    session.stop()
    assert (session.state, view_of(session)["stopped"]) == ("paused", None)
    session.one_batch()
    before = weights(scenario)
    session.run()
    session.stop()
    assert session.state == "stopped"
    stopped = view_of(session)["stopped"]
    assert stopped["batch"] == 1
    assert stopped["test_loss"] > 0
    assert stopped["test_accuracy"] is None
    assert weights(scenario) == before
    session.run()
    assert session.running
    assert view_of(session)["stopped"] == stopped
    session.train_when_due()
    assert view_of(session)["stopped"] is None


def test_paces(scenario: Scenario) -> None:
    session = session_for(scenario)
    for _ in range(20):
        session.slower()
    assert view_of(session)["pace"] == "1 batch a second"
    assert view_of(session)["left"] == pytest.approx(6)
    words = []
    for _ in range(20):
        session.faster()
        words.append(view_of(session)["pace"])
    assert words[0] == "2 batches a second"
    assert words[len(PACES) - 2 :] == ["full speed"] * (20 - len(PACES) + 2)


def test_a_pace_is_kept_and_not_caught_up_with(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("tui.session.training.pace.time", clock)
    session = session_for(scenario)
    session.slower()
    session.slower()  # 5 batches a second
    session.run()
    assert session.train_when_due()
    assert not session.train_when_due()
    assert session.seconds_until_due() == pytest.approx(0.2)
    now[0] += 0.21
    assert session.train_when_due()
    assert not session.train_when_due()
    now[0] += 10  # busy elsewhere for many batches
    assert session.train_when_due()
    while session.training.awaits_evaluation:
        assert session.train_when_due()  # an evaluation does not wait for the next batch's time
    session.train_when_due()
    assert not session.train_when_due()
    assert session.training.position <= 4


# The same losses


def test_restart_repeats_the_first_run_bit_for_bit(scenario: Scenario) -> None:
    session = session_for(scenario)
    start = weights(scenario)
    first = train_all(session)
    ended = weights(scenario)
    assert ended != start
    for _ in range(2):
        session.restart()
        assert weights(scenario) == start
        assert view_of(session)["results"] == []
        assert (session.state, session.training.position) == ("paused", 0)
        assert train_all(session) == first
        assert weights(scenario) == ended


def test_restart_from_the_middle_of_an_epoch(scenario: Scenario) -> None:
    session = session_for(scenario)
    first = train_all(session)
    session.restart()
    for _ in range(4):
        session.one_batch()
    session.stop()
    session.restart()
    assert view_of(session)["stopped"] is None
    assert train_all(session) == first


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.sampled_from(["batch", "pause", "toggle", "stop", "look", "step", "undo", "pace"]),
        max_size=12,
    )
)
def test_looking_changes_nothing(tmp_path_factory: pytest.TempPathFactory, keys: list[str]) -> None:
    path = write(tmp_path_factory.getbasetemp(), NOISY, "looked_at.py")
    expected = train_all(session_for(load(path)))
    scenario = load(path)
    session = session_for(scenario)
    for key in keys:
        if key == "batch":
            session.one_batch()
        elif key == "pace":
            session.faster()
        elif key in ("pause", "toggle", "stop"):
            getattr(session, key)()
        else:
            about(scenario)
            graph = open_graph(scenario)
            while key != "look" and graph.position < graph.step_count:
                graph.step()
            while key == "undo" and graph.position:
                graph.step_back()
    assert train_all(session) == expected


def test_stepping_all_of_mnist_s_batches_changes_nothing() -> None:
    plain = load("mlp", epochs=1, batch_size=1000)
    expected = train_all(session_for(plain))
    looked_at = load("mlp", epochs=1, batch_size=1000)
    session = session_for(looked_at)
    while session.state != "finished":
        graph = open_graph(looked_at)
        loss = float(graph.value(0))
        while graph.position < graph.step_count:
            graph.step()
        session.one_batch()
        assert session.training.losses[-1] == loss
    assert session.training.losses == expected
    assert weights(looked_at) == weights(plain)


def test_the_graph_after_the_last_batch_is_there(scenario: Scenario) -> None:
    train_all(session_for(scenario))
    assert open_graph(scenario).step_count > 3
    assert "batch" in about(scenario)


# What goes wrong


FAILS = REGRESSION + (
    "count = []\n"
    "def failing(out, y):\n"
    "    count.append(1)\n"
    "    if len(count) == {at}:\n"
    "        raise {error}\n"
    "    return mean_square(out, y)\n"
    "training.loss_fn = failing\n"
)


@pytest.mark.parametrize("error", ["ValueError('odd')", "SystemExit(3)", "RecursionError"])
def test_a_batch_that_fails(tmp_path: Path, error: str) -> None:
    session = session_for(load(write(tmp_path, FAILS.format(at=3, error=error))))
    train_all(session)
    view = view_of(session)
    assert (view["state"], view["batch"]) == ("failed", 2)
    assert error.partition("(")[0] in view["problem"]
    assert "batch 3" in view["problem"]
    for press in (session.run, session.toggle, session.one_batch, session.stop, session.pause):
        press()
        assert (session.state, session.training.position) == ("failed", 2)
    session.restart()
    assert (session.state, view_of(session)["problem"]) == ("paused", "")
    assert len(train_all(session)) == 6


def test_an_evaluation_that_fails_at_the_end_of_an_epoch(tmp_path: Path) -> None:
    session = session_for(load(write(tmp_path, FAILS.format(at=4, error="ValueError('odd')"))))
    train_all(session)
    view = view_of(session)
    assert view["state"] == "failed"
    assert "ValueError: odd" in view["problem"]
    assert "batch 4" not in view["problem"]


def test_an_evaluation_that_fails_on_stop(tmp_path: Path) -> None:
    session = session_for(load(write(tmp_path, FAILS.format(at=2, error="ValueError('odd')"))))
    session.one_batch()
    session.stop()
    view = view_of(session)
    assert view["state"] == "failed"
    assert "ValueError: odd" in view["problem"]


def test_a_failure_names_the_scenario_s_line(tmp_path: Path) -> None:
    path = write(tmp_path, FAILS.format(at=1, error="ValueError('odd')"))
    line = next(i for i, t in enumerate(path.read_text().splitlines(), 1) if "raise" in t)
    session = session_for(load(path))
    session.one_batch()
    assert f"line {line}" in view_of(session)["problem"]


def test_a_backward_function_that_returns_no_gradient_is_named_with_its_line(
    tmp_path: Path,
) -> None:
    body = FAILS_BACKWARD.replace("raise ValueError('odd')", "return None")
    path = write(tmp_path, REGRESSION + body)
    line = next(i for i, t in enumerate(path.read_text().splitlines(), 1) if "def back" in t)
    session = session_for(load(path))
    train_all(session)
    assert f"batch 3 (wrong.py, line {line}): BackwardError" in view_of(session)["problem"]


def test_a_loss_of_many_elements_is_no_batch(tmp_path: Path) -> None:
    body = REGRESSION + "training.loss_fn = lambda out, y: (out - y) * (out - y)\n"
    scenario = load(write(tmp_path, body))
    start = weights(scenario)
    session = session_for(scenario)
    session.one_batch()
    view = view_of(session)
    assert (view["state"], view["batch"]) == ("failed", 0)
    assert weights(scenario) == start


def test_losses_that_are_not_finite(tmp_path: Path) -> None:
    body = REGRESSION + (
        "seen = []\ndef loss_fn(out, y):\n    seen.append(1)\n"
        "    return mean_square(out, y) * (np.nan if len(seen) > 2 else 1.0)\n"
        "training.loss_fn = loss_fn\n"
    )
    session = session_for(load(write(tmp_path, body)))
    train_all(session)
    view = view_of(session)
    assert (view["state"], view["last_loss"], view["recent_loss"]) == ("finished", "NaN", "NaN")
    assert len(view["curve"]["raw"]) == 2
    assert view["results"][0]["test_loss"] == "NaN"
    assert not math.isfinite(session.training.losses[-1])


# What a scenario may bring


OWN_OPTIMIZER = (
    "class Own:\n    lr = 0.05\n    def __init__(self, parameters):\n"
    "        self.mine = list(parameters)\n"
    "    def zero_grad(self):\n        for p in self.mine:\n            p.grad = None\n"
    "    def step(self):\n        for p in self.mine:\n"
    "            p.array[...] -= self.lr * p.grad.array\n"
    "training.optimizer = Own(model.parameters())\n"
)


def test_an_optimizer_of_the_scenario_s_own(tmp_path: Path) -> None:
    """`Training` asks for zero_grad(), step() and lr, for no more."""
    scenario = load(write(tmp_path, REGRESSION + OWN_OPTIMIZER))
    session = session_for(scenario)
    first = train_all(session)
    assert (view_of(session)["optimizer"], view_of(session)["lr"]) == ("Own", "0.05")
    session.restart()
    assert train_all(session) == first


def test_a_model_that_is_a_plain_function(tmp_path: Path) -> None:
    body = REGRESSION + "layer = model\ntraining.model = lambda x: layer(x)\n"
    scenario = load(write(tmp_path, body))
    assert "batch 1 of 3" in about(scenario)
    assert len(train_all(session_for(scenario))) == 6


def test_without_test_data(tmp_path: Path) -> None:
    session = session_for(load(write(tmp_path, REGRESSION + "training.test_data = None\n")))
    session.one_batch()
    session.stop()
    assert view_of(session)["stopped"] == {"batch": 1, "test_loss": None, "test_accuracy": None}
    train_all(session)
    assert view_of(session)["results"][0]["test_loss"] is None


# Going back


@pytest.mark.parametrize("count", [1, 2, 4])
def test_going_back_and_on_gives_the_same_losses(scenario: Scenario, count: int) -> None:
    undisturbed = train_all(session_for(scenario))
    session = session_for(load(scenario.path))
    for _ in range(4):
        session.one_batch()
    for _ in range(count):
        assert session.back()
    assert (session.state, session.training.position) == ("paused", 4 - count)
    assert len(session.training.results) == (4 - count) // 3
    assert train_all(session) == undisturbed


def test_the_last_twenty_batches_are_kept(tmp_path: Path) -> None:
    scenario = load(write(tmp_path, NOISY + "training.epochs = 10\n"))
    session = session_for(scenario)
    before = []
    for _ in range(25):
        before.append(weights(scenario))
        session.one_batch()
    for position in range(24, 4, -1):
        assert session.back()
        assert weights(scenario) == before[position]
    assert not session.back()
    assert session.training.position == 5


def test_where_a_scenario_draws_from_numpy_and_python_going_back_puts_these_back_too(
    tmp_path: Path,
) -> None:
    drawing = REGRESSION + (
        "import random\n"
        "def noisy(out, y):\n"
        "    return mean_square(out + float(np.random.rand() + random.random()), y)\n"
        "training.loss_fn = noisy\n"
    )
    scenario = load(write(tmp_path, drawing))
    session = session_for(scenario)
    for _ in range(5):
        session.one_batch()
    losses = list(session.training.losses)
    for _ in range(4):
        session.back()
    for _ in range(4):
        session.one_batch()
    assert session.training.losses == losses


def test_a_batch_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    failing = NOISY + (
        "def sometimes(out, y):\n"
        "    loss = noisy(out, y)\n"
        "    if training.position == 2:\n"
        "        raise ValueError('not this one')\n"
        "    return loss\n"
        "training.loss_fn = sometimes\n"
    )
    session = session_for(load(write(tmp_path, failing)))
    session.one_batch()
    session.one_batch()
    state = engine.get_rng_state()
    session.one_batch()
    assert session.state == "failed"
    assert "not this one" in session.problem
    assert engine.get_rng_state() == state
