"""Which parameters are warned of in a training: mistakes are named, healthy runs are not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from monitor_support import (
    Functional,
    Net,
    bias_far_below,
    layers,
    mlp,
    rows_of,
    session_of,
    sgd,
    train,
    warnings_of,
    with_normalization,
)
from tui_support import text_of

import engine
from engine import BACK_FUNCS
from tui.session.training.commands import carry_out
from tui.session.training.monitor.pages import table_items
from tui.session.training.session import TrainingSession

# Mistakes


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


# Healthy trainings


def adam(lr: float) -> Callable[[engine.Module], engine.Optimizer]:
    return lambda model: engine.Adam(model.parameters(), lr=lr)


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
