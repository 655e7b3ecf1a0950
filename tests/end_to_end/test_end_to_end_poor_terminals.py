"""Terminals with few colours or none, with ASCII alone, in tmux and GNU screen, of any size."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from terminal_driver import ENTER, ESCAPE, HOME, Terminal, as_text, terminal

SGR = re.compile(rb"\x1b\[([\d;]*)m")

WATCHED = ("--watch", "b", "--break", "name e")

NAMED = '''"""größe → 変数"""
from engine import Tensor
größe = Tensor([[1.5, -2.0], [0.0, 4.0]], requires_grad=True)
変数 = größe * größe
print("gedruckt: größe → 変数")
loss = 変数.sum()
'''


def colours(screen: Terminal) -> set[int]:
    """The numbers of the colours that were set, without the usual ones."""
    found: set[int] = set()
    for numbers in SGR.findall(screen.written):
        found |= {int(n) for n in numbers.split(b";") if n}
    return {n for n in found if n >= 30 and n not in (39, 49)}


@pytest.mark.parametrize("term", ["xterm", "xterm-256color", "screen", "tmux-256color", "linux"])
def test_no_more_than_the_sixteen_colours_are_used(term: str, tmp_path: Path) -> None:
    with terminal("first_graph", *WATCHED, environment={"TERM": term}, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"nn:")
        screen.shows("words to search")
        screen.send(b"x")
        screen.settled()
        used = colours(screen)
        assert used
        assert used <= {*range(30, 38), *range(90, 98)}


@pytest.mark.parametrize(
    "environment", [{"NO_COLOR": "1"}, {"TERM": "vt100"}, {"TERM": "vt220"}, {"TERM": "xterm-mono"}]
)
def test_without_colours_it_says_the_same(environment: dict[str, str], tmp_path: Path) -> None:
    shown = []
    for more in ({}, environment):
        with terminal("first_graph", *WATCHED, environment=more, folder=tmp_path) as screen:
            screen.done(0)
            screen.send(b"nn")
            screen.done(2)
            screen.settled()
            shown.append(screen.lines())
            assert bool(colours(screen)) is not bool(more)
            states = "\n".join(line[:8] for line in shown[-1][2:8])
            assert {"●", "►", "○", "·", "■", "◆"} <= set(states)
            assert cursor_rows(screen) == [" 1"]
            screen.send(b"q")
            assert screen.ends() == 0
            screen.assert_left_in_order()
    assert shown[0] == shown[1]


def cursor_rows(screen: Terminal) -> list[str]:
    """The numbers of the nodes whose names stand in reverse."""
    rows = [row for row in screen.cells() if any(c.reverse for c in row)]  # type: ignore[attr-defined]
    return [as_text(row[:2]) for row in rows]


def test_an_empty_no_color_asks_for_nothing(tmp_path: Path) -> None:
    with terminal("first_graph", environment={"NO_COLOR": ""}, folder=tmp_path) as screen:
        screen.done(0)
        assert colours(screen)


ASCII = [{"LC_ALL": "C"}, {"LC_ALL": None, "LANG": "en_US.ISO-8859-1"}]


@pytest.mark.parametrize("locale", ASCII)
def test_every_screen_is_ascii_where_the_locale_is(
    locale: dict[str, str | None], tmp_path: Path
) -> None:
    named = tmp_path / "named.py"
    named.write_text(NAMED, encoding="utf-8")
    with terminal(named.name, "--watch", "größe", environment=locale, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"nn")
        screen.done(2)
        for key, text in (
            (b"?", "closes this page"),
            (b"l", "What the scenario has printed"),
            (b"B", "Breakpoints, conditions, watches"),
            (b"w", "Why?"),
            (b"v", "Verify"),
            (b":", "words to search"),
            (b"/", "Enter done"),
            (b"z", "only (z)"),
        ):
            screen.send(key)
            screen.shows(text)
            screen.send(b"zzzz" if key == b"z" else ESCAPE)
            screen.hides(text)
        screen.send(b"i")
        screen.shows("heat map")
        screen.send(b"d")
        screen.shows("negative ,-=%", "positive .:+#")
        screen.send(ESCAPE)
        screen.hides("negative ,-=%")
        screen.send(b"o")
        screen.shows("Pick a scenario")
        screen.send(b"q")
        assert screen.ends() == 0
        assert screen.written.isascii()
        screen.assert_left_in_order()


def test_trainings_pictures_and_problems_are_ascii_too(tmp_path: Path) -> None:
    with terminal(
        "mlp", "--data", "embedded", environment={"LC_ALL": "C"}, folder=tmp_path
    ) as screen:
        screen.done(0)
        screen.send(b"t")
        screen.shows("learning rate")
        screen.send(b"+++c")
        screen.shows("finished")
        screen.send(b"i")
        screen.shows("Test images")
        screen.send(ESCAPE)
        screen.hides("Test images")
        screen.send(b"M")
        screen.shows("Confusion matrix")
        screen.send(ESCAPE)
        screen.hides("Confusion matrix")
        screen.send(ESCAPE)
        screen.done(0)
        screen.send(b"g#26" + ENTER)
        screen.shows("needs no grad")
        screen.send(ESCAPE)
        screen.hides("needs no grad")
        screen.send(b"/inputs" + ENTER)
        screen.shows("inputs: 1 of")
        screen.send(b"i")
        screen.shows("(64,784)")
        screen.send(b"dd")
        screen.shows("network says")
        screen.send(b"q")
        assert screen.ends() == 0
        assert screen.written.isascii()
    wrong = tmp_path / "wrong.py"
    wrong.write_text("größe = 1\nraise ValueError('größe → 変数')\n", encoding="utf-8")
    with terminal(wrong.name, environment={"LC_ALL": "C"}, folder=tmp_path) as screen:
        screen.shows("ValueError: gr??e > ????")
        screen.send(b"q")
        assert screen.ends() == 0
        assert screen.written.isascii()


def test_ascii_keeps_the_columns(tmp_path: Path) -> None:
    named = tmp_path / "named.py"
    named.write_text(NAMED, encoding="utf-8")
    bars = []
    for locale in ("C.UTF-8", "C"):
        with terminal(named.name, environment={"LC_ALL": locale}, folder=tmp_path) as screen:
            screen.done(0)
            screen.send(b"nn")
            screen.done(2)
            screen.settled()
            cells = [row[39].data for row in screen.cells()]  # type: ignore[attr-defined]
            bars.append([y for y, char in enumerate(cells) if char in ("│", "|")])
    assert bars[0] == bars[1]
    assert len(bars[0]) > 15


# Multiplexers

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
needs_screen = pytest.mark.skipif(
    shutil.which("screen") is None, reason="GNU screen is not installed"
)


@pytest.mark.parametrize("inner", ["screen", "screen-256color", "tmux-256color"])
@needs_tmux
def test_inside_tmux(inner: str, tmp_path: Path) -> None:
    config = tmp_path / "tmux.conf"
    config.write_text(f"set -g default-terminal {inner}\nset -g escape-time 10\n")
    tmux = ("tmux", "-u", "-S", str(tmp_path / "socket"), "-f", str(config))
    try:
        with terminal(
            "mlp",
            "--data",
            "embedded",
            inside=(*tmux, "new-session", "--"),
            environment={"TERM": "vt220"},  # to others tmux sends what pyte does not know
            folder=tmp_path,
        ) as screen:
            goes_its_way(screen)
    finally:
        subprocess.run([*tmux, "kill-server"], capture_output=True, check=False)


@needs_screen
def test_inside_gnu_screen(tmp_path: Path) -> None:
    sockets = tmp_path / "sockets"
    sockets.mkdir(mode=0o700)
    with terminal(
        "mlp",
        "--data",
        "embedded",
        inside=("screen", "-U", "-c", "/dev/null", "--"),
        environment={"SCREENDIR": str(sockets), "SHELL": "/bin/sh"},
        folder=tmp_path,
    ) as screen:
        goes_its_way(screen)


def goes_its_way(screen: Terminal) -> None:
    """Step, look at pages, resize, train, and quit."""
    screen.done(0)
    screen.send(b"nn")
    screen.done(2)
    screen.shows("● done", "│ sum(")
    screen.send(b"?")
    screen.shows("closes this page")
    screen.send(ESCAPE)
    screen.hides("closes this page")
    screen.send(b"\x1b[B")
    screen.shows("value", "gradient")
    screen.resize(100, 30)
    screen.until(lambda: "2 of 25 done" in screen.lines()[0][80:], "the wider header")
    screen.resize(80, 24)
    screen.until(lambda: screen.lines()[0].endswith("2 of 25 done"), "the header as it was")
    screen.send(b"t+++c")
    screen.shows("finished")
    screen.send(ESCAPE)
    screen.done(0)
    screen.send(b"q")
    screen.until(lambda: screen.process.poll() is not None, "the end")


# Sizes


def test_a_window_of_any_size_says_what_it_needs_and_comes_back(tmp_path: Path) -> None:
    with terminal("mlp", "--data", "embedded", folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"n")
        screen.done(1)
        before = screen.settled()
        for size in ((40, 11), (39, 12), (20, 5), (10, 3), (3, 2), (1, 1), (200, 60), (40, 12)):
            screen.resize(*size)
            screen.settled()
            if size in ((40, 11), (39, 12), (20, 5)):
                screen.shows("bp-tui", "needs")
            if size == (40, 12):
                screen.done(1)
        screen.resize(80, 24)
        screen.is_back_at(before, "many sizes")
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (b"?", "closes this page"),
        (b":brea", "breakpoint on the node"),
        (b"/lin", "lin"),
        (b"a norm(grad_out) > ", "norm(grad_out) >"),
        (b"i", "heat map"),
        (b"id", "negative"),
        (b"t", "learning rate"),
        (b"tn", "loss of batch 1 "),
        (b"o", "Pick a scenario"),
    ],
)
def test_resizing_at_any_moment_changes_nothing(keys: bytes, text: str, tmp_path: Path) -> None:
    with terminal("mlp", "--data", "embedded", folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"n")
        screen.done(1)
        screen.send(keys)
        screen.shows(text)
        before = screen.settled()
        for size in ((120, 40), (40, 12), (30, 8), (41, 13), (80, 24)):
            screen.resize(*size)
            screen.settled()
        screen.is_back_at(before, "resized")


def test_keys_do_nothing_where_nobody_sees_it(tmp_path: Path) -> None:
    with terminal("first_graph", folder=tmp_path) as screen:
        screen.done(0)
        screen.resize(30, 8)
        screen.shows("needs")
        screen.send(b"nnnb?:")
        screen.settled()
        screen.resize(80, 24)
        screen.done(0)
        screen.hides("closes this page", "words to search", "■")
        screen.resize(30, 8)
        screen.shows("needs")
        screen.send(b"q")
        assert screen.ends() == 0


def test_resizing_while_steps_are_taken(tmp_path: Path) -> None:
    with terminal("deep", environment={"N": "500"}, folder=tmp_path) as screen:
        screen.done(0)
        for i in range(40):
            screen.send(b"n")
            screen.resize(41 + 7 * (i % 13), 12 + 3 * (i % 9))
        screen.resize(80, 24)
        screen.done(40)
        screen.send(b"g0" + ENTER + HOME)
        screen.done(0)
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()
