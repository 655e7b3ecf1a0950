"""A line of 20 kB/s: what is on the screen is news, never a queue of what has been."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from terminal_driver import ESCAPE, Terminal, terminal

MLP = ("mlp", "--data", "embedded")

PACE = 20_000.0
"""Bytes a second."""

SETTLED_WITHIN = 1.0
"""Seconds after the last key."""

REPEAT = 1 / 30
"""Seconds from one key to the next while it is held down."""

SSH = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}

STEPS = b"nnnnnnnnnnnnnnnnnppppppnnnnnnn"
PAGES = b"???????????????????????????????"[:29] + b"?"


def type_quickly(screen: Terminal, keys: bytes) -> None:
    for key in keys:
        screen.send(bytes([key]))
        time.sleep(REPEAT)


def left_of(screen: Terminal) -> int:
    """How many bytes come from now until no more do."""
    at_the_last_key = len(screen.written)
    time.sleep(0.4)
    screen.settled()
    return len(screen.written) - at_the_last_key


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> list[list[object]]:
    """The screen after the quick steps, each of which was given all the time it takes."""
    with terminal(*MLP, folder=tmp_path_factory.mktemp("alone")) as screen:
        screen.done(0)
        for key in STEPS:
            screen.sent(bytes([key]))
        return screen.cells()


@pytest.mark.parametrize("environment", [{}, SSH], ids=["local", "ssh"])
@pytest.mark.parametrize("held", [True, False], ids=["held", "at once"])
def test_thirty_quick_steps_settle_within_a_second(
    environment: dict[str, str], held: bool, alone: list[list[object]], tmp_path: Path
) -> None:
    assert len(STEPS) == 30
    with terminal(*MLP, environment=environment, folder=tmp_path, pace=PACE) as screen:
        screen.done(0)
        screen.settled()
        if held:
            type_quickly(screen, STEPS)
        else:
            screen.send(STEPS)
        assert left_of(screen) <= PACE * SETTLED_WITHIN
        screen.done(places(screen)[STEPS.count(b"n") - STEPS.count(b"p")])
        assert screen.cells() == alone


def places(screen: Terminal) -> list[int]:
    """How many steps are done after so many presses of n."""
    return [0, 1, 2, *range(8, screen.steps() + 1)]


def test_more_than_the_line_takes_is_left_out(tmp_path: Path) -> None:
    """Thirty pages opened and closed are more than the line carries meanwhile."""
    with terminal(*MLP, folder=tmp_path) as screen:
        screen.done(0)
        before = screen.settled()
        page = screen.sent(b"?", lambda: screen.shows("closes this page"))
        page += screen.sent(b"?", lambda: screen.is_back_at(before, "help opened and closed"))
    pages = len(PAGES) // 2
    assert page * pages > 2 * PACE * (len(PAGES) * REPEAT)
    with terminal(*MLP, folder=tmp_path, pace=PACE) as screen:
        screen.done(0)
        before = screen.settled()
        written = len(screen.written)
        type_quickly(screen, PAGES)
        assert left_of(screen) <= PACE * SETTLED_WITHIN
        screen.is_back_at(before, "help opened and closed many times")
        assert len(screen.written) - written < page * pages * 0.75


def test_a_terminal_that_takes_nothing_stops_nothing(tmp_path: Path) -> None:
    """The program goes on meanwhile, and then shows where it is."""
    with terminal(*MLP, folder=tmp_path, pace=PACE) as screen:
        screen.done(0)
        screen.settled()
        with screen.held_up():
            for _ in range(40):
                screen.send(b"??")
                time.sleep(0.01)
            screen.send(b"nn")
            time.sleep(0.5)
        screen.done(2)


def test_behind_an_ssh_server_a_pace_is_kept(tmp_path: Path) -> None:
    """Such a server takes everything at once, so that a line behind it would be flooded."""
    with terminal(*MLP, environment=SSH, folder=tmp_path) as screen:
        screen.done(0)
        screen.settled()
        written, began = len(screen.written), time.monotonic()
        type_quickly(screen, PAGES)
        sent, seconds = len(screen.written) - written, time.monotonic() - began
        assert sent <= PACE * seconds + 3000  # a page that has just been opened
        assert left_of(screen) <= PACE * SETTLED_WITHIN


MOUSE_MODES = {1000, 1002, 1003}


@pytest.mark.parametrize(("options", "mouse"), [((), False), (("--mouse",), True)])
def test_over_ssh_the_mouse_is_followed_where_it_is_asked_for(
    options: tuple[str, ...], mouse: bool, tmp_path: Path
) -> None:
    with terminal("first_graph", *options, environment=SSH, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"n")
        screen.done(1)
        on = {mode for mode, is_on in screen.modes().items() if is_on}
        assert bool(MOUSE_MODES & on) == mouse
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()


def frames_of_a_training(tmp_path: Path, *options: str) -> float:
    """How many times a second a training that runs at a quick pace is shown over SSH."""
    seconds = 4.0
    with terminal(*MLP, "--epochs", "1000", *options, environment=SSH, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"t")
        screen.shows("paused", "learning rate")
        screen.settled()
        screen.send(b"c")
        screen.shows("running")
        began = time.monotonic()
        time.sleep(seconds)
        came = [at for at, _ in screen.reads if at > began]
        screen.send(b"q")
        screen.shows("y / n")
        screen.send(ESCAPE + b"qy")
        frames = [at for before, at in zip([0.0, *came], came, strict=False) if at - before > 0.03]
        return len(frames) / seconds


def test_over_ssh_a_panel_is_refreshed_four_times_a_second(tmp_path: Path) -> None:
    assert 1 <= frames_of_a_training(tmp_path) <= 4.5


def test_or_as_often_as_anywhere_where_it_is_asked_for(tmp_path: Path) -> None:
    assert frames_of_a_training(tmp_path, "--fast") > 5
