"""What is measured of each parameter in a batch, and that it changes nothing of the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from monitor_support import (
    Functional,
    Net,
    layers,
    mlp,
    rows_of,
    session_of,
    train,
    warnings_of,
    with_normalization,
)
from tui_support import load, write

import engine
from tui.session.opening import open_graph
from tui.session.session import Session, Subject
from tui.session.training.commands import carry_out
from tui.session.training.monitor.gates import gate_names
from tui.session.training.session import TrainingSession

# The numbers


def test_the_numbers_are_those_of_the_batch() -> None:
    session = session_of(mlp)
    training = session.training
    before = [p.array.copy() for p in training.model.parameters()]
    grads: list[Any] = []
    training.add_batch_hook(
        lambda batch: grads.extend(p.grad.array.copy() for p in training.model.parameters())
    )
    session.one_batch()
    (measured,) = session.monitor.measured
    assert measured.batch == 1
    assert measured.loss == training.losses[0]
    for row, old, grad, parameter in zip(
        measured.rows, before, grads, training.model.parameters(), strict=True
    ):
        assert row.grad == pytest.approx(np.linalg.norm(grad), rel=1e-5)
        moved = np.linalg.norm(parameter.array.astype(float) - old)
        assert row.update == pytest.approx(moved / np.linalg.norm(old), rel=1e-4)
        assert row.zeros == pytest.approx((grad == 0).mean())
    assert [row.name for row in measured.rows] == [n for n, _ in training.model.named_parameters()]
    assert measured.last_weight == 4


def test_units_that_are_off_and_what_they_belong_to() -> None:
    session = session_of(mlp)
    outs: list[Any] = []

    def keep(batch: engine.TrainedBatch) -> None:
        first, second, _ = (m for m in training.model if isinstance(m, engine.Linear))
        hidden = engine.relu(first(batch.inputs))
        outs[:] = [hidden.array, engine.relu(second(hidden)).array]

    training = session.training
    training.add_batch_hook(keep)
    for _ in range(3):
        session.one_batch()
    measured = session.monitor.measured[-1]
    expected = [int((out == 0).all(axis=0).sum()) for out in outs]
    assert [units.off for units in measured.units] == expected
    assert [units.count for units in measured.units] == [64, 64]
    feeds = [row.feeds.name if row.feeds else None for row in measured.rows]
    assert feeds == ["the ReLU after 0"] * 2 + ["the ReLU after 2"] * 2 + [None] * 2
    hears = [row.hears.name if row.hears else None for row in measured.rows]
    assert hears == [None, None, "the ReLU after 0", None, "the ReLU after 2", None]


def test_channels_functions_and_ways_around() -> None:
    session = session_of(Functional, images=100)
    session.training.model.conv.bias.array[1] = -100.0
    session.one_batch()
    measured = session.monitor.measured[-1]
    assert [(u.name, u.count) for u in measured.units] == [
        ("the ReLU after conv", 4),
        ("the ReLU after fc1", 16),
        ("the ReLU after fc2", 16),
    ]
    assert measured.units[0].off == 1
    heard = {row.name: row.hears.name for row in measured.rows if row.hears}
    assert heard["fc1.weight"] == "the ReLU after conv"
    assert heard["fc2.weight"] == "the ReLU after fc1"
    assert "out.weight" not in heard  # it hears two


def test_the_names_are_those_of_the_modules_where_the_graph_was_stepped() -> None:
    scenario = load("mlp")
    assert scenario.training is not None
    session = TrainingSession(scenario.training)
    stepped = Session(open_graph(scenario), Subject("", "", "", "", "", (), ()))
    session.monitor.gate_names = gate_names(stepped.graph, stepped.labels)
    session.one_batch()
    assert [units.name for units in session.monitor.measured[-1].units] == ["relu1", "relu2"]


def test_names_of_the_session_and_of_what_is_no_module(tmp_path: Path) -> None:
    body = (
        "w = Tensor([[1.0], [2.0]], requires_grad=True)\nb = Tensor([0.0], requires_grad=True)\n"
        "xs = np.ones((4, 2), np.float32)\nys = np.ones((4, 1), np.float32)\n"
        "training = Training(lambda x: x @ w + b, SGD([w, b], 0.1), (xs, ys), None,\n"
        "    lambda out, y: ((out - y) * (out - y)).sum(), batch_size=2, epochs=2)\n"
    )
    scenario = load(write(tmp_path, body))
    assert scenario.training is not None
    w = scenario.namespace["w"]
    session = TrainingSession(scenario.training, names={id(w): "w"})
    session.one_batch()
    rows = rows_of(session)
    assert list(rows) == ["w", "parameter 1"]
    assert rows["parameter 1"]["update"] == "-"  # its value was 0


def test_the_gradient_is_that_before_clipping() -> None:
    session = session_of(mlp, clip_grad_norm=1e-3)
    session.one_batch()
    grads = [row.grad for row in session.monitor.measured[-1].rows]
    assert max(grad for grad in grads if grad is not None) > 0.1
    kept = [p.grad for p in session.training.model.parameters()]
    assert sum(np.square(g.array).sum() for g in kept if g is not None) < 1.01e-6


def test_looking_into_the_next_batch_meanwhile_changes_nothing() -> None:
    session = session_of(mlp)
    session.run()
    session.train_when_due()
    session.training.optimizer.zero_grad()
    session.pause()
    assert not warnings_of(session)


def test_a_batch_that_fails_is_not_measured(tmp_path: Path) -> None:
    session = session_of(mlp)
    train(session, 2)

    def broken(*_: object) -> None:
        raise ValueError("odd")

    session.training.optimizer.step = broken  # type: ignore[method-assign]
    session.one_batch()
    assert session.state == "failed"
    session.monitor.refresh(running=False)
    assert session.monitor.measured[-1].batch == 2


# Dead for a whole epoch


def test_dead_is_what_was_off_for_each_example_of_an_epoch() -> None:
    session = session_of(lambda: layers(784, 16, 10), batch_size=250, epochs=3)
    training = session.training
    training.model[0].bias.array[[3, 7]] = -100.0
    off: list[Any] = []
    training.add_batch_hook(
        lambda batch: off.append(
            (engine.relu(training.model[0](batch.inputs)).array == 0).all(axis=0)
        )
    )
    dead = []
    for _ in range(training.total_batches):
        session.one_batch()
        (units,) = session.monitor.measured[-1].units
        dead.append((units.dead, units.epoch))
    for epoch in range(3):
        expected = int(np.logical_and.reduce(off[4 * epoch : 4 * epoch + 4]).sum())
        assert expected >= 2
        assert dead[4 * epoch + 3] == (expected, epoch + 1)
    assert dead[:3] == [(0, 0)] * 3
    assert dead[5] == dead[3]


def test_going_back_forgets_what_was_seen_since() -> None:
    session = session_of(mlp, batch_size=250)
    states = []
    for _ in range(6):
        states.append(session.monitor._alive.seen)
        session.one_batch()
    for expected in reversed(states):
        session.back()
        assert session.monitor._alive.seen is expected
    session.restart()
    assert session.monitor.measured == []
    assert session.monitor.verdicts == []


def test_n_and_then_p_shows_the_same_table_and_slope() -> None:
    session = session_of(mlp)
    train(session, 3)
    session.monitor.refresh(running=False)
    before = session.monitor.facts(99)
    session.one_batch()
    session.monitor.refresh(running=False)
    assert session.monitor.facts(99) != before
    session.back()
    session.monitor.refresh(running=False)
    assert session.monitor.facts(99) == before


def test_a_training_that_goes_on_in_the_middle_of_an_epoch_knows_of_none() -> None:
    session = session_of(mlp, batch_size=250)
    session.training.set_progress((2, 0.0, 0, 0))
    session.one_batch()
    session.one_batch()
    assert session.monitor.measured[-1].units[0].epoch == 0


# What it costs


@pytest.mark.parametrize("net", [mlp, with_normalization])
def test_the_losses_are_the_same_to_the_bit_whether_it_is_looked_at_or_not(net: Net) -> None:
    watched, alone = session_of(net), session_of(net)
    for _ in alone.training.events():
        pass
    engine.manual_seed(0)
    watched = session_of(net)
    while not watched.training.finished:
        watched.one_batch()
        watched.monitor.refresh(running=False)
        if watched.training.position % 10 == 0:
            carry_out(watched, "slope", {})
            carry_out(watched, "why", {})
    assert watched.training.losses == alone.training.losses
    for one, other in zip(
        watched.training.model.parameters(), alone.training.model.parameters(), strict=True
    ):
        assert one.array.tobytes() == other.array.tobytes()


def test_a_healthy_batch_is_not_walked_through_once_each_unit_was_on() -> None:
    session = session_of(lambda: layers(784, 4, 10))
    train(session, 10)
    assert session.monitor._alive.seen.is_any is False


def test_the_graph_of_a_batch_goes_before_the_next_one_comes() -> None:
    session = session_of(mlp)
    kept = []
    session.training.add_batch_hook(lambda batch: kept.append(session.monitor._last))
    train(session, 3)
    assert kept == [None, None, None]
    assert session.monitor._last is not None
