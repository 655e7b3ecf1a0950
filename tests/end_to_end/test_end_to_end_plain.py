"""--plain: the program line by line, with a pipe, a script, and in a terminal that is dumb."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from terminal_driver import ROOT, TIMEOUT, Terminal, assert_gone, descendants, terminal

GOOD = '"""A good one"""\nfrom engine import Tensor\na = Tensor(3.0, requires_grad=True)\n'

OWN = (
    "import os, sys, time, threading\n"
    "from engine import BACK_FUNCS, wrap_forward_fn\n"
    "cube = wrap_forward_fn(lambda x: x * x * x, name='cube')\n"
    "def cube_back(grad_out, out, x):\n"
    "    {}\n"
    "    return grad_out * 3 * x * x\n"
    "BACK_FUNCS.add_back_func(cube, 0, cube_back)\n"
    "loss = cube(a)\n"
)
"""A scenario with a backward function of its own, in which something is done first."""

DUMB = {"TERM": "dumb"}
CTRL_C, CTRL_D = b"\x03", b"\x04"


def environment(folder: Path, **more: str) -> dict[str, str]:
    """As in the terminal of the other tests."""
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "XDG_CACHE_HOME": str(folder),
        "XDG_STATE_HOME": str(folder / "state"),
        "PYTHONPATH": ROOT,
        "LC_ALL": "C.UTF-8",
        **more,
    }


def script(
    folder: Path, scenario: str | Path, commands: str, *options: str, **more: str
) -> subprocess.CompletedProcess[str]:
    """The program with commands in a pipe."""
    return subprocess.run(
        [sys.executable, "-m", "tui", *filter(None, [str(scenario)]), "--plain", *options],
        input=commands,
        env=environment(folder, **more),
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=2 * TIMEOUT,
        check=False,
    )


def scenario(folder: Path, body: str, name: str = "own.py") -> Path:
    path = folder / name
    path.write_text(GOOD + body, encoding="utf-8")
    return path


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
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", "deep", "--plain"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    )
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
    process = subprocess.Popen(
        [sys.executable, "-m", "tui", str(path), "--plain"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(tmp_path),
    )
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


# A terminal


def plain(folder: Path, name: str | Path, **more: str):  # type: ignore[no-untyped-def]
    """The mode in a dumb terminal."""
    return terminal(str(name), "--plain", environment=DUMB | more, folder=folder)


def assert_only_lines(screen: Terminal) -> None:
    """Nothing but text, and the terminal as it was."""
    assert b"\x1b" not in screen.written
    screen.assert_left_in_order()


def test_in_a_dumb_terminal(tmp_path: Path) -> None:
    with plain(tmp_path, "first_graph") as screen:
        screen.shows("0 of 6 done", "bp-tui>")
        children = screen.children()
        screen.send(b"n\n")
        screen.shows("1 of 6 done")
        screen.send(b"\n")
        screen.shows("2 of 6 done")
        screen.send(b"x\n")
        screen.shows("x has no meaning here; ? tells what can be typed")
        screen.send(b"b\n")
        screen.shows("breakpoint on node 1, e")
        screen.send(b"q\n")
        assert screen.ends() == 0
        assert_only_lines(screen)
        assert_gone(children)


def test_who_is_there_has_their_breakpoints_again(tmp_path: Path) -> None:
    for command, text in ((b"down 3\nb\n", "breakpoint on node 3"), (b"c\n", "Stopped before")):
        with plain(tmp_path, "first_graph", XDG_STATE_HOME=str(tmp_path)) as screen:
            screen.shows("bp-tui>")
            screen.send(command)
            screen.shows(text)
            screen.send(CTRL_D)
            assert screen.ends() == 0
            assert_only_lines(screen)


def test_lines_fit_the_window_also_once_it_is_another(tmp_path: Path) -> None:
    with plain(tmp_path, "first_graph") as screen:
        screen.shows("bp-tui>")
        screen.resize(40, 24)
        before = len(screen.written)
        screen.send(b"?\n")
        screen.shows("comment")
        told = screen.written[before:].decode().replace("\r", "").splitlines()[1:-1]
        assert 30 < max(map(len, told)) <= 40


def test_ctrl_c_at_the_prompt_loses_nothing(tmp_path: Path) -> None:
    with plain(tmp_path, "first_graph") as screen:
        screen.shows("bp-tui>")
        screen.send(b"n\n")
        screen.shows("1 of 6 done")
        screen.send(b"half a comm" + CTRL_C)
        screen.shows("q quits")
        screen.send(b"n\n")
        screen.shows("2 of 6 done")
        screen.send(CTRL_D)
        assert screen.ends() == 0
        assert_only_lines(screen)


def test_ctrl_c_stops_a_long_command_and_the_session_goes_on(tmp_path: Path) -> None:
    with plain(tmp_path, "deep", N="30000") as screen:
        screen.shows("0 of", "bp-tui>")
        screen.send(b"a isnan(grad_out) and step > 99999\n")
        screen.shows("c stops after a step")
        screen.send(b"n 1000000\n")
        screen.shows("25 of")
        screen.send(CTRL_C)
        screen.until(lambda: screen.written.endswith(b"bp-tui> "), "the prompt")
        assert b"of 30001 done. Next: nothing" not in screen.written
        screen.send(b"g start\n")
        screen.shows("Next: node 0")
        screen.send(b"q\n")
        assert screen.ends() == 0
        assert_only_lines(screen)


def test_a_step_that_never_ends_is_given_up_and_read_afresh_once_it_is_mended(
    tmp_path: Path,
) -> None:
    path = scenario(tmp_path, OWN.format("\n    while True: pass"))
    with plain(tmp_path, path.name) as screen:
        screen.shows("0 of 2 done", "bp-tui>")
        children = screen.children()
        screen.send(b"n\n")
        screen.shows("still at it; Ctrl+C stops it")
        screen.send(CTRL_C)
        screen.shows("it does not stop yet; Ctrl+C gives it up")
        screen.send(CTRL_C)
        screen.shows("Given up", "R reads the file afresh")
        assert_gone(children)
        screen.send(b"n\n")
        screen.shows("n has no meaning here")
        path.write_text(GOOD + "loss = a * a\n", encoding="utf-8")
        screen.send(b"R\n")
        screen.shows("0 of 2 done", "loss = a * a")
        screen.send(b"n\n")
        screen.shows("1 of 2 done")
        screen.send(b"q\n")
        assert screen.ends() == 0
        assert_only_lines(screen)


def test_loading_that_never_ends_is_given_up(tmp_path: Path) -> None:
    path = scenario(tmp_path, "while True: pass\n")
    with plain(tmp_path, path.name) as screen:
        screen.shows("is still running its own code; Ctrl+C gives it up")
        screen.send(CTRL_C)
        screen.shows("Given up", "bp-tui>")
        screen.send(b"o first_graph\n")
        screen.shows("0 of 6 done")
        screen.send(b"q\n")
        assert screen.ends() == 0
        assert_only_lines(screen)


def test_a_mistake_is_told_with_its_place_and_can_be_mended(tmp_path: Path) -> None:
    path = scenario(tmp_path, "print('so far')\n1 / 0\n")
    with plain(tmp_path, path.name) as screen:
        screen.shows("own.py, line 5: ZeroDivisionError", "1 / 0", "It printed", "  so far")
        path.write_text(GOOD + "loss = a * a\n", encoding="utf-8")
        screen.send(b"R\nn\n")
        screen.shows("1 of 2 done")
        screen.send(b"q\n")
        assert screen.ends() == 0
        assert_only_lines(screen)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_its_process(tmp_path: Path, number: signal.Signals) -> None:
    with plain(tmp_path, "first_graph") as screen:
        screen.shows("bp-tui>")
        children = screen.children()
        screen.process.send_signal(number)
        assert screen.ends() == -number
        assert_gone(children)
        assert_only_lines(screen)


def test_a_dumb_terminal_without_plain_has_the_trace_and_hears_of_plain(tmp_path: Path) -> None:
    with terminal("first_graph", environment=DUMB, folder=tmp_path) as screen:
        assert screen.ends() == 0
        screen.shows(
            "TERM is dumb, so this is what --trace prints (--plain steps", "multiply_back1"
        )
        assert_only_lines(screen)


# A training

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
    path = trains(tmp_path, inside="import time; time.sleep(3)", epochs=1)
    done = script(tmp_path, path, "t\nc\n")
    assert done.returncode == 0
    assert re.search(r"^bp-tui: batch [23] of 3: loss", done.stderr, re.M)
    assert "finished." in done.stdout
