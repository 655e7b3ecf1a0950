"""The line-by-line mode without a process: what is typed, what views and items become in words."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from tui_support import BUNDLED, session_on

from tui import actions
from tui.errors import Refused
from tui.plain import meanings, news, output, typed, wording
from tui.session.commands import COMMANDS
from tui.session.training.commands import COMMANDS as TRAINING_COMMANDS
from tui.session.view import tensor_view, view_of

DRAWN = re.compile("[\u2190-\u21ff\u2500-\u259f\u25a0-\u25ff\u2800-\u28ff≈…·]")
"""Arrows, lines, blocks, shapes, braille: what no voice reads as it is meant."""


def viewed(session: Any) -> dict[str, Any]:
    """What the mode is sent of a session."""
    return {"type": "stepping", "trains": False, **view_of(session, 20, 79, 24, False, 1)}


# What is typed


@pytest.mark.parametrize(
    ("line", "action", "argument", "times"),
    [
        ("n", "next", "", 1),
        (" n \n", "next", "", 1),
        ("next", "next", "", 1),
        ("n 5", "next", "", 5),
        ("5 n", "next", "", 5),
        ("5n", "next", "", 5),
        ("12 down", "cursor_down", "", 12),
        ("PgDn 2", "page_down", "", 2),
        ("Enter", "run_to_cursor", "", 1),
        ("enter", "run_to_cursor", "", 1),
        ("Esc", "leave", "", 1),
        ("g 3", "go", "3", 1),
        ("g #12", "go", "#12", 1),
        ("g", "go", "", 1),
        ("/relu", "search", "relu", 1),
        ("/ relu 1", "search", "relu 1", 1),
        ("/", "search", "", 1),
        ("a -2", "condition", "-2", 1),
        ('a norm(grad_out) > 10 and op == "matmul"', "condition", "…", 1),
        ("S x.grad.npy", "save", "x.grad.npy", 1),
        ("?", "help", "", 1),
        ("q", "app.quit_program", "", 1),
        ("R", "app.reload", "", 1),
        ("o mlp", "app.open_other", "mlp", 1),
        ("L 7", "list", "7", 1),
        (".", "again", "", 1),
    ],
)
def test_a_line_is_read(line: str, action: str, argument: str, times: int) -> None:
    found = typed.read("stepping", line)
    wanted = line.strip()[2:] if argument == "…" else argument
    assert (found.action.name, found.argument, found.times) == (action, wanted, times)


@pytest.mark.parametrize(
    ("line", "argument"),
    [("[0, :, 3:7]", "[0, :, 3:7]"), ("[ 0, :", "0, :"), ("[", ""), ("e 3, 17", "3, 17")],
)
def test_a_slice_is_typed_as_numpy_has_it(line: str, argument: str) -> None:
    assert typed.read("tensor", line).argument == argument


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("x", "x has no meaning here"),
        ("N", "N has no meaning here"),
        ("nn", "nn has no meaning here"),
        ("12", "g 12"),
        ("n x", "number of times"),
        ("n 0", "1 to 1,000,000 times"),
        ("n -1", "number of times"),
        ("0 n", "1 to 1,000,000 times"),
        ("n 5 5", "number of times"),
        ("5 n 5", "number of times"),
        (f"n {10**30}", "1 to 1,000,000 times"),
        ("5 g 3", "g takes WHERE"),
        ("z", "z is about the screen"),
        ("<", "< is about the screen"),
        (":", ": is about the screen"),
        ("²", "has no meaning"),
        ("n ²", "number of times"),
    ],
)
def test_a_line_that_means_nothing_is_refused(line: str, part: str) -> None:
    with pytest.raises(Refused, match=re.escape(part)):
        typed.read("stepping", line)


@pytest.mark.parametrize("kind", meanings.ACTIONS)
def test_each_key_has_one_meaning_and_the_help_tells_it(kind: str) -> None:
    page = "\n".join(typed.help_page(kind))
    seen: set[str] = set()
    for action in meanings.ACTIONS[kind]:
        if meanings.argument_of(kind, action) is None:
            continue
        for key in action.keys:
            if "ctrl+" not in key:
                word = typed.CHARACTERS.get(key, key)
                assert word not in seen
                seen.add(word)
                assert typed.read(kind, word).action is action
        if action.help:
            assert f"{action.shown_key}" in page


def test_only_what_is_about_the_screen_cannot_be_typed() -> None:
    unknown = {
        action.name
        for kind, known in (
            ("stepping", actions.STEPPING),
            ("tensor", actions.TENSOR),
            ("training", actions.TRAINING),
        )
        for action in known
        if meanings.argument_of(kind, action) is None
    }
    assert unknown == {
        "maximise",
        "divider_left",
        "divider_right",
        "commands",
        "save",
        "log_axis",
        "zoom",
        "form",
        "app.redraw",
        "app.suspend_process",
    }
    assert meanings.argument_of("stepping", actions.SAVE) == "FILE"


@pytest.mark.parametrize("kind", meanings.MEANINGS)
def test_each_meaning_is_a_command_of_the_session(kind: str) -> None:
    names = {action.name for action in meanings.ACTIONS[kind]}
    for name, meaning in meanings.MEANINGS[kind].items():
        assert name in names
        if meaning.do not in ("training.open", "training.close"):
            of_training = meaning.do.removeprefix("training.") in TRAINING_COMMANDS
            assert meaning.do in COMMANDS or (of_training and kind == "training")


def test_a_number_of_times_moves_the_cursor_at_once_and_steps_one_by_one() -> None:
    by_five = meanings.STEPPING["cursor_up"].commands("", 5, 80)
    assert by_five == [{"do": "cursor", "by": -5}]
    assert meanings.STEPPING["next"].commands("", 3, 80) == [{"do": "next"}] * 3


# Words


@pytest.mark.parametrize("scenario", BUNDLED)
def test_no_line_of_a_pass_has_a_glyph(scenario: str) -> None:
    session = session_on(scenario)
    before = None
    for _ in range(60):
        now = viewed(session)
        for line in (*news.since(before, now), *wording.rail(now), *news.heading(now)):
            assert not DRAWN.search(line), line
        before = now
        try:
            if not session.into():
                break
        except Exception:  # the pass of one of them is refused, as it should be
            break
    for node in range(min(12, len(session.graph.nodes))):
        session.point(node)
        for line in wording.told(news.shown(viewed(session))):
            assert not DRAWN.search(line), line


def test_a_step_is_told_in_the_words_of_the_pane() -> None:
    session = session_on("first_graph")
    for _ in range(4):
        session.next()
    assert wording.told(news.shown(viewed(session))) == [
        "d = a * b, node 3, just done",
        "grad_out = dL/dd = 1, complete",
        "to a, argument 0: multiply_back0",
        "  grad_out * b = 1 * 2 = 2",
        "  a so far: nothing",
        "  a now, complete: 2",
        "to b, argument 1: multiply_back1",
        "  grad_out * a = 1 * 6 = 6",
        "  b so far, from e (node 1): 1",
        "  b now, complete: 7",
        "Why add? L depends on b along several ways, and a change of b works along all of them "
        "at once.",
    ]


def test_half_an_edge_is_told_without_what_was_told_before() -> None:
    session = session_on("first_graph")
    told = []
    before = viewed(session)
    for _ in range(4):
        session.into()
        now = viewed(session)
        told.append(news.since(before, now))
        before = now
    assert told[0][0] == "L = d + e, node 0, under way"
    assert told[0][3] == "  grad_out: ?"
    assert told[1][:3] == ["  grad_out: 1", "  d so far: nothing", "  d now, complete: 1"]
    assert told[2][0] == "to e, argument 1: add_back1"
    assert told[3][:2] == ["L = d + e, node 0, just done", "  grad_out: 1"]
    assert told[3][-1].startswith("1 of 6 done. Next: node 1")


def test_nothing_new_is_told_of_the_same_view() -> None:
    session = session_on("first_graph")
    session.next()
    assert news.since(viewed(session), viewed(session)) == []


def test_an_approximate_result_is_told_as_one() -> None:
    item = ("line", "  grad_out * a  =  0.3333 * 3  ≈", "0.9999")
    assert wording.told([item]) == ["  grad_out * a = 0.3333 * 3 is about 0.9999"]
    for relation in ("gives", "is not"):
        item = ("line", f"  f(x)  =  f(3)  {relation}", "2")
        assert wording.told([item]) == [f"  f(x) = f(3) {relation} 2"]


def test_the_states_are_words() -> None:
    session = session_on("first_graph")
    session.next()
    session.next()
    session.breakpoints.toggle_stop(4)
    lines = list(wording.rail(viewed(session)))
    assert lines[0] == "node 0, done: L = d + e = 17, gradient 1"
    assert lines[1] == "node 1, shown: e = b + c = 5, gradient 1, the cursor"
    assert lines[3] == "node 3, ready: d = a * b = 12, gradient 1"
    assert lines[4] == "node 4, waits: b = 2, gradient 1, 1 of 2 contributions, breakpoint"
    assert lines[5] == "node 5, waits: a = 6"


def test_a_watched_gradient_is_told_where_it_changes() -> None:
    session = session_on("first_graph")
    session.breakpoints.toggle_watch(4)
    before = viewed(session)
    session.next()
    assert not any("watched" in line for line in news.since(before, viewed(session)))
    before = viewed(session)
    session.next()
    assert "watched node 4, b: gradient 1, 1 of 2 contributions" in news.since(
        before, viewed(session)
    )


def test_a_tensor_is_told_in_ascii_with_its_numbers_and_without_bars() -> None:
    session = session_on("mlp")
    session.point(26)
    session.inspect()
    for _ in range(3):  # numbers, a heat map, pictures
        view = {"type": "tensor", **(tensor_view(session, 79, 24) or {})}
        lines = wording.tensor(view)
        assert "\n".join(lines).isascii()
        assert lines[0] == "inputs, value (64,784) float32"
        assert lines[1].startswith(" at [0, 0]")
        assert any("zero" in line and "positive" in line for line in lines)
        session.inspector.tensor.next_display()


def test_moving_in_a_tensor_tells_the_element_alone() -> None:
    session = session_on("mlp")
    session.point(26)
    session.inspect()
    before = {"type": "tensor", **tensor_view(session, 79, 24)}
    session.inspector.tensor.move(0, 1)
    now = {"type": "tensor", **tensor_view(session, 79, 24)}
    assert news.since(before, now) == [" at [0, 1]  -0.8"]


# Lines


def printed(text: str, monkeypatch: pytest.MonkeyPatch, width: int, locale: str) -> list[str]:
    """The lines that a text is printed in."""
    monkeypatch.setenv("COLUMNS", str(width))
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.setenv(name, locale)
    out = io.StringIO()
    output.Output(out, io.StringIO(), is_script=True).tell([text])
    return out.getvalue().splitlines()


def test_lines_are_folded_between_words_at_the_width(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = printed("  a " + "word " * 30, monkeypatch, 40, "C")
    assert len(lines) > 3
    assert max(map(len, lines)) <= 40
    assert lines[0].startswith("  a word")
    assert all(line.startswith("    word") for line in lines[1:])
    wide = printed("変" * 30, monkeypatch, 40, "C.UTF-8")
    assert [len(line) for line in wide] == [20, 10] or len(wide) == 2


def test_ascii_where_the_locale_is_and_never_what_a_terminal_obeys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert printed("a\x1b[31mred\x07 ü", monkeypatch, 80, "C") == ["a?[31mred? ?"]


def test_what_goes_wrong_in_a_script_has_its_line_and_a_stream_of_its_own() -> None:
    out, err = io.StringIO(), io.StringIO()
    script = output.Output(out, err, is_script=True)
    script.line = 3
    script.complain("no")
    assert (out.getvalue(), err.getvalue()) == ("", "bp-tui: line 3: no\n")
    assert script.went_wrong


def test_who_is_there_is_told_on_standard_output() -> None:
    out, err = io.StringIO(), io.StringIO()
    output.Output(out, err, is_script=False).complain("no")
    assert (out.getvalue(), err.getvalue()) == ("no\n", "")


def test_the_mode_imports_no_screen() -> None:
    folder = Path(meanings.__file__).parent
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "textual" not in re.sub(r'"""[^"]*"""', "", text), path
