"""Networks of layers, run as one operation and in parts."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from engine import (
    Linear,
    ReLU,
    Sequential,
    Tensor,
    record_origins,
)
from engine.registry import Array

VALUES = st.floats(-2, 2, width=32) | st.sampled_from([0.0, 1.0, -1.0])


def layer(inputs: int, outputs: int, dtype: str = "float32") -> Sequential:
    network = Sequential(Linear(inputs, outputs), ReLU())
    for parameter in network.parameters():
        parameter.array = parameter.array.astype(dtype)
    return network


def run(
    network: Sequential, x: Array, grad: Array, watched: bool
) -> tuple[Tensor, list[Array | None]]:
    """The output of a network and the gradients of its input and parameters."""
    tensor = Tensor(x, requires_grad=True, dtype=x.dtype)
    network.zero_grad()
    with record_origins(watched):
        out = network(tensor)
    out.backward(grad)
    leaves = [tensor, *network.parameters()]
    return out, [None if leaf.grad is None else leaf.grad.array for leaf in leaves]


def layers(sizes: list[int], bends: list[bool], dtype: str = "float32") -> Sequential:
    """Fully connected layers of these sizes, the first one that of the input."""
    network = Sequential()
    for inputs, outputs, bend in zip(sizes, sizes[1:], bends, strict=False):
        network.append(Linear(inputs, outputs))
        if bend:
            network.append(ReLU())
    for parameter in network.parameters():
        parameter.array = parameter.array.astype(dtype)
    return network


def without_ties() -> tuple[Sequential, Tensor]:
    """Three layers, and an input for which no element is exactly at a bend."""
    network = layers([3, 4, 4, 2], [True, True, False])
    chance = np.random.default_rng(1)
    for parameter in network.parameters():
        parameter.array[...] = chance.standard_normal(parameter.shape)
    return network, Tensor(chance.standard_normal((5, 3)).astype(np.float32))
