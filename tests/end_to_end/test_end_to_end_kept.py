"""A training that is kept, in a terminal: left by a key, a signal, a kill, or a line that goes."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from terminal_driver import ESCAPE, Terminal, assert_gone, terminal

CTRL_C = b"\x03"

MLP = ("mlp", "--data", "embedded", "--out", "run")

STUCK = '''"""After four batches its loss takes an hour"""

import time

import numpy as np
from engine import *

xs = np.linspace(-1, 1, 20, dtype=np.float32).reshape(10, 2)
ys = xs.sum(axis=1, keepdims=True)
model = Linear(2, 1)


def loss_fn(out, y):
    if training.position == 4 and out.dtype == np.float32:  # in float64 the slope is looked at
        time.sleep(3600)
    off = out - y
    return (off * off).sum() / len(y)


training = Training(model, SGD(model.parameters(), 0.1), (xs, ys), None, loss_fn, 4, 2)
'''


def header(out: Path) -> dict[str, Any]:
    """What the folder's checkpoint says of itself."""
    with zipfile.ZipFile(out / "checkpoint.npz") as archive:
        found: dict[str, Any] = json.loads(archive.read("checkpoint.json"))
        return found


def batches(out: Path) -> int:
    """How many batches the metrics tell of."""
    lines = (out / "metrics.jsonl").read_text().splitlines()
    return sum(json.loads(line)["event"] == "batch" for line in lines)


def train_on(screen: Terminal) -> int:
    """Run for a moment, and pause; the batch that is shown then."""
    screen.send(b"c")
    screen.shows("running")
    screen.until(lambda: shown_batch(screen) > 6, "some batches")
    screen.send(b" ")
    screen.shows("paused")
    screen.settled()
    return shown_batch(screen)


def shown_batch(screen: Terminal) -> int:
    found = re.search(r"(\d+) of 315", screen.text())
    return int(found[1]) if found else 0


def test_quitting_loses_nothing_and_does_not_ask(tmp_path: Path) -> None:
    with terminal(*MLP, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"t")
        screen.shows("Kept  before the first batch, in")
        at = train_on(screen)
        children = screen.children()
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()
        assert_gone(children)
        said = screen.written.decode()
        assert f"the training is kept at batch {at} of 315; go on with: bp-tui --resume" in said
    assert header(tmp_path / "run")["position"] == at == batches(tmp_path / "run")
    with terminal("--resume", "run", folder=tmp_path) as screen:
        screen.shows("mlp  training", "paused", f"Kept  batch {at}, in", f"{at} of 315")
        screen.send(b"n")
        screen.shows(f"{at + 1} of 315")
        screen.send(ESCAPE)
        screen.shows(f"batch {at + 2} of 63", "0 of 25 done")
        screen.send(b"R")  # reads the file afresh, with the training where it was
        screen.shows("mlp  training", f"Kept  batch {at + 1}, in")
        screen.send(b"q")
        assert screen.ends() == 0
    assert header(tmp_path / "run")["position"] == at + 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_loses_nothing(tmp_path: Path, number: int) -> None:
    with terminal(*MLP, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"t")
        at = train_on(screen)
        screen.send(b"c")
        screen.shows("running")
        children = screen.children()
        os.kill(screen.process.pid, number)
        started = time.monotonic()
        screen.process.wait(20)
        assert_gone(children)
        assert time.monotonic() - started < 10
        if number != signal.SIGKILL:
            assert screen.ends() == 128 + number
            screen.assert_left_in_order()
    assert header(tmp_path / "run")["position"] >= at
    assert header(tmp_path / "run")["position"] == batches(tmp_path / "run")


def test_a_terminal_that_goes_away_loses_nothing(tmp_path: Path) -> None:
    with terminal(*MLP, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"t")
        at = train_on(screen)
        pids = [screen.process.pid, *screen.children()]
        screen.hang_up()
        screen.process.wait(20)
        assert_gone(pids)
    assert header(tmp_path / "run")["position"] == at == batches(tmp_path / "run")


def test_what_ends_the_debugged_process_alone_loses_nothing(tmp_path: Path) -> None:
    with terminal(*MLP, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"t")
        at = train_on(screen)
        (child,) = screen.children()
        os.kill(child, signal.SIGTERM)
        screen.shows("The scenario's process was ended")
        assert header(tmp_path / "run")["position"] == at
        screen.send(b"R")
        screen.shows(f"Kept  batch {at}, in")
        screen.send(b"q")
        assert screen.ends() == 0


def test_with_a_batch_that_does_not_end_the_ones_before_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "stuck.py"
    path.write_text(STUCK)
    with terminal("stuck.py", "--out", "run", folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"t")
        screen.shows("learning rate")
        for batch in range(1, 4):
            screen.send(b"n")
            screen.shows(f"{batch} of 6")
        screen.send(b"nn")
        screen.shows("under way")
        children = screen.children()
        started = time.monotonic()
        screen.send(b"q")
        assert screen.ends() == 0
        assert_gone(children)
        assert time.monotonic() - started < 5
    # The fourth has been trained on where what is checked after it did not end either.
    assert header(tmp_path / "run")["position"] in (3, 4)


def test_another_scenario_is_not_kept_in_the_same_folder(tmp_path: Path) -> None:
    other = STUCK.replace("3600", "0")
    (tmp_path / "other.py").write_text(other)
    with terminal(*MLP, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"t")
        screen.shows("Kept")
        screen.send(b"D")
        screen.shows("this training is kept with its images")
        screen.send(b"n")
        screen.shows("1 of 315")
        screen.send(b"o")
        screen.shows("first_graph")
        screen.send(b"\r")
        screen.shows("first_graph", "0 of 6 done")
        screen.send(b"q")
        assert screen.ends() == 0
    assert header(tmp_path / "run")["position"] == 1


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_ctrl_c_in_a_training_without_a_screen(tmp_path: Path, form: tuple[str, ...]) -> None:
    arguments = (*MLP, "--epochs", "1000", "--train", *form)
    with terminal(*arguments, folder=tmp_path) as screen:
        screen.until(lambda: (tmp_path / "run" / "checkpoint.npz").exists(), "a checkpoint")
        screen.until(lambda: batches_there(tmp_path / "run") > 100, "some batches")
        screen.send(CTRL_C)
        assert screen.ends() == 130
        at = header(tmp_path / "run")["position"]
        assert at == batches(tmp_path / "run")
        said = screen.written.decode()
        assert f"the training is kept at batch {at} of 63000; go on with: bp-tui --resume" in said
        assert b"Traceback" not in screen.written
        assert not screen.screen.cursor.hidden


def batches_there(out: Path) -> int:
    path = out / "metrics.jsonl"
    return path.read_bytes().count(b'"batch"') if path.exists() else 0


def test_a_folder_that_cannot_be_used_is_told_before_there_is_a_screen(tmp_path: Path) -> None:
    for arguments, told in (
        (("--resume", "run"), "there is no training in this folder"),
        (("mlp", "--out", "file"), "this is no folder"),
    ):
        (tmp_path / "file").write_text("")
        with terminal(*arguments, folder=tmp_path) as screen:
            assert screen.ends() == 2
            assert told in screen.text().replace("\n", "")
            assert b"\x1b[?1049h" not in screen.written
