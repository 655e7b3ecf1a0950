"""The program at the other end of a real SSH connection: `ssh -tt` to a server on the loopback."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from ssh_server import SshServer, program
from terminal_driver import ESCAPE, TIMEOUT, Terminal, descendants, gone

MLP = "mlp --data embedded"
CTRL_Z = b"\x1a"

SOON = max(2.0, TIMEOUT / 10)
"""Seconds in which all has to be gone; more only where the tests are told to be patient."""

ENDLESS = "print('under way', flush=True)\nwhile True: pass\n"
ENDLESS_STEP = """\
from engine import *
def cube_back(grad_out, out, x):
    while True: pass
cube = wrap_forward_fn(lambda x: x ** 3, name="cube")
BACK_FUNCS.add_back_func(cube, 0, cube_back)
loss = cube(Tensor(2.0, requires_grad=True))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """One server for all tests."""
    running = SshServer(tmp_path_factory.mktemp("sshd"))
    yield running
    running.close()


def test_step_train_resize_and_quit(server: SshServer, tmp_path: Path) -> None:
    with server.terminal(f"exec ./bp {MLP} --epochs 2", tmp_path) as screen:
        screen.done(0)
        screen.shows("One batch of MNIST, backwards", "q quit")
        total = screen.steps()
        for key, steps in ((b"n", 1), (b"n", 2), (b"n", 8), (b"p", 2), (b"s", 2), (b"c", total)):
            screen.send(key)
            screen.done(steps)
        screen.resize(120, 40)
        screen.until(lambda: screen.lines()[39].endswith("q quit"), "the new size")
        screen.done(total)
        screen.resize(80, 24)
        screen.until(lambda: screen.lines()[23].endswith("q quit"), "the old size")
        screen.send(b"t")
        screen.shows("paused, 20 batches a second", "0 of 126")
        screen.send(b"c")
        screen.shows("running, 20 batches a second", "mean of the last")
        screen.resize(100, 30)
        screen.until(lambda: screen.lines()[29].endswith("q quit"), "a size while it trains")
        screen.send(b"+++")
        screen.shows("126 of 126", "done; Esc steps with the trained weights")
        screen.send(ESCAPE)
        screen.done(0)
        processes = [program(tmp_path), *descendants(program(tmp_path))]
        assert len(processes) == 2
        # Over SSH the mouse is left to the terminal.
        assert not {1000, 1002, 1003} & {mode for mode, on in screen.modes().items() if on}
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()
        assert all(gone(pid) for pid in processes)


@pytest.mark.parametrize(
    "doing", ["nothing", "a training at full speed", "loading without end", "a step without end"]
)
def test_a_connection_that_is_lost_ends_both_processes(
    doing: str, server: SshServer, tmp_path: Path
) -> None:
    (tmp_path / "endless.py").write_text(ENDLESS if doing.startswith("load") else ENDLESS_STEP)
    arguments = "endless.py" if doing.endswith("end") else f"{MLP} --epochs 10000"
    with server.terminal(f"exec ./bp {arguments}", tmp_path) as screen:
        bring_to(screen, doing)
        lost(screen, [program(tmp_path), *descendants(program(tmp_path))])


def test_a_connection_that_is_lost_leaves_a_checkpoint(server: SshServer, tmp_path: Path) -> None:
    with server.terminal(f"exec ./bp {MLP} --epochs 10000 --out run", tmp_path) as screen:
        bring_to(screen, "a training at full speed")
        lost(screen, [program(tmp_path), *descendants(program(tmp_path))])
    with zipfile.ZipFile(tmp_path / "run" / "checkpoint.npz") as archive:
        position = json.loads(archive.read("checkpoint.json"))["position"]
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    done = sum(json.loads(line)["event"] == "batch" for line in lines)
    assert position == done >= 20  # all that was trained, to the last batch


def bring_to(screen: Terminal, doing: str) -> None:
    """Use the program until it is doing that."""
    if doing == "loading without end":
        screen.shows("Loading endless.py", "Esc gives up")
        return
    screen.done(0)
    if doing == "a training at full speed":
        screen.send(b"t")
        screen.shows("learning rate")
        screen.send(b"+++c")
        screen.shows("running, full speed", "mean of the last 20")
    elif doing == "a step without end":
        screen.send(b"c")
        screen.shows("Waiting for c; Esc gives up  cube_back (endless.py, line 3)")


def lost(screen: Terminal, processes: list[int]) -> None:
    """Kill the client; the processes at the other end are soon gone."""
    assert len(processes) == 2
    screen.process.kill()
    screen.process.wait()
    end = time.monotonic() + SOON
    while left := [pid for pid in processes if not gone(pid)]:
        assert time.monotonic() < end, f"still there after {SOON} s: {left}"
        time.sleep(0.02)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_leaves_the_terminal_as_it_was(
    name: str, server: SshServer, tmp_path: Path
) -> None:
    script = 'stty -g > before; ./bp first_graph; echo "LEFT $?"; stty -g > after'
    with server.terminal(script, tmp_path) as screen:
        screen.done(0)
        screen.send(b"n")
        screen.done(1)
        processes = [program(tmp_path), *descendants(program(tmp_path))]
        number = getattr(signal, name)
        os.kill(processes[0], number)
        screen.shows(f"LEFT {128 + number}")
        screen.ends()
        screen.assert_left_in_order()
        assert (tmp_path / "after").read_text() == (tmp_path / "before").read_text()
        assert all(gone(pid) for pid in processes)


def interactive() -> str:
    """The command of a shell with job control; the test is skipped where there is none."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash, for its job control")
    return shlex.join([bash, "--norc", "--noprofile", "--noediting", "-i"])


def test_a_connection_that_is_lost_while_it_is_stopped(server: SshServer, tmp_path: Path) -> None:
    with server.terminal(f"exec {interactive()}", tmp_path) as screen:
        screen.shows("READY>")
        screen.send(b"./bp first_graph\n")
        screen.done(0)
        processes = [program(tmp_path), *descendants(program(tmp_path))]
        screen.send(CTRL_Z)
        screen.shows("Stopped")
        lost(screen, processes)


def test_ctrl_z_and_fg(server: SshServer, tmp_path: Path) -> None:
    with server.terminal(f"stty -g > before; exec {interactive()}", tmp_path) as screen:
        screen.shows("READY>")
        screen.send(b"./bp first_graph\n")
        screen.done(0)
        screen.send(b"n")
        screen.done(1)
        before = screen.settled()
        screen.send(CTRL_Z)
        screen.shows("Stopped")
        screen.send(b"stty -g > stopped; clear; printf 'ALL %s\\n' GONE\n")
        screen.shows("ALL GONE")
        assert (tmp_path / "stopped").read_text() == (tmp_path / "before").read_text()
        screen.send(b"fg\n")
        screen.is_back_at(before, "after fg")
        screen.settled()
        screen.send(b"q")
        screen.until(lambda: gone(program(tmp_path)), "the end of the program")
        screen.send(b"exit\n")
        screen.ends()
        screen.assert_left_in_order()


def test_ctrl_z_without_a_shell_goes_on(server: SshServer, tmp_path: Path) -> None:
    with server.terminal("exec ./bp first_graph", tmp_path) as screen:
        screen.done(0)
        screen.send(CTRL_Z)
        screen.shows("there is no shell here to go back to")
        screen.send(b"n")
        screen.done(1)
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()
