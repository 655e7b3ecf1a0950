"""The state of a training: from any batch on it gives the same losses, to the bit."""

from __future__ import annotations

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from training_state_support import (
    INPUTS,
    LABELS,
    OPTIMIZERS,
    SCHEDULERS,
    advance,
    mean_loss,
    noisy_loss,
    same,
    to_the_end,
    training_with,
)

from engine import Linear, Module, Tensor, Training, TrainingSnapshot, manual_seed, optim

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
