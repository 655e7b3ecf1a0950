"""The program in a real pseudo-terminal: what it draws is read from the terminal's own cells.

A thread reads what the program writes and feeds it to a terminal emulator (pyte); keys are bytes.
Nothing sleeps for a fixed time where something can be waited for.
"""

from __future__ import annotations

import contextlib
import copy
import os
import re
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

import tui

fcntl = pytest.importorskip("fcntl", reason="needs a Unix with pseudo-terminals")
termios = pytest.importorskip("termios", reason="needs a Unix with pseudo-terminals")
pyte = pytest.importorskip("pyte", reason="needs pyte, to read the terminal")

TIMEOUT = float(os.environ.get("BP_TUI_TEST_TIMEOUT", "20"))
"""Seconds; only a test that fails ever waits so long."""

ROOT = str(Path(tui.__file__).resolve().parents[1])

BP_TUI = (sys.executable, "-P", "-m", "tui")
"""-P: as for the installed command, the working folder hides no module."""

ENTER, ESCAPE, UP, DOWN, HOME, END = b"\r", b"\x1b", b"\x1b[A", b"\x1b[B", b"\x1b[H", b"\x1b[F"

DONE = re.compile(r"(\d+) of (\d+) done")

_PRIVATE_MODE = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][\d;]*[a-zA-Z]|\x1b\[\?[\d;]*\$p|\x1b\[\?[\d;]*[unc]")
_ALTERNATE = re.compile(rb"(\x1b\[\?1049[hl])")
_UNFINISHED = re.compile(rb"\x1b(\[[<>=?]?[\d;]*\$?)?$")

_PUSHED, _POPPED = re.compile(rb"\x1b\[>\d+u"), re.compile(rb"\x1b\[<\d*u")
"""The keyboard protocol of kitty."""

CURSOR_SHOWN = 25
AUTOWRAP = 7
USUAL_MODES = {CURSOR_SHOWN: True, AUTOWRAP: True}
"""The private modes that are on in a terminal that nobody has changed."""


def open_terminal() -> tuple[int, int]:
    """The two ends of a new pseudo-terminal; the test is skipped where there is none."""
    try:
        return os.openpty()
    except OSError as error:
        pytest.skip(f"no pseudo-terminal here: {error}")


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has collected counts as ended."""
    found = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return not found.stdout.strip() or found.stdout.strip().startswith("Z")


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those have."""
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    parents = {int(p): int(pp) for p, pp in (line.split() for line in listing.stdout.splitlines())}
    found = [pid]
    for parent in found:
        found += [child for child, its_parent in parents.items() if its_parent == parent]
    return found[1:]


class Terminal:
    """A program in a terminal of its own.

    Args:
        arguments: of `bp-tui`.
        columns: the terminal's width.
        rows: its height.
        environment: variables that are set besides the usual ones; None takes one away.
        folder: the working folder.
        inside: the command of a multiplexer, in which it runs; nothing for none.
        command: what is started instead of `bp-tui`, with its own arguments.
        pace: bytes a second that the terminal takes; None for as many as there are.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str | None] | None = None,
        folder: Path | None = None,
        inside: Sequence[str] = (),
        command: Sequence[str] = (),
        pace: float | None = None,
    ) -> None:
        self._pace = pace
        self.ours, self.its = open_terminal()
        self._set_size(columns, rows)
        self.attributes_before = termios.tcgetattr(self.its)
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self._lock = threading.Lock()
        self._hung_up = threading.Event()
        self._held_up = threading.Event()
        self._pending = b""
        self._lines: list[str] | None = None
        """The lines of the terminal, until something is written; to read them all takes 2 ms."""
        self._normal: tuple[dict[int, object], int, int] | None = None
        """The cells and the cursor of the screen that lies under the alternate one."""
        self.written = b""
        """All that the program has written."""
        self.reads: list[tuple[float, int]] = []
        """When so many bytes of it came."""
        merged = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(folder or "/nonexistent"),
            "XDG_CACHE_HOME": str(folder or "/nonexistent"),
            "PYTHONPATH": ROOT,
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
            **(environment or {}),
        }
        self.process = subprocess.Popen(
            [*inside, *(command or BP_TUI), *arguments],
            stdin=self.its,
            stdout=self.its,
            stderr=self.its,
            cwd=folder,
            env={name: value for name, value in merged.items() if value is not None},
            start_new_session=True,
            # Only so ^C and SIGWINCH come from the terminal as they do for a user.
            preexec_fn=self._take_as_controlling_terminal,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _take_as_controlling_terminal(self) -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        # As in a user's shell, also where the tests were started with nohup.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while not self._hung_up.is_set():
                if self._held_up.is_set():
                    time.sleep(0.01)
                    continue
                if not select.select([self.ours], [], [], 0.05)[0]:
                    continue
                data = os.read(self.ours, 65536 if self._pace is None else 256)
                if not data:
                    return
                with self._lock:
                    self.written += data
                    self.reads.append((time.monotonic(), len(data)))
                    self._lines = None
                    self._feed(data)
                if self._pace is not None:
                    time.sleep(len(data) / self._pace)

    def _feed(self, data: bytes) -> None:
        """Give the emulator all but what it does not know (and would print)."""
        data = self._pending + data
        unfinished = _UNFINISHED.search(data)
        end = unfinished.start() if unfinished else len(data)
        self._pending = data[end:]
        for part in _ALTERNATE.split(data[:end]):
            if _ALTERNATE.fullmatch(part):
                self._switch(part.endswith(b"h"))
            else:
                self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", part))

    def _switch(self, to_alternate: bool) -> None:
        """Go to the alternate screen, which the emulator does not know, or back."""
        cursor = self.screen.cursor
        if to_alternate:
            self._normal = copy.deepcopy(self.screen.buffer), cursor.x, cursor.y
            self.screen.erase_in_display(2)
        elif self._normal is not None:
            buffer, cursor.x, cursor.y = self._normal
            self.screen.buffer.clear()
            self.screen.buffer.update(buffer)
            self._normal = None

    # What the user sees and does

    def lines(self) -> list[str]:
        """The lines of the terminal, without trailing blanks."""
        with self._lock:
            if self._lines is None:
                self._lines = [line.rstrip() for line in self.screen.display]
            return self._lines

    def text(self) -> str:
        """The terminal as one string."""
        return "\n".join(self.lines())

    def cells(self) -> list[list[object]]:
        """Every cell with its character and its attributes, as far as they are seen."""
        with self._lock:
            return [
                [_as_seen(self.screen.buffer[y][x]) for x in range(self.screen.columns)]
                for y in range(self.screen.lines)
            ]

    def send(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.ours, keys)

    @contextlib.contextmanager
    def held_up(self) -> Iterator[None]:
        """Take nothing of what the program writes meanwhile."""
        self._held_up.set()
        try:
            yield
        finally:
            self._held_up.clear()

    def resize(self, columns: int, rows: int) -> None:
        """Resize the window; the kernel sends SIGWINCH."""
        with self._lock:
            self._lines = None
            self.screen.resize(rows, columns)
        self._set_size(columns, rows)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until a condition holds."""
        end = time.monotonic() + TIMEOUT
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain: {what}\n{self.text()}")
            time.sleep(0.01)

    def shows(self, *texts: str) -> None:
        """Wait until all these are in the terminal."""
        self.until(
            lambda: (shown := self.text()) and all(text in shown for text in texts), repr(texts)
        )

    def hides(self, *texts: str) -> None:
        """Wait until none of these is in the terminal."""
        self.until(
            lambda: (shown := self.text()) is not None and not any(text in shown for text in texts),
            f"{texts!r} to go",
        )

    def done(self, steps: int) -> None:
        """Wait until the header tells that so many steps are done."""
        self.until(
            lambda: (found := DONE.search(self.lines()[0])) and int(found[1]) == steps,
            f"{steps} steps done",
        )

    def steps(self) -> int:
        """How many steps the pass has."""
        found = DONE.search(self.lines()[0])
        assert found, self.text()
        return int(found[2])

    def settled(self) -> list[list[object]]:
        """Wait until nothing has been written for a moment; the cells then."""
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            length = len(self.written)
            time.sleep(0.1)
            if len(self.written) == length:
                break
        return self.cells()

    def sent(self, keys: bytes, wait: Callable[[], object] = lambda: None) -> int:
        """Press keys, wait for what is waited for, then until no more comes: how many bytes the
        program has sent."""
        before = len(self.written)
        self.send(keys)
        self.until(lambda: len(self.written) > before, f"an answer to {keys!r}")
        wait()
        self.settled()
        return len(self.written) - before

    def is_back_at(self, before: list[list[object]], what: str) -> None:
        """Wait until the terminal is, cell for cell, what it was."""
        end = time.monotonic() + TIMEOUT
        while (now := self.cells()) != before:
            if time.monotonic() > end:
                different = [
                    f"line {y}\n  was {as_text(before[y])!r}\n  is  {as_text(now[y])!r}"
                    for y in range(len(now))
                    if now[y] != before[y]
                ]
                raise AssertionError(
                    f"{what}: {len(different)} lines differ\n" + "\n".join(different[:3])
                )
            time.sleep(0.01)

    # How it ends

    def ends(self) -> int:
        """Wait until the program has ended and all that it wrote is read; its exit code."""
        try:
            code = self.process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end\n{self.text()}") from None
        length = -1
        while length != len(self.written) or select.select([self.ours], [], [], 0)[0]:
            length = len(self.written)
            time.sleep(0.05)
        return code

    def children(self) -> list[int]:
        """The processes that the program has started."""
        return descendants(self.process.pid)

    def modes(self) -> dict[int, bool]:
        """The private modes that the program has set or reset, as it left them."""
        modes: dict[int, bool] = {}
        for numbers, letter in _PRIVATE_MODE.findall(self.written):
            for number in numbers.split(b";"):
                modes[int(number)] = letter == b"h"
        return modes

    def assert_left_in_order(self) -> None:
        """The terminal is as it was: its attributes, its modes, the cursor, and no alternate
        screen; and nothing but what is meant for the user was written."""
        assert termios.tcgetattr(self.its) == self.attributes_before
        changed = {
            mode: on for mode, on in self.modes().items() if on != USUAL_MODES.get(mode, False)
        }
        assert not changed
        assert not self.screen.cursor.hidden
        assert b"Traceback" not in self.written
        # A keyboard protocol that was pushed is popped.
        assert len(_PUSHED.findall(self.written)) == len(_POPPED.findall(self.written))

    def hang_up(self) -> None:
        """Close the terminal, as a window or a line that goes away."""
        self._hung_up.set()
        self._reader.join()
        for end in (self.its, self.ours):
            with contextlib.suppress(OSError):
                os.close(end)
        self.its = self.ours = -1

    def close(self) -> None:
        """End whatever is left, and close the terminal."""
        if self.process.poll() is None:
            left = [self.process.pid, *self.children()]
            for pid in left:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
        if self.ours >= 0:
            self.hang_up()


def _as_seen(cell: pyte.screens.Char) -> object:
    """Of a blank neither colour nor weight are seen, unless there is a line, or it is reversed."""
    if cell.data != " " or cell.reverse or cell.underscore or cell.strikethrough:
        return cell
    return cell._replace(fg="default", bold=False, italics=False, blink=False)


def as_text(cells: list[object]) -> str:
    """The characters of a line of cells."""
    return "".join(cell.data for cell in cells).rstrip()  # type: ignore[attr-defined]


@contextlib.contextmanager
def terminal(
    *arguments: str,
    size: tuple[int, int] = (80, 24),
    environment: Mapping[str, str | None] | None = None,
    folder: Path | None = None,
    inside: Sequence[str] = (),
    command: Sequence[str] = (),
    pace: float | None = None,
) -> Iterator[Terminal]:
    """`bp-tui` (or another command) with these arguments in a terminal; at the end no process of
    it is left."""
    running = Terminal(
        arguments,
        *size,
        environment=environment,
        folder=folder,
        inside=inside,
        command=command,
        pace=pace,
    )
    try:
        yield running
    finally:
        running.close()


def assert_gone(pids: list[int]) -> None:
    """Wait until all these processes have ended."""
    end = time.monotonic() + TIMEOUT
    while left := [pid for pid in pids if not gone(pid)]:
        assert time.monotonic() < end, f"still there: {left}"
        time.sleep(0.05)
