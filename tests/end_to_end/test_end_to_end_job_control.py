"""Back to the shell and on again, in a real shell: the terminal is the shell's meanwhile, and the
screen is whole afterwards."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from terminal_driver import BP_TUI, Terminal, descendants, gone, terminal

bash = shutil.which("bash")
pytestmark = pytest.mark.skipif(bash is None, reason="needs bash, for its job control")

CTRL_Z = b"\x1a"
LEFT_OFF = {1049: False, 25: True, 1000: False, 1003: False, 1006: False, 2004: False, 1004: False}
"""The private modes as a shell wants them: no alternate screen, cursor shown, no mouse, no
bracketed paste, no focus events."""


@contextmanager
def shell(folder: Path) -> Iterator[Terminal]:
    """A shell with job control, in which `./bp` is the program."""
    start = folder / "bp"
    start.write_text(f'#!/bin/sh\nexec {shlex.join(BP_TUI)} "$@"\n')
    start.chmod(0o755)
    assert bash is not None
    command = (bash, "--norc", "--noprofile", "--noediting", "-i")
    with terminal(folder=folder, command=command, environment={"PS1": "READY> "}) as screen:
        screen.shows("READY>")
        yield screen


def attributes(screen: Terminal, folder: Path) -> str:
    """The terminal's attributes as `stty` tells them at the shell's prompt."""
    told = folder / "stty"
    told.unlink(missing_ok=True)
    screen.send(b"stty -g > stty.part; mv stty.part stty\n")
    screen.until(told.exists, "stty")
    return told.read_text()


def program_of(screen: Terminal) -> int:
    """The process of the screen: the shell's child that has a child."""
    screen.until(lambda: len(screen.children()) == 2, "both processes")
    return next(pid for pid in screen.children() if descendants(pid))


def stepped_and_back(screen: Terminal) -> list[list[object]]:
    """The cells at the start, once a step has been taken and taken back."""
    screen.done(0)
    for key, steps in ((b"n", 1), (b"p", 0)):
        screen.send(key)
        screen.done(steps)
    return screen.settled()


def is_the_shells(screen: Terminal, folder: Path, before: str) -> None:
    """The terminal is the shell's, as it was."""
    modes = screen.modes()
    assert {mode: modes[mode] for mode in LEFT_OFF} == LEFT_OFF
    assert attributes(screen, folder) == before


def make_a_mess(screen: Terminal) -> None:
    screen.send(b"printf '\\033[2J\\033[H'; yes mess | head -n 40; printf 'ALL %s\\n' MESS\n")
    screen.shows("ALL MESS")


@pytest.mark.parametrize("way", ["key", "SIGTSTP", "SIGSTOP"])
def test_stopped_and_continued(way: str, tmp_path: Path) -> None:
    with shell(tmp_path) as screen:
        before = attributes(screen, tmp_path)
        screen.send(b"./bp first_graph\n")
        screen.done(0)
        screen.send(b"n")
        screen.done(1)
        screen.settled()
        pid = program_of(screen)
        shown = screen.cells()
        for _ in range(2):
            if way == "key":
                screen.send(CTRL_Z)
            else:
                os.kill(pid, getattr(signal, way))
            screen.shows("Stopped")
            if way != "SIGSTOP":  # of which no program hears
                is_the_shells(screen, tmp_path, before)
            make_a_mess(screen)
            screen.send(b"fg\n")
            screen.is_back_at(shown, f"continued after {way}")
        screen.send(b"n")
        screen.done(2)
        screen.send(b"q")
        screen.until(lambda: gone(pid), "the end of the program")
        is_the_shells(screen, tmp_path, before)


@pytest.mark.parametrize("way", ["key", "SIGTSTP", "SIGSTOP"])
def test_keys_are_heard_that_are_typed_while_it_takes_the_terminal(
    way: str, tmp_path: Path
) -> None:
    with shell(tmp_path) as screen:
        screen.send(b"./bp deep\n")
        screen.done(0)
        pid = program_of(screen)
        for turn, seconds in enumerate((0.0, 0.0, 0.02, 0.1, 0.2), start=1):
            screen.settled()
            if way == "key":
                screen.send(CTRL_Z)
            else:
                os.kill(pid, getattr(signal, way))
            screen.shows("Stopped")
            screen.send(b"clear\n")
            screen.hides("Stopped")
            screen.settled()
            screen.send(b"fg\n")
            time.sleep(seconds)  # wherever it is then
            screen.send(b"nn")
            screen.done(2 * turn)


def test_in_the_background_it_leaves_the_terminal_alone(tmp_path: Path) -> None:
    with shell(tmp_path) as screen:
        before = attributes(screen, tmp_path)
        screen.send(b"./bp first_graph\n")
        screen.done(0)
        screen.settled()
        pid, shown = program_of(screen), screen.cells()
        screen.send(CTRL_Z)
        screen.shows("Stopped")
        screen.send(b"bg; sleep 0.3; jobs\n")
        screen.shows("Stopped                 ./bp")
        is_the_shells(screen, tmp_path, before)
        make_a_mess(screen)
        screen.send(b"fg\n")
        screen.is_back_at(shown, "bg and then fg")
        screen.send(b"n")
        screen.done(1)
        screen.send(b"q")
        screen.until(lambda: gone(pid), "the end of the program")
        is_the_shells(screen, tmp_path, before)


def test_a_question_is_still_open_after_it_was_stopped(tmp_path: Path) -> None:
    with shell(tmp_path) as screen:
        screen.send(b"./bp mlp --data embedded\n")
        screen.done(0)
        screen.send(b"tn")
        screen.shows("batch 1 of 63")
        screen.send(b"q")
        screen.shows("lose the training")
        asked = screen.settled()
        screen.send(CTRL_Z)
        screen.shows("READY>")
        screen.send(b"fg\n")
        screen.is_back_at(asked, "after fg")
        screen.send(b"y")
        screen.shows("READY>")


def test_continued_without_having_been_stopped(tmp_path: Path) -> None:
    with terminal("first_graph", folder=tmp_path) as screen:
        before = stepped_and_back(screen)
        for _ in range(3):
            os.kill(screen.process.pid, signal.SIGCONT)
            time.sleep(0.05)
        screen.send(b"n")
        screen.done(1)
        screen.send(b"p")
        screen.is_back_at(before, "after SIGCONT")
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()


def test_where_no_shell_could_continue_it_the_key_says_so(tmp_path: Path) -> None:
    with terminal("first_graph", folder=tmp_path) as screen:
        before = stepped_and_back(screen)
        for stop in (
            lambda: screen.send(CTRL_Z),
            lambda: os.kill(screen.process.pid, signal.SIGTSTP),
        ):
            stop()
            screen.shows("there is no shell here to go back to")
            screen.send(b"n")
            screen.done(1)
            screen.send(b"p")
            screen.is_back_at(before, "after ctrl+z")
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()
