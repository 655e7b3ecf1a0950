"""A training that stops by itself: at a batch, at a loss, where something holds in a pass."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
from breaks_support import LONGER, break_at, run, session_for, undisturbed
from tui_support import FAILS_BACKWARD, FAILS_FORWARD, text_of

from tui.session.session import Session, Subject
from tui.session.training.about_batch import about_batch
from tui.session.training.breaks import Rise
from tui.session.training.session import TrainingSession

BREAKS_DOWN = LONGER + (
    "def loss_fn(out, y):\n"
    "    loss = mean_square(out, y)\n"
    "    if training.position == 29:\n"
    "        loss = loss * {factor}\n"
    "    return loss\n"
    "training.loss_fn = loss_fn\n"
)
"""The loss of batch 30 is so many times what it would be."""


# Stopping


def test_at_a_batch_it_stops_before_its_update(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    break_at(session, "31")
    assert run(session) == "Batch 31: stopped before its update"
    assert (session.state, session.training.position) == ("paused", 30)
    assert run(session) == ""
    assert session.state == "finished"
    assert session.training.losses == undisturbed(tmp_path)


@pytest.mark.parametrize("batch", [1, 60])
def test_the_first_and_the_last_batch(tmp_path: Path, batch: int) -> None:
    session = session_for(tmp_path)
    break_at(session, str(batch))
    assert run(session)
    assert session.training.position == batch - 1
    assert run(session) == ""
    assert session.training.losses == undisturbed(tmp_path)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(
    ("factor", "text", "told"),
    [
        ("float('nan')", "nan", "the loss is NaN"),
        ("float('inf')", "nan", "the loss is Inf"),
        ("1e6", "rise 10", r"more than 10 times [\d.e-]+, the mean of the 20 before"),
        ("float('inf')", "rise 10", "the loss is Inf, more than 10 times"),
        ("1e9", "loss > 1000", r"the loss is [\d.e]+ > 1000"),
        ("0", "loss <= 0", "the loss is 0 <= 0"),
    ],
)
def test_at_a_loss_it_stops_with_the_weights_before_it(
    tmp_path: Path, factor: str, text: str, told: str
) -> None:
    body = BREAKS_DOWN.format(factor=factor)
    before = session_for(tmp_path, body)
    for _ in range(29):
        before.one_batch()
    session = session_for(tmp_path, body)
    break_at(session, text)
    said = run(session)
    assert said.startswith("Batch 30: stopped before its update: ")
    assert re.search(told, said), said
    assert (session.state, session.training.position) == ("paused", 29)
    assert session.training.losses == before.training.losses
    for mine, other in zip(
        session.training.model.parameters(), before.training.model.parameters(), strict=True
    ):
        assert mine.array.tobytes() == other.array.tobytes()
    session.breaks.entries[0].enabled = False
    run(session)
    assert len(session.training.losses) == 60
    for mine_, other_ in zip(session.training.losses, undisturbed(tmp_path, body), strict=True):
        assert mine_ == other_ or (math.isnan(mine_) and math.isnan(other_))


def test_a_rise_needs_a_mean_above_zero() -> None:
    assert Rise(2).why(5.0, []) is None
    assert Rise(2).why(5.0, [-1.0, -2.0]) is None
    assert Rise(2).why(math.nan, [1.0]) is None
    assert Rise(2).why(2.0, [1.0]) is None
    assert Rise(2).why(2.1, [1.0]) == (
        "the loss is 2.1, more than 2 times 1, the mean of the 1 before"
    )


def test_where_a_condition_holds_in_a_pass(tmp_path: Path) -> None:
    body = BREAKS_DOWN.format(factor=1000)
    session = session_for(tmp_path, body)
    break_at(session, 'norm(contribution) > 300 and op == "multiply"')
    said = run(session)
    broken = session.broken
    assert broken is not None
    assert broken.stop is not None
    assert broken.graph is not None
    assert session.training.position == 29
    assert said.startswith(f"Batch 30: stopped after node {broken.stop.position - 1}, ")
    assert "> 300" in said
    stepping = Session(broken.graph, Subject("x", "", "", "", "x.py", []))
    assert (stepping.done, broken.graph.position) == (0, 0)
    stepping.stop_at(broken.stop)
    assert stepping.stopped is broken.stop
    assert stepping.graph.nodes[stepping.last_step().node].op == "multiply"
    while stepping.next():
        pass
    while stepping.back():
        pass
    assert run(session) == ""
    assert session.training.losses == undisturbed(tmp_path, body)


def test_a_condition_that_never_holds_changes_nothing(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    break_at(session, "isnan(grad_out)")
    break_at(session, "changed")
    assert run(session) == ""
    assert session.training.losses == undisturbed(tmp_path)


@pytest.mark.parametrize("text", ["op sum", "node 0", "node 3", "name weight"])
def test_a_breakpoint_stops_each_batch_before_its_node(tmp_path: Path, text: str) -> None:
    session = session_for(tmp_path)
    break_at(session, text)
    for batch in (1, 2, 3):
        assert run(session).startswith(f"Batch {batch}: stopped before node ")
        assert session.training.position == batch - 1
    break_at(session, "!1")
    assert run(session) == ""
    assert session.training.losses == undisturbed(tmp_path)


def test_a_condition_that_cannot_be_computed_stops_there_and_says_so(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    break_at(session, "contribution + grad_out > 1e9")
    said = run(session)
    assert said.startswith("Batch 1: stopped after node ")
    assert "cannot be computed" in said


def test_several_that_hold_at_one_batch_are_told_one_after_the_other(tmp_path: Path) -> None:
    session = session_for(tmp_path, BREAKS_DOWN.format(factor="float('nan')"))
    for text in ("30", "nan", "loss < 1e9", "isnan(value)"):
        break_at(session, text)
    break_at(session, "!3")
    told = []
    for _ in range(3):
        told.append(run(session))
    assert told[0] == "Batch 30: stopped before its update"
    assert told[1].startswith("Batch 30: stopped after node 0, ")
    assert told[2] == "Batch 30: stopped before its update: the loss is NaN"


def test_going_back_before_it_stops_there_once_more(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    break_at(session, "31")
    assert run(session)
    assert session.back()
    assert run(session) == "Batch 31: stopped before its update"
    session.restart()
    assert run(session) == "Batch 31: stopped before its update"
    assert session.breaks.entries[0].hits == 3


def test_one_batch_at_a_time_goes_past_breaks(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    break_at(session, "1")
    break_at(session, "op matmul")
    for _ in range(3):
        session.one_batch()
    assert session.training.position == 3
    assert session.broken is None


def test_what_was_looked_at_does_not_stop_at_once_again(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    for _ in range(4):
        session.one_batch()
    session.look()
    break_at(session, "5")
    session.look()
    session.look_away()
    assert run(session) == ""


def test_twenty_batches_are_still_kept_after_a_break(tmp_path: Path) -> None:
    session = session_for(tmp_path, BREAKS_DOWN.format(factor="float('nan')"))
    for text in ("nan", "op matmul", "28"):
        break_at(session, text)
    break_at(session, "!2")
    assert run(session)
    break_at(session, "!2")
    assert run(session).startswith("Batch 28: stopped before node")
    break_at(session, "!2")
    assert run(session).startswith("Batch 30")
    assert len(session.history) == 20


# Looking changes nothing


def test_whatever_is_done_to_the_weights_while_looking_is_put_back(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    break_at(session, "10")
    run(session)
    session.look()
    for parameter in session.training.model.parameters():
        parameter.array[...] = 7
    run(session)
    assert session.training.losses == undisturbed(tmp_path)


ADDS_UP = LONGER + (
    "class Forgetful:\n"
    "    lr = 0.001\n"
    "    def zero_grad(self):\n        pass\n"
    "    def step(self):\n"
    "        for p in model.parameters():\n            p.array[...] -= self.lr * p.grad.array\n"
    "training.optimizer = Forgetful()\n"
)


@pytest.mark.parametrize("text", ["9", "op matmul", "norm(grad_out) > 1e9"])
def test_an_optimizer_that_never_clears_gradients_gets_no_others(tmp_path: Path, text: str) -> None:
    session = session_for(tmp_path, ADDS_UP)
    break_at(session, text)
    for _ in range(3):
        if run(session):
            session.look()
            graph = session.look_in() if session.look_in else None
            while graph is not None and graph.position < graph.step_count:
                graph.step()
    session.breaks.entries.clear()
    run(session)
    assert session.training.losses == undisturbed(tmp_path, ADDS_UP)


# What fails


def test_a_batch_that_fails_says_whether_it_can_be_looked_into(tmp_path: Path) -> None:
    fails = LONGER + FAILS_FORWARD
    session = session_for(tmp_path, fails)
    run(session)
    assert (session.state, session.training.position) == ("failed", 2)
    assert not session.can_look_in
    backward = LONGER + FAILS_BACKWARD
    session = session_for(tmp_path, backward)
    run(session)
    assert (session.state, session.training.position) == ("failed", 2)
    assert session.can_look_in
    assert "batch 3" in session.problem


def test_an_evaluation_that_fails_is_no_batch_to_look_into(tmp_path: Path) -> None:
    fails = LONGER + (
        "def loss_fn(out, y):\n"
        "    if not is_grad_enabled():\n        raise ValueError('odd')\n"
        "    return mean_square(out, y)\n"
        "training.loss_fn = loss_fn\n"
    )
    session = session_for(tmp_path, fails)
    run(session)
    assert (session.state, session.training.position, session.can_look_in) == ("failed", 3, False)


def test_a_pass_that_fails_while_it_is_asked_for_a_condition(tmp_path: Path) -> None:
    fails = LONGER + FAILS_FORWARD
    session = session_for(tmp_path, fails)
    break_at(session, "nan or inf")
    run(session)
    assert (session.state, session.training.position) == ("failed", 2)
    assert session.problem.startswith("batch 3: ")
    assert "ValueError: odd" in session.problem
    assert session.back()
    assert (session.state, session.training.position) == ("paused", 1)


# What is told of the batch


def told(session: TrainingSession) -> str:
    assert session.look_in is not None
    return text_of(about_batch(session, session.look_in(), session.broken))


def test_before_the_first_batch_the_scenario_speaks(tmp_path: Path) -> None:
    assert told(session_for(tmp_path)) == ""


def test_the_batch_and_its_weights(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    session.one_batch()
    text = told(session)
    assert "Batch 2 of 60  epoch 1 of 20" in text
    assert "the weights after 1 update:" in text
    assert "learning rate  0.1" in text
    assert "its loss now" in text
    assert "topped" not in text
    break_at(session, "10")
    run(session)
    text = told(session)
    assert "Batch 10 of 60  epoch 4 of 20" in text
    assert "Stopped before its update" in text
    run(session)
    session.broken = None
    assert "The training is over. This is its last batch once more" in told(session)


def test_the_loss_that_is_told_is_that_of_the_batch(tmp_path: Path) -> None:
    session = session_for(tmp_path)
    break_at(session, "10")
    run(session)
    line = next(line for line in told(session).splitlines() if line.startswith("its loss now"))
    session.one_batch()
    assert float(line.split()[-1]) == pytest.approx(session.training.losses[-1], rel=1e-3)
