"""Rough hands: thousands of random keys, mouse events, pastes and resizes into every screen.

The keys are drawn from a seed, which a failure prints; BP_TUI_HAMMER_SEED=N draws others, and
BP_TUI_HAMMER_KEYS=N as many.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal_driver import TIMEOUT, Terminal, descendants

SEED = int(os.environ.get("BP_TUI_HAMMER_SEED", "1"))
KEYS = int(os.environ.get("BP_TUI_HAMMER_KEYS", "20000"))
AT_ONCE = 100
"""How many events are typed before it is looked whether the screen still answers."""

FROZEN = max(1.0, TIMEOUT / 20)
"""Seconds after which a screen is frozen; more only where the tests are told to be patient."""

MOST_MEMORY = 400 * 2**20
"""Bytes: what both processes together may have after all of it."""

SPECIAL = [
    *(b"\r", b"\x1b", b"\t", b"\x7f", b"\x00", b"\x01", b"\x0c", b"\x10", b"\x15", b"\x17"),
    *(b"\x1b[A", b"\x1b[B", b"\x1b[C", b"\x1b[D", b"\x1b[H", b"\x1b[F", b"\x1b[5~", b"\x1b[6~"),
    *(b"\x1b[1;5A", b"\x1b[3~", b"\x1bOP", b"\x1b[15~", b"\x1b[Z", b"\x1b[I", b"\x1b[O"),
    *("\u00e4".encode(), "\u6f22".encode(), "\U0001f600".encode(), b"\xff", b"\xe4", b"\x1b[99;99"),
    *(b"\x1b[1114112u", b"\x1b[99999999999;2u", b"\x1b[", b"\x1b]52;c;?\x07"),
]
NEVER = {"q", "D"}
"""They end the program, or fetch from the network."""

PLAIN = [chr(code).encode() for code in range(32, 127) if chr(code) not in NEVER]
OFTEN = [key.encode() for key in "nnnnpppsssccjjkkttbaWBwvgf/FizhT<>rRoly?:+- "]
TYPED = [
    *(
        b"a",
        b"-1",
        b"nan",
        b"norm(grad_out) > 1",
        b"op matmul",
        b"[0, :",
        b"12",
        b"w.npy",
        b"x.json",
    ),
    *(b"../../etc/x", b"\x00", b"'" * 50, b"(" * 200, b"1e999", b"relu*", b"rise 2", b"0.1"),
]
"""What might be typed or pasted at a prompt."""

SCREENS = {
    "stepping": b"",
    "tensor": b"nni",
    "training": b"t",
    "a training that runs": b"t+++c",
    "picker": b"o",
}


ANSWERS = (
    b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\",
    b"\x1b]52;c;cXVpdA==\x07",
    b"\x1bP>|tmux 3.4\x1b\\",
    b"\x1b[>0;276;0c",
    b"\x1b[?62;22c",
    b"\x1b[8;24;80t",
    b"\x1b]11;rgb:1e1e",  # cut off
    b"\x1bP",
    b"\x1b[1;",
)
"""What a terminal tells of itself, to whoever has asked."""


class Unread(Terminal):
    """A terminal in which nobody looks at what is drawn: an emulator would take longer for it than
    the program."""

    def _feed(self, data: bytes) -> None:
        pass


def mouse(chance: random.Random) -> bytes:
    """A click, a movement or a turn of the wheel, as terminals tell of them (SGR)."""
    button = chance.choice((0, 1, 2, 32, 35, 64, 65))
    x, y = chance.randint(1, 200), chance.randint(1, 60)
    return f"\x1b[<{button};{x};{y}{chance.choice('Mm')}".encode()


def event(chance: random.Random) -> bytes:
    """Something that a user, or the terminal, might send."""
    kind = chance.random()
    if kind < 0.55:
        return chance.choice(OFTEN)
    if kind < 0.75:
        return chance.choice(PLAIN)
    if kind < 0.9:
        return chance.choice(SPECIAL)
    if kind < 0.94:
        return mouse(chance)
    if kind < 0.97:
        return chance.choice(TYPED) + b"\r"
    if kind < 0.98:
        return chance.choice(ANSWERS)
    ends = chance.choice((b"\x1b[201~", b"\x1b[201~", b""))
    return b"\x1b[200~" + chance.choice(TYPED) * chance.randint(1, 40) + ends


def memory(pid: int) -> int:
    """Bytes in memory of a process and of all that it has started."""
    total = 0
    for one in [pid, *descendants(pid)]:
        try:
            pages = int(Path(f"/proc/{one}/statm").read_text().split()[1])
        except (OSError, IndexError):
            continue
        total += pages * os.sysconf("SC_PAGE_SIZE")
    return total


def answers(screen: Terminal, sizes: Iterator[tuple[int, int]]) -> float:
    """Resize the window; how many seconds it takes until something is drawn."""
    width, height = next(sizes)
    before, start = len(screen.written), time.monotonic()
    screen.resize(width, height)
    while len(screen.written) == before:
        if screen.process.poll() is not None:
            break
        assert time.monotonic() < start + TIMEOUT, "it does not answer"
        time.sleep(0.002)
    return time.monotonic() - start


def quit_the_program(screen: Terminal) -> None:
    """Quit, whatever is open."""
    end = time.monotonic() + TIMEOUT
    while screen.process.poll() is None and time.monotonic() < end:
        for key in (b"\x1b", b"\x11", b"y"):
            if screen.process.poll() is None:
                screen.send(key)
                time.sleep(0.2)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
@pytest.mark.parametrize("name", SCREENS)
def test_twenty_thousand_events(name: str, tmp_path: Path) -> None:
    chance = random.Random(f"{SEED} {name}")
    said = f"BP_TUI_HAMMER_SEED={SEED}, screen {name!r}"
    shapes = [(80, 24), (120, 40), (40, 12), (39, 11), (20, 5), (200, 60), (81, 24), (60, 20)]
    sizes = iter(lambda: chance.choice(shapes), None)
    waits = []
    with contextlib.closing(Unread(["mlp", "--data", "embedded"], folder=tmp_path)) as screen:
        screen.until(lambda: b"0 of 25 done" in screen.written, "the first frame")
        screen.send(SCREENS[name])
        last = (80, 24)
        for start in range(0, KEYS // len(SCREENS), AT_ONCE):
            for _ in range(AT_ONCE):
                screen.send(event(chance))
            # As a user does who has lost the way: what is open is closed.
            screen.send(b"\x1b")
            time.sleep(0.05)
            screen.send(b"\x1b")
            shape = next(size for size in sizes if size != last)
            waits.append(answers(screen, iter([shape])))
            last = shape
            crash = screen.written.find(b"Traceback")
            assert crash < 0, f"{said}\n{screen.written[crash:].decode(errors='replace')}"
            assert screen.process.poll() is None, f"{said}: it has ended after {start} events"
        screen.resize(80, 24)
        assert memory(screen.process.pid) < MOST_MEMORY, said
        quit_the_program(screen)
        code = screen.ends()
        assert code == 0, f"{said}: {code}\n{screen.written[-5000:].decode(errors='replace')}"
        screen.until(lambda: b"\x1b[?1049l" in screen.written[-5000:], f"{said}: the usual screen")
    # A machine may stand still once; a screen that freezes does so again.
    waits.sort()
    assert waits[-2] < FROZEN, f"{said}: no answer for {waits[-2]:.1f} s, and {waits[-1]:.1f} s"
    print(f"{name}: the longest wait for an answer was {waits[-1] * 1000:.0f} ms")
