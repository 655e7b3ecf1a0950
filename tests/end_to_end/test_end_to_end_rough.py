"""Scenarios that misbehave, in a real terminal: the screen answers, says what it waits for, and the
user gets on with one key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from terminal_driver import ENTER, ESCAPE, Terminal, assert_gone, terminal

HEADER = "import os, signal, sys, threading, time\nimport numpy as np\nfrom engine import *\n"
SQUARE = "a = Tensor(3.0, requires_grad=True)\nloss = a * a\n"

BACK = """
def cube_back(grad_out, out, x):
    {body}
    return grad_out * 3 * x * x
cube = wrap_forward_fn(lambda x: x ** 3, name="cube")
BACK_FUNCS.add_back_func(cube, 0, cube_back)
a = Tensor(2.0, requires_grad=True)
loss = cube(a) + 0.0
"""

TRAINING = """
xs = np.ones((10, 2), dtype=np.float32)
model = Linear(2, 1)
def mean_square(out, y):
    {body}
    return ((out - y) ** 2).sum()
training = Training(model, SGD(model.parameters(), 0.001), (xs, xs[:, :1]), (xs, xs[:, :1]),
                    mean_square, batch_size=2, epochs=100)
"""

HANGS = "while os.path.exists('hang'): time.sleep(0.05)"
"""From when the test wants it to."""

ENDLESS = {
    "a loop": "while True:\n    pass\n",
    "a flood of lines": "while True:\n    print('x' * 100)\n",
    "a flood without lines": "while True:\n    sys.stdout.write('x' * 5000)\n",
    "a binary flood": "noise = os.urandom(4096)\nwhile True:\n    os.write(1, noise)\n",
    "a flood of escapes": "while True:\n    print('\\x1b[2J\\x1b[?1049l\\x1b[31m\\x1bc', end='')\n",
    "a stopped process": "os.kill(os.getpid(), signal.SIGSTOP)\n",
}


@contextmanager
def opened(folder: Path, body: str, *options: str) -> Iterator[Terminal]:
    """The program on a scenario of HEADER and a body, named relatively."""
    write(folder, body)
    with terminal("mine.py", *options, folder=folder) as screen:
        yield screen


def write(folder: Path, body: str) -> None:
    (folder / "mine.py").write_text(HEADER + body)


def quit_in_order(screen: Terminal) -> None:
    """Quit; nothing is left, and the terminal is as it was."""
    children = screen.children()
    screen.send(b"q")
    assert screen.ends() == 0
    screen.assert_left_in_order()
    assert_gone(children)


def mend_and_go_on(screen: Terminal, folder: Path) -> None:
    """Mend the file, read it afresh with one key, step, quit."""
    write(folder, SQUARE)
    screen.send(b"R")
    screen.done(0)
    screen.send(b"n")
    screen.done(1)
    quit_in_order(screen)


# While it loads


def test_one_that_never_comes_is_given_up_and_mended(tmp_path: Path) -> None:
    with opened(tmp_path, "1 / 0\n") as screen:
        screen.shows("division by zero")
        for kind, body in ENDLESS.items():
            write(tmp_path, f"print({kind!r}, flush=True)\n{body}")
            screen.send(b"R")
            screen.shows("Loading mine.py", "Esc gives up")
            if kind != "a stopped process":
                screen.shows("mine.py, line")
            children = screen.children()
            screen.send(b"l")  # it answers
            screen.shows("What the scenario has printed")
            assert screen.lines()[0].startswith(" bp-tui  mine.py")
            assert screen.lines()[-1].endswith("q quit")
            screen.send(b"l")
            screen.shows("Loading mine.py")
            screen.send(ESCAPE)
            screen.shows("Loading was given up")
            assert_gone(children)
        mend_and_go_on(screen, tmp_path)


def test_what_is_printed_without_an_end_of_line_is_in_the_log(tmp_path: Path) -> None:
    with opened(tmp_path, "print('half a line', end='', flush=True)\ntime.sleep(60)\n") as screen:
        screen.shows("Esc gives up")
        screen.send(b"l")
        screen.shows("half a line")


CRASHES = {
    # Each is told with something that the one before it is not.
    "os.abort()": ("signal 6, SIGABRT", "mine.py, line 4", "os.abort()"),
    "import ctypes; ctypes.string_at(0)": ("signal 11, SIGSEGV", "mine.py, line 4", "string_at"),
    "sys.setrecursionlimit(10**6); f = lambda x: sorted([x], key=f); f(1)": (
        "mine.py, line 4",  # by newer versions of Python it is an error like others
        "sys.setrecursionlimit",
    ),
    "os.kill(os.getpid(), signal.SIGKILL)": ("signal 9, SIGKILL", "where memory runs out"),
    "os._exit(7)": ("exit code 7",),
    "x = np.ones(10**13)": ("mine.py, line 4", "not enough memory: Unable to allocate 72.8 TiB"),
    "x = bytearray(10**17)": ("mine.py, line 4", "there is not enough memory"),
    "raise ValueError('x' * 10**7)": ("mine.py, line 4", "ValueError:", "xxxxx"),
    "raise KeyboardInterrupt": ("mine.py, line 4", "KeyboardInterrupt"),
    "raise type('Odd', (Exception,), {'__str__': lambda self: sys.exit(3)})": ("line 4", "Odd"),
}


def test_a_crash_is_told_with_its_line_and_mended(tmp_path: Path) -> None:
    with opened(tmp_path, "1 / 0\n") as screen:
        screen.shows("division by zero")
        for body, said in CRASHES.items():
            write(tmp_path, body + "\n")
            screen.send(b"R")
            screen.shows("cannot be used", *said)
            assert "Traceback" not in screen.text()
        mend_and_go_on(screen, tmp_path)


# While it steps


def test_a_backward_function_that_never_ends_is_given_up(tmp_path: Path) -> None:
    with opened(tmp_path, BACK.format(body="while True: pass")) as screen:
        screen.done(0)
        screen.send(b"n")
        screen.done(1)
        screen.send(b"n")
        screen.shows("Waiting for n; Esc gives up  cube_back (mine.py, line 6)")
        children = screen.children()
        screen.send(b"?")
        screen.shows("closes this page")
        screen.send(b"?")
        screen.shows("Waiting for n")
        screen.send(b"n" + ESCAPE)
        screen.shows("Waiting for n was given up", "mine.py, line 6, in cube_back")
        assert_gone(children)
        mend_and_go_on(screen, tmp_path)


@pytest.mark.parametrize("key", [b"q", b"\x03"])
def test_a_wait_keeps_nobody_from_quitting(key: bytes, tmp_path: Path) -> None:
    with opened(tmp_path, TRAINING.format(body=HANGS)) as s:
        s.done(0)
        s.send(b"t")
        s.shows("learning rate")
        (tmp_path / "hang").touch()
        s.send(b"n")
        s.shows("Waiting for n")
        s.send(ESCAPE)
        s.shows("Waiting for n was given up", "in mean_square")
        write(tmp_path, BACK.format(body="while True: pass"))
        s.send(b"R")
        s.done(0)
        s.send(b"c")
        s.shows("Waiting for c")
        children = s.children()
        s.send(key)
        assert s.ends() == 0
        s.assert_left_in_order()
        assert_gone(children)


def test_a_step_that_takes_long_comes_in_the_end(tmp_path: Path) -> None:
    with opened(tmp_path, BACK.format(body="time.sleep(1.2)")) as screen:
        screen.done(0)
        screen.send(b"nn")
        screen.shows("Waiting for n; Esc gives up  cube_back")
        screen.done(2)
        screen.hides("Waiting")
        screen.shows(" Next  ")
        quit_in_order(screen)


def test_a_training_that_hangs_is_given_up_after_a_question(tmp_path: Path) -> None:
    with opened(tmp_path, TRAINING.format(body=HANGS)) as screen:
        screen.done(0)
        screen.send(b"t")
        screen.shows("learning rate")
        screen.send(b"c")
        screen.shows("running", "loss of batch")
        (tmp_path / "hang").touch()
        screen.shows("Waiting for batch", "Esc gives up  mean_square (mine.py, line 8)")
        screen.send(ESCAPE)
        screen.shows("Give up, and lose the training?  y / n")
        screen.send(b"n")
        screen.shows("Waiting for batch")
        screen.send(ESCAPE)
        screen.shows("y / n")
        screen.send(b"y")
        screen.shows("was given up", "in mean_square")
        mend_and_go_on(screen, tmp_path)


def test_a_crash_while_stepping_is_told_with_its_line(tmp_path: Path) -> None:
    with opened(tmp_path, BACK.format(body="os.abort()")) as screen:
        screen.done(0)
        screen.send(b"c")
        screen.shows("SIGABRT", "mine.py, line 6, in cube_back", "os.abort()")
        mend_and_go_on(screen, tmp_path)


# Tricks that leave it working

PRINTING = """
def speak():
    i = 0
    while True:
        i += 1
        print('still here', i)
        {rest}
threading.Thread(target=speak).start()
"""


@pytest.mark.parametrize("rest", ["time.sleep(0.05)", "pass"])
def test_a_thread_that_goes_on_printing(rest: str, tmp_path: Path) -> None:
    with opened(tmp_path, PRINTING.format(rest=rest) + SQUARE) as screen:
        screen.done(0)
        for steps in (1, 2):
            screen.send(b"n")
            screen.done(steps)
        screen.send(b"l")
        screen.shows("still here")
        screen.send(b"l")
        screen.shows("complete")
        quit_in_order(screen)


def test_a_changed_folder_changes_nothing_for_the_user(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with opened(tmp_path, "os.chdir('elsewhere')\n" + SQUARE) as screen:
        screen.done(0)
        screen.send(b"b")
        screen.shows("■")
        screen.send(b"S")
        screen.shows("save as")
        screen.send(b"mine.npy" + ENTER)
        screen.shows("saved mine.npy")
        assert float(np.load(tmp_path / "mine.npy")) == 9
        screen.send(b"n")
        screen.done(1)
        screen.send(b"R")
        screen.done(0)
        screen.shows("■")  # remembered for this file
        screen.send(b"o")
        screen.shows("Pick a scenario", "mine.py")
        screen.send(b"k" * 30 + b"j" * 30 + ENTER)
        screen.done(0)
        write(tmp_path, "os.chdir('elsewhere')\n1 / 0\n")
        screen.send(b"R")
        screen.shows("mine.py, line 5", "1 / 0")
        mend_and_go_on(screen, tmp_path)
    assert not list(elsewhere.iterdir())


HIDING = ("json", "numpy", "random", "queue", "threading", "linecache", "traceback", "textual")
HIDING += ("engine", "scenarios", "tui", "rich", "dataclasses", "secrets", "tokenize", "copy")


def test_files_beside_it_with_the_names_of_our_modules(tmp_path: Path) -> None:
    for name in HIDING:
        (tmp_path / f"{name}.py").write_text("raise ImportError('this is the wrong one')\n")
    body = "x = np.random.default_rng(0).normal()\n" + SQUARE + "def f(): 1 / 0\n"
    with opened(tmp_path, body) as screen:
        screen.done(0)
        screen.send(b"n")
        screen.done(1)
        screen.send(b"V")
        screen.shows("Verify all nodes", "central differences")
        screen.send(ESCAPE)
        screen.hides("Verify all nodes")
        screen.send(b"S")
        screen.shows("save as")
        screen.send(b"pass.json" + ENTER)
        screen.shows("saved pass.json")
        write(tmp_path, "1 / 0\n")
        screen.send(b"R")
        screen.shows("ZeroDivisionError", "mine.py, line 4", "1 / 0")
        mend_and_go_on(screen, tmp_path)


def test_copies_that_a_scenario_forks_are_for_nobody(tmp_path: Path) -> None:
    body = "me = os.fork()\nprint('a copy' if me == 0 else 'the original')\n" + SQUARE
    with opened(tmp_path, body + "if me == 0: os.fork(); time.sleep(0.2)\n") as screen:
        screen.done(0)
        screen.send(b"nl")
        screen.shows("a copy", "the original")
        screen.send(b"l")
        screen.done(1)
        screen.send(b"n")
        screen.done(2)
        quit_in_order(screen)


def test_a_copy_that_outlives_a_crash_does_not_hide_it(tmp_path: Path) -> None:
    body = "if os.fork() == 0:\n    time.sleep(60)\nos.abort()\n"
    with opened(tmp_path, body) as screen:
        screen.shows("SIGABRT", "mine.py, line 6")
        quit_in_order(screen)


def test_a_handler_that_raises_at_any_time_is_a_notice(tmp_path: Path) -> None:
    body = (
        "def late(number, frame):\n    raise TimeoutError('too late')\n"
        "signal.signal(signal.SIGALRM, late)\nsignal.setitimer(signal.ITIMER_REAL, 1.0)\n"
    )
    with opened(tmp_path, body + SQUARE) as screen:
        screen.done(0)
        screen.shows("TimeoutError: too late (mine.py, line 5)")
        screen.send(b"n")
        screen.done(1)
        quit_in_order(screen)
