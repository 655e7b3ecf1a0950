"""Something else writes on the terminal, as `wall` does: ctrl+l draws everything anew."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from terminal_driver import ESCAPE, Terminal, terminal

CTRL_L = b"\x0c"

WALL = b"\r\n\r\nBroadcast message from root@host (pts/3):\r\n\r\nthe machine goes down\r\n"

OTHERS = (
    WALL,
    b"\x1b[2J\x1b[Hall gone",
    b"\x1b[31;7m" + b"job done! " * 300,
    b"\x1b[?1049l\x1b[?25h\x1b[?7hleft",
)
"""What others write: text that scrolls, blanks, another look, another screen."""

WALK = (
    (b"g", "Go to step"),  # a prompt
    (b"12", "12"),
    (ESCAPE, "Next  node 0"),
    (b"?", "? closes this page"),
    (b"?", "Next  node 0"),
    (b":fold", "words to search"),
    (ESCAPE, "Next  node 0"),
    (b"i", "value/gradient"),
    (ESCAPE, "Next  node 0"),
    (b"t", "learning rate"),
    (b"n", "loss of batch 1 "),
    (b"q", "lose the training?"),
    (b"n", "loss of batch 1 "),
    (b"o", "Pick a scenario"),
)
"""Keys, and what is shown then."""


def drawn_anew(screen: Terminal, others: bytes) -> None:
    """Have something else write on the terminal, and the screen drawn anew."""
    shown = screen.settled()
    os.write(screen.its, others)
    screen.until(lambda: screen.cells() != shown, "what others write")
    screen.send(CTRL_L)
    screen.is_back_at(shown, f"after {others[:20]!r}")


@pytest.mark.parametrize("others", OTHERS)
def test_whatever_others_write(others: bytes, tmp_path: Path) -> None:
    with terminal("first_graph", folder=tmp_path) as screen:
        screen.done(0)
        drawn_anew(screen, others)
        screen.send(b"n")
        screen.done(1)
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()


def test_whatever_is_open_stays_open(tmp_path: Path) -> None:
    with terminal("mlp", "--data", "embedded", folder=tmp_path) as screen:
        screen.done(0)
        for keys, text in WALK:
            screen.send(keys)
            screen.shows(text)
            drawn_anew(screen, WALL)


def test_of_what_cannot_be_used_and_where_there_is_little_room(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text('"""None"""\n1 / 0\n')
    with terminal("mine.py", folder=tmp_path) as screen:
        screen.shows("ZeroDivisionError")
        drawn_anew(screen, WALL)
        screen.resize(30, 8)
        screen.shows("bp-tui needs")
        drawn_anew(screen, WALL)


def test_of_what_is_being_loaded(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text('"""Endless"""\nimport time\ntime.sleep(10000)\n')
    with terminal("mine.py", folder=tmp_path) as screen:
        screen.shows("Loading mine.py", "line 3")
        drawn_anew(screen, WALL)
