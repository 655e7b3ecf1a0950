"""A training kept in a folder while a session runs it: checkpoints, metrics, what goes wrong."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tui_support import REGRESSION, load, write

import engine
from tui.errors import ScenarioError
from tui.options import Options
from tui.session.training import checkpoint, checkpoint_file, metrics
from tui.session.training.run_folder import RunFolder
from tui.session.training.session import TrainingSession
from tui.session.training.view import view_of

DRAWING = REGRESSION + (
    "import random\n"
    "training.optimizer = Adam(model.parameters(), 0.01)\n"
    "def noisy(out, y):\n"
    "    noise = np.random.standard_normal(out.shape) * random.random()\n"
    "    return mean_square(out + Tensor(noise) + Tensor(np.zeros(1)).uniform_(-1, 1), y)\n"
    "training.loss_fn = noisy\n"
    "np.random.seed(1); random.seed(2)\n"
)
"""Six batches in two epochs, that draw from all generators."""


class Kept:
    """A session whose training is kept in a folder."""

    def __init__(self, scenario: Path, out: Path, **options: Any) -> None:
        loaded = load(scenario, out=str(out), **options)
        assert loaded.training is not None
        self.session = TrainingSession(loaded.training)
        given = {"data": "embedded", **options}
        self.run = RunFolder(loaded, Options(str(scenario), out=str(out), **given))
        self.session.keep_in(self.run)

    def batches(self, count: int) -> None:
        """Train on so many batches."""
        for _ in range(count):
            self.session.one_batch()

    def said(self) -> list[str]:
        """What was said in lines."""
        return [message["text"] for message in self.session.messages]

    def leave(self) -> str:
        """As at the program's end."""
        text = self.session.leave()
        self.run.close()
        return text


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    return write(tmp_path, DRAWING)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "a"


def lines(out: Path) -> list[dict[str, Any]]:
    """The events in a folder, without the seconds."""
    text = (out / "metrics.jsonl").read_text()
    assert not text or text.endswith("\n")
    return [{**json.loads(line), "seconds": 0} for line in text.splitlines()]


def position(out: Path) -> int:
    """Up to which batch the folder's checkpoint goes."""
    return int(checkpoint_file.read_header(out / "checkpoint.npz")["position"])


def uninterrupted(scenario: Path) -> list[dict[str, Any]]:
    """The events of a training that nobody keeps."""
    training = load(scenario).training
    assert training is not None
    return [{**metrics.event_facts(event), "seconds": 0} for event in training.events()]


# Going on


@given(st.lists(st.integers(0, 3), max_size=5), st.sampled_from([None, 1, 2]))
@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_wherever_it_is_left_it_goes_on(
    scenario: Path, out: Path, parts: list[int], every: int | None
) -> None:
    shutil.rmtree(out, ignore_errors=True)
    for batches in parts:
        kept = Kept(scenario, out, checkpoint_every=every)
        kept.batches(batches)
        kept.leave()
    kept = Kept(scenario, out)
    assert kept.session.training.position == min(6, sum(parts))
    kept.batches(6)
    kept.leave()
    assert lines(out) == uninterrupted(scenario)
    assert kept.run.notes == []


@given(st.integers(0, 6), st.integers(0, 6), st.booleans())
@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_going_back_takes_the_lines_back(
    scenario: Path, out: Path, forward: int, back: int, leaves: bool
) -> None:
    shutil.rmtree(out, ignore_errors=True)
    expected = uninterrupted(scenario)
    kept = Kept(scenario, out)
    kept.batches(forward)
    for _ in range(back):
        kept.session.back()
    at = max(0, forward - back)
    assert lines(out) == expected[: len(lines(out))]
    assert [e["batch"] for e in lines(out) if e["event"] == "batch"] == list(range(1, at + 1))
    assert position(out) <= at  # so that it never lacks lines, whenever it is killed
    if leaves:
        kept.leave()
        kept = Kept(scenario, out)
    else:
        kept.run.close()  # as if it were killed
        kept = Kept(scenario, out)
    assert kept.run.notes == []
    kept.batches(6)
    kept.run.close()
    assert lines(out) == expected


def test_started_again_from_the_start(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(5)
    kept.session.restart()
    assert (lines(out), position(out)) == ([], 0)
    kept.batches(6)
    kept.run.close()
    assert lines(out) == uninterrupted(scenario)


def test_a_training_that_was_gone_on_with_can_start_again(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(4)
    kept.leave()
    kept = Kept(scenario, out)
    kept.session.restart()
    kept.batches(6)
    assert lines(out) == uninterrupted(scenario)


@pytest.mark.parametrize(
    ("every", "expected"),
    [(None, [0, 0, 3, 3, 3, 6]), (2, [0, 2, 3, 4, 4, 6]), (1, [1, 2, 3, 4, 5, 6])],
)
def test_when_there_is_a_checkpoint(
    scenario: Path, out: Path, every: int | None, expected: list[int]
) -> None:
    kept = Kept(scenario, out, checkpoint_every=every)
    found = []
    for _ in range(6):
        kept.batches(1)
        found.append(position(out))
    assert found == expected


def test_more_epochs(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(6)
    assert kept.session.state == "finished"
    assert lines(out)[-1]["event"] == "end"
    kept.leave()
    kept = Kept(scenario, out)
    assert (kept.session.state, lines(out)[-1]["event"]) == ("finished", "end")
    kept.leave()
    kept = Kept(scenario, out, epochs=3)
    assert kept.session.state == "paused"
    assert lines(out)[-1]["event"] == "epoch"
    kept.batches(3)
    longer = load(scenario, epochs=3).training
    assert longer is not None
    expected = [{**metrics.event_facts(event), "seconds": 0} for event in longer.events()]
    assert lines(out) == expected
    # More epochs in a session that is at its end.
    kept.session.training.epochs = 4
    kept.session.state = "paused"
    kept.batches(1)
    assert [e["event"] for e in lines(out)][-2:] == ["epoch", "batch"]
    kept.leave()
    assert Kept(scenario, out).session.training.epochs == 4


def test_a_learning_rate_that_was_changed_stays_changed(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(2)
    kept.session.training.lr = 0.5
    kept.leave()
    assert Kept(scenario, out).session.training.lr == 0.5


# What the screen is told


def test_what_is_shown_and_said(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    shown = {"folder": str(out), "batch": 0, "problem": ""}
    assert view_of(kept.session, 10)["kept"] == shown
    kept.batches(4)
    view = view_of(kept.session, 10)
    assert view["kept"] == {**shown, "batch": 3}
    assert not view["would_be_lost"]
    text = kept.leave()
    assert text == f"the training is kept at batch 4 of 6; go on with: bp-tui --resume {out}"
    assert kept.leave() == text
    assert position(out) == 4


def test_the_state_before_a_batch_under_way_is_kept(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(4)
    kept.session.history.keep()
    kept.session.training.advance()  # changed, but the session does not know it yet
    assert "at batch 4 of 6" in kept.session.leave(busy=True)
    kept.run.close()
    kept = Kept(scenario, out)
    assert kept.session.training.position == 4
    kept.batches(2)
    assert lines(out) == uninterrupted(scenario)


def test_busy_with_something_else_no_older_state_is_kept(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(3)
    assert "at batch 3 of 6" in kept.session.leave(busy=True)
    assert position(out) == 3


@pytest.mark.parametrize("busy", [False, True])
def test_what_looking_into_a_batch_has_drawn_or_changed_is_not_kept(
    scenario: Path, out: Path, busy: bool
) -> None:
    expected = uninterrupted(scenario)
    kept = Kept(scenario, out)
    kept.batches(4)
    kept.session.look()
    np.random.random()
    engine.zeros(1).uniform_(0, 1)
    next(iter(kept.session.training.model.parameters())).array[...] = 7
    assert "at batch 4 of 6" in kept.session.leave(busy)
    kept.run.close()
    kept = Kept(scenario, out)
    kept.batches(2)
    assert lines(out) == expected


# What goes wrong


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """A disk on which nothing can be written while the list says so."""
    full = [False]
    write, replace = os.write, os.replace

    def write_on_it(file: int, data: bytes) -> int:
        if full[0] and len(data) > 5:
            return write(file, data[:5])
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, data)

    def replace_on_it(*args: Any) -> None:
        if full[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(*args)

    monkeypatch.setattr(os, "write", write_on_it)
    monkeypatch.setattr(os, "replace", replace_on_it)
    return full


def test_a_full_disk_is_told_once_and_the_training_goes_on(
    scenario: Path, out: Path, full_disk: list[bool]
) -> None:
    full_disk[0] = True
    with pytest.raises(ScenarioError, match="cannot be kept in this folder: No space left"):
        Kept(scenario, out)
    full_disk[0] = False
    kept = Kept(scenario, out)
    kept.batches(1)
    full_disk[0] = True
    kept.batches(3)
    assert kept.session.training.position == 4
    told = "the training is not kept: No space left on device; the checkpoint in"
    assert [text.startswith(told) for text in kept.said()] == [True]
    view = view_of(kept.session, 10)
    assert view["would_be_lost"]
    assert view["kept"]["problem"].startswith(told)
    assert (view["kept"]["batch"], position(out)) == (0, 0)
    full_disk[0] = False
    kept.batches(1)
    assert view_of(kept.session, 10)["would_be_lost"]  # nothing was tried yet
    kept.batches(1)
    assert kept.said()[1:] == [f"the training is kept in {out} again"]
    assert not view_of(kept.session, 10)["kept"]["problem"]
    assert lines(out) == uninterrupted(scenario)
    kept.leave()


def test_at_the_end_a_full_disk_is_told(scenario: Path, out: Path, full_disk: list[bool]) -> None:
    kept = Kept(scenario, out)
    kept.batches(4)
    full_disk[0] = True
    text = kept.leave()
    assert text.startswith("the training is not kept: No space left on device")
    assert text.endswith(f"the checkpoint in {out} is of batch 3")
    full_disk[0] = False
    kept = Kept(scenario, out)
    kept.batches(3)
    assert lines(out) == uninterrupted(scenario)


def test_a_folder_that_vanishes_and_comes_back(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(2)
    shutil.rmtree(out)
    kept.batches(1)
    assert len(kept.said()) == 1
    assert "No such file" in kept.said()[0]
    out.mkdir()
    kept.batches(3)
    assert "again" in kept.said()[1]
    kept.leave()
    assert lines(out) == uninterrupted(scenario)
    assert Kept(scenario, out).session.state == "finished"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to(scenario: Path, out: Path) -> None:
    out.mkdir(parents=True)
    out.chmod(0o500)
    with pytest.raises(ScenarioError, match="Permission denied"):
        Kept(scenario, out)


def test_a_folder_that_cannot_be_made(scenario: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ScenarioError, match="cannot be kept in this folder: Not a directory"):
        Kept(scenario, tmp_path / "file" / "a")


def test_two_programs_do_not_share_a_folder(scenario: Path, out: Path) -> None:
    first = Kept(scenario, out)
    with pytest.raises(ScenarioError, match="another bp-tui is keeping its training in this"):
        Kept(scenario, out)
    first.leave()
    Kept(scenario, out).leave()


def test_an_optimiser_that_cannot_be_kept_is_refused_at_the_start(
    tmp_path: Path, out: Path
) -> None:
    body = (
        "class Own(SGD):\n    pass\n"
        "training.optimizer = Own(model.parameters(), 0.1)\n"
        "training.optimizer.seen = {1}\n"
    )
    path = write(tmp_path, REGRESSION + body)
    with pytest.raises(ScenarioError, match=r"Own\.seen is a set, which cannot be kept") as raised:
        Kept(path, out)
    assert "without --out it can be trained" in str(raised.value)


def test_a_graph_is_no_training_to_keep(out: Path) -> None:
    options = Options("first_graph", out=str(out))
    with pytest.raises(ScenarioError, match="there is no training to keep"):
        RunFolder(load("first_graph"), options)
    assert not out.exists()


def test_what_a_killed_program_left_is_cleared(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(4)
    kept.run.close()
    part = out / ".checkpoint.npz.123.part"
    part.write_bytes(b"half")
    kept = Kept(scenario, out)
    assert not part.exists()
    assert sorted(p.name for p in out.iterdir()) == ["checkpoint.npz", "metrics.jsonl"]


@pytest.mark.parametrize(
    ("damage", "made"),
    [
        (lambda text: "", 3),
        (lambda text: text[:-9], 0),
        (lambda text: text[:30], 3),
        (lambda text: text + '{"event": "ba', 0),
        (lambda text: text + text, 0),
        (lambda text: "[1]\n" + text, 3),
        (lambda text: text.replace('"batch": 1', '"batch": 7'), 3),
        (lambda text: "\n".join(text.split("\n")[:2]) + "\n", 1),
    ],
)
def test_metrics_that_are_damaged_are_mended(
    scenario: Path, out: Path, damage: Callable[[str], str], made: int
) -> None:
    kept = Kept(scenario, out)
    kept.batches(3)
    kept.run.close()
    path = out / "metrics.jsonl"
    path.write_text(damage(path.read_text()))
    kept = Kept(scenario, out)
    told = [f"metrics.jsonl lacked {made} lines, which were made again"] if made else []
    assert [note[: len(told[0])] for note in kept.run.notes] == told
    kept.batches(3)
    assert lines(out) == uninterrupted(scenario)
    without = [json.loads(x)["seconds"] for x in path.read_text().splitlines()].count(None)
    assert without == made


def test_metrics_that_are_gone_are_made_again(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(6)
    kept.leave()
    (out / "metrics.jsonl").unlink()
    kept = Kept(scenario, out)
    assert lines(out) == uninterrupted(scenario)
    assert "lacked 6 lines" in kept.run.notes[0]


def test_losses_that_are_not_finite_are_kept(tmp_path: Path, out: Path) -> None:
    path = write(tmp_path, REGRESSION.replace("0.1)", "1e20)"))
    kept = Kept(path, out)
    kept.batches(5)
    kept.leave()
    assert "NaN" in [line.get("loss") for line in lines(out)]
    kept = Kept(path, out)
    assert kept.run.notes == []
    kept.batches(1)
    assert lines(out) == uninterrupted(path)


# Another training


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("Linear(2, 1)", "Sequential(Linear(2, 3), Linear(3, 1))", "it lacks 0.weight"),
        ("Linear(2, 1)", "Linear(2, 1, bias=False)", "the model here lacks bias"),
        ("SGD(model.parameters(), 0.1)", "Adam(model.parameters())", "optimizer is SGD, here"),
        ("-1, 1, 20", "-1, 2, 20", "trained on were others, though as many: --data chooses"),
        ("reshape(10, 2)", "reshape(10, 2)[:8]", "were 10 (and 10 to test on), here are 8 (and 8"),
    ],
)
def test_another_training_is_refused(
    tmp_path: Path, out: Path, old: str, new: str, told: str
) -> None:
    path = write(tmp_path, REGRESSION)
    kept = Kept(path, out)
    kept.batches(2)
    kept.leave()
    before = {p.name: p.read_bytes() for p in out.iterdir()}
    write(tmp_path, REGRESSION.replace(old, new))
    with pytest.raises(ScenarioError) as raised:
        Kept(path, out)
    assert told in str(raised.value)
    assert str(out / "checkpoint.npz") in str(raised.value)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == before


def test_a_file_that_has_changed_is_told(tmp_path: Path, out: Path) -> None:
    path = write(tmp_path, REGRESSION)
    kept = Kept(path, out)
    kept.batches(2)
    kept.leave()
    write(tmp_path, REGRESSION + "# a remark\n")
    assert "wrong.py has changed" in Kept(path, out).run.notes[0]


def test_a_header_that_is_not_complete(scenario: Path, out: Path) -> None:
    kept = Kept(scenario, out)
    kept.batches(2)
    kept.leave()
    path = out / "checkpoint.npz"
    header, state = checkpoint.load(path)
    for run in (None, {}, {"examples": None}, 3):
        checkpoint.save(path, {**header, "run": run}, state)
        with pytest.raises(ScenarioError, match=r"checkpoint\.npz: this checkpoint cannot be used"):
            Kept(scenario, out)
