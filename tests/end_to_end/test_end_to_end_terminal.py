"""The terminal is always left as it was, however the program ends, and no process is left."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest
from terminal_driver import BP_TUI, ESCAPE, ROOT, assert_gone, terminal

CTRL_C = b"\x03"

GOOD = (
    '"""A good one"""\nfrom engine import Tensor\n'
    "a = Tensor(3.0, requires_grad=True)\nloss = a * a\n"
)
LONG = ("mlp", "--data", "embedded", "--epochs", "1000")


def test_ctrl_c_quits(tmp_path: Path) -> None:
    with terminal("first_graph", folder=tmp_path) as screen:
        screen.done(0)
        children = screen.children()
        screen.send(CTRL_C)
        assert screen.ends() == 0
        screen.assert_left_in_order()
        assert_gone(children)


def test_quit_while_a_training_runs_at_full_speed(tmp_path: Path) -> None:
    with terminal(*LONG, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"t")
        screen.shows("learning rate")
        screen.send(b"+++c")
        screen.shows("running, full speed", "93.")
        children = screen.children()
        screen.send(CTRL_C)
        screen.shows("Quit, and lose the training?  y / n")
        screen.send(b"n")
        screen.hides("y / n")
        screen.send(b"q")
        screen.shows("Quit, and lose the training?  y / n")
        screen.send(b"y")
        assert screen.ends() == 0
        screen.assert_left_in_order()
        assert_gone(children)


def test_a_byte_that_is_no_utf8_is_a_key_without_a_meaning(tmp_path: Path) -> None:
    with terminal("first_graph", folder=tmp_path) as screen:
        screen.done(0)
        screen.send("ä".encode("latin-1") + b"n")
        screen.done(1)
        screen.send(b"\xff\xfe")
        screen.shows("has no meaning here")
        screen.send(b"\x1b[200~\xff pasted \x1b[201~n")
        screen.done(2)
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()


def test_keys_that_a_slow_line_brings_in_bunches_and_answers_to_somebody_else(
    tmp_path: Path,
) -> None:
    with terminal("first_graph", folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"?")
        screen.shows("closes this page")
        screen.send(b"\x1bn")
        screen.done(1)
        screen.send(b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\\x1b[>0;276;0c\x1bP>|tmux 3.4\x1b\\n")
        screen.done(2)
        screen.send(b"\x1b[200~a paste whose end is lost")
        screen.send(b"\x1b")
        time.sleep(0.3)  # seconds: longer than it takes until Esc alone is the key
        screen.send(b"p")
        screen.done(1)
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()


def test_quit_with_more_keys_behind_it(tmp_path: Path) -> None:
    with terminal("first_graph", folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"nnqnnppzqn" * 3)
        assert screen.ends() == 0
        screen.assert_left_in_order()


def test_quit_before_the_first_frame(tmp_path: Path) -> None:
    with terminal(*LONG, folder=tmp_path) as screen:
        screen.until(lambda: b"\x1b[?1049h" in screen.written, "the alternate screen")
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()


@pytest.mark.parametrize("after", [0.0, 0.25])
def test_interrupted_while_it_starts(after: float, tmp_path: Path) -> None:
    with terminal(*LONG, folder=tmp_path) as screen:
        screen.until(screen.children, "the child")
        time.sleep(after)  # whatever it is doing then
        children = screen.children()
        screen.send(CTRL_C)
        deadline = time.monotonic() + 10
        while screen.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
            if screen.process.poll() is None:  # it came before anybody listened to keys
                screen.send(CTRL_C)
        code = screen.ends()
        # A shell calls the last one 130, too.
        assert code in (0, 130, -signal.SIGINT), screen.written.decode(errors="replace")
        assert_gone(children)
        screen.assert_left_in_order()


@pytest.mark.parametrize(
    ("name", "running"), [("SIGTERM", True), ("SIGHUP", False), ("SIGINT", False)]
)
def test_a_signal_ends_it_in_order(name: str, running: bool, tmp_path: Path) -> None:
    with terminal(*LONG, folder=tmp_path) as screen:
        screen.done(0)
        if running:
            screen.send(b"t")
            screen.shows("learning rate")
            screen.send(b"c")
            screen.shows("running", "mean of the last 2")
        children = screen.children()
        number = getattr(signal, name)
        os.kill(screen.process.pid, number)
        assert screen.ends() == 128 + number
        screen.assert_left_in_order()
        assert_gone(children)


@pytest.mark.parametrize("busy", ["", "while True: pass\n"])
def test_when_the_screen_is_killed_its_child_ends(busy: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD + busy)
    with terminal(str(path), folder=tmp_path) as screen:
        screen.shows("Esc gives up" if busy else "0 of 2 done")
        children = screen.children()
        assert len(children) == 1
        os.kill(screen.process.pid, signal.SIGKILL)
        screen.process.wait()
        assert_gone(children)


def test_when_the_terminal_goes_away_both_end(tmp_path: Path) -> None:
    with terminal("first_graph", folder=tmp_path) as screen:
        screen.done(0)
        pids = [screen.process.pid, *screen.children()]
        screen.hang_up()
        screen.process.wait(20)
        assert_gone(pids)


def test_stopped_and_continued_it_draws_itself_anew(tmp_path: Path) -> None:
    with terminal("first_graph", folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"n")
        screen.done(1)
        before = screen.settled()
        os.kill(screen.process.pid, signal.SIGSTOP)
        screen.send(b"n")
        os.kill(screen.process.pid, signal.SIGCONT)
        screen.done(2)
        screen.send(b"p")
        screen.is_back_at(before, "after SIGSTOP and SIGCONT")


def test_the_window_is_resized_while_it_runs(tmp_path: Path) -> None:
    with terminal("mlp", "--data", "embedded", folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"nnn")
        screen.done(8)
        before = screen.settled()
        for columns, rows in ((120, 40), (40, 12), (200, 50), (60, 20)):
            screen.resize(columns, rows)
            screen.shows("nodes 2 to 7, just done", "? keys", "q quit")
            screen.done(8)
        screen.resize(39, 11)
        screen.shows("bp-tui needs")
        screen.resize(80, 24)
        screen.is_back_at(before, "many sizes, and back")


def test_the_window_is_resized_while_a_training_runs(tmp_path: Path) -> None:
    with terminal(*LONG, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"t")
        screen.shows("learning rate")
        screen.send(b"c")
        screen.shows("running")
        for columns, rows in ((120, 40), (40, 12), (39, 11), (200, 50), (80, 24)):
            screen.resize(columns, rows)
            screen.shows("bp-tui needs" if columns < 40 else "running" if rows > 12 else "epoch 1")
        screen.send(b"q")
        screen.shows("y / n")
        screen.send(b"y")
        assert screen.ends() == 0
        screen.assert_left_in_order()


def test_an_error_is_a_readable_panel_and_after_a_mend_it_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD + "print('so far')\nx = 1 / 0\n")
    with terminal(str(path), size=(100, 24), folder=tmp_path) as screen:
        screen.shows(
            "ZeroDivisionError: division by zero", "mine.py, line 6", "x = 1 / 0", "so far"
        )
        assert "Traceback" not in screen.text()
        screen.send(b"zn")
        screen.shows("has no meaning here")
        path.write_text(GOOD)
        screen.send(b"R")
        screen.done(0)
        screen.send(b"n")
        screen.done(1)
        path.write_text("import os\nprint('bye')\nos.abort()\n")
        screen.send(b"R")
        screen.shows("ended by signal", "bye")
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()


def test_what_a_scenario_prints_never_disturbs_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "noisy.py"
    path.write_text(
        "import os, sys\n"
        "print('\\x1b[2J\\x1b[1;1Hmess \\x1b[31m \\x1b[?1049l \\x07 \\x1b]0;title\\x07')\n"
        "print('on stderr', file=sys.stderr)\nos.system('echo from a shell')\n"
        "os.write(1, b'raw\\n')\n" + GOOD
    )
    with terminal(str(path), folder=tmp_path) as screen:
        screen.done(0)
        before = screen.settled()
        screen.send(b"l")
        screen.shows("What the scenario has printed", "on stderr", "from a shell", "raw")
        assert screen.lines()[0].startswith(" noisy")
        assert screen.lines()[-1].endswith("q quit")
        assert b"\x1b]0;title" not in screen.written
        screen.send(b"l")
        screen.is_back_at(before, "the log opened and closed")


def test_what_a_scenario_asks_or_reads_takes_no_keys_away(tmp_path: Path) -> None:
    path = tmp_path / "asking.py"
    path.write_text(
        "import threading, sys\n"
        "threading.Thread(target=sys.__stdin__.read, daemon=True).start()\n" + GOOD
    )
    with terminal(str(path), folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"n")
        screen.done(1)
        screen.send(b"q")
        assert screen.ends() == 0


def test_an_old_terminal(tmp_path: Path) -> None:
    with terminal("first_graph", environment={"TERM": "vt100"}, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"nn")
        screen.done(2)
        screen.shows("node 1, just done", "►", "●")
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()


COLOUR = re.compile(rb"\x1b\[[\d;]*(?<![\d])(3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")


def test_no_color(tmp_path: Path) -> None:
    with terminal("first_graph", environment={"NO_COLOR": "1"}, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"nn:")
        screen.shows("words to search")
        assert not COLOUR.findall(screen.written)
        screen.send(ESCAPE)
        screen.hides("words to search")
        # Never colour alone: every state is told by a glyph.
        screen.shows("●", "►", "○", "waits", "ready", "shown", "done")


def test_sixteen_colours_are_enough(tmp_path: Path) -> None:
    variables = {"COLORTERM": "truecolor", "TERM": "xterm-256color"}
    with terminal("first_graph", environment=variables, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"nn?")
        screen.shows("closes this page")
        assert not re.findall(rb"\x1b\[[\d;]*[34]8;[25];", screen.written)


def test_without_unicode(tmp_path: Path) -> None:
    with terminal("first_graph", environment={"LC_ALL": "C"}, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"nn")
        screen.done(2)
        screen.settled()
        assert screen.written.isascii(), screen.text()
        screen.shows("> shown", "* done")


def into(redirection: str) -> tuple[str, ...]:
    """The command whose standard error is led away."""
    return ("sh", "-c", f'exec "$0" "$@" {redirection}', *BP_TUI)


def test_the_screen_is_the_terminals_and_errors_are_where_they_are_led(tmp_path: Path) -> None:
    # In both processes a thread warns once it is asked to; the scenario's goes to its log.
    (tmp_path / "sitecustomize.py").write_text(
        "import os, threading, time, warnings\n"
        "def warn():\n"
        "    while not os.path.exists('warn'): time.sleep(0.02)\n"
        "    warnings.warn('all is not well')\n"
        "threading.Thread(target=warn, daemon=True).start()\n"
    )
    path = f"{ROOT}{os.pathsep}{tmp_path}"
    with terminal(
        *("mlp", "--out", "run"),
        folder=tmp_path,
        command=into("2>errors"),
        environment={"PYTHONPATH": path},
    ) as screen:
        screen.done(0)
        (tmp_path / "warn").touch()
        errors = tmp_path / "errors"
        screen.until(lambda: "UserWarning: all is not well" in errors.read_text(), "the warning")
        screen.send(b"n")
        screen.done(1)
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()
    told = errors.read_text()
    assert "bp-tui: " in told.splitlines()[-1]
    assert str(tmp_path / "run") in told
    assert "\x1b" not in told
    assert b"all is not well" not in screen.written


def test_without_standard_error_there_is_a_screen(tmp_path: Path) -> None:
    with terminal("first_graph", folder=tmp_path, command=into("2>&-")) as screen:
        screen.done(0)
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()


def test_without_a_screen_the_trace_is_printed(tmp_path: Path) -> None:
    with terminal("first_graph", environment={"TERM": "dumb"}, folder=tmp_path) as screen:
        assert screen.ends() == 0
        screen.shows("TERM is dumb")
        assert b"\x1b" not in screen.written


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["frist_graph"], "first_graph"),
        (["first_graph", "--lr", "fast"], "'fast'"),
    ],
)
def test_what_cannot_be_shown_never_touches_the_terminal(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    with terminal(*arguments, folder=tmp_path) as screen:
        assert screen.ends() == 2
        assert said in screen.text()
        assert b"\x1b" not in screen.written
        assert b"Traceback" not in screen.written


def test_as_many_threads_as_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(GOOD + "import os\nprint(os.environ['OPENBLAS_NUM_THREADS'], 'threads')\n")
    with terminal(str(path), "--threads", "3", folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"l")
        screen.shows("3 threads")
