"""The training loop against the same loop by hand: schedules, clipping, hooks, pieces of work, and
going back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine import (
    SGD,
    Adam,
    AdamW,
    BatchDone,
    CosineAnnealingLR,
    EpochDone,
    Linear,
    LinearWarmup,
    SequentialLR,
    StepLR,
    Tensor,
    Training,
    TrainingSnapshot,
    cross_entropy,
    nn,
)

X = np.random.default_rng(0).normal(size=(22, 4)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(np.int64)

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda params: SGD(params, lr=0.5),
    "momentum": lambda params: SGD(params, lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    "Adam": lambda params: Adam(params, lr=0.05),
    "AdamW": lambda params: AdamW(params, lr=0.05),
}


def make(optimizer: str = "SGD", noisy: bool = False, **more: Any) -> Training:
    engine.manual_seed(7)
    layers = [Linear(4, 8), nn.ReLU(), Linear(8, 2)]
    if noisy:
        layers[2:2] = [nn.Dropout(0.3)]
    model = nn.Sequential(*layers)
    made = OPTIMIZERS[optimizer](model.parameters())
    return Training(model, made, (X, Y), (X, Y), cross_entropy, batch_size=5, epochs=4, **more)


def weights(training: Training) -> bytes:
    return b"".join(p.array.tobytes() for p in training.model.parameters())


# Schedules


@pytest.mark.parametrize(
    ("each", "make_scheduler"),
    [
        ("epoch", lambda opt: StepLR(opt, 1, 0.5)),
        ("batch", lambda opt: CosineAnnealingLR(opt, 20)),
        ("batch", lambda opt: LinearWarmup(opt, 6)),
        (
            "batch",
            lambda opt: SequentialLR(opt, [LinearWarmup(opt, 5), CosineAnnealingLR(opt, 15)], [5]),
        ),
    ],
)
def test_a_schedule_is_that_of_the_loop_by_hand(each: str, make_scheduler: Any) -> None:
    training = make(scheduler_each=each)
    training.scheduler = make_scheduler(training.optimizer)
    list(training.events())

    by_hand = make()
    model, optimizer = by_hand.model, by_hand.optimizer
    scheduler = make_scheduler(optimizer)
    losses = []
    for epoch in range(4):
        order = np.random.default_rng([7, epoch]).permutation(len(X))
        for start in range(0, len(X), 5):
            chosen = order[start : start + 5]
            optimizer.zero_grad()
            loss = cross_entropy(model(Tensor(X[chosen])), Tensor(Y[chosen]))
            loss.backward()
            optimizer.step()
            losses.append(float(loss.item()))
            if each == "batch":
                scheduler.step()
        if each == "epoch":
            scheduler.step()
    assert training.losses == losses
    assert weights(training) == weights(by_hand)
    assert training.lr == optimizer.lr


def test_a_sequence_of_schedules_by_hand() -> None:
    optimizer = make().optimizer
    scheduler = SequentialLR(
        optimizer, [LinearWarmup(optimizer, 2, 0.5), StepLR(optimizer, 2, 0.1)], [2]
    )
    rates = []
    for _ in range(6):
        rates.append(optimizer.lr)
        scheduler.step()
    assert rates == pytest.approx([0.25, 0.375, 0.5, 0.5, 0.05, 0.05])


@pytest.mark.parametrize("milestones", [[], [3, 4], [0, 0]])
def test_a_sequence_needs_a_milestone_between_two(milestones: list[int]) -> None:
    optimizer = make().optimizer
    with pytest.raises(ValueError, match="one milestone fewer"):
        SequentialLR(optimizer, [StepLR(optimizer, 2), StepLR(optimizer, 3)], milestones)


def test_a_rate_that_is_set_goes_on_in_proportion() -> None:
    training = make()
    training.scheduler = StepLR(training.optimizer, 1, 0.5)
    for _ in range(5):
        training.step()
    assert training.lr == 0.25
    training.lr = 1.0
    assert training.lr == 1.0
    for _ in range(5):
        training.step()
    assert training.lr == pytest.approx(0.5)
    without = make()
    without.lr = 0.125
    assert without.optimizer.lr == 0.125
    with pytest.raises(ValueError, match="from 0"):
        without.lr = -1.0


def test_no_factor_makes_another_rate_of_zero() -> None:
    training = make()
    training.scheduler = LinearWarmup(training.optimizer, 4, start_factor=0.0)
    with pytest.raises(ValueError, match="gives a learning rate of 0 now"):
        training.lr = 0.1
    training.scheduler.set_base_lr(2.0)
    training.scheduler.step()
    assert training.lr == 0.5


# Clipping


def test_gradients_are_clipped_by_their_norm() -> None:
    training = make(clip_grad_norm=0.01)
    norms = []

    def keep(batch: engine.TrainedBatch) -> None:
        grads = [p.grad.array for p in training.optimizer.params if p.grad is not None]
        norms.append(np.sqrt(sum((grad**2).sum() for grad in grads)))

    training.add_batch_hook(keep)
    before = [p.array.copy() for p in training.optimizer.params]
    training.step()
    moved = np.sqrt(
        sum(
            ((p.array - b) ** 2).sum()
            for p, b in zip(training.optimizer.params, before, strict=True)
        )
    )
    assert norms[0] > 0.01, "a hook sees the gradients as they came"
    assert moved == pytest.approx(0.5 * 0.01, rel=1e-3)


def test_gradients_are_clipped_by_value() -> None:
    training = make(clip_grad_value=1e-4)
    before = [p.array.copy() for p in training.optimizer.params]
    training.step()
    for param, old in zip(training.optimizer.params, before, strict=True):
        assert np.abs(param.array - old).max() <= 0.5 * 1e-4 * 1.01


@pytest.mark.parametrize(
    "wrong", [{"clip_grad_norm": 0}, {"clip_grad_value": -1.0}, {"scheduler_each": "hour"}]
)
def test_settings_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        make(**wrong)


# Hooks and pieces of work


def test_a_batch_hook_sees_graph_and_gradients_before_the_update() -> None:
    training = make()
    seen: list[tuple[float, bool, bytes]] = []

    def hook(batch: engine.TrainedBatch) -> None:
        has_grads = all(p.grad is not None for p in training.optimizer.params)
        assert batch.inputs.shape == (5, 4)
        assert batch.outputs.shape == (5, 2)
        assert len(batch.labels) == 5
        seen.append((float(batch.loss.item()), has_grads, weights(training)))

    before = weights(training)
    handle = training.add_batch_hook(hook)
    training.step()
    handle.remove()
    training.step()
    assert seen == [(training.losses[0], True, before)]
    assert training.losses == list(_losses(make(), 2))


class Forgetful(engine.SGD):
    """Clears the gradient of its first parameter alone: with None, or with zeros."""

    def __init__(self, *args: Any, zeros: bool) -> None:
        super().__init__(*args)
        self.zeros = zeros

    def zero_grad(self) -> None:
        first = self.params[0]
        first.grad = engine.zeros_like(first) if self.zeros else None


@pytest.mark.parametrize("zeros", [False, True])
def test_a_batch_tells_which_gradients_were_not_cleared(zeros: bool) -> None:
    training = make()
    training.optimizer = Forgetful(training.model.parameters(), 0.1, zeros=zeros)
    seen: list[tuple[engine.Tensor, ...]] = []
    training.add_batch_hook(lambda batch: seen.append(batch.uncleared))
    training.step()
    training.step()
    assert seen[0] == ()
    assert len(seen[1]) == len(training.optimizer.params) - 1
    for found, left in zip(seen[1], training.optimizer.params[1:], strict=True):
        assert found is left


def test_an_optimiser_whose_parameters_cannot_be_looked_through_is_not_asked() -> None:
    training = make()

    class Mine:
        lr = 0.1

        def __init__(self, model: engine.Module) -> None:
            self.model = model
            self.params = (p for p in model.parameters())  # only once

        def zero_grad(self) -> None:
            self.model.zero_grad()

        def step(self) -> None:
            pass

    training.optimizer = Mine(training.model)  # type: ignore[assignment]
    seen: list[tuple[engine.Tensor, ...]] = []
    training.add_batch_hook(lambda batch: seen.append(batch.uncleared))
    training.step()
    assert seen == [()]
    assert list(training.optimizer.params)


def _losses(training: Training, count: int) -> list[float]:
    for _ in range(count):
        training.step()
    return training.losses


def test_an_evaluation_is_done_in_pieces() -> None:
    test = np.repeat(X, 100, axis=0), np.repeat(Y, 100)
    whole, pieces = make(), make()
    whole.test_data = pieces.test_data = test
    for _ in range(5):
        whole.step()
    kinds = []
    while not pieces.results:
        kinds.append([type(event) for event in pieces.advance()])
    assert kinds == [[BatchDone]] * 5 + [[], [], [EpochDone]]
    assert pieces.results[0].test_loss == whole.results[0].test_loss
    assert pieces.results[0].test_accuracy == whole.results[0].test_accuracy


def test_events_go_on_where_an_evaluation_was_left() -> None:
    training = make()
    for _ in range(5):
        training.advance()
    assert training.awaits_evaluation
    assert not training.finished
    assert isinstance(next(training.events()), EpochDone)


def test_it_is_finished_only_once_it_is_evaluated() -> None:
    training = make()
    while training.position < training.total_batches:
        training.advance()
    assert not training.finished
    training.advance()
    assert training.finished
    with pytest.raises(StopIteration):
        training.advance()
    training.epochs += 1
    assert not training.finished
    assert [type(event) for event in training.events()].count(BatchDone) == 5


# Going back


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(sorted(OPTIMIZERS)),
    st.booleans(),
    st.integers(0, 19),
    st.integers(0, 7),
    st.booleans(),
)
def test_from_a_snapshot_it_goes_on_to_the_same_losses(
    optimizer: str, noisy: bool, before: int, after: int, scheduled: bool
) -> None:
    def fresh() -> Training:
        training = make(optimizer, noisy, scheduler_each="batch")
        if scheduled:
            training.scheduler = CosineAnnealingLR(training.optimizer, 20)
        return training

    undisturbed = fresh()
    list(undisturbed.events())
    training = fresh()
    for _ in range(before):
        training.step()
    snapshot = TrainingSnapshot(training)
    there = weights(training), training.progress(), training.lr
    for _ in range(after):
        if not training.finished:
            training.step()
    training.optimizer.lr = 0.9
    snapshot.put_back(training)
    assert (weights(training), training.progress(), training.lr) == there
    list(training.events())
    assert training.losses == undisturbed.losses
    assert weights(training) == weights(undisturbed)
    assert [r.test_loss for r in training.results] == [r.test_loss for r in undisturbed.results]


def test_a_snapshot_takes_its_room_again() -> None:
    training = make("momentum")
    snapshot = TrainingSnapshot(training)
    training.step()
    snapshot.take(training)
    arrays = [id(array) for array in snapshot.arrays]
    size = snapshot.nbytes
    assert size == 2 * sum(p.array.nbytes for p in training.optimizer.params)
    training.step()
    snapshot.take(training)
    assert [id(array) for array in snapshot.arrays] == arrays
    assert snapshot.nbytes == size


def test_an_optimiser_of_ones_own_goes_back_too() -> None:
    class Own:
        def __init__(self, params: Any, lr: float) -> None:
            self.params, self.lr = list(params), lr
            self.velocities = [np.zeros_like(p.array) for p in self.params]
            self.steps = 0
            self.lock = (n for n in range(3))  # nothing that could be copied

        def zero_grad(self) -> None:
            for param in self.params:
                param.grad = None

        def step(self) -> None:
            self.steps += 1
            for param, velocity in zip(self.params, self.velocities, strict=True):
                assert param.grad is not None
                velocity *= 0.9
                velocity += param.grad.array
                param.array[...] -= self.lr * velocity

    training = make()
    own: Any = Own(training.model.parameters(), 0.1)
    training.optimizer = own
    training.step()
    snapshot = TrainingSnapshot(training)
    before = weights(training), own.steps, [v.tobytes() for v in own.velocities]
    losses = []
    for _ in range(2):
        for _ in range(3):
            training.step()
        losses.append(list(training.losses))
        snapshot.put_back(training)
        assert (weights(training), own.steps, [v.tobytes() for v in own.velocities]) == before
        assert own.params[0] is next(iter(training.model.parameters()))
    assert losses[0] == losses[1]


def test_what_saved_a_value_before_it_went_back_refuses_to_use_it() -> None:
    training = make()
    snapshot = TrainingSnapshot(training)
    ahead = training.look_ahead()
    snapshot.put_back(training)
    with pytest.raises(RuntimeError, match="the training went back"):
        ahead.loss.backward()
