"""Random programs that change tensors in place: the gradient is PyTorch's, or it is refused."""

from __future__ import annotations

import operator
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import engine
from engine import BackwardError, Tensor, backward_steps

LEAVES = ([0.3, 0.7], [1.1, -0.4])

MAKE: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "exp": lambda x, y: (x * 0.1).exp(),
    "tanh": lambda x, y: x.tanh(),
    "sum": lambda x, y: x.sum() + y * 0.0,
    "times 3": lambda x, y: x * 3.0,
    "reshape": lambda x, y: x.reshape(2, 1).T.reshape(2),
}
CHANGE = ("add_", "sub_", "mul_")

Line = tuple[str, int, int]


def program(seed: int) -> list[Line]:
    """Lines: what is made, changed, or changed without a record; which tensors."""
    drawn = random.Random(seed)
    lines, count = [], len(LEAVES)
    for _ in range(drawn.randint(3, 12)):
        changes = [*CHANGE, *CHANGE, "unrecorded"] if count > len(LEAVES) else []
        kind = drawn.choice([*MAKE, *changes])
        first = len(LEAVES) if kind in CHANGE else 0
        lines.append((kind, drawn.randrange(first, count), drawn.randrange(count)))
        count += kind in MAKE
    return lines


def run(lines: list[Line], leaves: list[Any], no_grad: Any) -> Any:
    """The root of the graph that the program makes of the leaves."""
    tensors = list(leaves)
    for kind, i, j in lines:
        if kind in MAKE:
            tensors.append(MAKE[kind](tensors[i], tensors[j]))
        elif kind in CHANGE:
            getattr(tensors[i], kind)(tensors[j])
        else:
            with no_grad():
                tensors[i].add_(0.5)
    return sum((tensor.sum() for tensor in tensors[2:]), tensors[0].sum())


def gradients(lines: list[Line], leaf: Any, no_grad: Any, backward: Any) -> list[Any] | None:
    """None where it was refused."""
    leaves = [leaf(values) for values in LEAVES]
    try:
        backward(run(lines, leaves, no_grad))
    except (RuntimeError, BackwardError):
        return None
    return [[0.0, 0.0] if leaf.grad is None else leaf.grad.tolist() for leaf in leaves]


def ours(lines: list[Line], backward: Callable[[Tensor], Any]) -> list[Any] | None:
    def leaf(values: list[float]) -> Tensor:
        return Tensor(np.array(values), requires_grad=True, dtype=float)

    return gradients(lines, leaf, engine.no_grad, backward)


def test_the_gradient_is_that_of_pytorch_or_refused() -> None:
    torch = pytest.importorskip("torch")

    def leaf(values: list[float]) -> Any:
        return torch.tensor(values, dtype=torch.float64, requires_grad=True)

    found: Counter[str] = Counter()
    for seed in range(500):
        lines = program(seed)
        got = ours(lines, Tensor.backward)
        assert got == ours(lines, lambda root: list(backward_steps(root))), lines
        wanted = gradients(lines, leaf, torch.no_grad, torch.Tensor.backward)
        if got is not None and wanted is not None:
            np.testing.assert_allclose(got, wanted, err_msg=str(lines))
        found[f"{got is not None} {wanted is not None}"] += 1
    assert found["True True"] > 120
    assert found["False True"] < 40, "refused where PyTorch goes on"
