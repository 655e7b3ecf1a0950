"""A step of training the MLP 784-64-64-10: against NumPy by hand, PyTorch, and with hooks.

    pytest tests/benchmarks --benchmark-only -s

prints the ratios, which are also kept in the extra_info of --benchmark-json.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from interleaved import report

import engine
from engine.registry import Array

SIZES = (784, 64, 64, 10)
RATE = 0.1


def batch(size: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return rng.random((size, SIZES[0]), np.float32), rng.integers(0, SIZES[-1], size)


def starting_weights() -> list[tuple[Array, Array]]:
    """(in, out) and (out,) for each layer."""
    rng = np.random.default_rng(1)
    layers = []
    for inputs, outputs in itertools.pairwise(SIZES):
        bound = inputs**-0.5
        layers.append(
            (
                rng.uniform(-bound, bound, (inputs, outputs)).astype(np.float32),
                rng.uniform(-bound, bound, outputs).astype(np.float32),
            )
        )
    return layers


def by_hand(size: int) -> Callable[[], float]:
    """As one would write it in NumPy without any autograd."""
    images, labels = batch(size)
    layers = starting_weights()
    rows, rate = np.arange(size), np.float32(RATE)

    def step() -> float:
        inputs, befores = [images], []
        for i, (weight, bias) in enumerate(layers):
            befores.append(inputs[-1] @ weight + bias)
            if i < len(layers) - 1:
                inputs.append(np.maximum(befores[-1], 0))
        shifted = befores[-1] - befores[-1].max(axis=1, keepdims=True)
        exps = np.exp(shifted)
        chances = exps / exps.sum(axis=1, keepdims=True)
        loss = -np.log(chances[rows, labels]).mean()
        down = chances.copy()
        down[rows, labels] -= 1
        down /= size
        for i in reversed(range(len(layers))):
            weight, bias = layers[i]
            weight_grad, bias_grad = inputs[i].T @ down, down.sum(axis=0)
            if i:
                down = (down @ weight.T) * (befores[i - 1] > 0)
            weight -= rate * weight_grad
            bias -= rate * bias_grad
        return float(loss)

    return step


def with_the_engine(size: int, backward: Callable[[Any], None] | None = None) -> Callable[[], Any]:
    images, labels = map(engine.Tensor, batch(size))
    network = engine.Sequential(
        engine.Linear(784, 64),
        engine.ReLU(),
        engine.Linear(64, 64),
        engine.ReLU(),
        engine.Linear(64, 10),
    )
    for parameters, layer in zip(starting_weights(), list(network)[::2], strict=True):
        layer.weight.array[...] = parameters[0].T
        layer.bias.array[...] = parameters[1]
    optimizer = engine.SGD(network.parameters(), lr=RATE)

    def step() -> Any:
        optimizer.zero_grad()
        loss = engine.cross_entropy(network(images), labels)
        if backward is None:
            loss.backward()
        else:
            backward(loss)
        optimizer.step()
        return loss.item()

    return step


def with_torch(size: int) -> Callable[[], Any]:
    torch = pytest.importorskip("torch", reason="the ratio to PyTorch needs torch")
    torch.set_num_threads(1)
    images, labels = map(torch.from_numpy, batch(size))
    network = torch.nn.Sequential(
        torch.nn.Linear(784, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 10),
    )
    with torch.no_grad():
        for parameters, layer in zip(starting_weights(), list(network)[::2], strict=True):
            layer.weight.copy_(torch.from_numpy(parameters[0].T.copy()))
            layer.bias.copy_(torch.from_numpy(parameters[1]))
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE)

    def step() -> Any:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


@pytest.mark.parametrize("size", [32, 128, 1024])
def test_training_step(benchmark: Any, size: int) -> None:
    functions = {
        "engine": with_the_engine(size),
        "NumPy by hand": by_hand(size),
        "torch": with_torch(size),
    }
    losses = {name: [step() for _ in range(5)] for name, step in functions.items()}
    for name, found in losses.items():
        np.testing.assert_allclose(found, losses["NumPy by hand"], rtol=1e-4, err_msg=name)
    report(benchmark, "engine", functions)


def driven(loss: engine.Tensor) -> None:
    for _ in engine.backward_steps(loss):
        pass


def ten(step: Callable[[], Any], around: Callable[[], Any] = contextlib.nullcontext) -> Any:
    """Ten calls as one, with something around all of them: a hook is added once, not each time."""

    def ten_times() -> None:
        with around():
            for _ in range(10):
                step()

    return ten_times


@pytest.mark.parametrize("way", ["watched", "driven"])
def test_hooks(benchmark: Any, way: str) -> None:
    if way == "watched":
        ours = ten(with_the_engine(128), lambda: engine.add_step_hook(lambda step: None))
    else:
        ours = ten(with_the_engine(128, driven))
    report(benchmark, way, {way: ours, "plain": ten(with_the_engine(128))})
