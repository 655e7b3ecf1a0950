"""Operations that are computed as one where nobody looks: the same numbers as their parts."""

from __future__ import annotations

import numpy as np
import pytest
from fusion_support import VALUES, layer, run
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import engine
from engine import (
    BACK_FUNCS,
    Linear,
    ReLU,
    Sequential,
    Tensor,
    add,
    maximum,
)
from engine.registry import Array


def assert_same(network: Sequential, x: Array, grad: Array) -> None:
    with np.errstate(all="ignore"):
        fused, fused_grads = run(network, x, grad, watched=False)
        parts, parts_grads = run(network, x, grad, watched=True)
    assert parts.op == "maximum"
    np.testing.assert_allclose(fused.array, parts.array, rtol=1e-5, atol=1e-6)
    for one, other in zip(fused_grads, parts_grads, strict=True):
        assert one is not None
        assert other is not None
        assert one.dtype == other.dtype
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@given(
    data=st.data(),
    batch=st.integers(0, 5),
    inputs=st.integers(1, 4),
    outputs=st.integers(1, 4),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_a_layer_and_relu(
    data: st.DataObject, batch: int, inputs: int, outputs: int, dtype: str
) -> None:
    network = layer(inputs, outputs, dtype)
    x = data.draw(arrays.arrays(dtype, (batch, inputs), elements=VALUES))
    grad = data.draw(arrays.arrays(dtype, (batch, outputs), elements=VALUES))
    for parameter in network.parameters():
        parameter.array[...] = data.draw(
            arrays.arrays(dtype, parameter.shape, elements=VALUES), label="parameter"
        )
    assert_same(network, x, grad)


def test_relu_after_a_layer_is_one_operation_where_nobody_looks() -> None:
    network = layer(3, 2)
    x = np.ones((4, 3), np.float32)
    fused, _ = run(network, x, np.ones((4, 2), np.float32), watched=False)
    assert fused.op == "linear_relu"
    assert fused.recipe is not None
    np.testing.assert_array_equal(
        fused.recipe.func(*fused.recipe.args, **fused.recipe.kwargs), fused.array
    )
    for arg in range(3):
        back = BACK_FUNCS.get_back_func(fused.recipe.func, arg)
        found = back(np.ones((4, 2), np.float32), fused.array, *fused.recipe.args)
        parent = fused.recipe.parents[arg]
        assert parent.grad is not None
        np.testing.assert_allclose(found, parent.grad.array, rtol=1e-6)


def test_half_of_the_gradient_comes_through_at_the_bend() -> None:
    network = layer(2, 2)
    for parameter in network.parameters():
        parameter.array[...] = 0
    _, grads = run(network, np.ones((3, 2), np.float32), np.ones((3, 2), np.float32), False)
    np.testing.assert_array_equal(grads[2], [1.5, 1.5])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["x", "grad"])
def test_what_is_not_finite_goes_the_same_way(wrong: float, where: str) -> None:
    network = layer(2, 3)
    network[0].weight.array[...] = [[1, 0], [-1, 0], [0, 1]]
    network[0].bias.array[...] = 0.5
    x = np.array([[1.0, 2.0], [3.0, -4.0]], np.float32)
    grad = np.ones((2, 3), np.float32)
    (x if where == "x" else grad)[0, 1] = wrong
    assert_same(network, x, grad)


@pytest.mark.parametrize("part", [maximum, add])
def test_a_students_own_backward_function_is_called(part: object) -> None:
    calls = []

    def own(grad_out: Array, out: Array, x: Array, y: Array) -> Array:
        calls.append(1)
        return grad_out

    network, x, grad = layer(3, 2), np.ones((4, 3), np.float32), np.ones((4, 2), np.float32)
    run(network, x, grad, watched=False)
    BACK_FUNCS.add_back_func(part, 0, own)  # type: ignore[arg-type]
    run(network, x, grad, watched=False)
    assert calls


def test_a_subclass_of_linear_computes_its_own_forward() -> None:
    class Doubled(Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) * 2

    plain, doubled = Linear(3, 2), Doubled(3, 2)
    doubled.load_state_dict(plain.state_dict())
    x = Tensor(np.random.default_rng(0).standard_normal((4, 3)))
    np.testing.assert_allclose(
        Sequential(doubled, ReLU())(x).array, 2 * Sequential(plain, ReLU())(x).array, rtol=1e-6
    )


def test_a_layer_without_bias_or_on_vectors_works_as_ever() -> None:
    x = Tensor(np.ones(3), requires_grad=True)
    for network in (Sequential(Linear(3, 2, bias=False), ReLU()), Sequential(Linear(3, 2), ReLU())):
        out = network(x)
        out.sum().backward()
        assert out.shape == (2,)
    with pytest.raises(engine.ShapeError, match="matmul"):
        Sequential(Linear(4, 2), ReLU())(x)
