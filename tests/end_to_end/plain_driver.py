"""The program line by line: with commands in a pipe, and in a dumb terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from terminal_driver import ROOT, TIMEOUT, Terminal, terminal

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


def plain(folder: Path, name: str | Path, **more: str):  # type: ignore[no-untyped-def]
    """The mode in a dumb terminal."""
    return terminal(str(name), "--plain", environment=DUMB | more, folder=folder)


def assert_only_lines(screen: Terminal) -> None:
    """Nothing but text, and the terminal as it was."""
    assert b"\x1b" not in screen.written
    screen.assert_left_in_order()


def quits(screen: Terminal) -> None:
    """Quit, and see that nothing but lines was written."""
    screen.send(b"q\n")
    assert screen.ends() == 0
    assert_only_lines(screen)
