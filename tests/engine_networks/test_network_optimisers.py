"""Optimisers, schedules, clipping and batches, against PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_reference import normal

from engine import Tensor, manual_seed, optim
from engine.batches import DataLoader
from engine.errors import ShapeError

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1}),
    ("Adam", {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.1}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3}),
]


def pair(torch: Any, name: str, settings: dict[str, Any]) -> Any:
    start = [normal(3, 4).astype(np.float32), normal(4).astype(np.float32), normal().astype("f")]
    start[0] = np.asfortranarray(start[0])
    ours = [Tensor(a.copy(order="K"), requires_grad=True) for a in start]
    theirs = [torch.tensor(a, requires_grad=True) for a in start]
    return (
        ours,
        theirs,
        getattr(optim, name)(ours, **settings),
        getattr(torch.optim, name)(theirs, **settings),
    )


def set_grads(torch: Any, ours: list[Tensor], theirs: Any, skip: int | None = None) -> None:
    for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        grad = normal(*a.shape)
        a.grad = None if i == skip else Tensor(grad)
        b.grad = None if i == skip else torch.tensor(grad, dtype=torch.float32)


def assert_close(ours: list[Tensor], theirs: Any) -> None:
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a.array, b.detach().numpy(), rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize(("name", "settings"), SETTINGS, ids=str)
def test_twenty_steps_as_pytorch(name: str, settings: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs, mine, other = pair(torch, name, settings)
    for step in range(20):
        set_grads(torch, ours, theirs, skip=1 if step % 5 == 0 else None)
        if step == 10:
            mine.lr = other.param_groups[0]["lr"] = 0.02
        mine.step()
        other.step()
        assert_close(ours, theirs)


@pytest.mark.parametrize(("name", "settings"), SETTINGS, ids=str)
def test_state_goes_on_in_another_optimiser_and_comes_from_pytorch(
    name: str, settings: dict[str, Any]
) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs, mine, other = pair(torch, name, settings)
    for _ in range(3):
        set_grads(torch, ours, theirs)
        mine.step()
        other.step()
    for state in (mine.state_dict(), other.state_dict()):
        copies = [Tensor(a.array.copy(), requires_grad=True) for a in ours]
        fresh = getattr(optim, name)(copies, lr=7.0)
        fresh.load_state_dict(state)
        assert fresh.lr == settings["lr"]
        set_grads(torch, copies, theirs)
        for a, b in zip(ours, copies, strict=True):
            a.grad = b.grad
        before = [a.array.copy() for a in ours]
        kept = mine.state_dict()
        mine.step()
        fresh.step()
        for a, b, old in zip(ours, copies, before, strict=True):
            np.testing.assert_allclose(a.array, b.array, rtol=1e-6, atol=1e-6)
            a.array[...] = old
        mine.load_state_dict(kept)


def test_wrong_optimiser_states_are_refused() -> None:
    optimizer = optim.Adam([Tensor(normal(2), requires_grad=True)])
    state = optimizer.state_dict()
    with pytest.raises(ValueError, match="lacks momentum, dampening, nesterov"):
        optim.SGD([Tensor(normal(2), requires_grad=True)]).load_state_dict(state)
    two = [Tensor(normal(2), requires_grad=True) for _ in range(2)]
    with pytest.raises(ValueError, match=r"for 1 parameters in 1 group.* are 2"):
        optim.Adam(two).load_state_dict(state)
    state["state"] = {0: {"step": 1, "exp_avg": np.zeros(3), "exp_avg_sq": np.zeros(3)}}
    with pytest.raises(ShapeError, match=r"exp_avg of parameter 0 has shape \(3,\).* \(2,\)"):
        optimizer.load_state_dict(state)


def test_parameters_that_cannot_be_trained_are_refused() -> None:
    good = Tensor(normal(2), requires_grad=True)
    cases: list[tuple[Any, Any, str]] = [
        ([], ValueError, "no parameters"),
        ([normal(2)], TypeError, "are Tensors, not ndarray"),
        (good, TypeError, "a list of Tensors"),
        ([good, Tensor(normal(3))], ValueError, r"parameter 1 \(shape \(3,\)\) does not require"),
        ([good * 2], ValueError, "no leaf: it was computed by multiply"),
        ([good, good], ValueError, "comes twice"),
        ([Tensor([1, 2], requires_grad=True)], TypeError, "holds int64"),
    ]
    for params, error, words in cases:
        with pytest.raises(error, match=words):
            optim.SGD(params, lr=0.1)
    for settings in ({"lr": -1}, {"lr": float("nan")}, {"lr": 1, "momentum": -1}):
        with pytest.raises(ValueError, match="is a number from 0"):
            optim.SGD([good], **settings)
    with pytest.raises(ValueError, match="nesterov needs momentum"):
        optim.SGD([good], nesterov=True)
    with pytest.raises(ValueError, match=r"betas\[1\] is a number from 0 to below 1, not 1"):
        optim.Adam([good], betas=(0.9, 1))


def test_steps_are_in_place_and_noticed() -> None:
    param = Tensor(normal(2), requires_grad=True)
    array, loss = param.array, (param * param).sum()
    param.grad = Tensor(normal(2))
    optim.Adam([param]).step()
    assert param.array is array
    with pytest.raises(RuntimeError, match=r"Adam\.step"):
        loss.backward()


def test_schedules_as_pytorch() -> None:
    torch = pytest.importorskip("torch")
    scheduler = torch.optim.lr_scheduler
    for make, other in (
        (lambda o: optim.StepLR(o, 3, gamma=0.5), lambda o: scheduler.StepLR(o, 3, gamma=0.5)),
        (
            lambda o: optim.CosineAnnealingLR(o, 8, eta_min=0.01),
            lambda o: scheduler.CosineAnnealingLR(o, 8, eta_min=0.01),
        ),
        (optim.LinearWarmup, scheduler.LinearLR),
    ):
        mine = optim.SGD([Tensor([1.0], requires_grad=True)], lr=0.4)
        theirs = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
        ours, expected = make(mine), other(theirs)
        theirs.step()
        for step in range(16):
            assert mine.lr == pytest.approx(theirs.param_groups[0]["lr"], rel=1e-6)
            assert ours.get_last_lr() == [mine.lr]
            if step == 8:
                state, again = ours.state_dict(), make(optim.SGD(mine.params, lr=3.0))
                again.load_state_dict(state)
                assert again.optimizer.lr == mine.lr
            ours.step()
            expected.step()
    with pytest.raises(ValueError, match="step_size is a whole number from 1"):
        optim.StepLR(mine, 0)


@pytest.mark.parametrize("norm_type", [2.0, 1.0, float("inf")])
@pytest.mark.parametrize("max_norm", [0.5, 1e6])
def test_clipping_as_pytorch(norm_type: float, max_norm: float) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs, *_ = pair(torch, "SGD", {"lr": 1})
    set_grads(torch, ours, theirs, skip=1)
    held = ours[0].grad
    assert held is not None
    before = held.array.copy()
    norm = optim.clip_grad_norm_(ours, max_norm, norm_type)
    expected = torch.nn.utils.clip_grad_norm_(theirs, max_norm, norm_type)
    assert norm.item() == pytest.approx(expected.item(), rel=1e-5)
    optim.clip_grad_value_(ours, 0.05)
    torch.nn.utils.clip_grad_value_(theirs, 0.05)
    for a, b in zip(ours, theirs, strict=True):
        if a.grad is not None:
            np.testing.assert_allclose(a.grad.array, b.grad.numpy(), rtol=1e-5)
    np.testing.assert_array_equal(held.array, before)


def test_a_norm_that_is_not_finite_can_be_an_error() -> None:
    param = Tensor([1.0], requires_grad=True)
    param.grad = Tensor([np.inf])
    with pytest.raises(RuntimeError, match="the norm of the gradients is inf"):
        optim.clip_grad_norm_(param, 1.0, error_if_nonfinite=True)


def test_batches() -> None:
    numbers = np.arange(10)
    loader = DataLoader(Tensor(numbers), numbers * 2.0, batch_size=4)
    assert len(loader) == 3
    batches = list(loader)
    assert [len(x) for x, _ in batches] == [4, 4, 2]
    assert batches[0][0].tolist() == [0, 1, 2, 3]
    assert batches[2][1].dtype == np.float64
    assert [len(x) for x, _ in DataLoader(numbers, numbers, batch_size=4, drop_last=True)] == [4, 4]


def test_shuffled_batches_depend_on_seed_and_epoch_only() -> None:
    def epochs(loader: DataLoader, count: int) -> list[list[int]]:
        return [[i for (x,) in loader for i in x.tolist()] for _ in range(count)]

    numbers = np.arange(20)
    first = epochs(DataLoader(numbers, batch_size=3, shuffle=True, seed=4), 3)
    assert all(sorted(order) == list(range(20)) for order in first)
    assert first[0] != first[1] != first[2]
    manual_seed(4)
    resumed = DataLoader(numbers, batch_size=3, shuffle=True)
    resumed.epoch = 1
    assert epochs(resumed, 2) == first[1:]
    assert epochs(DataLoader(numbers, batch_size=3, shuffle=True, seed=5), 1) != first[:1]


def test_what_data_loaders_refuse() -> None:
    with pytest.raises(ShapeError, match="3 and 4 examples"):
        DataLoader(np.zeros(3), np.zeros(4))
    with pytest.raises(ShapeError, match="has to be an array"):
        DataLoader()
    with pytest.raises(ValueError, match="batch_size is a whole number from 1, not 0"):
        DataLoader(np.zeros(3), batch_size=0)
