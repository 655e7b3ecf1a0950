"""The training in a real terminal: stopped, stepped into, gone back, gone on; the same losses as
without a screen."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from terminal_driver import ENTER, Terminal, terminal

MLP = ("mlp", "--data", "embedded", "--seed", "7")

EPOCH = re.compile(r" (\d+) +(\d+\.\d+) +(\d+\.\d+) +(\d+\.\d) %")
LOSS = re.compile(r"loss of batch (\d+) +(\S+)")


@pytest.fixture(scope="module")
def without_a_screen() -> dict[str, list[dict[str, float]]]:
    """The events of `--train --json`, by their kind."""
    done = subprocess.run(
        [sys.executable, "-m", "tui", *MLP, "--train", "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    events: dict[str, list[dict[str, float]]] = {}
    for line in done.stdout.splitlines():
        event = json.loads(line)
        events.setdefault(event["event"], []).append(event)
    return events


def loss_shown(screen: Terminal, batch: int) -> float:
    """The loss of the last batch, which has to be this one."""
    screen.shows(f"loss of batch {batch} ")
    found = LOSS.search(screen.text())
    assert found, screen.text()
    return float(found[2])


def break_at(screen: Terminal, where: bytes) -> None:
    screen.send(b"b")
    screen.shows("break at")
    screen.send(where + ENTER)
    screen.hides("break at ")


def test_train_pause_break_at_batch_200_step_there_and_back_and_go_on(
    tmp_path: Path, without_a_screen: dict[str, list[dict[str, float]]]
) -> None:
    losses = [event["loss"] for event in without_a_screen["batch"]]
    with terminal(*MLP, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"t")
        screen.shows("paused, 20 batches a second", "0 of 315")
        screen.send(b"c")
        screen.shows("running")
        screen.send(b" ")
        screen.shows("paused, 20 batches a second", "loss of batch ")
        found = LOSS.search(screen.text())
        assert found
        batch = int(found[1])
        assert loss_shown(screen, batch) == pytest.approx(losses[batch - 1], rel=1e-3)
        screen.send(b"n")
        assert loss_shown(screen, batch + 1) == pytest.approx(losses[batch], rel=1e-3)

        break_at(screen, b"200")
        screen.shows("stops at batch 200")
        screen.send(b"+++c")
        screen.done(0)
        screen.shows("Batch 200 of 315", "epoch 4 of 5", "Stopped before its update")
        assert "batch 200" in screen.lines()[0]
        loss = re.search(r"its loss now +(\S+)", screen.text())
        assert loss
        assert float(loss[1]) == pytest.approx(losses[199], rel=1e-3)
        screen.send(b"r")
        first = screen.settled()
        total = screen.steps()
        places = [0, 1, 2, *range(8, total + 1)]
        for step in places[1:]:
            screen.send(b"n")
            screen.done(step)
        for step in reversed(places[:-1]):
            screen.send(b"p")
            screen.done(step)
        screen.is_back_at(first, "the backward pass of batch 200 there and back")

        screen.send(b"t")
        screen.shows("paused, full speed", "199 of 315")
        screen.send(b"n")
        assert loss_shown(screen, 200) == pytest.approx(losses[199], rel=1e-3)
        screen.send(b"p")
        assert loss_shown(screen, 199) == pytest.approx(losses[198], rel=1e-3)
        screen.send(b"c")  # it goes back before the break, and stops there once more
        screen.done(0)
        screen.send(b"t")
        screen.shows("paused, full speed", "199 of 315")
        screen.send(b"c")
        screen.shows("315 of 315", "done; Esc steps with the trained weights")
        assert loss_shown(screen, 315) == pytest.approx(losses[314], rel=1e-3)
        shown = EPOCH.findall(screen.text())
        assert [int(row[0]) for row in shown][-3:] == [3, 4, 5]  # as many as there is room for
        for row in shown:
            epoch = without_a_screen["epoch"][int(row[0]) - 1]
            assert float(row[1]) == pytest.approx(epoch["train_loss"], rel=1e-3)
            assert float(row[2]) == pytest.approx(epoch["test_loss"], rel=1e-3)
            assert float(row[3]) == pytest.approx(100 * epoch["test_accuracy"], abs=0.051)
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()


def test_a_condition_of_a_pass_stops_it_at_the_step_where_it_holds(tmp_path: Path) -> None:
    with terminal(*MLP, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"t")
        screen.shows("0 of 315")
        break_at(screen, b'op == "matmul" and norm(contribution) > 0.01')
        screen.send(b"+++c")
        screen.shows("stopped: op == ", "holds to", "output.matmul", "batch 1 of 63")
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()
