"""What is drawn without Textual is what Textual would have drawn, whatever was done before."""

from __future__ import annotations

import random
import time
from pathlib import Path

from terminal_driver import BP_TUI, DOWN, END, ENTER, ESCAPE, HOME, UP, terminal

BY_TEXTUAL = """
from tui.terminal.driver import CellApp
CellApp.draw_lines = lambda *_: False
from tui.cli import main
main()
"""
"""The program without the shorter way."""

KEYS = (
    *(b"n", b"n", b"n", b"p", b"s", b"s", b"c", b"r", b"b", b"W", b"B", b"?", b"l", b"v", b"w"),
    *(b"j", b"k", b"f", b"F", b"i", b"z", b"T", b"S", b"<", b">", b"g5\r", b"/relu\r", b":step"),
    *(b"o", b"Z", UP, DOWN, HOME, END, ENTER, ESCAPE, ESCAPE, b"\t", b"[", b"]", b"anan\r"),
)
"""All but what trains: how fast that is, is shown."""

SIZES = ((80, 24), (120, 40), (60, 20), (39, 11), (100, 30))

ROUNDS = 20

AFTER_ESCAPE = 0.5
"""Seconds."""


def test_the_screen_is_as_textual_draws_it(tmp_path: Path) -> None:
    chance = random.Random(3)
    command = (*BP_TUI[:2], "-c", BY_TEXTUAL)
    arguments = ("mlp", "--data", "embedded")
    for name in ("ours", "textual"):
        (tmp_path / name).mkdir()
    with (
        terminal(*arguments, folder=tmp_path / "ours") as ours,
        terminal(*arguments, folder=tmp_path / "textual", command=command) as textual,
    ):
        for screen in (ours, textual):
            screen.done(0)
        done: list[object] = []
        for _ in range(ROUNDS):
            if chance.random() < 0.15:
                done.append(chance.choice(SIZES))
                for screen in (ours, textual):
                    screen.resize(*done[-1])
            for key in chance.choices(KEYS, k=3):
                done.append(key)
                for screen in (ours, textual):
                    screen.send(key)
                # A key that comes right after Esc is another one.
                time.sleep(AFTER_ESCAPE if key == ESCAPE else 0)
                for screen in (ours, textual):
                    screen.settled()
            ours.is_back_at(textual.settled(), f"{done}")
