"""What is typed and pasted at once, or across a change of screens, keeps its order."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from terminal_driver import ESCAPE, Terminal, terminal


def pasted(text: bytes) -> bytes:
    """As a terminal sends what is pasted."""
    return b"\x1b[200~" + text + b"\x1b[201~"


@pytest.mark.parametrize(
    "keys",
    [
        b"g" + pasted(b"12") + b"\r",
        b"g1" + pasted(b"2") + b"\r",
        b"g" + pasted(b"1") + b"2\r",
        b":go to\r12\r",
        b":go to\r" + pasted(b"12") + b"\r",
    ],
)
def test_a_burst_of_keys_and_pastes(keys: bytes, tmp_path: Path) -> None:
    with terminal("mlp", "--data", "embedded", folder=tmp_path) as screen:
        screen.done(0)
        screen.send(keys)
        screen.done(12)


GAPS = (0.0, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05)
"""Seconds from key to key: a screen comes in between anywhere."""


def typed(screen: Terminal, keys: bytes, gap: float, chance: random.Random) -> None:
    for key in keys:
        screen.send(bytes([key]))
        time.sleep(gap * 2 * chance.random())


def test_keys_across_a_change_of_screens(tmp_path: Path) -> None:
    chance = random.Random(5)
    with terminal("mlp", "--data", "embedded", folder=tmp_path) as screen:
        screen.done(0)
        for _ in range(4):
            for gap in GAPS:
                number = "".join(chance.choices("123456789", k=12)).encode()
                typed(screen, b"tg" + number, gap, chance)
                screen.shows(f" {number.decode()}")
                screen.send(ESCAPE)
                screen.hides(number.decode())
                screen.send(ESCAPE)
                screen.shows("n next", "of 25 done")
