"""The state of optimisers and schedulers of one's own: what is kept of them, and what cannot be."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_state_support import SCHEDULERS, Make, advance, network, to_the_end, training_with

from engine import StateError, Tensor, TrainingSnapshot, optim
from engine.training.attributes import attributes_of, pack, unpack


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
