"""The training loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from engine_reference import bits

import engine
from engine import (
    SGD,
    BatchDone,
    EpochDone,
    Linear,
    Module,
    ReLU,
    Sequential,
    ShapeError,
    Tensor,
    Training,
    TrainingDone,
    cross_entropy,
    manual_seed,
)

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(50, 4)).astype(np.float32)
LABELS = (INPUTS[:, 0] > 0).astype(np.int64) + (INPUTS[:, 1] > 0)
TEST = (INPUTS[:11], LABELS[:11])


class Noisy(Module):
    """Draws from the engine's random numbers in its forward pass, as dropout would."""

    def forward(self, x: Tensor) -> Tensor:
        return x + engine.zeros(*x.shape).uniform_(0.0, 0.1)


def make(seed: int = 0, **settings: Any) -> Training:
    manual_seed(seed)
    model = Sequential(Linear(4, 8), ReLU(), Noisy(), Linear(8, 3))
    data = settings.pop("train_data", (INPUTS, LABELS))
    test = settings.pop("test_data", TEST)
    loss_fn = settings.pop("loss_fn", cross_entropy)
    settings = {"batch_size": 16, "epochs": 3, **settings}
    return Training(model, SGD(model.parameters(), lr=0.1), data, test, loss_fn, **settings)


def weights(training: Training) -> list[Any]:
    return [bits(parameter) for parameter in training.model.parameters()]


def test_the_same_seed_gives_the_same_losses_to_the_bit() -> None:
    first, again, other = make(1), make(1), make(2)
    for training in (first, again, other):
        if training is not other:
            manual_seed(5)
        list(training.events())
    assert first.losses == again.losses
    assert weights(first) == weights(again)
    assert [e.test_loss for e in first.results] == [e.test_loss for e in again.results]
    assert first.losses != other.losses


def test_events_of_a_whole_training() -> None:
    training = make()
    assert (training.batches_per_epoch, training.total_batches) == (4, 12)
    assert (training.epoch, training.finished) == (1, False)
    events = list(training.events())
    kinds = [BatchDone] * 4 + [EpochDone]
    assert [type(event) for event in events] == [*kinds * 3, TrainingDone]
    batches = [event for event in events if isinstance(event, BatchDone)]
    epochs = [event for event in events if isinstance(event, EpochDone)]
    assert [event.batch for event in batches] == list(range(1, 13))
    assert [event.epoch for event in batches] == [1] * 4 + [2] * 4 + [3] * 4
    assert [event.epoch for event in epochs] == [1, 2, 3]
    assert [event.loss for event in batches] == training.losses
    assert epochs == training.results
    seconds = [event.seconds for event in events]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0
    for i, event in enumerate(epochs):
        losses = training.losses[4 * i : 4 * i + 4]
        assert event.train_loss == pytest.approx(np.average(losses, weights=[16, 16, 16, 2]))
    end = events[-1]
    assert isinstance(end, TrainingDone)
    assert (end.epochs, end.batches) == (3, 12)
    assert (end.train_loss, end.test_loss, end.test_accuracy) == (
        *(epochs[-1].train_loss, epochs[-1].test_loss, epochs[-1].test_accuracy),
    )
    assert (training.epoch, training.finished) == (3, True)
    with pytest.raises(StopIteration):
        training.step()
    assert [type(event) for event in training.events()] == [TrainingDone]


def test_it_trains() -> None:
    training = make(epochs=40)
    list(training.events())
    first, last = training.results[0], training.results[-1]
    assert last.train_loss < first.train_loss / 2
    assert last.test_accuracy is not None
    assert last.test_accuracy >= 0.8


def test_batches_cover_each_epoch_in_another_order() -> None:
    training = make()
    sizes, orders = [], []
    for _ in range(training.total_batches):
        indices = training.next_indices()
        inputs, labels = training.next_batch()
        np.testing.assert_array_equal(inputs.array, INPUTS[indices])
        np.testing.assert_array_equal(labels.array, LABELS[indices])
        assert not inputs.requires_grad
        sizes.append(len(indices))
        orders += indices.tolist()
        training.step()
    assert sizes == [16, 16, 16, 2] * 3
    epochs = [orders[i : i + 50] for i in (0, 50, 100)]
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3
    assert epochs[0] != list(range(50))


def test_the_order_depends_on_the_seed_alone() -> None:
    one, other = make(3), make(3, batch_size=50)
    engine.zeros(9).uniform_()
    np.random.seed(1)
    np.testing.assert_array_equal(one.next_indices(), other.next_indices()[:16])
    assert make(4).next_indices().tolist() != one.next_indices().tolist()


@pytest.mark.parametrize(("batch_size", "batches"), [(1, 50), (25, 2), (49, 2), (50, 1), (999, 1)])
def test_batch_counts(batch_size: int, batches: int) -> None:
    training = make(batch_size=batch_size, epochs=2)
    assert training.batches_per_epoch == batches
    events = list(training.events())
    assert sum(isinstance(event, BatchDone) for event in events) == 2 * batches
    assert sum(isinstance(event, EpochDone) for event in events) == 2


def test_a_look_ahead_changes_nothing() -> None:
    plain, looking = make(), make()
    wanted = list(plain.events())
    manual_seed(0)
    looking = make()
    state = engine.get_rng_state()
    while not looking.finished:
        before = weights(looking), engine.get_rng_state(), looking.position
        ahead = looking.look_ahead()
        twice = looking.look_ahead()
        assert bits(ahead.loss) == bits(twice.loss)
        assert (weights(looking), engine.get_rng_state(), looking.position) == before
        np.testing.assert_array_equal(ahead.labels.array, LABELS[looking.next_indices()])
        looking.step()
        assert looking.losses[-1] == ahead.loss.item()
    assert state != engine.get_rng_state()
    assert looking.losses == plain.losses
    assert weights(looking) == weights(plain)
    assert len(wanted) == 12 + 3 + 1
    assert looking.look_ahead().loss.requires_grad


def test_a_look_ahead_that_fails_changes_nothing() -> None:
    def failing(outputs: Tensor, labels: Tensor) -> Tensor:
        raise KeyError

    training = make(loss_fn=failing)
    state = engine.get_rng_state()
    with pytest.raises(KeyError):
        training.look_ahead()
    assert engine.get_rng_state() == state


def test_the_graph_of_a_look_ahead_can_be_stepped_and_taken_back() -> None:
    training, plain = make(), make()
    list(plain.events())
    manual_seed(0)
    training = make()
    for _ in range(5):
        training.step()
    backward_pass = engine.BackwardPass(training.look_ahead().loss)
    while not backward_pass.finished:
        backward_pass.step()
    while backward_pass.position:
        backward_pass.step_back()
    list(training.events())
    assert training.losses == plain.losses


def test_events_can_be_left_and_taken_up_again() -> None:
    whole, parts = make(), make()
    list(whole.events())
    manual_seed(0)
    parts = make()
    for event in parts.events():
        if isinstance(event, BatchDone) and event.batch == 6:
            break
    assert parts.position == 6
    assert parts.end().epochs == 1
    list(parts.events())
    assert parts.losses == whole.losses
    assert parts.results[-1].train_loss == whole.results[-1].train_loss


def test_rewind_starts_over_with_the_weights_as_they_are() -> None:
    training = make()
    first = training.next_indices().tolist()
    list(training.events())
    trained = weights(training)
    training.rewind()
    assert (training.position, training.losses, training.results) == (0, [], [])
    assert (training.seconds, training.epoch, training.finished) == (0, 1, False)
    assert weights(training) == trained
    assert training.next_indices().tolist() == first


def test_evaluate() -> None:
    model = Sequential(Linear(4, 3))
    optimizer = SGD(model.parameters(), lr=0.1)
    inputs = np.tile(INPUTS, (50, 1))[:2345]
    labels = np.tile(LABELS, 50)[:2345]
    training = Training(model, optimizer, (INPUTS, LABELS), (inputs, labels), cross_entropy)
    before = weights(training)
    loss, accuracy = training.evaluate()
    outputs = model(Tensor(inputs))
    assert loss == pytest.approx(cross_entropy(outputs, labels).item(), rel=1e-5)
    assert accuracy == (outputs.array.argmax(axis=1) == labels).mean()
    assert weights(training) == before
    assert all(parameter.grad is None for parameter in model.parameters())


def test_evaluate_without_test_data_or_classes() -> None:
    assert make(test_data=None).evaluate() == (None, None)
    assert make(test_data=(INPUTS[:0], LABELS[:0])).evaluate() == (None, None)
    done = list(make(test_data=None, epochs=1).events())[-2]
    assert isinstance(done, EpochDone)
    assert (done.test_loss, done.test_accuracy) == (None, None)

    def squared(outputs: Tensor, targets: Tensor) -> Tensor:
        error = outputs - targets
        return (error * error).sum() / len(error)

    targets = INPUTS[:, :3] * 2
    training = make(
        train_data=(Tensor(INPUTS), Tensor(targets)),
        test_data=(INPUTS, targets),
        loss_fn=squared,
    )
    list(training.events())
    assert training.results[-1].test_loss is not None
    assert training.results[-1].test_loss < 5
    assert training.results[-1].test_accuracy is None


def test_bare_float64_data_trains_in_float32() -> None:
    """As everywhere: only a Tensor that was asked to be float64 is."""
    training = make(train_data=(INPUTS.astype(np.float64), LABELS))
    assert training.next_batch()[0].dtype == np.float32
    double = Tensor(INPUTS, dtype=np.float64)
    assert make(train_data=(double, LABELS)).next_batch()[0].dtype == np.float64


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"train_data": (INPUTS, LABELS[:49])}, ShapeError, "train_data.*50 inputs.*49 labels"),
        ({"test_data": (INPUTS[:3], LABELS)}, ShapeError, "test_data.*3 inputs.*50 labels"),
        ({"train_data": (INPUTS[:0], LABELS[:0])}, ShapeError, "nothing to train on"),
        ({"batch_size": 0}, ValueError, "batch_size.*from 1.*0"),
        ({"batch_size": 2.5}, ValueError, "batch_size.*2.5"),
        ({"epochs": -1}, ValueError, "epochs.*-1"),
        ({"epochs": "3"}, ValueError, "epochs.*'3'"),
    ],
)
def test_training_says_what_is_wrong(
    settings: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        make(**settings)


def test_a_loss_that_cannot_be_trained_on_changes_nothing() -> None:
    for loss_fn in (
        lambda outputs, labels: outputs.detach().sum(),
        lambda outputs, labels: cross_entropy(outputs, labels, reduction="none"),
    ):
        training = make(loss_fn=loss_fn)
        before = weights(training)
        with pytest.raises((RuntimeError, ValueError), match=r"require grad|one element|shape"):
            training.step()
        assert weights(training) == before
        assert (training.position, training.losses) == (0, [])


def test_random_numbers_can_be_put_back() -> None:
    manual_seed(42)
    assert engine.initial_seed() == 42
    state = engine.get_rng_state()
    first = engine.empty(5).uniform_().tolist()
    assert engine.empty(5).uniform_().tolist() != first
    engine.set_rng_state(state)
    assert engine.empty(5).uniform_().tolist() == first
    manual_seed(42)
    assert engine.empty(5).uniform_().tolist() == first
