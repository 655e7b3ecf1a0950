"""What is said of each parameter while it is trained: mistakes are named, healthy runs are not."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tui_support import load, text_of, write

import engine
from engine import BACK_FUNCS
from scenarios.data import mnist
from tui.session.opening import open_graph
from tui.session.session import Session, Subject
from tui.session.training.commands import carry_out
from tui.session.training.monitor.gates import gate_names
from tui.session.training.monitor.pages import table_items
from tui.session.training.monitor.spark import spark
from tui.session.training.monitor.verdicts import SHORT, percent, three_digits
from tui.session.training.session import TrainingSession

Net = Callable[[], engine.Module]


def layers(*sizes: int, bend: type[engine.Module] = engine.ReLU) -> engine.Sequential:
    """Linear layers with a bend between them, named 0, 1, 2 ..."""
    parts: list[engine.Module] = []
    for inputs, outputs in itertools.pairwise(sizes):
        parts += [engine.Linear(inputs, outputs), bend()]
    return engine.Sequential(*parts[:-1])


def mlp() -> engine.Sequential:
    return layers(784, 64, 64, 10)


def sgd(lr: float, **more: Any) -> Callable[[engine.Module], engine.Optimizer]:
    return lambda model: engine.SGD(model.parameters(), lr=lr, **more)


SGD = sgd(0.05)


def session_of(
    net: Net,
    optimizer: Callable[[engine.Module], engine.Optimizer] = SGD,
    seed: int = 0,
    images: int = 1000,
    **more: Any,
) -> TrainingSession:
    engine.manual_seed(seed)
    (inputs, labels), test = mnist()
    model = net()
    training = engine.Training(
        model,
        optimizer(model),
        (inputs[:images], labels[:images]),
        (test[0][:100], test[1][:100]),
        engine.CrossEntropyLoss(),
        **{"batch_size": 50, "epochs": 2, **more},
    )
    return TrainingSession(training)


def train(session: TrainingSession, batches: int | None = None) -> TrainingSession:
    while not session.training.finished and session.state != "failed":
        if session.training.position == batches:
            break
        session.one_batch()
    return session


def rows_of(session: TrainingSession) -> dict[str, dict[str, Any]]:
    session.monitor.refresh(running=False)
    facts = session.monitor.facts(99)
    json.dumps(facts, allow_nan=False)
    for row in facts["rows"]:
        assert len(row["short"]) <= SHORT, row
    return {row["name"]: row for row in facts["rows"]}


def warnings_of(session: TrainingSession) -> dict[str, str]:
    return {name: row["words"] for name, row in rows_of(session).items() if row["warns"]}


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


class Functional(engine.Module):
    """ReLUs as functions, in images and in rows, with a way around one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = engine.Conv2d(1, 4, 3)
        self.fc1 = engine.Linear(4 * 13 * 13, 16)
        self.fc2 = engine.Linear(16, 16)
        self.out = engine.Linear(16, 10)

    def forward(self, x: engine.Tensor) -> engine.Tensor:
        x = engine.max_pool2d(engine.relu(self.conv(x.reshape(len(x), 1, 28, 28))), 2)
        x = engine.maximum(self.fc1(x.reshape(len(x), -1)), 0.0)
        return self.out(x + self.fc2(x).relu())


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


# Mistakes


def bias_far_below(layer: int) -> Net:
    def net() -> engine.Module:
        model = mlp()
        model[layer].bias.array -= 100
        return model

    return net


def test_a_layer_that_is_off() -> None:
    warned = warnings_of(train(session_of(bias_far_below(2)), 2))
    dead = "64 of 64 units off: nothing flows through the ReLU after 2 any more"
    blocked = "gradient 0: all is off in the ReLU after 2"
    assert warned == {
        "0.weight": blocked,
        "0.bias": blocked,
        "2.weight": dead,
        "2.bias": dead,
        "4.weight": "gradient 0: its input is 0, all is off in the ReLU after 2",
    }


def test_weights_that_start_at_0() -> None:
    def net() -> engine.Module:
        model = mlp()
        for parameter in model.parameters():
            parameter.array[...] = 0
        return model

    warned = warnings_of(train(session_of(net), 2))
    words = "all of it is 0, and so is all that it feeds: start at random numbers"
    assert {name for name, told in warned.items() if told == words} == {"0.weight", "2.weight"}
    assert "4.bias" not in warned

    def first_only() -> engine.Module:
        model = mlp()
        model[0].weight.array[...] = model[0].bias.array[...] = 0
        return model

    # At exactly 0 a ReLU lets half of the gradient through: something comes back, and it learns.
    assert not {"0.weight", "0.bias"} & set(warnings_of(train(session_of(first_only), 1)))

    def last_only() -> engine.Module:
        model = mlp()
        model[4].weight.array[...] = 0  # which is usual, and learns
        return model

    assert not any(
        "all of it is 0" in told for told in warnings_of(train(session_of(last_only), 1)).values()
    )


def test_half_of_a_layer_that_is_dead_for_an_epoch() -> None:
    session = session_of(mlp, batch_size=250, epochs=2)
    session.training.model[0].bias.array[:40] = -100.0
    train(session, 3)
    assert not warnings_of(session)
    train(session, 4)
    words = warnings_of(session)["0.weight"]
    assert words.endswith("of 64 units were off in all of epoch 1 (the ReLU after 0)")


def test_a_gradient_that_vanishes() -> None:
    net = layers
    session = session_of(lambda: net(784, *[64] * 8, 10, bend=engine.Sigmoid))
    warned = warnings_of(train(session, 2))
    assert {"0.weight", "2.weight", "4.weight"} <= warned.keys()
    assert warned["0.weight"].startswith("gradient ")
    assert warned["0.weight"].endswith("of the last layer's: it vanishes")
    assert "16.weight" not in warned


def scaled(by: float, bend: type[engine.Module]) -> Net:
    def net() -> engine.Module:
        model = layers(784, *[64] * 8, 10, bend=bend)
        for layer in model:
            if isinstance(layer, engine.Linear):
                layer.weight.array *= by
        return model

    return net


def test_gradients_that_explode_together() -> None:
    warned = warnings_of(train(session_of(scaled(12, engine.ReLU), sgd(1e-12)), 1))
    assert warned["0.weight"].endswith("times the value: it explodes")
    assert warned["16.weight"].endswith("times the value: it explodes")


def test_a_gradient_that_explodes_on_its_way_down() -> None:
    def net() -> engine.Module:
        first = engine.Linear(784, 64, bias=False)
        first.weight.array *= 1e-5  # what is small is made large again, and its gradient with it
        return engine.Sequential(first, engine.LayerNorm(64, eps=0.0), engine.Linear(64, 10))

    warned = warnings_of(train(session_of(net, sgd(1e-12)), 1))
    assert warned["0.weight"].endswith("times the last layer's: it explodes")


def test_a_rate_that_is_too_high() -> None:
    warned = warnings_of(train(session_of(mlp, sgd(3.0)), 3))
    assert any(words.endswith("lower the rate") for words in warned.values()), warned


@pytest.mark.parametrize(("batch", "is_told"), [(2, False), (4, True)])
def test_one_update_as_large_as_the_weights(batch: int, is_told: bool) -> None:
    session = session_of(lambda: engine.Linear(784, 10), sgd(0.01))
    train(session, batch - 1)
    assert warnings_of(session) == {}
    session.training.optimizer.lr = 100.0
    told = warnings_of(train(session, batch)).values()
    assert any(words.endswith("lower the rate") for words in told) == is_told, told


def spoils(session: TrainingSession, batch: int, value: bool, gradient: bool) -> None:
    """Let the loss of a batch be NaN, or its gradient, while that batch is trained on."""
    training, loss_fn = session.training, session.training.loss_fn

    def spoiled(logits: engine.Tensor, labels: engine.Tensor) -> engine.Tensor:
        loss = loss_fn(logits, labels)
        if training.position == batch - 1:
            if gradient:
                loss.register_hook(lambda grad: grad * np.nan)
            loss = loss * np.nan if value else loss
        return loss

    training.loss_fn = spoiled


@pytest.mark.parametrize("value", [False, True])
@pytest.mark.parametrize("looks", [False, True])
def test_nan_since_a_batch(value: bool, looks: bool) -> None:
    """Also where its loss was finite, and where nobody looked at it."""
    session = session_of(lambda: engine.Linear(784, 10))
    spoils(session, 5, value=value, gradient=True)
    train(session, 5)
    if looks:
        assert warnings_of(session)["weight"] == "NaN since batch 5"
    train(session, 7)
    assert warnings_of(session)["weight"] == "NaN since batch 5"
    session.back()
    session.back()
    assert session.training.position == 5
    train(session, 6)
    assert warnings_of(session)["weight"] == "NaN since batch 5"
    session.back()
    session.back()
    assert warnings_of(session) == {}
    train(session, 7)
    assert warnings_of(session)["weight"] == "NaN since batch 5"
    train(session, 9)
    rows = rows_of(session)
    assert rows["weight"]["words"] == "NaN since batch 5"
    assert rows["weight"]["grad"] == "NaN"
    assert rows["weight"]["history"].endswith("!")


class Detached(engine.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = engine.Linear(784, 16)
        self.last = engine.Linear(16, 10)

    def forward(self, x: engine.Tensor) -> engine.Tensor:
        return self.last(engine.relu(self.first(x)).detach())


def test_a_layer_that_the_loss_does_not_reach() -> None:
    session = train(session_of(Detached), 2)
    words = "no gradient at all: not reached by the loss"
    assert warnings_of(session) == {"first.weight": words, "first.bias": words}
    carry_out(session, "slope", {})
    page = text_of(session.messages[-1]["items"])
    assert "first.weight: no gradient, but the loss changes with it" in page
    assert "The loss depends on first.weight and first.bias, but no gradient arrives" in page


def test_a_parameter_that_the_optimiser_does_not_have() -> None:
    session = session_of(mlp, lambda m: engine.SGD(list(m.parameters())[:-1], lr=0.05))
    warned = warnings_of(train(session, 2))
    assert warned == {"4.bias": "not among the optimiser's parameters: it never changes"}


def test_a_gradient_that_is_not_cleared() -> None:
    class Forgetful(engine.SGD):
        def zero_grad(self) -> None:
            for parameter in self.params[1:]:
                parameter.grad = None

    session = session_of(mlp, lambda m: Forgetful(m.parameters(), lr=0.05))
    assert not warnings_of(train(session, 1))
    warned = warnings_of(train(session, 2))
    words = "holds the gradients of earlier batches, too: zero_grad() leaves them"
    assert warned == {"0.weight": words}
    assert "backward() adds to what .grad holds." in text_of(table_items(session.monitor))


def test_gradients_that_are_summed_over_some_batches_on_purpose() -> None:
    class Summing(engine.SGD):
        batches = 0

        def zero_grad(self) -> None:
            if self.batches % 4 == 0:
                super().zero_grad()
            self.batches += 1

    session = session_of(mlp, lambda m: Summing(m.parameters(), lr=0.01))
    train(session, 5)
    for batch in range(6, 20):
        assert not warnings_of(train(session, batch))


def test_a_parameter_that_is_frozen_is_none_of_these() -> None:
    def net() -> engine.Module:
        model = mlp()
        model[0].requires_grad_(False)
        return model

    session = session_of(
        net, lambda m: engine.SGD([p for p in m.parameters() if p.requires_grad], lr=0.05)
    )
    train(session, 3)
    assert not warnings_of(session)
    assert rows_of(session)["0.weight"]["words"] == "frozen: it does not require grad"


@pytest.fixture
def zeros_for_relu() -> Iterator[None]:
    before = BACK_FUNCS.get_back_func(np.maximum, 0)
    BACK_FUNCS.add_back_func(np.maximum, 0, lambda grad_out, out, x, y: np.zeros_like(x))
    yield
    BACK_FUNCS.add_back_func(np.maximum, 0, before)


@pytest.mark.usefixtures("zeros_for_relu")
def test_a_backward_function_that_returns_zeros() -> None:
    session = train(session_of(mlp), 2)
    warned = warnings_of(session)
    assert set(warned) == {"0.weight", "0.bias", "2.weight", "2.bias"}
    assert set(warned.values()) == {"gradient 0 in every element: the loss does not notice it"}
    assert session.monitor.facts(9)["slope"]["level"] == "wrong"
    assert "No warning." not in text_of(table_items(session.monitor))


def test_an_update_below_the_last_digit() -> None:
    assert not warnings_of(train(session_of(mlp, sgd(1e-20)), 2))
    warned = warnings_of(train(session_of(mlp, sgd(1e-20)), 3))
    assert len(warned) == 6
    assert all("does not change" in words for words in warned.values())


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


# Healthy trainings


def adam(lr: float) -> Callable[[engine.Module], engine.Optimizer]:
    return lambda model: engine.Adam(model.parameters(), lr=lr)


def with_normalization() -> engine.Module:
    return engine.Sequential(
        engine.Linear(784, 32),
        engine.BatchNorm1d(32),
        engine.ReLU(),
        engine.Dropout(0.3),
        engine.Linear(32, 10),
    )


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("net", "optimizer"),
    [
        (mlp, sgd(0.05)),
        (mlp, sgd(0.05, momentum=0.9)),
        (mlp, adam(1e-3)),
        (lambda: layers(784, 64, 10, bend=engine.Tanh), sgd(0.1)),
        (with_normalization, adam(3e-3)),
        (Functional, sgd(0.05)),
    ],
    ids=["mlp", "momentum", "adam", "tanh", "batch-norm", "cnn"],
)
def test_a_healthy_training_is_not_warned_of(
    net: Net, optimizer: Callable[[engine.Module], engine.Optimizer], seed: int
) -> None:
    session = session_of(net, optimizer, seed)
    warned: Counter[str] = Counter()
    while not session.training.finished:
        session.one_batch()
        warned.update(v.words for v in session.monitor.verdicts if v.is_warning)
        warned.update([session.monitor.progress.trend().words])
    assert set(warned) == {""}
    assert session.training.losses[-1] < session.training.losses[0]


def test_where_the_loss_is_0_a_gradient_of_0_is_no_mistake() -> None:
    def hinge(out: engine.Tensor, labels: engine.Tensor) -> engine.Tensor:
        return engine.maximum(out * out - 1e6, 0.0).sum()

    session = session_of(lambda: engine.Linear(784, 10))
    session.training.loss_fn = hinge
    session.one_batch()
    assert not warnings_of(session)


# What it costs, and how often


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


def test_while_it_runs_the_table_stays_for_half_a_second() -> None:
    session = session_of(mlp)
    session.run()
    session.faster(), session.faster(), session.faster()
    seen = []
    for tenth in range(20):
        session.train_when_due()
        session.monitor.refresh(running=True, now=1000 + tenth / 10)
        seen.append(session.monitor.facts(9)["batch"])
    assert sorted(set(seen)) == [1, 6, 11, 16]
    session.monitor.refresh(running=False)
    assert session.monitor.facts(9)["batch"] == session.training.position


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


# The table


def test_more_parameters_than_rows() -> None:
    session = session_of(bias_far_below(2))
    session.one_batch()
    facts = session.monitor.facts(4)
    assert [row["name"] for row in facts["rows"]] == ["0.weight", "0.bias", "2.weight"]
    assert (facts["more"], facts["more_warned"], facts["parameters"]) == (3, 2, 6)
    assert session.monitor.facts(6)["more"] == 0
    healthy = session_of(mlp)
    healthy.training.model[4].bias.array[0] = np.nan
    healthy.one_batch()
    names = [row["name"] for row in healthy.monitor.facts(3)["rows"]]
    assert len(names) == 2


def test_the_table_before_the_first_batch() -> None:
    rows = rows_of(session_of(mlp))
    assert len(rows) == 6
    assert {row["grad"] for row in rows.values()} == {""}


def test_the_page_of_what_the_table_says() -> None:
    session = session_of(bias_far_below(2))
    carry_out(session, "why", {})
    assert "Nothing is measured yet" in text_of(session.messages[-1]["items"])
    train(session, 2)
    carry_out(session, "why", {})
    page = text_of(session.messages[-1]["items"])
    for part in (
        "! 2.weight: 64 of 64 units off: nothing flows through the ReLU after 2 any more",
        "Start again with a lower rate",
        "the ReLU after 2  64 of 64, no whole epoch yet",
        "A rule of thumb for weights is 0.1 %",
        "Slope: ",
    ):
        assert part in page
    healthy = train(session_of(mlp), 2)
    carry_out(healthy, "why", {})
    assert "No warning.  batch 2" in text_of(healthy.messages[-1]["items"])


@pytest.mark.parametrize(
    ("values", "blocks"),
    [
        ([1.0, 1.0, 1.0], "▄▄▄"),
        ([1.0, 2.0], "▄▅"),
        ([1e-9, 1.0, 1e9], "▁▄█"),
        ([0.0, None, math.nan, math.inf, 3.0], "··!!▄"),
        ([], ""),
    ],
)
def test_a_history(values: list[float | None], blocks: str) -> None:
    assert spark(values, 8) == blocks.rjust(8)


def test_a_history_shows_the_last_of_it() -> None:
    assert spark([1e9] + [1.0] * 8, 8) == "▄" * 8


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (1e-9, "1e-7 %"),
        (3e-5, "3e-3 %"),
        (1e-12, "1e-10 %"),
        (0.00012, "0.012 %"),
        (0.019, "1.9 %"),
        (0.02, "2.0 %"),
        (0.0996, "10 %"),
        (3.0, "300 %"),
        (12.4, "12 x"),
        (2e12, "2e12 x"),
    ],
)
def test_shares(share: float, text: str) -> None:
    assert percent(share) == text
    assert len(text) <= 7


@pytest.mark.parametrize(
    ("norm", "text"),
    [
        (None, "-"),
        (0.0, "0"),
        (1.1, "1.10"),
        (123.4, "123"),
        (0.0553, "0.0553"),
        (4321.0, "4321"),
        (1.23e-9, "1.2e-9"),
        (math.nan, "NaN"),
        (math.inf, "Inf"),
    ],
)
def test_norms(norm: float | None, text: str) -> None:
    assert three_digits(norm) == text
    assert len(text) <= 7
