"""A training that stops by itself, in its process: the debugger opens on that batch."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tui_support import FAILS_BACKWARD, REGRESSION, Debugged, debugged, text_of, wait_until, write

LONGER = REGRESSION + "training.epochs = 100\n"

SLOW = REGRESSION + (
    "import time\n"
    "def slow(out, y):\n    if out.requires_grad:\n        time.sleep(0.5)\n"
    "    return mean_square(out, y)\n"
    "training.loss_fn = slow\n"
)


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Debugged]:
    with debugged(write(tmp_path, LONGER)) as debugged_there:
        debugged_there.wait_for("stepping")
        debugged_there.ask("training.open")
        for _ in range(8):
            debugged_there.ask("training.faster")
        yield debugged_there


def test_it_opens_on_the_batch_at_which_it_stopped(there: Debugged) -> None:
    there.ask("training.change_breaks", text="11")
    there.ask("training.run")
    view = there.wait_for("stepping")
    assert view["about"].endswith("batch 11")
    assert view["done"] == 0
    assert "Batch 11 of 300  epoch 4 of 100" in text_of(view["step"])
    assert "Stopped before its update" in text_of(view["step"])
    assert there.wait_for("notice")["text"] == "Batch 11: stopped before its update"
    there.ask("training.open")
    back = there.wait_for("training")
    assert (back["state"], back["batch"]) == ("paused", 10)
    there.ask("training.run")
    there.wait_for("training", lambda m: m["state"] == "finished")


def test_it_opens_at_the_step_at_which_a_condition_holds(there: Debugged) -> None:
    there.ask("training.change_breaks", text='norm(grad_out) > 0 and op == "multiply"')
    there.ask("training.run")
    view = there.wait_for("stepping")
    assert view["done"] > 0
    step = text_of(view["step"])
    assert "stopped: norm(grad_out) > 0" in step
    back = there.step("start")
    assert "Stopped after node" in text_of(back["step"])
    assert there.step("continue")["done"] == back["steps"]


def test_what_comes_too_late_for_the_training_does_nothing_to_it(there: Debugged) -> None:
    there.ask("training.change_breaks", text="11")
    there.ask("training.run")
    stopped = there.wait_for("stepping")
    there.ask("next")
    for do in ("run", "toggle", "batch", "back", "stop", "restart"):
        there.ask(f"training.{do}")
        assert "t goes back to it" in there.wait_for("refused")["text"]
    there.ask("training.close")
    assert there.wait_for("stepping", lambda m: m["done"] == 1)["about"] == stopped["about"]
    there.ask("training.open")
    assert there.wait_for("training")["batch"] == 10


def test_the_debuggers_conditions_can_be_taken_over(there: Debugged) -> None:
    there.ask("training.close")
    there.wait_for("stepping")
    there.ask("change_breakpoints", text="norm(grad_out) > 0")
    there.ask("training.open")
    there.ask("training.change_breaks", text="")
    there.wait_for("training", lambda m: m["breaks"] == ["where norm(grad_out) > 0"])
    there.ask("training.run")
    assert there.wait_for("stepping")["done"] == 1


def test_a_batch_whose_graph_cannot_be_made_is_not_opened(tmp_path: Path) -> None:
    fails = LONGER + (
        "def loss_fn(out, y):\n    if training.position == 2:\n        1 / 0\n"
        "    return mean_square(out, y)\ntraining.loss_fn = loss_fn\n"
    )
    with debugged(write(tmp_path, fails)) as there:
        there.wait_for("stepping")
        there.ask("training.open")
        there.ask("training.run")
        failed = there.wait_for("training", lambda m: m["state"] == "failed")
        assert not failed["can_look_in"]
        there.ask("training.close")
        assert "ZeroDivisionError" in there.wait_for("failed")["text"]
        assert there.wait_for("training")["state"] == "failed"
        there.ask("training.back")
        assert there.wait_for("training", lambda m: m["state"] == "paused")["batch"] == 1
        there.ask("training.close")
        assert there.wait_for("stepping")["about"].endswith("batch 2 of 3")


def test_a_batch_whose_pass_fails_is_opened_where_it_failed(tmp_path: Path) -> None:
    fails = LONGER + FAILS_BACKWARD
    with debugged(write(tmp_path, fails)) as there:
        there.wait_for("stepping")
        there.ask("training.open")
        there.ask("training.run")
        assert there.wait_for("training", lambda m: m["state"] == "failed")["can_look_in"]
        there.ask("training.close")
        view = there.wait_for("stepping")
        assert view["about"].endswith("batch 3 of 3")
        assert "ValueError: odd" in text_of(view["step"])
        there.ask("next")
        assert "odd" in there.wait_for("failed")["text"]


def test_a_slow_batch_is_ended_and_then_the_key_acts(tmp_path: Path) -> None:
    with debugged(write(tmp_path, SLOW)) as there:
        there.wait_for("stepping")
        there.ask("training.open")
        there.ask("training.run")
        there.wait_for("training", lambda m: m["batch"] == 1)
        there.ask("training.toggle")
        asked = time.monotonic()
        paused = there.wait_for("training", lambda m: m["state"] == "paused")
        assert time.monotonic() - asked < 5
        assert paused["batch"] <= 3


def test_what_a_running_training_prints_without_ending_a_line_is_seen(tmp_path: Path) -> None:
    prints = LONGER + (
        "def told(out, y):\n    print('.', end='')\n    return mean_square(out, y)\n"
        "training.loss_fn = told\n"
    )
    with debugged(write(tmp_path, prints)) as there:
        there.wait_for("stepping")
        there.ask("training.open")
        there.wait_for("training")
        there.ask("training.run")
        assert wait_until(lambda: len(there.client.unfinished) > 20, 20)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_a_copy_that_a_batch_forks_ends(tmp_path: Path) -> None:
    forks = LONGER + (
        "import os\ncopies = []\n"
        "def forks(out, y):\n"
        "    if out.requires_grad and training.position == 4 and not copies:\n"
        "        copies.append(os.getpid())\n"
        "        if (pid := os.fork()):\n            print('copy', pid, flush=True)\n"
        "    return mean_square(out, y)\n"
        "training.loss_fn = forks\n"
    )
    with debugged(write(tmp_path, forks)) as there:
        there.wait_for("stepping")
        there.ask("training.open")
        there.wait_for("training")
        there.ask("training.run")
        assert wait_until(lambda: any(line.startswith("copy") for line in there.client.log), 20)
        pid = next(line for line in there.client.log if line.startswith("copy")).split()[1]

        def has_ended() -> bool:
            state = Path(f"/proc/{pid}/stat")
            return not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"

        assert wait_until(has_ended, 20), "it trains on beside the other"
