"""How much memory both processes take together while the MLP is stepped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from terminal_driver import Terminal, terminal

MEGABYTES = 90


def resident(pid: int) -> float:
    """The megabytes of memory that a process has, its RSS: also what others have as well, such as
    the pages of the interpreter's own file."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"^VmRSS:\s*(\d+) kB$", status, re.MULTILINE)
    assert found, status
    return int(found[1]) / 1024


def step_through(screen: Terminal) -> None:
    screen.done(0)
    total = screen.steps()
    for done in (1, 2, *range(8, total + 1)):
        screen.send(b"n")
        screen.done(done)
    screen.settled()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_both_processes_together(tmp_path: Path) -> None:
    """The plain sum, of the program as it is once installed: compiled, as the first start does."""
    compiled = {"PYTHONPYCACHEPREFIX": str(tmp_path / "compiled")}
    for _ in range(2):
        with terminal("mlp", "--data", "embedded", folder=tmp_path, environment=compiled) as screen:
            step_through(screen)
            children = screen.children()
            assert len(children) == 1
            held = [resident(pid) for pid in (screen.process.pid, *children)]
    assert sum(held) < MEGABYTES, held
