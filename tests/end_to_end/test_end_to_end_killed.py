"""A training that is killed again and again, also in the middle of a write, and gone on with."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tui

ROOT = str(Path(tui.__file__).resolve().parents[1])

KILLS = 20

SCENARIO = '''"""Draws random numbers from everywhere"""

import random
import time

import numpy as np
from engine import *

rng = np.random.default_rng(0)
images = rng.standard_normal((44, 8)).astype(np.float32)
labels = (images.sum(axis=1) > 0).astype(np.int64)
np.random.seed(1)
random.seed(2)
model = Sequential(Linear(8, 16), BatchNorm1d(16), ReLU(), Dropout(0.2), Linear(16, 2))
optimizer = AdamW(model.parameters(), 0.01)


def loss_fn(logits, labels):
    time.sleep(PAUSE)
    noise = np.random.standard_normal(logits.shape).astype(np.float32) * random.random()
    return cross_entropy(logits + noise, labels, reduction="none").sum() / len(labels)


data = images, labels
training = Training(
    model, optimizer, data, data, loss_fn, batch_size=4, epochs=EPOCHS,
    scheduler=CosineAnnealingLR(optimizer, 300), scheduler_each="batch", clip_grad_norm=1.0,
)
'''
"""Eleven batches an epoch."""

KILLED_IN = '''

import os, signal
import tui.session.training.checkpoint as checkpoint
import tui.session.training.metrics as metrics

WHERE, AT = os.environ.get("KILLED_IN", ":").split(":")


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def killing(where, function, before):
    """The function, in which the process is killed when the training is so far."""

    def wrapped(*args, **kwargs):
        if WHERE == where and training.position >= int(AT):
            before(*args, **kwargs)
            kill()
        return function(*args, **kwargs)

    return wrapped


def half(number, data):
    write(number, data[: len(data) // 2])


def some(file, array):
    file.write(array.tobytes()[:10])


def replaced(part, goal):
    replace(part, goal)


nothing = lambda *args, **kwargs: None
write, replace = os.write, os.replace
os.write = killing("a line", write, half)
os.replace = killing("before the name", replace, nothing)
os.replace = killing("after the name", os.replace, replaced)
os.fsync = killing("before the sync", os.fsync, nothing)
checkpoint._write = killing("an array", checkpoint._write, some)
os.ftruncate = killing("a cut", os.ftruncate, nothing)
'''
"""Added to the scenario: code that kills its own process in the middle of a write."""

PLACES = ("a line", "an array", "before the sync", "before the name", "after the name")


def scenario(folder: Path, epochs: int, pause: float = 0, extra: str = "") -> Path:
    path = folder / "killed.py"
    text = SCENARIO.replace("EPOCHS", str(epochs)).replace("PAUSE", str(pause))
    path.write_text(text + extra)
    return path


def start(*args: str | Path, killed_in: str = "") -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": ROOT, "KILLED_IN": killed_in or ":"}
    return subprocess.Popen(
        [sys.executable, "-m", "tui", *map(str, args), "--train", "--json"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(*args: str | Path, killed_in: str = "") -> int:
    """Run the program to its end; its exit code."""
    with start(*args, killed_in=killed_in) as process:
        said = process.communicate(timeout=60)[1]
    assert b"Traceback" not in said, said
    return process.returncode


def weights(out: Path) -> dict[str, bytes]:
    """All arrays of the folder's checkpoint: weights, buffers, the optimiser's, the losses."""
    with np.load(out / "checkpoint.npz") as file:
        return {name: file[name].tobytes() for name in file.files if name != "checkpoint.json"}


def events(out: Path) -> list[dict[str, Any]]:
    """The lines of the metrics, without the seconds."""
    lines = (out / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    assert all(line.endswith(b"\n") for line in lines)
    found = [json.loads(line) for line in lines]
    assert None not in [event["seconds"] for event in found]
    return [{**event, "seconds": 0} for event in found]


def length(out: Path) -> int:
    path = out / "metrics.jsonl"
    return path.stat().st_size if path.exists() else 0


def test_killed_twenty_times_it_comes_to_the_same_weights(tmp_path: Path) -> None:
    chance = random.Random(5)
    path = scenario(tmp_path, epochs=28, pause=0.002)
    straight, out = tmp_path / "straight", tmp_path / "killed"
    undisturbed = start(path, "--out", straight)
    at: list[int] = []
    for kill in range(KILLS):
        options = [] if kill else [path, "--out", out, "--checkpoint-every", "4"]
        process = start(*(options or ["--resume", out]))
        before, more = length(out), chance.randint(200, 1200)
        deadline = time.monotonic() + 60
        # It may be shorter than before, where the lines after the checkpoint were dropped.
        while length(out) < before + more and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.0005)
        time.sleep(chance.random() * 0.004)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        at.append(length(out))
    assert finish("--resume", out) == 0
    undisturbed.communicate(timeout=60)
    assert undisturbed.returncode == 0
    assert len(set(at)) > KILLS / 2
    assert len(events(straight)) == 28 * 12 + 1
    assert events(out) == events(straight)
    assert weights(out) == weights(straight)
    assert sorted(p.name for p in out.iterdir()) == ["checkpoint.npz", "metrics.jsonl"]


def test_killed_in_the_middle_of_a_write_it_comes_to_the_same_weights(tmp_path: Path) -> None:
    path = scenario(tmp_path, epochs=3, extra=KILLED_IN)
    straight, out = tmp_path / "straight", tmp_path / "killed"
    assert finish(path, "--out", straight) == 0
    for i, place in enumerate(PLACES):
        args = ["--resume", out] if i else [path, "--out", out, "--checkpoint-every", "3"]
        # At the end of a run, too: the last place is the last checkpoint.
        assert finish(*args, killed_in=f"{place}:{5 + 7 * i}") == -signal.SIGKILL, place
    assert finish("--resume", out, killed_in="a cut:0") == -signal.SIGKILL
    assert finish("--resume", out) == 0
    assert events(out) == events(straight)
    assert weights(out) == weights(straight)
    assert sorted(p.name for p in out.iterdir()) == ["checkpoint.npz", "metrics.jsonl"]


@pytest.mark.parametrize("place", PLACES)
def test_killed_in_the_very_first_write_it_can_be_started_again(tmp_path: Path, place: str) -> None:
    path = scenario(tmp_path, epochs=1, extra=KILLED_IN)
    out = tmp_path / "killed"
    assert finish(path, "--out", out, killed_in=f"{place}:0") == -signal.SIGKILL
    assert finish(path, "--out", out) == 0
    straight = tmp_path / "straight"
    assert finish(path, "--out", straight) == 0
    assert weights(out) == weights(straight)
