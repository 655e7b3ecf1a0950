"""Turning the recording off, and the optimiser that needs it off."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from engine_reference import bits, grad_of, leaf

from engine import (
    SGD,
    Linear,
    NoGrad,
    Parameter,
    ReLU,
    Sequential,
    Tensor,
    is_grad_enabled,
    no_grad,
    record_origins,
)


def test_nothing_is_recorded_inside() -> None:
    x = leaf([1.0])
    with NoGrad():
        assert not is_grad_enabled()
        assert not (x * 2).requires_grad
        assert leaf([1.0]).requires_grad
    assert is_grad_enabled()
    assert (x * 2).requires_grad


def test_leaving_restores_what_was_before() -> None:
    with no_grad():
        with NoGrad():
            assert not is_grad_enabled()
        assert not is_grad_enabled()
        with pytest.raises(KeyError), no_grad():
            raise KeyError
        assert not is_grad_enabled()
    assert is_grad_enabled()
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert is_grad_enabled()
    reused = NoGrad()
    with reused, reused:
        assert not is_grad_enabled()
    assert is_grad_enabled()


def test_as_a_decorator() -> None:
    @no_grad()
    def double(x: Tensor, *, fail: bool = False) -> Tensor:
        """Doubles."""
        if fail:
            raise KeyError
        return x * 2

    assert not double(leaf([1.0])).requires_grad
    assert is_grad_enabled()
    with pytest.raises(KeyError):
        double(leaf([1.0]), fail=True)
    assert is_grad_enabled()
    assert (double.__name__, double.__doc__) == ("double", "Doubles.")


def test_each_thread_has_its_own_switch() -> None:
    seen: list[bool] = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append((leaf([1.0]) * 2).requires_grad))
        thread.start()
        thread.join()
        assert not is_grad_enabled()
    assert seen == [True]


def test_one_instance_in_two_threads() -> None:
    """A enters, B (where the graph is off already) enters, and A leaves before B does."""
    shared = NoGrad()
    entered, left = threading.Event(), threading.Event()
    seen: dict[str, bool] = {}

    def b() -> None:
        with no_grad():
            with shared:
                entered.set()
                left.wait(5)
            seen["b, still off"] = not is_grad_enabled()
        seen["b, on again"] = is_grad_enabled()

    def a() -> None:
        with shared:
            other.start()
            entered.wait(5)
        seen["a, on again"] = is_grad_enabled()
        left.set()

    other, thread = threading.Thread(target=b), threading.Thread(target=a)
    thread.start()
    thread.join()
    other.join()
    assert seen == dict.fromkeys(("a, on again", "b, still off", "b, on again"), True)


# SGD


def test_sgd_steps_in_place_and_unrecorded() -> None:
    w, unused = Parameter(Tensor([1.0, 2.0])), Parameter(Tensor([5.0]))
    array = w.array
    optimizer = SGD([w, unused], lr=0.5)
    (w * w).sum().backward()
    grad = grad_of(w)
    optimizer.step()
    assert w.array is array
    assert array.tolist() == [0, 0]
    assert unused.tolist() == [5]
    assert w.is_leaf
    assert w.requires_grad
    assert grad_of(w) is grad
    assert grad.tolist() == [2, 4]
    optimizer.step()
    assert array.tolist() == [-1, -2]
    optimizer.zero_grad()
    assert w.grad is None
    optimizer.step()
    assert array.tolist() == [-1, -2]


def test_sgd_keeps_dtypes_and_takes_0d_parameters() -> None:
    for dtype in (np.float16, np.float32, np.float64):
        for lr in (0.5, np.float64(0.5)):
            w = leaf(3.0, dtype)
            (w * 2).backward()
            SGD([w], lr=lr).step()
            assert bits(w) == bits(np.array(2.0, dtype))


def test_sgd_says_what_is_wrong() -> None:
    w = Parameter(Tensor([1.0, 2.0]))
    with pytest.raises(ValueError, match="no parameters"):
        SGD(Sequential(ReLU()).parameters(), lr=0.1)
    with pytest.raises(TypeError, match="parameters are Tensors, not ndarray"):
        SGD([np.ones(2)], lr=0.1)  # type: ignore[list-item]
    for lr in (-0.1, float("nan")):
        with pytest.raises(ValueError, match=r"SGD: .*(learning rate|lr)"):
            SGD([w], lr=lr)
    assert SGD(Linear(2, 2).parameters(), lr=0).params


def test_sgd_refuses_what_it_cannot_train() -> None:
    """One tensor instead of a list would be taken for its rows; those and other results of
    operations never get a gradient, so nothing would be trained, in silence."""
    w = Parameter(Tensor([[1.0, 2.0]]))
    with pytest.raises((TypeError, ValueError)):
        SGD(w, lr=0.1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"leaf|leaves"):
        SGD([w * 2], lr=0.1)
    with pytest.raises(ValueError, match="require"):
        SGD([Tensor([1.0])], lr=0.1)


def test_a_parameter_given_twice_is_not_stepped_twice() -> None:
    w = Parameter(Tensor([1.0]))
    (w * 2).sum().backward()
    try:
        optimizer = SGD([w, w], lr=0.25)
    except ValueError:
        return
    optimizer.step()
    assert w.tolist() == [0.5]


@pytest.mark.parametrize("recorded", [False, True])
def test_a_small_network_learns(recorded: bool) -> None:
    rng = np.random.default_rng(0)
    inputs = Tensor(rng.normal(size=(64, 2)))
    targets = Tensor((inputs.array @ [[1.0], [-2.0]]) + 0.5)
    layer = Linear(2, 1)
    optimizer = SGD(layer.parameters(), lr=0.1)
    with record_origins(recorded):
        for _ in range(200):
            error = layer(inputs) - targets
            optimizer.zero_grad()
            ((error * error).sum() / 64).backward()
            optimizer.step()
    np.testing.assert_allclose(layer.weight.array, [[1, -2]], atol=1e-3)
    np.testing.assert_allclose(layer.bias.array, [0.5], atol=1e-3)
