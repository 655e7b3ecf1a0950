"""How many batches a second a training makes on the screen, and without one.

    pytest tests/benchmarks/test_benchmark_training_on_screen.py --benchmark-only -s

On the screen it is to be at least 90 % of what `--train` makes: all that is shown, kept and checked
takes the rest. Both run for some seconds in turns, the screen in a real pseudo-terminal.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "end_to_end"))

import pytest
from terminal_driver import terminal

WARM_UP, SECONDS, ROUNDS = 1.0, 3.0, 3
ENDLESS = ("--data", "embedded", "--epochs", "100000")


def without_a_screen(scenario: str) -> float:
    """Batches a second of --train."""
    command = [sys.executable, "-m", "tui", scenario, *ENDLESS, "--train", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = None
        for line in process.stdout:
            event = json.loads(line)
            now = time.monotonic()
            if first is None:
                first, start = now, None
            if start is None and now > first + WARM_UP:
                start = now, event.get("batch")
                if start[1] is None:
                    start = None
            elif start is not None and now > start[0] + SECONDS and "batch" in event:
                process.kill()
                return float((event["batch"] - start[1]) / (now - start[0]))
    raise AssertionError("the training has ended")


def on_the_screen(scenario: str, folder: Path) -> float:
    """Batches a second of a training that is shown at 80x24."""
    with terminal(scenario, *ENDLESS, folder=folder) as screen:
        screen.done(0)
        screen.send(b"t")
        screen.shows("to come")
        screen.send(b"+++c")
        screen.shows("running, full speed", "under way")
        time.sleep(WARM_UP)
        start, first = time.monotonic(), batches_done(screen)
        time.sleep(SECONDS)
        end, last = time.monotonic(), batches_done(screen)
    return (last - first) / (end - start)


def batches_done(screen: Any) -> int:
    """How many batches are done, as the screen says just when it has changed."""
    before = found = _batches(screen)
    while found == before:
        time.sleep(0.001)
        found = _batches(screen)
    return found


def _batches(screen: Any) -> int:
    (count,) = re.findall(r"(\d+) of 6300000", screen.text())[-1:] or ["0"]
    return int(count)


@pytest.mark.parametrize("scenario", ["mlp"])
def test_training_on_the_screen(benchmark: Any, scenario: str, tmp_path: Path) -> None:
    rates: list[tuple[float, float]] = []

    def a_turn() -> None:
        rates.append((on_the_screen(scenario, tmp_path), without_a_screen(scenario)))

    benchmark.pedantic(a_turn, rounds=ROUNDS)
    shown, bare = (statistics.median(rate) for rate in zip(*rates, strict=True))
    ratio = statistics.median(a / b for a, b in rates)
    benchmark.extra_info["batches a second"] = {"on the screen": shown, "--train": bare}
    print(
        f"\n{scenario}: {shown:.0f} batches a second on the screen, {bare:.0f} without: {ratio:.0%}"
    )
