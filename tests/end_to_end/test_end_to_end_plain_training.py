"""A training with --plain."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from plain_driver import (
    CTRL_C,
    CTRL_D,
    assert_only_lines,
    environment,
    plain,
    script,
)
from terminal_driver import TIMEOUT

REGRESSION = """
import numpy as np
from engine import SGD, Linear, Training
xs = np.linspace(-1, 1, 20, dtype=np.float32).reshape(10, 2)
ys = xs.sum(axis=1, keepdims=True)
model = Linear(2, 1)
def mean_square(out, y):
    off = out - y
    {}
    return (off * off).sum() / len(y)
training = Training(model, SGD(model.parameters(), 0.1), (xs, ys), (xs, ys), mean_square,
                    batch_size=4, epochs={})
"""


def trains(folder: Path, epochs: int = 2, inside: str = "pass") -> Path:
    """A scenario with a training of three batches an epoch."""
    body = REGRESSION.format(inside, epochs)
    path = folder / "own.py"
    path.write_text('"""A small one"""\n' + body, encoding="utf-8")
    return path


def test_a_training_is_run_and_its_next_batch_stepped(tmp_path: Path) -> None:
    path = trains(tmp_path)
    done = script(tmp_path, path, "t\nn 2\n+ 9\nc\ns\nn\nt\nr\nt\nq\n")
    assert done.stderr == ""
    assert done.returncode == 0
    for text in (
        "SGD, learning rate 0.1",
        "paused, 20 batches a second. Next: c runs",
        "batch 1 of 6: loss",
        "epoch 1 of 2: training loss",
        "epoch 2 of 2: training loss",
        "finished. Next: Esc steps with the trained weights",
        "0 of",
        "1 of",
        "paused, full speed.",
    ):
        assert text in done.stdout, text
    trained = subprocess.run(
        [sys.executable, "-m", "tui", str(path), "--train", "--json"],
        env=environment(tmp_path),
        capture_output=True,
        timeout=TIMEOUT,
        check=True,
    )
    for event in map(json.loads, trained.stdout.splitlines()):
        if event["event"] == "epoch":
            assert f"training loss {event['train_loss']:.4g}, test loss" in done.stdout


def test_a_training_that_fails_is_told_and_makes_the_script_fail(tmp_path: Path) -> None:
    path = trains(tmp_path, inside="assert 'training' not in globals() or training.position < 2")
    done = script(tmp_path, path, "t\nn 5\nq\n")
    assert done.returncode == 2
    assert done.stdout.count("batch 2 of 6: loss") == 1
    assert "batch 3 (own.py, line 10): AssertionError" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "failed. Next: R reads the file afresh." in done.stdout


def test_a_training_that_is_read_afresh_is_one_again(tmp_path: Path) -> None:
    done = script(tmp_path, trains(tmp_path), "t\nn 2\nR\nn\nq\n")
    assert done.returncode == 0
    told = [line.partition(":")[0] for line in done.stdout.splitlines() if ": loss " in line]
    assert told == ["batch 1 of 6", "batch 2 of 6", "batch 1 of 6"]


def test_each_epoch_is_told_once_however_many_there_are(tmp_path: Path) -> None:
    path = trains(tmp_path, epochs=400)
    done = script(tmp_path, path, "t\n+ 9\ng 600\nn\nc\nq\n")
    assert done.stderr == ""
    told = re.findall(r"^epoch (\d+) of 400: training loss", done.stdout, re.MULTILINE)
    assert told == [str(epoch) for epoch in range(1, 401)]


def test_no_epoch_is_told_again_where_batches_are_taken_back(tmp_path: Path) -> None:
    done = script(tmp_path, trains(tmp_path), "t\n+ 9\nc\np\np\np\np\nn\nq\n")
    told = re.findall(r"^epoch (\d+) of 2: training loss", done.stdout, re.MULTILINE)
    assert told == ["1", "2", "1"]  # at the end it is trained again


def test_ctrl_c_pauses_a_training_and_loses_nothing(tmp_path: Path) -> None:
    path = trains(tmp_path, epochs=1_000_000)
    with plain(tmp_path, path.name) as screen:
        screen.shows("bp-tui>")
        screen.send(b"t\n")
        screen.shows("paused, 20 batches a second")
        screen.send(b"+ 9\nc\n")
        screen.shows("more epochs, the last of them:")
        screen.send(CTRL_C)
        screen.shows("paused, full speed. Next: c runs")
        screen.until(lambda: screen.written.endswith(b"bp-tui> "), "the prompt")
        screen.send(b"q\n")
        screen.shows("Quit, and lose the training? y or n:")
        screen.send(b"n\n")
        screen.until(lambda: screen.written.endswith(b"bp-tui> "), "the prompt")
        screen.send(b"x\n")
        screen.shows("stopped after batch", "test loss")
        screen.send(b"r\n")
        screen.shows("lose this training? y or n:")
        screen.send(b"y\n")
        screen.until(lambda: screen.written.endswith(b"bp-tui> "), "the prompt")
        screen.send(b"n\n")
        screen.shows("batch 1 of 3")
        screen.send(CTRL_D)
        assert screen.ends() == 0
        assert_only_lines(screen)


def test_the_keys_of_a_training(tmp_path: Path) -> None:
    path = trains(tmp_path, epochs=20)
    commands = "t\n+ 9\nb 4\nB\nc\nt\np\nb -1\nL 0.05\nE 2\ng 10\n.\nw\nv\nq\n"
    done = script(tmp_path, path, commands)
    assert done.stderr == ""
    for text in (
        "Batch 4: stopped before its update",
        "batch 3 of 60: loss",
        "batch 2 of 60: loss",
        "SGD, learning rate 0.05",
        "batch 10 of 66: loss",
        "weight: gradient norm",
        "of the value",
        "slope: ",
    ):
        assert text in done.stdout, text
    for line in done.stdout.splitlines():
        assert not re.search("[\u2500-\u259f\u2800-\u28ff]", line), line


def test_a_run_tells_now_and_then_how_far_it_is(tmp_path: Path) -> None:
    slow_batches = "import time; time.sleep(3 if out.requires_grad else 0)"
    path = trains(tmp_path, inside=slow_batches, epochs=1)
    done = script(tmp_path, path, "t\nc\n")
    assert done.returncode == 0
    assert re.search(r"^bp-tui: batch [23] of 3: loss", done.stderr, re.M)
    assert "finished." in done.stdout
