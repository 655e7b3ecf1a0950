"""Times of several functions from one process, in turns, so that a busy machine slows all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any


def interleaved(
    functions: dict[str, Callable[[], object]], rounds: int = 40, calls: int = 10
) -> dict[str, float]:
    """The median time of a call of each function, in microseconds.

    Args:
        functions: what is timed, by name.
        rounds: how often each has its turn; every other round goes the other way about.
        calls: how many calls make a turn, after two that do not count.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    names = list(functions)
    for _ in range(rounds):
        for name in names:
            function = functions[name]
            function()
            function()
            for _ in range(calls):
                start = time.perf_counter_ns()
                function()
                times[name].append((time.perf_counter_ns() - start) / 1000)
        names.reverse()
    return {name: statistics.median(found) for name, found in times.items()}


def report(benchmark: Any, ours: str, functions: dict[str, Callable[[], object]]) -> None:
    """Time all functions in turns, and put the ratios of ours to the others beside the
    benchmark's own times of ours."""
    times = interleaved(functions)
    benchmark.extra_info["microseconds"] = {name: round(t, 1) for name, t in times.items()}
    benchmark.extra_info["ratios"] = {
        f"{ours} / {name}": round(times[ours] / t, 2) for name, t in times.items() if name != ours
    }
    for ratio, value in benchmark.extra_info["ratios"].items():
        print(f"\n{benchmark.name}: {ratio} = {value:.2f}", end="")
    benchmark(functions[ours])
