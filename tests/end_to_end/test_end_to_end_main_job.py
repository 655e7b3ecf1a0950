"""The main job in a real terminal: step through a batch of MNIST and back, train, quit."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from terminal_driver import END, ENTER, ESCAPE, HOME, assert_gone, terminal

MLP = ("mlp", "--data", "embedded", "--epochs", "2")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_step_through_all_nodes_and_back_train_two_epochs_and_quit(
    size: tuple[int, int], tmp_path: Path
) -> None:
    with terminal(*MLP, size=size, folder=tmp_path) as screen:
        screen.done(0)
        screen.shows("One batch of MNIST, backwards", " Next  node 0, loss", "q quit")
        first = screen.settled()
        total = screen.steps()
        places = [0, 1, 2, *range(8, total + 1)]  # the six nodes of cross_entropy are folded
        for step in places[1:]:
            screen.send(b"n")
            screen.done(step)
        screen.shows("nothing: every step is done")
        for step in reversed(places[:-1]):
            screen.send(b"p")
            screen.done(step)
        screen.is_back_at(first, "all steps forwards and backwards")

        screen.send(b"t")
        screen.shows("paused, 20 batches a second", "0 of 126")
        screen.send(b"+++")
        screen.shows("paused, full speed")
        screen.send(b"c")
        screen.shows("126 of 126", "done; Esc steps with the trained weights")
        accuracies = [line for line in screen.lines() if re.search(r"\d\.\d %$", line)]
        assert len(accuracies) == 2
        screen.send(ESCAPE)
        screen.done(0)
        trained = screen.settled()
        assert trained != first
        screen.send(b"c")
        screen.done(total)
        screen.send(b"r")
        screen.is_back_at(trained, "c and r with the trained weights")

        children = screen.children()
        assert len(children) == 1
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()
        assert_gone(children)


def test_a_redraw_of_everything_shows_what_many_small_ones_have_drawn(tmp_path: Path) -> None:
    with terminal("first_graph", folder=tmp_path) as screen:
        screen.done(0)
        for keys, steps in ((b"nnss", 3), (END, 3), (HOME, 3), (b"pp", 2), (b"Z", 2), (b"nnp", 3)):
            screen.send(keys)
            screen.done(steps)
        drawn_in_parts = screen.settled()
        screen.resize(81, 24)
        screen.settled()
        screen.resize(80, 24)
        screen.is_back_at(drawn_in_parts, "drawn anew")


def test_picking_and_opening_another(tmp_path: Path) -> None:
    with terminal(folder=tmp_path) as screen:
        screen.shows("Pick a scenario", "first_graph", "Enter open")
        screen.send(b"j" + ENTER)
        screen.done(0)
        screen.shows("Many ways down, one sum")
        first = screen.children()
        screen.send(b"o")
        screen.shows("Pick a scenario")
        screen.send(ESCAPE)
        screen.done(0)
        screen.send(b"o")
        screen.shows("Pick a scenario")
        screen.send(ENTER)
        screen.shows("One tensor used twice", "0 of 6 done")
        screen.send(b"nn")
        screen.done(2)
        assert_gone(first)
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()


def test_the_mouse_points_at_a_node(tmp_path: Path) -> None:
    with terminal("first_graph", folder=tmp_path) as screen:
        screen.done(0)
        screen.settled()
        screen.send(b"\x1b[<0;12;6M\x1b[<0;12;6m")  # button 1 at column 12, line 6
        screen.shows("d = a * b                       node 3")
        screen.send(ENTER)
        screen.done(4)


def test_over_ssh_there_is_less_traffic_and_no_mouse(tmp_path: Path) -> None:
    ssh = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}
    with terminal("first_graph", environment=ssh, folder=tmp_path) as screen:
        screen.done(0)
        screen.send(b"n")
        screen.done(1)
        assert not {1000, 1002, 1003} & {mode for mode, on in screen.modes().items() if on}
        screen.send(b"q")
        assert screen.ends() == 0
        screen.assert_left_in_order()
