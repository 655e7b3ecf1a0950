"""Programs in pseudo-terminals, and the time from a key to the last byte that comes of it."""

from __future__ import annotations

import contextlib
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import tui

fcntl = pytest.importorskip("fcntl", reason="needs a Unix with pseudo-terminals")
termios = pytest.importorskip("termios", reason="needs a Unix with pseudo-terminals")

ROOT = str(Path(tui.__file__).resolve().parents[1])

QUIET = 0.08
"""Seconds without a byte after which the last one has come."""

TIMEOUT = 30.0

SMALLEST = """
import numpy
from textual.app import App
from textual.widgets import Static

class Smallest(App):
    def compose(self):
        yield Static("ready")

Smallest().run()
"""
"""The smallest application of Textual, with NumPy imported."""

BARE = """
from rich.segment import Segment
from textual.app import App
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

class Bare(Widget):
    pressed = 0

    def render_line(self, y):
        text = f"{self.pressed:10} presses, line {y}"
        return Strip([Segment(text.ljust(self.size.width))], self.size.width)

class Program(App):
    CSS = "Bare { width: 100%; height: 100%; }"

    def compose(self):
        yield Bare()

    def on_key(self, event):
        bare = self.query_one(Bare)
        bare.pressed += 1
        bare.refresh(Region(0, 3, 10, 1), Region(0, 9, 10, 1))

Program().run()
"""
"""A widget of Textual's line API that draws two regions anew for each key."""


class Program:
    """A program in a terminal of 80x24."""

    def __init__(self, arguments: Sequence[str], folder: Path) -> None:
        self._ours, its = os.openpty()
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.came = b""
        self.started = self.last = time.perf_counter()
        """When it was started, and when its last byte came."""
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=its,
            stdout=its,
            stderr=its,
            cwd=folder,
            env={
                "PATH": os.environ.get("PATH", ""),
                "HOME": str(folder),
                "PYTHONPATH": ROOT,
                "TERM": "xterm-256color",
                "LC_ALL": "C.UTF-8",
                "OPENBLAS_NUM_THREADS": "1",
            },
            start_new_session=True,
        )
        os.close(its)

    def _read(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        self.came += os.read(self._ours, 65536)
        self.last = time.perf_counter()
        return True

    def until(self, text: bytes) -> float:
        """Read until a text has come; the seconds since the start."""
        while text not in self.came:
            assert self._read(TIMEOUT), self.came[-300:]
        return self.last - self.started

    def until_quiet(self) -> None:
        """Read until nothing comes any more."""
        while self._read(QUIET):
            pass

    def key(self, key: bytes) -> float:
        """The milliseconds from a key to the last byte that comes of it."""
        pressed = time.perf_counter()
        os.write(self._ours, key)
        assert self._read(TIMEOUT)
        self.until_quiet()
        return (self.last - pressed) * 1000

    def close(self) -> None:
        """End it, and wait until what it has started has noticed that."""
        started = _children(self._process.pid)
        self._process.kill()
        self._process.wait()
        os.close(self._ours)
        until = time.monotonic() + TIMEOUT
        while any(_is_there(pid) for pid in started) and time.monotonic() < until:
            time.sleep(0.02)


def _children(pid: int) -> list[int]:
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    pairs = (map(int, line.split()) for line in listing.stdout.splitlines())
    return [child for child, parent in pairs if parent == pid]


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextlib.contextmanager
def program(*arguments: str, folder: Path) -> Iterator[Program]:
    """A program that Python is started with these arguments for; it is gone at the end."""
    running = Program(arguments, folder)
    try:
        yield running
    finally:
        running.close()
