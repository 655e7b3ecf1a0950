"""PyTorch as the reference, where it is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from engine_reference import (
    OPERATIONS,
    OURS,
    THEIRS,
    Case,
    Operation,
    Program,
    examples,
    grad_of,
    leaf,
    programs,
)
from hypothesis import given

import engine
from engine import BackwardPass, Linear, ReLU, Sequential, Tensor, cross_entropy

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

TOLERANCE: dict[Any, float] = {np.float32: 2e-5, np.float64: 1e-10}


def their_leaf(array: Any, dtype: Any = None, requires_grad: bool = True) -> Any:
    made = torch.from_numpy(np.array(array, dtype, order="C"))
    return made.requires_grad_(requires_grad)


def compare(got: Any, wanted: Any, tolerance: float, what: str, scale: float = 1.0) -> None:
    wanted = wanted.detach().numpy()
    assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype), what
    largest = max(scale, float(np.abs(wanted).max(initial=0)))
    np.testing.assert_allclose(got, wanted, rtol=tolerance, atol=tolerance * largest, err_msg=what)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_operation(operation: Operation, dtype: Any) -> None:
    @examples(120)
    @given(operation.cases)
    def check(case: Case) -> None:
        ours = [leaf(array, dtype) for array in case.arrays]
        theirs = [their_leaf(array, dtype) for array in case.arrays]
        out = operation.ours(*ours, *case.params)
        wanted = operation.theirs(*theirs, *case.params)
        compare(out.array, wanted, TOLERANCE[dtype], "the value")
        end_grad = np.random.default_rng(0).normal(size=out.shape).astype(dtype)
        out.backward(end_grad)
        wanted.backward(torch.from_numpy(end_grad))
        for i, (mine, other) in enumerate(zip(ours, theirs, strict=True)):
            compare(grad_of(mine), other.grad, TOLERANCE[dtype], f"gradient {i}")

    check()


def test_the_one_agreed_difference_is_relu_at_0() -> None:
    x, y = leaf([-1.0, 0.0, 1.0]), their_leaf([-1.0, 0.0, 1.0], np.float32)
    engine.relu(x).backward()
    torch.relu(y).sum().backward()
    assert grad_of(x).tolist() == [0, 0.5, 1]
    assert y.grad.tolist() == [0, 0, 1]


def test_mlp_loss_and_all_gradients() -> None:
    engine.manual_seed(1)
    ours = Sequential(Linear(784, 64), ReLU(), Linear(64, 64), ReLU(), Linear(64, 10))
    theirs = torch.nn.Sequential(
        *(torch.nn.Linear(784, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64)),
        *(torch.nn.ReLU(), torch.nn.Linear(64, 10)),
    )
    with torch.no_grad():
        for (name, mine), (their_name, other) in zip(
            ours.named_parameters(), theirs.named_parameters(), strict=True
        ):
            assert name == their_name
            other.copy_(torch.from_numpy(mine.array))
    rng = np.random.default_rng(2)
    images = rng.normal(size=(32, 784)).astype(np.float32)
    labels = rng.integers(0, 10, 32)
    for _ in range(2):  # the second time, the gradients add up
        loss = cross_entropy(ours(Tensor(images)), Tensor(labels))
        wanted = torch.nn.functional.cross_entropy(
            theirs(torch.from_numpy(images)), torch.from_numpy(labels)
        )
        compare(loss.array, wanted, 1e-6, "the loss")
        loss.backward()
        wanted.backward()
    for (name, mine), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        compare(grad_of(mine), other.grad, 1e-5, name, scale=0)


def test_sgd_takes_the_same_steps() -> None:
    start = np.random.default_rng(0).normal(size=(3, 2))
    mine, other = leaf(start), their_leaf(start, np.float32)
    ours, theirs = engine.SGD([mine], lr=0.1), torch.optim.SGD([other], lr=0.1)
    for _ in range(5):
        ours.zero_grad()
        theirs.zero_grad()
        (mine * mine * mine).sum().backward()
        (other**3).sum().backward()
        ours.step()
        theirs.step()
    compare(mine.array, other, 1e-6, "the parameter")


@examples(400)
@given(programs(5, 40))
def test_random_programs(program: Program) -> None:
    leaves, root = program.build(np.float64)
    values = program.run(leaves, OURS)
    theirs = [
        their_leaf(array, np.float64, needs)
        for array, needs in zip(program.leaves, program.needs_grad, strict=True)
    ]
    wanted = program.run(theirs, THEIRS)
    for i, (value, other) in enumerate(zip(values, wanted, strict=True)):
        compare(value.array, other, 1e-10, f"value {i}")
        assert value.requires_grad == other.requires_grad, f"value {i}"
    backward_pass = BackwardPass(root, program.end_grad)
    while not backward_pass.finished:
        backward_pass.step()
    wanted[-1].backward(torch.from_numpy(program.end_grad))
    largest = max(float(np.abs(step.grad_out).max(initial=0)) for step in backward_pass.steps)
    for i, (mine, other) in enumerate(zip(leaves, theirs, strict=True)):
        assert (mine.grad is None) == (other.grad is None), f"leaf {i}"
        if mine.grad is not None:
            compare(grad_of(mine), other.grad, 1e-9, f"the gradient of leaf {i}", scale=largest)
