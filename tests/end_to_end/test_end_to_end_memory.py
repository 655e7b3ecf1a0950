"""How much memory both processes take together while the MLP is stepped."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest
from terminal_driver import Terminal, terminal

MEGABYTES = 90

MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ [0-9a-f]+ \S+ \d+ *(.*)$")


def resident(pids: list[int]) -> float:
    """The megabytes that processes hold in memory.

    A page of a file that several of them have mapped (the interpreter, a library) is in memory
    once, and so counts once: of each file, the most that one of them has of it unchanged. The sum
    of their RSS would count it for each of them; PSS depends on who else on the host has it.
    """
    own, files = 0, defaultdict[str, list[int]](list)
    for pid in pids:
        unchanged: dict[str, int] = defaultdict(int)
        path = ""
        for line in Path(f"/proc/{pid}/smaps").read_text(encoding="utf-8").splitlines():
            if mapping := MAPPING.match(line):
                path = mapping[1]
                continue
            field, _, amount = line.partition(":")
            if field == "Rss":
                own += int(amount.split()[0])
            elif field in ("Shared_Clean", "Private_Clean") and path.startswith("/"):
                unchanged[path] += int(amount.split()[0])
        for path, amount in unchanged.items():
            own -= amount
            files[path].append(amount)
    return (own + sum(map(max, files.values()))) / 1024


def step_through(screen: Terminal) -> None:
    screen.done(0)
    total = screen.steps()
    for done in (1, 2, *range(8, total + 1)):
        screen.send(b"n")
        screen.done(done)
    screen.settled()


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs Linux's /proc")
def test_both_processes_together(tmp_path: Path) -> None:
    with terminal("mlp", "--data", "embedded", folder=tmp_path) as screen:
        step_through(screen)
        children = screen.children()
        assert len(children) == 1
        assert resident([screen.process.pid, *children]) < MEGABYTES
