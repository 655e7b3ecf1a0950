"""Scenarios that never end, crash, fork or leave something behind, where there is no screen."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tui_support import (
    BODY_LINE,
    BROKEN,
    REGRESSION,
    SQUARE,
    assert_refused,
    command,
    environment,
    run,
    write,
)

FOREVER = (
    "import sys, time\nprint('under way', file=sys.stderr, flush=True)\nwhile True:\n    pass\n"
)

STUBBORN = (
    "import signal, sys, time\nsignal.signal(signal.SIGINT, lambda *told: None)\n"
    "print('under way', file=sys.stderr, flush=True)\nwhile True:\n    try:\n"
    "        time.sleep(0.01)\n    except BaseException:\n        pass\n"
)

A_LONG_CALL = (
    "import sys\na = np.ones((3000, 3000))\n"
    "print('under way', file=sys.stderr, flush=True)\nnp.linalg.svd(a)\n"
)

SLOW_TRAINING = REGRESSION + (
    "import sys, time\n"
    "training.epochs = 100000\n"
    "class Slow(Linear):\n"
    "    def forward(self, x):\n"
    "        time.sleep(0.001)\n"
    "        return super().forward(x)\n"
    "training.model = Slow(2, 1)\n"
    "training.optimizer = SGD(training.model.parameters(), 0.0)\n"
    "print('under way', file=sys.stderr, flush=True)\n"
)


@pytest.mark.parametrize(
    ("body", "mode"),
    [
        (FOREVER, ["--trace"]),
        (FOREVER, ["--trace", "--json"]),
        (SLOW_TRAINING, ["--train"]),
        (SLOW_TRAINING, ["--train", "--json"]),
        (BROKEN.format(body=FOREVER.replace("\n", "\n    ")), ["--trace"]),
        (STUBBORN, ["--trace"]),
        (A_LONG_CALL, ["--train"]),
    ],
    ids=[
        *("loading", "loading json", "training", "training json", "a backward function"),
        *("one that swallows it", "a long call"),
    ],
)
def test_an_interrupt_ends_it_quietly(tmp_path: Path, body: str, mode: list[str]) -> None:
    with subprocess.Popen(
        command(write(tmp_path, body), *mode),
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr
        said = process.stderr.readline()
        time.sleep(0.15)
        process.send_signal(signal.SIGINT)
        out, rest = process.communicate(timeout=10)
    assert said == b"under way\n"
    assert process.returncode == 130
    assert b"Traceback" not in rest
    assert b"interrupted" in rest
    if "--json" in mode:
        for line in out.decode().splitlines():
            json.loads(line)


def test_what_a_scenario_leaves_running_does_not_keep_the_program(tmp_path: Path) -> None:
    body = "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()\n"
    done = run(write(tmp_path, body + SQUARE), "--trace", timeout=10)
    assert done.returncode == 0
    assert "2 steps" in done.stdout


def test_a_copy_that_a_scenario_forks_prints_no_second_trace(tmp_path: Path) -> None:
    body = "import os\nme = os.fork()\n" + SQUARE + "if me == 0: 1 / 0\n"
    done = run(write(tmp_path, body), "--trace")
    assert done.returncode == 0
    assert done.stdout.count("2 steps") == 1
    assert "ZeroDivisionError" in done.stderr  # as of any process
    assert "tui" not in done.stderr.replace(str(tmp_path), "")


def test_a_crash_of_the_interpreter_names_the_line(tmp_path: Path) -> None:
    done = run(write(tmp_path, "import os\nos.abort()\n"), "--trace")
    assert done.returncode == -signal.SIGABRT
    assert f'wrong.py", line {BODY_LINE + 1} in <module>' in done.stderr


def test_memory_that_is_not_there(tmp_path: Path) -> None:
    done = run(write(tmp_path, "x = np.ones(10**13)\n"), "--trace")
    assert_refused(done, "there is not enough memory: Unable to allocate", f"line {BODY_LINE}")


def test_a_data_folder_is_meant_from_where_the_program_was_started(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    body = "import os\nfrom scenarios.data import mnist\nos.chdir('elsewhere')\nmnist()\n"
    done = run(write(tmp_path, body), "--trace", "--data-dir", "idx", cwd=tmp_path)
    assert_refused(done, str(tmp_path / "idx"))
