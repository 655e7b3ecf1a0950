"""Graphs of single numbers, where nothing but the engine itself takes time: against PyTorch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from interleaved import report

import engine

LENGTH = 100


def by_a_number(leaf: Any) -> None:
    out = leaf
    for _ in range(LENGTH):
        out = out * 1.0001
    out.backward()


def by_itself(leaf: Any) -> None:
    out = leaf
    for _ in range(LENGTH):
        out = out * leaf
    out.backward()


def neuron_by_neuron(leaf: Any) -> None:
    """As in micrograd: a network whose every number is a node."""
    values = [leaf * i for i in range(1, 4)]
    for _ in range(2):
        layer = []
        for shift in range(4):
            total = leaf * shift
            for value in values:
                total = total + value * leaf
            layer.append(total.tanh())
        values = layer
    total = values[0]
    for value in values[1:]:
        total = total + value
    total.backward()


@pytest.mark.parametrize("graph", [by_a_number, by_itself, neuron_by_neuron])
def test_scalar_graph(benchmark: Any, graph: Callable[[Any], None]) -> None:
    torch = pytest.importorskip("torch", reason="the ratio to PyTorch needs torch")
    torch.set_num_threads(1)
    ours = engine.Tensor(0.9, requires_grad=True)
    theirs = torch.tensor(0.9, requires_grad=True)
    report(benchmark, "engine", {"engine": lambda: graph(ours), "torch": lambda: graph(theirs)})
    assert ours.grad is not None
    assert theirs.grad is not None


MILLION = """
import json, re, time
from engine import Tensor
def most():
    # Not what getrusage says: that starts from what the parent process had.
    return int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) / 1024
leaf = out = Tensor(1.0, requires_grad=True)
before, start = most(), time.process_time()
for _ in range(1_000_000):
    out = out * 1.0000001
out.backward()
print(json.dumps({"seconds": time.process_time() - start, "megabytes more": most() - before}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_chain_of_a_million_nodes(benchmark: Any) -> None:
    def run() -> dict[str, float]:
        done = subprocess.run(
            [sys.executable, "-c", MILLION],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            check=True,
        )
        found: dict[str, float] = json.loads(done.stdout)
        return found

    found = benchmark.pedantic(run, rounds=1)
    benchmark.extra_info.update(found)
    print(f"\n{benchmark.name}: {found}", end="")
