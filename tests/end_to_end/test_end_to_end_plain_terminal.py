"""--plain in a terminal that is dumb."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from plain_driver import (
    CTRL_C,
    CTRL_D,
    DUMB,
    GOOD,
    OWN,
    assert_only_lines,
    plain,
    quits,
    scenario,
)
from terminal_driver import assert_gone, terminal


def test_in_a_dumb_terminal(tmp_path: Path) -> None:
    with plain(tmp_path, "first_graph") as screen:
        screen.shows("0 of 6 done", "bp-tui>")
        children = screen.children()
        screen.send(b"n\n")
        screen.shows("1 of 6 done")
        screen.send(b"\n")
        screen.shows("2 of 6 done")
        screen.send(b"x\n")
        screen.shows("x has no meaning here; ? tells what can be typed")
        screen.send(b"b\n")
        screen.shows("breakpoint on node 1, e")
        quits(screen)
        assert_gone(children)


def test_who_is_there_has_their_breakpoints_again(tmp_path: Path) -> None:
    for command, text in ((b"down 3\nb\n", "breakpoint on node 3"), (b"c\n", "Stopped before")):
        with plain(tmp_path, "first_graph", XDG_STATE_HOME=str(tmp_path)) as screen:
            screen.shows("bp-tui>")
            screen.send(command)
            screen.shows(text)
            screen.send(CTRL_D)
            assert screen.ends() == 0
            assert_only_lines(screen)


def test_lines_fit_the_window_also_once_it_is_another(tmp_path: Path) -> None:
    with plain(tmp_path, "first_graph") as screen:
        screen.shows("bp-tui>")
        screen.resize(40, 24)
        before = len(screen.written)
        screen.send(b"?\n")
        screen.shows("comment")
        told = screen.written[before:].decode().replace("\r", "").splitlines()[1:-1]
        assert 30 < max(map(len, told)) <= 40


def test_ctrl_c_at_the_prompt_loses_nothing(tmp_path: Path) -> None:
    with plain(tmp_path, "first_graph") as screen:
        screen.shows("bp-tui>")
        screen.send(b"n\n")
        screen.shows("1 of 6 done")
        screen.send(b"half a comm" + CTRL_C)
        screen.shows("q quits")
        screen.send(b"n\n")
        screen.shows("2 of 6 done")
        screen.send(CTRL_D)
        assert screen.ends() == 0
        assert_only_lines(screen)


def test_ctrl_c_stops_a_long_command_and_the_session_goes_on(tmp_path: Path) -> None:
    with plain(tmp_path, "deep", N="30000") as screen:
        screen.shows("0 of", "bp-tui>")
        screen.send(b"a isnan(grad_out) and step > 99999\n")
        screen.shows("c stops after a step")
        screen.send(b"n 1000000\n")
        screen.shows("25 of")
        screen.send(CTRL_C)
        screen.until(lambda: screen.written.endswith(b"bp-tui> "), "the prompt")
        assert b"of 30001 done. Next: nothing" not in screen.written
        screen.send(b"g start\n")
        screen.shows("Next: node 0")
        quits(screen)


def test_a_step_that_never_ends_is_given_up_and_read_afresh_once_it_is_mended(
    tmp_path: Path,
) -> None:
    path = scenario(tmp_path, OWN.format("\n    while True: pass"))
    with plain(tmp_path, path.name) as screen:
        screen.shows("0 of 2 done", "bp-tui>")
        children = screen.children()
        screen.send(b"n\n")
        screen.shows("still at it; Ctrl+C stops it")
        screen.send(CTRL_C)
        screen.shows("it does not stop yet; Ctrl+C gives it up")
        screen.send(CTRL_C)
        screen.shows("Given up", "R reads the file afresh")
        assert_gone(children)
        screen.send(b"n\n")
        screen.shows("n has no meaning here")
        path.write_text(GOOD + "loss = a * a\n", encoding="utf-8")
        screen.send(b"R\n")
        screen.shows("0 of 2 done", "loss = a * a")
        screen.send(b"n\n")
        screen.shows("1 of 2 done")
        quits(screen)


def test_loading_that_never_ends_is_given_up(tmp_path: Path) -> None:
    path = scenario(tmp_path, "while True: pass\n")
    with plain(tmp_path, path.name) as screen:
        screen.shows("is still running its own code; Ctrl+C gives it up")
        screen.send(CTRL_C)
        screen.shows("Given up", "bp-tui>")
        screen.send(b"o first_graph\n")
        screen.shows("0 of 6 done")
        quits(screen)


def test_a_mistake_is_told_with_its_place_and_can_be_mended(tmp_path: Path) -> None:
    path = scenario(tmp_path, "print('so far')\n1 / 0\n")
    with plain(tmp_path, path.name) as screen:
        screen.shows("own.py, line 5: ZeroDivisionError", "1 / 0", "It printed", "  so far")
        path.write_text(GOOD + "loss = a * a\n", encoding="utf-8")
        screen.send(b"R\nn\n")
        screen.shows("1 of 2 done")
        quits(screen)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_its_process(tmp_path: Path, number: signal.Signals) -> None:
    with plain(tmp_path, "first_graph") as screen:
        screen.shows("bp-tui>")
        children = screen.children()
        screen.process.send_signal(number)
        assert screen.ends() == -number
        assert_gone(children)
        assert_only_lines(screen)


def test_a_dumb_terminal_without_plain_has_the_trace_and_hears_of_plain(tmp_path: Path) -> None:
    with terminal("first_graph", environment=DUMB, folder=tmp_path) as screen:
        assert screen.ends() == 0
        screen.shows(
            "TERM is dumb, so this is what --trace prints (--plain steps", "multiply_back1"
        )
        assert_only_lines(screen)
