"""What is remembered of a scenario between runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tui_support import REGRESSION, Debugged, debugged, session_on, write

from tui.files import LARGEST
from tui.session.breaking.breakpoints import Breakpoints
from tui.session.breaking.condition import Condition
from tui.session.remembered import Memory
from tui.session.session import Session
from tui.session.training.breaks import Breaks, parse

STOPS = ("norm(contribution) > 10", "op matmul", "name linear*", "node 3")


def filled(scenario: str = "first_graph") -> tuple[Session, Breakpoints]:
    session = session_on(scenario)
    breakpoints = session.breakpoints
    for stop in STOPS:
        breakpoints.add_stop(stop)
    breakpoints.add_stop("inf", given=True)
    breakpoints.switch(2)
    breakpoints.toggle_watch(4)
    breakpoints.add_watch("name c")
    breakpoints.add_watch("d", given=True)
    return session, breakpoints


def listed(breakpoints: Breakpoints) -> list[tuple[str, bool]]:
    return [(str(one.what), one.enabled) for one in breakpoints.breakpoints]


def test_what_was_kept_is_recalled_but_for_what_the_command_line_gave(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "a.py")
    _, breakpoints = filled()
    assert memory.keep(breakpoints, Breaks()) is None
    again = Breakpoints()
    assert Memory(tmp_path / "a.py").recall(again, Breaks()) is None
    assert [one.what for one in again.breakpoints] == [
        one.what for one in breakpoints.breakpoints if not one.given
    ]
    assert listed(again) == [
        ("norm(contribution) > 10", True),
        ("op matmul", False),
        ("name linear*", True),
        ("node d", True),
    ]
    assert [str(one.what) for one in again.watches] == ["node b", "name c"]
    assert list(memory.file.parent.iterdir()) == [memory.file]


def test_it_lies_under_the_state_directory_a_file_a_scenario(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    one, other = Memory(tmp_path / "a.py"), Memory(tmp_path / "there" / "a.py")
    assert one.file != other.file
    assert one.file.parent == Path(os.environ["XDG_STATE_HOME"]) / "bp-tui"
    assert Memory(tmp_path / "there" / ".." / "a.py").file == one.file
    (tmp_path / "link.py").symlink_to(tmp_path / "a.py")
    assert Memory(tmp_path / "link.py").file.stem[-8:] == one.file.stem[-8:]
    assert not one.file.parent.exists()
    assert one.recall(Breakpoints(), Breaks()) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nonsense",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b'{"version": 2, "breakpoints": [], "watches": []}',
        b'{"version": 1, "breakpoints": 3, "watches": []}',
        b'{"version": 1, "breakpoints": [3], "watches": []}',
        b'{"version": 1, "breakpoints": [{"text": "norm(", "enabled": true}], "watches": []}',
        b'{"version": 1, "breakpoints": [{"text": "12", "enabled": true}], "watches": []}',
        b'{"version": 1, "breakpoints": [{"text": 12, "enabled": true}], "watches": []}',
        b'{"version": 1, "breakpoints": [{"text": "nan"}], "watches": []}',
        b'{"version": 1, "breakpoints": [], "watches": [{"text": ""}]}',
        b'{"version": 1, "breakpoints": [], "watches": [{"node": {}, "called": "x"}]}',
        b'{"version": 1, "breakpoints": [], "watches": [{"node": {"name": 3, "path": null, '
        b'"op": null, "nth": 0}, "called": "x"}]}',
        b'{"version": 1, "breakpoints": [], "watches": [{"node": {"name": "a", "path": null, '
        b'"op": null, "nth": "0"}, "called": "x"}]}',
        b'{"version": 1, "breakpoints": [], "watches": [], "breaks": 3}',
        b'{"version": 1, "breakpoints": [], "watches": [], "breaks": [{"of_training": "7"}]}',
        b'{"version": 1, "breakpoints": [], "watches": [], "breaks": '
        b'[{"of_training": "rise -1", "enabled": true}]}',
        b'{"version": 1, "breakpoints": [], "watches": [], "breaks": '
        b'[{"of_training": "op relu", "enabled": true}]}',
        b"[" * 100_000,
        b" " * (LARGEST + 1),
    ],
)
def test_a_damaged_file_is_told_once_and_replaced(tmp_path: Path, content: bytes) -> None:
    memory = Memory(tmp_path / "a.py")
    memory.file.parent.mkdir(parents=True)
    memory.file.write_bytes(content)
    breakpoints = Breakpoints()
    said = memory.recall(breakpoints, Breaks())
    assert said == (
        f"breakpoints are not remembered: {memory.file} is damaged; the next one replaces it"
    )
    assert breakpoints.breakpoints == []
    assert breakpoints.watches == []
    _, some = filled()
    assert memory.keep(some, Breaks()) is None
    assert memory.recall(breakpoints, Breaks()) is None
    assert len(breakpoints.breakpoints) == len(STOPS)


def test_what_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "a.py")
    memory.file.parent.parent.mkdir(parents=True)
    memory.file.parent.write_text("a file in the place of the folder")
    _, breakpoints = filled()
    said = memory.keep(breakpoints, Breaks())
    assert said is not None
    assert said.startswith(f"this is not remembered: {memory.file.parent}: ")
    assert memory.keep(breakpoints, Breaks()) is None
    assert "breakpoints are not remembered" in (memory.recall(breakpoints, Breaks()) or "")


def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = Memory(tmp_path / "a.py")
    _, breakpoints = filled()
    memory.keep(breakpoints, Breaks())
    before = memory.file.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    breakpoints.remove(1)
    assert "No space left" in (memory.keep(breakpoints, Breaks()) or "")
    assert memory.file.read_bytes() == before
    assert list(memory.file.parent.iterdir()) == [memory.file]


def test_the_debugged_process_remembers(tmp_path: Path) -> None:
    path = write(tmp_path, "a = Tensor(3.0, requires_grad=True)\nb = a * a\nloss = b + a\n")
    with debugged(path) as there:
        there.wait_for("stepping")
        there.step("point", node=1)
        there.step("breakpoint")
        there.step("change_breakpoints", text="contribution > 5")
        there.step("point", node=2)
        view = there.step("watch")
        assert [row["mark"] for row in view["rail"]] == ["", "breakpoint", "watched"]
    with debugged(path, breaks=("nan", "node 77"), watches=("b",)) as there:
        view = there.wait_for("stepping")
        assert [row["mark"] for row in view["rail"]] == ["", "both", "watched"]
        assert there.wait_for("notice")["text"] == (
            "node 77: there is no node 77; the last one is 2"
        )
        there.ask("breakpoints")
        text = str(there.wait_for("page")["items"])
        assert "nan, from the command line" in text
        assert "contribution > 5" in text
        there.step("change_breakpoints", text="zero")
        there.ask("continue")
        assert there.wait_for("notice", lambda m: "Stopped" in m["text"])["text"] == (
            "Stopped before node 1, b: breakpoint"
        )
    kept = json.loads(Memory(path).file.read_text())
    texts = [entry.get("text") for entry in kept["breakpoints"]]
    assert texts == [None, "contribution > 5", "zero"]
    assert len(kept["watches"]) == 1


def test_the_debugged_process_goes_on_with_a_damaged_file(tmp_path: Path) -> None:
    path = write(tmp_path, "a = Tensor(3.0, requires_grad=True)\nloss = a * a\n")
    memory = Memory(path)
    memory.file.parent.mkdir(parents=True)
    memory.file.write_text("{")
    with debugged(path) as there:
        assert "is damaged" in there.wait_for("notice")["text"]
        assert there.step("next")["done"] == 1


def test_breakpoints_outlive_the_batches_of_a_training() -> None:
    with debugged("mlp") as there:
        there.wait_for("stepping")
        there.step("point", node=13)
        there.step("breakpoint")
        there.ask("training.open")
        there.ask("training.batch")
        there.wait_for("training", lambda view: view["state"] == "paused" and view["batch"] == 1)
        view = there.step("training.close")
        assert {row["id"] for row in view["rail"] if row["mark"]} == {13}
        there.ask("continue")
        assert "Stopped before node 13" in there.wait_for("notice")["text"]


TRAINING_STOPS = ("7", "nan", "rise 1.5", "loss >= 0.1", "norm(grad_out) > 9", "op relu", "name w")


def test_where_the_training_stops_is_kept_like_breakpoints(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "a.py")
    breaks = Breaks()
    for text in TRAINING_STOPS:
        what = parse(text)
        assert not isinstance(what, int)
        breaks.add(what)
    breaks.add(Condition("nan"))  # as it is taken over from the debugger
    breaks.switch(3)
    assert memory.keep(Breakpoints(), breaks) is None
    again = Breaks()
    assert memory.recall(Breakpoints(), again) is None
    assert [one.what for one in again.entries] == [one.what for one in breaks.entries]
    assert [number for number, one in enumerate(again.entries, 1) if not one.enabled] == [3]


def test_a_file_without_them_is_read(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "a.py")
    memory.file.parent.mkdir(parents=True)
    memory.file.write_text('{"version": 1, "breakpoints": [], "watches": []}')
    assert memory.recall(Breakpoints(), Breaks()) is None


def listed_breaks(there: Debugged) -> str:
    there.ask("training.breaks")
    return str(there.wait_for("page", lambda page: not page["update"])["items"])


def test_the_debugged_process_remembers_where_its_training_stops(tmp_path: Path) -> None:
    path = write(tmp_path, REGRESSION)
    with debugged(path, epochs=4) as there:
        there.wait_for("stepping")
        there.ask("training.open")
        for text in ("node 0", "loss > 1e9", "5", "12", "op relu", "!2"):
            there.ask("training.change_breaks", text=text)
        assert "at batch 12" in listed_breaks(there)
    with debugged(path) as there:
        there.wait_for("stepping")
        gone = ("at batch 12 (there are 6)", "before op relu (not in this graph)")
        said = there.wait_for("notice")["text"]
        assert said == f"the training stops no more {', '.join(gone)}"
        there.ask("training.open")
        view = there.wait_for("training")
        assert len(view["breaks"]) == 2
        listed = listed_breaks(there)
        assert "at a loss > 1e9, off" in listed
        assert "at batch 12" not in listed
    with debugged(path, epochs=4) as there:  # nothing was changed since
        there.wait_for("stepping")
        there.ask("training.open")
        assert "at batch 12" in listed_breaks(there)
        there.ask("training.change_breaks", text="-1")
        there.ask("training.run")
        stopped = there.wait_for("notice", lambda m: "Batch" in m["text"])
        assert stopped["text"] == "Batch 5: stopped before its update"


def test_a_file_without_a_training_keeps_where_it_stopped(tmp_path: Path) -> None:
    path = write(tmp_path, REGRESSION)
    with debugged(path) as there:
        there.wait_for("stepping")
        there.ask("training.open")
        there.ask("training.change_breaks", text="5")
        listed_breaks(there)
    write(tmp_path, "a = Tensor(3.0, requires_grad=True)\nloss = a * a\n")
    with debugged(path) as there:
        there.wait_for("stepping")
        there.step("breakpoint")
    kept = json.loads(Memory(path).file.read_text())
    assert kept["breaks"] == [{"of_training": "5", "enabled": True}]
    assert len(kept["breakpoints"]) == 1
