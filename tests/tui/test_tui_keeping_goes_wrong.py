"""A training that cannot be kept, a folder that is damaged, or one of another training."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from keeping_support import DRAWING, Kept, lines, position, uninterrupted
from tui_support import REGRESSION, load, write

from tui.errors import ScenarioError
from tui.options import Options
from tui.session.training import checkpoint
from tui.session.training.run_folder import RunFolder
from tui.session.training.view import view_of


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    return write(tmp_path, DRAWING)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "a"


# What cannot be kept, or not there


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


# Metrics


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
