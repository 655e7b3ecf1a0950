"""The layers for images, forward and all gradients: against PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from interleaved import report

from engine import Tensor, nn


@dataclass(frozen=True)
class Case:
    """A layer and its input."""

    layer: str
    """Its name, in the engine and in PyTorch."""
    args: tuple[Any, ...]
    shape: tuple[int, ...]
    """The input's shape."""

    def __str__(self) -> str:
        return f"{self.layer}{self.args}-{self.shape}".replace(" ", "")


CASES = [
    Case("Conv2d", (1, 8, 3), (32, 1, 28, 28)),
    Case("Conv2d", (8, 16, 3, 1, 1), (32, 8, 14, 14)),
    Case("Conv2d", (64, 64, 3, 1, 1), (8, 64, 16, 16)),
    Case("Conv2d", (3, 64, 7, 2, 3), (4, 3, 64, 64)),
    Case("Conv2d", (64, 128, 1, 2), (8, 64, 16, 16)),
    Case("BatchNorm2d", (8,), (32, 8, 28, 28)),
    Case("BatchNorm2d", (64,), (32, 64, 8, 8)),
    Case("LayerNorm", (64,), (128, 64)),
    Case("LayerNorm", (256,), (512, 256)),
    Case("MaxPool2d", (2,), (32, 8, 26, 26)),
    Case("MaxPool2d", (3, 2, 1), (8, 64, 32, 32)),
    Case("AvgPool2d", (2,), (32, 8, 26, 26)),
]


@pytest.fixture
def torch() -> Iterator[Any]:
    """PyTorch on one thread."""
    module = pytest.importorskip("torch", reason="the ratio to PyTorch needs torch")
    threads = module.get_num_threads()
    module.set_num_threads(1)
    yield module
    module.set_num_threads(threads)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_layer_beside_pytorch(case: Case, torch: Any, benchmark: Any) -> None:
    mine = getattr(nn, case.layer)(*case.args)
    other = getattr(torch.nn, case.layer)(*case.args)
    random = np.random.default_rng(0)
    values = random.standard_normal(case.shape, np.float32)
    x, their_x = Tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    with torch.no_grad():
        for parameter, same in zip(mine.parameters(), other.parameters(), strict=True):
            same.copy_(torch.from_numpy(parameter.array))
    seed = random.standard_normal(mine(x).shape, np.float32)
    their_seed = torch.tensor(seed)

    def ours() -> None:
        x.grad = None
        mine.zero_grad()
        mine(x).backward(seed)

    def theirs() -> None:
        their_x.grad = None
        other.zero_grad()
        other(their_x).backward(their_seed)

    report(benchmark, "engine", {"engine": ours, "torch": theirs})
    pairs = [(x, their_x), *zip(mine.parameters(), other.parameters(), strict=True)]
    for tensor, wanted in pairs:
        np.testing.assert_allclose(tensor.grad.array, wanted.grad.numpy(), rtol=1e-3, atol=1e-3)
