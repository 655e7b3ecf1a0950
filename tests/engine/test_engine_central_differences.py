"""Every differentiable operation's every argument against central differences, in float64."""

from __future__ import annotations

import numpy as np
import pytest
from engine_reference import (
    BY_NAME,
    OPERATIONS,
    Case,
    Operation,
    Program,
    bits,
    examples,
    grad_of,
    leaf,
    numeric_gradient,
    programs,
)
from hypothesis import given
from hypothesis import strategies as st

from engine import Tensor


def weights_for(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.asarray(np.random.default_rng(seed).normal(size=shape))


def check_case(operation: Operation, case: Case, seed: int) -> None:
    """`sum(weights * operation(...))`: its backward pass against its differences."""
    tensors = [leaf(array, np.float64) for array in case.arrays]
    assert all(t.array is a for t, a in zip(tensors, case.arrays, strict=True))
    before = [bits(array) for array in case.arrays]
    out = operation.ours(*tensors, *case.params)
    weights = weights_for(out.shape, seed)
    out.backward(weights)
    assert [bits(array) for array in case.arrays] == before
    for i, tensor in enumerate(tensors):

        def scalar(at: np.ndarray, i: int = i) -> float:
            operands = [Tensor(a, dtype=np.float64) for a in case.arrays]
            operands[i] = Tensor(at, dtype=np.float64)
            return float((operation.ours(*operands, *case.params).array * weights).sum())

        gradient = grad_of(tensor)
        assert (gradient.shape, gradient.dtype) == (tensor.shape, np.float64)
        np.testing.assert_allclose(
            gradient,
            numeric_gradient(scalar, case.arrays[i]),
            rtol=1e-5,
            atol=1e-6,
            err_msg=f"argument {i} of {operation.name}",
        )


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_operation(operation: Operation) -> None:
    @examples(200)
    @given(operation.cases, st.integers(0, 9))
    def check(case: Case, seed: int) -> None:
        check_case(operation, case, seed)

    check()


@pytest.mark.parametrize("values", [[-1.0, 0.0, 1.0], [0.5, 0.5, 0.25]])
def test_ties_of_maximum_are_the_mean_of_the_two_slopes(values: list[float]) -> None:
    for other in ([0.0, 0.0, 0.0], [0.5, 0.0, 0.25], values):
        check_case(BY_NAME["maximum"], Case((np.array(values), np.array(other))), 0)
    check_case(BY_NAME["relu"], Case((np.array([-0.0, *values]),)), 0)


@pytest.mark.parametrize("name", ["add", "subtract", "multiply", "true_divide", "matmul"])
def test_one_tensor_as_both_operands(name: str) -> None:
    operation = BY_NAME[name]
    both = Operation(name, operation.cases, lambda x: operation.ours(x, x), operation.theirs)
    check_case(both, Case((np.array([[0.5, -1.25], [2.0, 0.75]]),)), 0)


@examples(80)
@given(programs(1, 12))
def test_whole_graphs(program: Program) -> None:
    leaves, root = program.build(np.float64)
    root.backward(program.end_grad)
    for i, tensor in enumerate(leaves):
        if not tensor.requires_grad:
            assert tensor.grad is None
            continue

        def scalar(at: np.ndarray, i: int = i) -> float:
            arrays = [*program.leaves[:i], at, *program.leaves[i + 1 :]]
            moved = Program(tuple(arrays), program.needs_grad, program.lines, program.end_grad)
            return float((moved.build(np.float64)[1].array * program.end_grad).sum())

        wanted = numeric_gradient(scalar, program.leaves[i], step=1e-7)
        got = np.zeros(tensor.shape) if tensor.grad is None else grad_of(tensor)
        largest = max(1.0, float(np.abs(wanted).max(initial=0)))
        np.testing.assert_allclose(got, wanted, rtol=1e-3, atol=1e-4 * largest)
