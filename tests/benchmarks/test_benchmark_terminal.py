"""The program at a terminal, beside the least that Textual takes for something of that kind.

    pytest tests/benchmarks/test_benchmark_terminal.py --benchmark-only -s

Each pair is measured in turns. Wanted are at most 1.5 times the smallest application until the
first frame of the MLP is there, and 10 ms from a key to the last byte of a step where the bare
widget takes 5 (95th percentiles). It is 1.2 to 1.35 times, and 9 to 9.5 ms where the bare widget
takes 4.3 to 4.8; where two cores are not free, the two processes wait for each other.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import pytest
from programs import BARE, SMALLEST, program

MLP = ("-m", "tui", "mlp", "--data", "embedded")

STARTS = 15

PASSES = 6
"""How often the first steps of the pass are taken, forwards and back."""


@pytest.mark.benchmark(max_time=0)
def test_the_first_frame(benchmark: Any, tmp_path: Path) -> None:
    times: dict[str, list[float]] = {"bp-tui": [], "smallest": []}

    def start(name: str, arguments: tuple[str, ...], last_text: bytes) -> None:
        with program(*arguments, folder=tmp_path) as started:
            times[name].append(started.until(last_text) * 1000)

    def both() -> None:
        start("smallest", ("-c", SMALLEST), b"ready")
        start("bp-tui", MLP, b"quit")

    both()  # so that all is compiled and in the cache of files
    times = {name: [] for name in times}
    benchmark.pedantic(both, rounds=STARTS)
    report(benchmark, "median of milliseconds", {n: statistics.median(t) for n, t in times.items()})


@pytest.mark.benchmark(max_time=0)
def test_a_step(benchmark: Any, tmp_path: Path) -> None:
    times: dict[str, list[float]] = {"bp-tui": [], "bare": []}
    with program(*MLP, folder=tmp_path) as ours, program("-c", BARE, folder=tmp_path) as bare:
        ours.until(b"quit")
        bare.until(b"presses")
        for running in (ours, bare):
            running.until_quiet()

        def there_and_back() -> None:
            for key in (b"n",) * 17 + (b"p",) * 17:
                times["bp-tui"].append(ours.key(key))
                times["bare"].append(bare.key(b"x"))

        there_and_back()
        for measured in times.values():
            measured.clear()
        benchmark.pedantic(there_and_back, rounds=PASSES)
    report(benchmark, "median of milliseconds", {n: statistics.median(t) for n, t in times.items()})
    at_95 = {name: statistics.quantiles(measured, n=20)[-1] for name, measured in times.items()}
    report(benchmark, "95th percentile", at_95)


def report(benchmark: Any, what: str, found: dict[str, float]) -> None:
    """Put the numbers, and the ratio of the program's to the other one, beside the benchmark's."""
    (ours, times), (other, others) = sorted(found.items(), key=lambda item: item[0] != "bp-tui")
    benchmark.extra_info[what] = {name: round(value, 2) for name, value in found.items()}
    benchmark.extra_info[f"{what}, {ours} / {other}"] = round(times / others, 2)
    print(
        f"\n{benchmark.name}: {what}: {ours} {times:.1f}, {other} {others:.1f}, "
        f"ratio {times / others:.2f}",
        end="",
    )
