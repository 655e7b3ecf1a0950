"""Trainings, and what is said of their parameters, for the tests of the monitor."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import engine
from scenarios.data import mnist
from tui.session.training.monitor.verdicts import SHORT
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


def with_normalization() -> engine.Module:
    return engine.Sequential(
        engine.Linear(784, 32),
        engine.BatchNorm1d(32),
        engine.ReLU(),
        engine.Dropout(0.3),
        engine.Linear(32, 10),
    )


def bias_far_below(layer: int) -> Net:
    def net() -> engine.Module:
        model = mlp()
        model[layer].bias.array -= 100
        return model

    return net
