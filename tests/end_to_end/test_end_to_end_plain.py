"""--plain with its commands in a pipe or a script."""

from __future__ import annotations

import functools
import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from plain_driver import (
    OWN,
    environment,
    scenario,
    script,
)
from terminal_driver import TIMEOUT, assert_gone, descendants

# A pipe


def test_a_pass_by_a_pipe(tmp_path: Path) -> None:
    done = script(tmp_path, "first_graph", "n\nn\nn\nn\n")
    assert done.stderr == ""
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "One tensor used twice"
    assert "0 of 6 done. Next: node 0, L = d + e. Its grad_out is the seed, 1." in lines
    assert "  b now, complete: 7" in lines
    assert (
        lines[-1] == "4 of 6 done. Next: node 4, b: a leaf that requires grad, so b.grad becomes 7."
    )
    assert "\x1b" not in done.stdout
    assert "bp-tui>" not in done.stdout


def test_repeats_and_the_empty_line(tmp_path: Path) -> None:
    once = script(tmp_path, "first_graph", "n\nn\nn\nn\n").stdout
    for commands in ("n 4\n", "4 n\n", "4n\n", "n\n\n\n\n", "n\nn 3\n", "# the steps\nnext\nn 3"):
        assert script(tmp_path, "first_graph", commands).stdout == once


def test_too_many_repeats_end_where_the_pass_does(tmp_path: Path) -> None:
    done = script(tmp_path, "first_graph", "n 1000000\nn\n")
    last = "6 of 6 done. Next: nothing: every step is done, each leaf that requires grad has"
    assert done.stdout.count(last) == 2
    assert done.returncode == 0


def test_the_same_numbers_as_the_trace(tmp_path: Path) -> None:
    told = script(tmp_path, "mlp", "F\nF\ng end\nL 100\n", "--data", "embedded").stdout
    grads = dict(re.findall(r"^node (\d+), \w+: .*gradient (?:norm )?(\S+?)(?:,|$)", told, re.M))
    trace = subprocess.run(
        [sys.executable, "-m", "tui", "mlp", "--trace", "--json", "--data", "embedded"],
        env=environment(tmp_path),
        capture_output=True,
        check=True,
        timeout=TIMEOUT,
    )
    steps = [e for e in map(json.loads, trace.stdout.splitlines()) if e["event"] == "step"]
    assert len(grads) == len(steps) == 25
    for step in steps:
        wanted = step["grad_out"]["norm"]
        assert float(grads[str(step["node"])]) == pytest.approx(wanted, rel=1e-3)


def test_no_end_of_line_no_commands_and_no_input_at_all(tmp_path: Path) -> None:
    assert "1 of 6 done" in script(tmp_path, "first_graph", "n").stdout
    assert script(tmp_path, "first_graph", "").returncode == 0
    done = script(tmp_path, "first_graph", "q\nn\n")
    assert done.returncode == 0
    assert "1 of 6" not in done.stdout


def test_bytes_that_are_no_text_are_a_command_without_a_meaning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tui", "first_graph", "--plain"],
        input=b"\xff\xfe\x00\x1b[A\nn\n",
        env=environment(tmp_path),
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert b"1 of 6 done" in done.stdout
    assert b"line 1:" in done.stderr
    assert b"\x1b" not in done.stdout + done.stderr
    assert done.returncode == 2


def test_whoever_reads_may_have_enough(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tui", "deep", "--plain"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"n 100\n" * 20)
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.close()
        assert process.wait(TIMEOUT) == 0
        assert process.stderr
        assert process.stderr.read() == b""


# A script


def test_a_script_goes_on_after_what_is_refused_and_says_so(tmp_path: Path) -> None:
    done = script(tmp_path, "first_graph", "x\nn\ng nowhere\na norm(\nz\ng 99\nn\n")
    assert done.returncode == 2
    assert [line.partition(" ")[2][:7] for line in done.stderr.splitlines()] == [
        "line 1:",
        "line 3:",
        "line 4:",
        "line 5:",
        "line 6:",
    ]
    assert "there are 6 steps: 0 to 6" in done.stderr
    assert "2 of 6 done" in done.stdout


def test_breakpoints_conditions_and_what_c_does(tmp_path: Path) -> None:
    commands = "down 3\nb\nc\na accumulated == 7\nc\nB\nc\n"
    done = script(tmp_path, "first_graph", commands)
    assert done.stderr == ""
    out = done.stdout
    assert "breakpoint on node 3, d" in out
    assert "Stopped before node 3, d" in out
    assert "Stopped after node 3: " in out
    assert "\nBreakpoints, conditions, watches\n1: node 3, d" in out
    assert "6 of 6 done" in out


def test_a_script_does_not_depend_on_what_was_remembered(tmp_path: Path) -> None:
    first = script(tmp_path, "first_graph", "down 3\nb\nW\nc\n").stdout
    assert "Stopped before node 3" in first
    again = script(tmp_path, "first_graph", "c\n").stdout
    assert "Stopped" not in again
    assert "watched" not in again


def test_break_and_watch_of_the_command_line(tmp_path: Path) -> None:
    done = script(tmp_path, "first_graph", "c\n", "--break", "op multiply", "--watch", "b")
    assert "Stopped before node 3, d" in done.stdout
    assert "watched node 4, b: gradient 1, 1 of 2 contributions" in done.stdout


def test_pages_search_why_verify_and_source(tmp_path: Path) -> None:
    done = script(tmp_path, "first_graph", "n 4\n/ b\nw\nv\nT\nh\nl\n?\n.\n")
    assert done.stderr == ""
    for part in (
        "Why? Node",
        "multiply_back0",
        "first_graph.py, line",
        "engine, called last",
        "the scenario has printed nothing",
        "S FILE: save",
    ):
        assert part in done.stdout, part


def test_a_tensor_is_looked_into(tmp_path: Path) -> None:
    commands = "g #24\ni\nm\nTab\n[0, 200:210]\n[\ne 3, 17\nx\nd\nEsc\nn\n"
    done = script(tmp_path, "mlp", commands, "--data", "embedded")
    assert done.stderr == ""
    assert "linear1.weight, value (64,784) float32" in done.stdout
    assert "linear1.weight, gradient (64,784) float32" in done.stdout
    assert "[0, 200:210] gives (10,)" in done.stdout
    assert "at [3, 17]" in done.stdout
    assert "no NaN and no Inf" in done.stdout
    assert "negative ,-=%" in done.stdout


def test_saving_and_copying(tmp_path: Path) -> None:
    commands = "n 4\nS d.npy\nS d.grad.npy\nS pass.json\nS d.npy\nS\nS x.svg\ny\n"
    done = script(tmp_path, "first_graph", commands)
    assert np.load(tmp_path / "d.npy") == 12
    assert np.load(tmp_path / "d.grad.npy") == 1
    events = [json.loads(line) for line in (tmp_path / "pass.json").read_text().splitlines()]
    assert [event["event"] for event in events] == ["graph", *["step"] * 6, "end"]
    assert "d.npy is there already" in done.stderr
    assert "line 6: S takes a file" in done.stderr
    assert "line 7: the ending says what" in done.stderr
    assert "node 3  d = a * b\nvalue: () float32\n12." in done.stdout


def test_other_scenarios_and_reading_afresh(tmp_path: Path) -> None:
    done = script(tmp_path, "", "o\no first_graph\nn\nR\no diamond\no nothing\nn\n")
    assert "first_graph: One tensor used twice" in done.stdout
    assert done.stdout.count("0 of 6 done") == 2
    assert "The sum over" in done.stdout or "1 of" in done.stdout
    assert "there is no scenario 'nothing'" in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("1 / 0\n", "own.py, line 4: ZeroDivisionError"),
        ("loss = (\n", "Python does not understand this"),
        ("x = 1\n", "there is nothing to step through"),
        ("input()\n", "nobody can answer it here"),
        ("import os\nos.abort()\n", "was ended by signal 6"),
        ("import os\nos._exit(3)\n", "exit code 3"),
    ],
)
def test_a_scenario_that_cannot_be_used_ends_a_script(tmp_path: Path, body: str, part: str) -> None:
    done = script(tmp_path, scenario(tmp_path, body), "n\nn\n")
    assert done.returncode == 2
    assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_scenario_that_is_not_there(tmp_path: Path) -> None:
    done = script(tmp_path, "first_grpah", "n\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean first_graph?" in done.stderr


def test_a_crash_in_a_step_ends_a_script(tmp_path: Path) -> None:
    done = script(tmp_path, scenario(tmp_path, OWN.format("os.abort()")), "n\nn\n")
    assert done.returncode == 2
    assert "0 of 2 done" in done.stdout
    assert "was ended by signal 6" in done.stderr
    assert done.stderr.count("signal 6") == 1


def test_a_step_that_fails_is_told_with_its_line_and_the_session_goes_on(tmp_path: Path) -> None:
    path = scenario(tmp_path, OWN.format("raise ValueError('no')"))
    done = script(tmp_path, path, "n\nL\n")
    assert done.returncode == 2
    assert "line 1: " in done.stderr
    assert "ValueError: no" in done.stderr
    assert "node 0, ready" in done.stdout


def test_what_a_scenario_prints_is_in_the_log_and_nowhere_else(tmp_path: Path) -> None:
    noisy = (
        "sys.stdout.write('to standard output\\n'); os.write(1, b'to descriptor 1\\n'); "
        "print('to standard error', file=sys.stderr); sys.stdout = None"
    )
    path = scenario(tmp_path, OWN.format(noisy))
    done = script(tmp_path, path, "n\nn\n")
    assert "to descriptor" not in done.stdout + done.stderr
    assert "2 of 2 done" in done.stdout
    done = script(tmp_path, path, "n\nl\n")
    for text in ("to standard output", "to descriptor 1", "to standard error"):
        assert text in done.stdout


def test_a_flood_a_thread_and_another_folder_do_no_harm(tmp_path: Path) -> None:
    body = (
        "import os, threading\n"
        "def go_on():\n"
        "    while True:\n"
        "        os.write(1, b'flood ' * 100 + b'\\n')\n"
        "threading.Thread(target=go_on, daemon=True).start()\n"
        "os.chdir('/')\n"
    )
    done = script(tmp_path, scenario(tmp_path, body + "loss = a * a\n"), "n 2\nS a.npy\n")
    assert done.returncode == 0
    assert "2 of 2 done" in done.stdout
    assert "flood" not in done.stdout
    assert (tmp_path / "a.npy").exists()


def test_an_ascii_locale_has_ascii_lines(tmp_path: Path) -> None:
    path = scenario(tmp_path, "größe = a * a\nloss = größe * größe\n")
    done = script(tmp_path, path, "n 3\nL\n", LC_ALL="C")
    assert done.stdout.isascii()
    assert "gr??e" in done.stdout


def test_lines_are_as_wide_as_is_said(tmp_path: Path) -> None:
    for columns in (40, 120):
        done = script(tmp_path, "first_graph", "n 6\n", COLUMNS=str(columns))
        longest = max(map(len, done.stdout.splitlines()))
        assert columns - 20 < longest <= columns


def test_interrupted_in_a_script(tmp_path: Path) -> None:
    path = scenario(tmp_path, OWN.format("\n    while True: pass"))
    with subprocess.Popen(
        [sys.executable, "-m", "tui", str(path), "--plain"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
        # As in the foreground of a shell: what a script starts beside itself ignores the signal.
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"n\n")
        process.stdin.flush()
        while b"0 of 2 done" not in process.stdout.readline():
            pass
        children = descendants(process.pid)
        time.sleep(0.2)  # it is in the step, or soon will be
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT) == 130
        assert process.stderr
        assert process.stderr.read() == b"bp-tui: interrupted\n"
    assert_gone(children)
