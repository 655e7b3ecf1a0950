"""A state that does not fit a training, or is damaged: it is refused, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from training_state_support import (
    INPUTS,
    LABELS,
    OPTIMIZERS,
    SCHEDULERS,
    advance,
    network,
    noisy_loss,
    same,
    training_with,
)

from engine import BatchNorm1d, Dropout, Linear, ReLU, Sequential, StateError, Training, optim


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
