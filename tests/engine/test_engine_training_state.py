"""The state of a training: from any batch on it gives the same losses, to the bit."""

from __future__ import annotations

import copy
import random
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine import (
    BatchNorm1d,
    Dropout,
    Linear,
    Module,
    ReLU,
    Sequential,
    StateError,
    Tensor,
    Training,
    TrainingSnapshot,
    cross_entropy,
    manual_seed,
    optim,
)
from engine.training.attributes import attributes_of, pack, unpack

INPUTS = np.random.default_rng(3).standard_normal((22, 4)).astype(np.float32)
LABELS = (INPUTS.sum(axis=1) > 0).astype(np.int64)

Make = Callable[[list[Tensor]], Any]

OPTIMIZERS: dict[str, Make] = {
    "SGD": lambda params: optim.SGD(params, 0.1),
    "momentum": lambda params: optim.SGD(params, 0.05, momentum=0.9, nesterov=True),
    "Adam": lambda params: optim.Adam(params, 0.01),
    "AdamW": lambda params: optim.AdamW(params, np.float32(0.01)),
}
SCHEDULERS: dict[str, Callable[[Any], Any]] = {
    "none": lambda optimizer: None,
    "StepLR": lambda optimizer: optim.StepLR(optimizer, 2),
    "cosine": lambda optimizer: optim.CosineAnnealingLR(optimizer, 7),
    "warm-up, then cosine": lambda optimizer: optim.SequentialLR(
        optimizer,
        [optim.LinearWarmup(optimizer, 3), optim.CosineAnnealingLR(optimizer, 9)],
        [3],
    ),
}


def mean_loss(logits: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(logits, labels, reduction="none").sum() / len(labels)


def noisy_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Draws from every generator that is kept."""
    noise = np.random.standard_normal(logits.shape).astype(np.float32) * random.random()
    return mean_loss(logits + noise + engine.zeros(1).uniform_(-0.1, 0.1), labels)


def network() -> Module:
    return Sequential(Linear(4, 6), BatchNorm1d(6), ReLU(), Dropout(0.3), Linear(6, 2))


def training_with(
    optimizer: Make = OPTIMIZERS["momentum"],
    scheduler: Callable[[Any], Any] = SCHEDULERS["none"],
    loss_fn: Callable[[Any, Tensor], Tensor] = noisy_loss,
    each: str = "batch",
    seed: int = 5,
) -> Training:
    """18 batches in 3 epochs, the last of each a smaller one."""
    manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    model = network()
    made = optimizer(list(model.parameters()))
    data = (INPUTS, LABELS)
    return Training(
        model, made, data, data, loss_fn, 4, 3, scheduler(made), each, clip_grad_norm=1.0
    )


def advance(training: Training, pieces: int) -> None:
    for _ in range(pieces):
        if not training.finished:
            training.advance()


def told(training: Training) -> list[Any]:
    """What a training comes to, without the time that it took."""
    return [
        training.losses,
        [(r.epoch, r.train_loss, r.test_loss, r.test_accuracy) for r in training.results],
        {name: array.tobytes() for name, array in training.model.state_dict().items()},
        training.lr,
    ]


def to_the_end(training: Training) -> list[Any]:
    for _ in training.events():
        pass
    return told(training)


# Going on


@given(
    st.sampled_from(sorted(OPTIMIZERS)),
    st.sampled_from(sorted(SCHEDULERS)),
    st.sampled_from(["batch", "epoch"]),
    st.integers(0, 22),
)
@settings(deadline=None, max_examples=120)
def test_another_training_goes_on_to_the_same_losses(
    optimizer: str, scheduler: str, each: str, pieces: int
) -> None:
    parts = OPTIMIZERS[optimizer], SCHEDULERS[scheduler], noisy_loss, each
    first = training_with(*parts)
    advance(first, pieces)
    state = first.state_dict()
    expected = to_the_end(first)
    second = training_with(*parts, seed=77)
    advance(second, pieces // 2)
    second.load_state_dict(state)
    assert second.position == state["position"]
    assert to_the_end(second) == expected
    assert second.seed == 5


@pytest.mark.parametrize("pieces", range(22))
def test_from_every_batch_and_evaluation(pieces: int) -> None:
    expected = to_the_end(training_with(OPTIMIZERS["Adam"]))
    first = training_with(OPTIMIZERS["Adam"])
    advance(first, pieces)
    state = first.state_dict()
    second = training_with(OPTIMIZERS["Adam"], seed=6)
    second.load_state_dict(state)
    assert to_the_end(second) == expected


def test_a_snapshot_gives_the_state_of_its_own_moment() -> None:
    training = training_with(OPTIMIZERS["Adam"], SCHEDULERS["cosine"])
    advance(training, 8)
    expected, snapshot = training.state_dict(), TrainingSnapshot(training)
    advance(training, 5)
    found = training.state_dict(snapshot)
    assert same(found, expected)
    assert found["position"] == 7


def test_a_state_shares_nothing_with_the_training() -> None:
    training = training_with(OPTIMIZERS["Adam"])
    advance(training, 3)
    state = training.state_dict()
    before = copy.deepcopy(state)
    to_the_end(training)
    assert same(state, before)
    training.load_state_dict(state)
    to_the_end(training)
    assert same(state, before)


def test_a_changed_learning_rate_and_more_epochs_are_part_of_it() -> None:
    first = training_with(scheduler=SCHEDULERS["cosine"])
    advance(first, 4)
    first.lr = 0.03
    first.epochs = 5
    state = first.state_dict()
    expected = to_the_end(first)
    second = training_with(scheduler=SCHEDULERS["cosine"])
    second.load_state_dict(state)
    assert (second.lr, second.epochs) == (0.03, 5)
    assert to_the_end(second) == expected


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and bool((a == b).all())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)


# Its form


def test_the_model_and_the_optimizer_have_pytorch_s_form() -> None:
    torch = pytest.importorskip("torch")
    training = training_with(OPTIMIZERS["Adam"], loss_fn=mean_loss)
    advance(training, 9)
    state = training.state_dict()
    theirs = torch.nn.Sequential(
        torch.nn.Linear(4, 6),
        torch.nn.BatchNorm1d(6),
        torch.nn.ReLU(),
        torch.nn.Dropout(0.3),
        torch.nn.Linear(6, 2),
    )
    theirs.load_state_dict({k: torch.from_numpy(v) for k, v in state["model"].items()})
    training.model.eval()
    theirs.eval()
    np.testing.assert_allclose(
        training.model(Tensor(INPUTS)).array,
        theirs(torch.from_numpy(INPUTS)).detach().numpy(),
        rtol=1e-5,
        atol=1e-6,
    )
    adam = torch.optim.Adam(theirs.parameters())
    converted = {
        i: {k: torch.as_tensor(v) for k, v in kept.items()}
        for i, kept in state["optimizer"]["state"].items()
    }
    groups = [{**adam.state_dict()["param_groups"][0], **state["optimizer"]["param_groups"][0]}]
    adam.load_state_dict({"state": converted, "param_groups": groups})
    training.model.train()
    expected = to_the_end(training)
    # And back: what PyTorch holds goes on here, to the same losses.
    other = training_with(OPTIMIZERS["Adam"], loss_fn=mean_loss, seed=9)
    other.load_state_dict(state)
    for param in other.model.parameters():
        param.array[...] = 7
    other.model.load_state_dict(theirs.state_dict())
    other.optimizer.load_state_dict(adam.state_dict())
    assert to_the_end(other) == expected


def test_a_shared_parameter_is_there_under_each_name() -> None:
    class Tied(Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = Linear(4, 4)
            self.b = Linear(4, 4)
            self.b.weight = self.a.weight
            self.register_buffer("calls", Tensor(np.zeros(1)), persistent=False)

        def forward(self, x: Tensor) -> Tensor:
            self.calls.array[...] += 1
            out: Tensor = self.b(self.a(x))
            return out * (1 + self.calls.array)

    def tied() -> Training:
        manual_seed(1)
        model = Tied()
        scale = Tensor(np.ones(4), requires_grad=True)
        params = [*model.parameters(), scale]

        def loss_fn(out: Tensor, labels: Tensor) -> Tensor:
            return (out * scale * 0.01).sum() / len(labels)

        data = (INPUTS, LABELS)
        return Training(model, optim.SGD(params, 0.01), data, data, loss_fn, 4, 2)

    first = tied()
    advance(first, 5)
    state = first.state_dict()
    assert sorted(state["model"]) == ["a.bias", "a.weight", "b.bias", "b.weight"]
    assert [array.shape for array in state["others"]] == [(4,), (1,)]
    second = tied()
    second.load_state_dict(state)
    assert to_the_end(second) == to_the_end(first)


def test_a_model_that_is_a_function() -> None:
    def plain_training() -> Training:
        weight = Tensor(np.ones((4, 2)), requires_grad=True)
        data = (INPUTS, LABELS)
        made = optim.Adam([weight], 0.01)
        return Training(lambda x: x @ weight, made, data, data, mean_loss, 4, 2)

    first = plain_training()
    advance(first, 5)
    state = first.state_dict()
    assert state["model"] == {}
    second = plain_training()
    second.load_state_dict(state)
    advance(first, 99)
    advance(second, 99)
    assert second.losses == first.losses
    assert len(first.losses) == 12


# Optimisers and schedulers of one's own


class Own:
    """Remembers things in every way that can be kept."""

    def __init__(self, params: list[Tensor], lr: float = 0.05) -> None:
        self.params = list(params)
        self.arrays = [param.array for param in self.params]
        self.lr = lr
        self.rule = abs
        self.note = "v"
        self.steps = 0
        self.velocity: dict[int, Any] = {}
        self.by_tensor: dict[Tensor, Any] = {}
        self.history: list[Any] = []
        self.shared = self.history

    def zero_grad(self) -> None:
        for param in self.params:
            param.grad = None

    def step(self) -> None:
        self.steps += 1
        for param, array in zip(self.params, self.arrays, strict=True):
            assert param.grad is not None
            grad = param.grad.array
            kept = self.velocity.setdefault(id(param), np.zeros_like(array))
            kept *= 0.9
            kept += grad
            mean = self.by_tensor.setdefault(param, Tensor(np.zeros_like(array)))
            mean.array[...] += 0.1 * (grad - mean.array)
            array -= np.float32(self.lr) * (kept + mean.array) / (1 + len(self.shared))
        self.history.append((self.steps, np.float64(self.steps), {"a": None}))
        del self.history[:-3]


class Counting(optim.SGD):
    """An optimiser of the engine's with an attribute and a state of its own."""

    def __init__(self, params: list[Tensor]) -> None:
        super().__init__(params, 0.1, momentum=0.5)
        self.seen = [0]

    def _update(self, param: Any, grad: Any, state: Any, scratch: Any) -> None:
        self.seen[0] += 1
        state.setdefault("norms", np.zeros(2, np.float32))[:] += np.abs(grad).max()
        super()._update(param, grad / self.seen[0] / state["norms"].max(), state, scratch)


class Slotted:
    """Has its attributes in slots."""

    __slots__ = ("lr", "mean", "params")

    def __init__(self, params: list[Tensor]) -> None:
        self.params, self.lr = params, 0.1
        self.mean = [np.zeros_like(param.array) for param in params]

    zero_grad = Own.zero_grad

    def step(self) -> None:
        for param, mean in zip(self.params, self.mean, strict=True):
            assert param.grad is not None
            mean += param.grad.array
            param.array[...] -= np.float32(self.lr) * mean


class Forgetful(optim.SGD):
    """Clears no gradient, as a student's first optimiser may: each batch adds to those before."""

    def __init__(self, params: list[Tensor]) -> None:
        super().__init__(params, 0.01)

    def zero_grad(self) -> None:
        pass


@pytest.mark.parametrize("kind", [Own, Counting, Slotted, Forgetful])
@pytest.mark.parametrize("pieces", [0, 1, 7, 15])
def test_an_optimiser_of_one_s_own_goes_on(kind: Make, pieces: int) -> None:
    first = training_with(kind)
    advance(first, pieces)
    state = first.state_dict()
    expected = to_the_end(first)
    second = training_with(kind, seed=8)
    second.load_state_dict(state)
    assert to_the_end(second) == expected


def test_going_back_keeps_an_optimiser_s_arrays_the_parameters_own() -> None:
    training = training_with(Own)
    snapshot = TrainingSnapshot(training)
    expected = to_the_end(training)
    snapshot.put_back(training)
    assert all(
        array is param.array
        for array, param in zip(
            training.optimizer.arrays,  # type: ignore[attr-defined]
            training.optimizer.params,
            strict=True,
        )
    )
    assert to_the_end(training) == expected


def test_a_schedule_of_one_s_own_goes_on() -> None:
    class Plateau(optim.LRScheduler):
        def __init__(self, optimizer: Any) -> None:
            self.rates: list[float] = []
            self.shape = math_of
            super().__init__(optimizer)

        def lr_at(self, epoch: int) -> float:
            self.rates.append(self.base_lr / (1 + len(self.rates)))
            return self.shape(self.rates[-1])

    def math_of(rate: float) -> float:
        return rate

    first = training_with(scheduler=Plateau)
    advance(first, 9)
    state = first.state_dict()
    expected = to_the_end(first)
    second = training_with(scheduler=Plateau)
    second.load_state_dict(state)
    assert to_the_end(second) == expected


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (threading.Lock(), "lock"),
        (deque([1]), "collections.deque"),
        ([{"a": (1, {2})}], "Own.odd[0]['a'][1] is a set"),
        (defaultdict(float), "collections.defaultdict"),
        (np.array([None]), "an array of objects"),
        (np.random.default_rng(0), "Generator"),
        ((p for p in [1]), "generator"),
    ],
)
def test_what_cannot_be_kept_is_named(value: Any, told: str) -> None:
    training = training_with(Own)
    training.optimizer.odd = value  # type: ignore[attr-defined]
    with pytest.raises(StateError, match=r"^Own\.odd") as raised:
        training.state_dict()
    assert told in str(raised.value)


def test_of_the_engine_s_optimisers_too_what_cannot_be_kept_is_named() -> None:
    training = training_with()
    training.optimizer.state[2]["odd"] = {1}
    with pytest.raises(StateError, match=r"SGD\.state\[2\]\['odd'\] is a set, which cannot be"):
        training.state_dict()
    training = training_with(scheduler=SCHEDULERS["cosine"])
    training.scheduler.odd = deque()  # type: ignore[union-attr]
    with pytest.raises(StateError, match=r"CosineAnnealingLR\['odd'\] is a collections.deque"):
        training.state_dict()


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda parts: (
        st.lists(parts, max_size=3)
        | st.tuples(parts, parts)
        | st.dictionaries(st.text() | st.integers(), parts, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), plain_values, max_size=4))
def test_attributes_come_back(attributes: dict[str, Any]) -> None:
    tensors = [Tensor(np.zeros(2))]
    assert unpack(pack(attributes, tensors, "x"), tensors) == attributes


def test_what_is_one_thing_stays_one() -> None:
    knot: list[Any] = [1]
    knot.append(knot)
    array = np.arange(3)
    tensors, others = [Tensor(np.zeros(2))], [Tensor(np.ones(2))]
    given = {"knot": knot, "a": array, "b": [array], "key": {(id(tensors[0]), 1): tensors[0]}}
    found = unpack(pack(given, tensors, "x"), others)
    assert found["knot"][1] is found["knot"]
    assert found["a"] is found["b"][0]
    assert found["a"] is not array
    assert found["key"] == {(id(others[0]), 1): others[0]}


def test_code_and_modules_are_no_attributes_to_keep() -> None:
    class Thing:
        def __init__(self) -> None:
            self.f, self.kind, self.module, self.a = len, Thing, network(), 1

    assert attributes_of(Thing()) == {"a": 1}


# What does not fit


def other_training(**changes: Any) -> Training:
    model = changes.pop("model", None) or network()
    optimizer = changes.pop("optimizer", OPTIMIZERS["momentum"])(list(model.parameters()))
    data = (INPUTS, LABELS)
    scheduler = changes.pop("scheduler", lambda optimizer: None)(optimizer)
    return Training(model, optimizer, data, data, noisy_loss, 4, 3, scheduler)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"optimizer": OPTIMIZERS["Adam"]}, "its optimizer is SGD, here it is Adam"),
        ({"scheduler": SCHEDULERS["cosine"]}, "scheduler is none, here it is CosineAnnealingLR"),
        ({"model": Sequential(Linear(4, 6), Linear(6, 2))}, "the model here lacks 1.running_mean"),
        (
            {"model": Sequential(Linear(4, 7), BatchNorm1d(7), ReLU(), Dropout(), Linear(7, 2))},
            "0.weight is float32 of shape (6, 4) in it, and float32 of shape (7, 4) here",
        ),
        ({"optimizer": lambda params: optim.SGD(params[:2], 0.1)}, "6 parameters, here are 2"),
        (
            {"optimizer": lambda params: optim.SGD(params[::-1], 0.05, momentum=0.9)},
            "momentum_buffer of the optimizer's parameter 0 is float32 of shape (6, 4) in it",
        ),
    ],
)
def test_another_training_s_state_is_refused(changes: dict[str, Any], told: str) -> None:
    first = training_with()
    advance(first, 9)
    state = first.state_dict()
    second = other_training(**changes)
    second.step()
    before = second.state_dict()
    with pytest.raises(StateError) as raised:
        second.load_state_dict(state)
    assert told in str(raised.value)
    assert same(second.state_dict(), before)


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: state.pop("losses"),
        lambda state: state.update(position=3),
        lambda state: state.update(results=[{"epoch": 1}]),
        lambda state: state.update(results=[]),
        lambda state: state.update(batch_size=0),
        lambda state: state.update(epochs=1),
        lambda state: state.update(global_random=["x", "y"]),
        lambda state: state["random"].pop("state"),
        lambda state: state["optimizer"].update(own={"attributes": {"a": ["object", 3]}}),
        lambda state: state["optimizer"].update(param_groups=[]),
        lambda state: state.update(others=None),
        lambda state: state.update(model=[1]),
        lambda state: state["model"].update({"0.weight": "x"}),
        lambda state: state.update(types=None),
        lambda state: state.update(seed="x"),
    ],
)
def test_rubbish_is_refused_and_changes_nothing(damage: Callable[[Any], Any]) -> None:
    first = training_with()
    advance(first, 9)
    state = first.state_dict()
    damage(state)
    second = training_with(seed=6)
    advance(second, 8)
    before = second.state_dict()
    with pytest.raises(StateError):
        second.load_state_dict(state)
    assert same(second.state_dict(), before)
