"""How many bytes the program sends: counted at a pseudo-terminal of 80x24 with 256 colours.

Everything that arrives there counts: texts, blanks, what moves the cursor and changes colours, and
what sets the terminal up. The numbers are the same from run to run but for where the training is.
"""

from __future__ import annotations

import contextlib
import re
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from terminal_driver import DOWN, END, HOME, UP, Terminal, terminal

MLP = ("mlp", "--data", "embedded")

FIRST_FRAME = 14_000
STEP = 2_000
CURSOR_MOVE = 350
HELP = 12_000
TRAINING_A_SECOND = 4_000

ANOTHER_NODE = 550
"""The most that a single move of the cursor may take where the rail need not scroll."""

TWO_TENSORS = 450
"""A move to a node whose gradient is there, with its numbers below those of the value."""

ANYWHERE = 350
"""Half of all moves take no more, wherever the pass is."""

REPEAT = 1 / 30
"""Seconds from one key to the next while it is held down."""

IDLE_SECONDS = 10.0
WATCHED_SECONDS = 4.0


@pytest.fixture
def mlp(tmp_path: Path) -> Iterator[Terminal]:
    """The MLP as it has just been opened."""
    with terminal(*MLP, folder=tmp_path) as screen:
        screen.done(0)
        screen.settled()
        yield screen


def pass_of(screen: Terminal) -> list[int]:
    """How many steps are done after each press of n: cross_entropy's six are folded into one."""
    return [1, 2, *range(8, screen.steps() + 1)]


def test_the_first_frame(mlp: Terminal) -> None:
    mlp.shows("One batch of MNIST, backwards", "linear1.weight", "784-64-64-10", "q quit")
    assert len(mlp.written) <= FIRST_FRAME


def test_a_step(mlp: Terminal) -> None:
    """Each shows the node's explanation, with tensors, and the rail."""
    sent = []
    for done in pass_of(mlp):
        sent.append(mlp.sent(b"n", partial(mlp.done, done)))
        explained = [line[41:] for line in mlp.lines()[1:-2] if line[41:].strip()]
        assert len(explained) >= 5
        assert "linear1.weight" in mlp.text()
    assert statistics.median(sent) <= STEP, sent
    back = [mlp.sent(b"p", partial(mlp.done, done)) for done in reversed(pass_of(mlp)[:-1])]
    assert statistics.median(back) <= STEP, back


def test_a_cursor_that_is_held_down(mlp: Terminal) -> None:
    """The rail follows the cursor at once, the pane once it rests: both count."""
    nodes = 14
    before = len(mlp.written)
    for _ in range(nodes):
        mlp.send(DOWN)
        time.sleep(REPEAT)
    mlp.shows("relu1                          node 19", "value                  (64,64) float32")
    mlp.settled()
    assert (len(mlp.written) - before) / nodes <= CURSOR_MOVE


ROWS = (0, 1, 2, *range(8, 27))
"""The nodes of the rail, from the top."""


def moves(screen: Terminal, key: bytes, nodes: Sequence[int]) -> list[int]:
    """What is sent for each press of a key that moves the cursor to one of these nodes after the
    other: the rail, and what the node is, with value and gradient, or its step where that is shown.
    """
    return [screen.sent(key, partial(tells_of, screen, node)) for node in nodes]


def tells_of(screen: Terminal, node: int) -> None:
    """Wait until the pane tells of this node."""
    title = re.compile(rf"nodes? {node}\b")
    screen.until(lambda: title.search(screen.lines()[1]), f"node {node} in the pane")


def rail(screen: Terminal) -> list[int]:
    """The nodes of the rows that are seen."""
    return [int(line[:2]) for line in screen.lines()[2:-2] if line[:2].strip()]


def test_a_cursor_that_comes_to_another_node(mlp: Terminal) -> None:
    down = moves(mlp, DOWN, ROWS[1:])
    assert statistics.median(down) <= CURSOR_MOVE, down
    assert max(down[: ROWS.index(22)]) <= ANOTHER_NODE, down
    up = moves(mlp, UP, ROWS[-2:0:-1])
    assert statistics.median(up) <= CURSOR_MOVE, up


def test_a_cursor_that_comes_to_a_node_with_its_gradient(mlp: Terminal) -> None:
    mlp.sent(b"c", partial(mlp.done, mlp.steps()))
    up = moves(mlp, UP, ROWS[-4::-1])
    assert statistics.median(up) <= TWO_TENSORS, up


def test_a_cursor_moves_wherever_the_pass_is(mlp: Terminal) -> None:
    """Some nodes have a gradient by then, others wait for theirs."""
    sent = []
    for done in (0, 5, 10, 15, 20, mlp.steps()):
        if done:
            mlp.sent(b"g%d\r" % done, partial(mlp.done, done))
        mlp.send(HOME)
        mlp.settled()
        nodes = rail(mlp)
        sent += moves(mlp, DOWN, nodes[1:-3])
        sent += moves(mlp, UP, nodes[-5:0:-1])
    assert len(sent) > 150
    assert statistics.median(sent) <= ANYWHERE, sent


def test_the_rail_scrolls(tmp_path: Path) -> None:
    """No budget is set for that; it is a screen of rows, and no more."""
    with terminal("deep", folder=tmp_path) as screen:
        screen.done(0)
        screen.settled()
        assert screen.sent(END) <= FIRST_FRAME / 4
        assert screen.sent(HOME) <= FIRST_FRAME / 4


def test_the_help(mlp: Terminal) -> None:
    before = mlp.settled()
    sent = mlp.sent(b"?", lambda: mlp.shows("closes this page"))
    sent += mlp.sent(b"?", lambda: mlp.is_back_at(before, "help opened and closed"))
    assert sent <= HELP


def test_a_key_without_a_meaning(mlp: Terminal) -> None:
    assert mlp.sent(b"Z", lambda: mlp.shows("Z has no meaning here")) < 200


# While nothing happens


def stepping(screen: Terminal) -> None:
    screen.done(0)
    screen.send(b"nns")


def tensor(screen: Terminal) -> None:
    screen.done(0)
    screen.send(b"i")
    screen.shows("Tab value/gradient")


def training(screen: Terminal) -> None:
    screen.done(0)
    screen.send(b"tn")
    screen.shows("paused", "batch 1 of 63")


def help_page(screen: Terminal) -> None:
    screen.done(0)
    screen.send(b"?")
    screen.shows("closes this page")


def prompt(screen: Terminal) -> None:
    screen.done(0)
    screen.send(b"/lin")
    screen.shows("/  lin")


def question(screen: Terminal) -> None:
    training(screen)
    screen.send(b"q")
    screen.shows("y / n")


def picker(screen: Terminal) -> None:
    screen.shows("Pick a scenario")


def problem(screen: Terminal) -> None:
    screen.shows("ZeroDivisionError")


def loading(screen: Terminal) -> None:
    screen.shows("Esc gives up")


BROKEN, ENDLESS = "1 / 0\n", "import time\ntime.sleep(1000)\n"

SCREENS: dict[str, tuple[tuple[str, ...], Callable[[Terminal], None]]] = {
    "stepping": (MLP, stepping),
    "tensor": (MLP, tensor),
    "training": (MLP, training),
    "help page": (("first_graph",), help_page),
    "prompt": (("first_graph",), prompt),
    "question": (MLP, question),
    "picker": ((), picker),
    "problem": (("broken.py",), problem),
    "loading": (("endless.py",), loading),
}


def test_nothing_is_sent_while_nothing_happens(tmp_path: Path) -> None:
    """On no screen; all of them idle at the same time, so that it takes its ten seconds once."""
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "endless.py").write_text(ENDLESS)
    with contextlib.ExitStack() as opened:
        screens = {}
        for name, (arguments, come_to) in SCREENS.items():
            screens[name] = opened.enter_context(terminal(*arguments, folder=tmp_path))
            come_to(screens[name])
            screens[name].settled()
        time.sleep(0.5)
        before = {name: len(screen.written) for name, screen in screens.items()}
        time.sleep(IDLE_SECONDS)
        sent = {name: len(screen.written) - before[name] for name, screen in screens.items()}
    assert sent == dict.fromkeys(SCREENS, 0)


# While something does


@pytest.mark.parametrize(
    "faster",
    [b"", b"+++", b"+++z", b"+++zA", b"+++zzz"],
    ids=["paced", "full speed", "the last 500", "the last 500, log axis", "the last 20"],
)
def test_a_training(faster: bytes, tmp_path: Path) -> None:
    assert_in_budget(
        TRAINING_A_SECOND, (*MLP, "--epochs", "1000"), training, faster + b"c", tmp_path
    )


def assert_in_budget(
    a_second: int,
    arguments: tuple[str, ...],
    come_to: Callable[[Terminal], None],
    keys: bytes,
    folder: Path,
) -> None:
    """After these keys the screen changes by itself, in so many bytes a second at the most.

    Args:
        a_second: the budget.
        arguments: of `bp-tui`.
        come_to: brings the screen that is counted.
        keys: what starts it.
        folder: the working folder.
    """
    with terminal(*arguments, folder=folder) as screen:
        come_to(screen)
        screen.settled()
        before = len(screen.written)
        screen.send(keys)
        screen.until(lambda: len(screen.written) > before, "the first news")
        before = len(screen.written)
        time.sleep(WATCHED_SECONDS)
        sent = len(screen.written) - before
        assert 0 < sent <= a_second * WATCHED_SECONDS
