"""Rubbish in the place of every file that is read: it is refused in words, never with a traceback.

(Conditions, slices, checkpoints and IDX files have such tests beside their other ones.)
"""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tui_support import load

from tui import panes
from tui.errors import ScenarioError
from tui.options import Options
from tui.process.channel import receive
from tui.session.breaking.breakpoints import Breakpoints
from tui.session.remembered import Memory
from tui.session.training.breaks import Breaks

MANY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "version",
                    "breakpoints",
                    "watches",
                    "node",
                    "called",
                    "text",
                    "enabled",
                    "columns",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)

PIECES = st.sampled_from(
    [
        *("from engine import Tensor\n", "x = Tensor([1.0, 2.0], requires_grad=True)\n"),
        *("loss = x\n", "loss = x.sum()\n", "loss = (x * x).sum()\n", "loss = None\n"),
        *("loss = 3\n", "end_grad = x\n", "end_grad = 'a'\n", "training = 1\n", "del x\n"),
        *('"""A title\n\nmore\n"""\n', "loss = x + y\n", "    ", "(", "\\", "'", "\0", "é"),
        *("\ufeff", "# -*- coding: nothing -*-\n", "x.grad = x\n", "raise SystemExit\n"),
    ]
)


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def is_told(path: Path) -> None:
    """The scenario can be used, or an error says why not in words of one line or a few."""
    problem = ""
    try:
        scenario = load(path)
    except ScenarioError as error:
        problem = str(error)
    else:
        assert scenario.loss is not None or scenario.training is not None
        return
    assert problem.strip()
    assert "Traceback" not in problem


@MANY
@given(st.binary(max_size=300))
def test_any_bytes_as_a_scenario(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rubbish.py"
    path.write_bytes(content)
    is_told(path)


@MANY
@given(st.lists(PIECES, max_size=8).map("".join))
def test_pieces_of_scenarios_as_a_scenario(tmp_path: Path, content: str) -> None:
    path = tmp_path / "rubbish.py"
    path.write_text(content, encoding="utf-8")
    is_told(path)


@MANY
@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_as_remembered_breakpoints(tmp_path: Path, content: bytes) -> None:
    memory = Memory(tmp_path / "scenario.py")
    memory.file.parent.mkdir(parents=True, exist_ok=True)
    memory.file.write_bytes(content)
    breakpoints, breaks = Breakpoints(), Breaks()
    problem = memory.recall(breakpoints, breaks)
    assert problem is None or "is damaged; the next one replaces it" in problem
    if problem is not None:
        assert breakpoints.breakpoints == breakpoints.watches == breaks.entries == []


KEPT = ("breakpoints", "watches", "breaks")


@MANY
@given(
    JSON
    | st.builds(
        lambda *kept: {"version": 1, **dict(zip(KEPT, kept, strict=True))},
        *[st.lists(JSON, max_size=3)] * 3,
    )
)
def test_anything_of_the_right_version_as_breakpoints(tmp_path: Path, content: Any) -> None:
    memory = Memory(tmp_path / "scenario.py")
    memory.file.parent.mkdir(parents=True, exist_ok=True)
    memory.file.write_text(json.dumps(content), encoding="utf-8")
    memory.recall(Breakpoints(), Breaks())


@MANY
@given(
    st.binary(max_size=200)
    | st.dictionaries(
        st.sampled_from(["columns", "rows", "source", "tensors", "alone", "more"]), JSON
    ).map(lambda fields: json.dumps({"version": 1, **fields}).encode())
)
def test_anything_as_remembered_panes(content: bytes) -> None:
    path = panes.files.state_file(panes.FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    found, problem = panes.recall()
    assert isinstance(found, panes.Panes)
    assert not problem or "is damaged; the next change replaces it" in problem


@MANY
@given(st.lists(st.binary(max_size=60).filter(lambda line: b"\n" not in line), max_size=4))
def test_lines_that_are_no_messages_are_passed_over(tmp_path: Path, lines: list[bytes]) -> None:
    path = tmp_path / "channel"
    path.write_bytes(b'{"do": "first"}\n' + b"\n".join(lines) + b'\n{"do": "last"}\n')
    with path.open("rb") as stream:
        messages = list(receive(stream))
    assert messages[0] == {"do": "first"}
    assert messages[-1] == {"do": "last"}
    assert all(isinstance(message, dict) for message in messages)


@MANY
@given(st.text(alphabet=string.printable, max_size=60))
def test_options_of_another_kind_are_told_apart(text: str) -> None:
    """What one process hands to the other comes back as it was, whatever the user typed."""
    options = Options(scenario=text, data_dir=text, breaks=(text,), watches=(text, ""))
    assert Options.from_json(options.to_json()) == options
