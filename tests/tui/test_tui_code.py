"""The source pane: which lines, which function, and what is highlighted in them."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.style import Style
from tui_support import session_on, view_of, write

from tui.session.code import SCENARIO_LINES, marks_of, scenario_code
from tui.widgets.source import highlighted


def marked(*lines: str) -> list[list[tuple[str, str]]]:
    """The highlighted parts of each line, as text."""
    return [
        [(line[start:stop], kind) for start, stop, kind in marks]
        for line, marks in zip(lines, marks_of(lines), strict=True)
    ]


def test_keywords_strings_and_comments_are_highlighted() -> None:
    assert marked("for x in y:  # all of them", "    return 'a' + b\"c\"", "importer = None") == [
        [("for", "keyword"), ("in", "keyword"), ("# all of them", "comment")],
        [("return", "keyword"), ("'a'", "string"), ('b"c"', "string")],
        [("None", "keyword")],
    ]


def test_a_string_over_several_lines_is_highlighted_in_each() -> None:
    assert marked('x = """one', "", "  two", 'three""" + y') == [
        [('"""one', "string")],
        [],
        [("  two", "string")],
        [('three"""', "string")],
    ]


@pytest.mark.parametrize("last", ["x = (1,", "'''never closed", "  ? ?", "é = '数字'  # 木"])
def test_what_is_no_complete_python_is_shown_all_the_same(last: str) -> None:
    lines = ("return 1", last)
    marks = marks_of(lines)
    assert len(marks) == 2
    assert marks[0] == [(0, 6, "keyword")]
    for line, found in zip(lines, marks, strict=True):
        parts = highlighted(line, found, Style())
        assert "".join(text for text, _ in parts) == line


def test_highlighting_adds_to_the_look_of_the_line() -> None:
    parts = highlighted("if x: pass", [(0, 2, "keyword"), (6, 10, "keyword")], Style(bold=True))
    assert [text for text, _ in parts] == ["if", " x: ", "pass"]
    assert all(style.bold for _, style in parts)
    assert parts[0][1].color is not None
    assert parts[1][1].color is None


@pytest.mark.parametrize("line", [None, 1, 50, 100])
def test_each_line_that_is_sent_has_its_marks(line: int | None) -> None:
    source = [f"x{i} = 1  # {i}" for i in range(1, 101)]
    code = scenario_code("a.py", source, line)
    assert len(code["lines"]) == len(code["marks"]) <= SCENARIO_LINES
    for text, ((start, _, kind),) in zip(code["lines"], code["marks"], strict=True):
        assert (text[start], kind) == ("#", "comment")
    assert line is None or code["lines"][line - code["first"]] == source[line - 1]


def called(session: object) -> tuple[str, str] | None:
    code = view_of(session)["called"]  # type: ignore[arg-type]
    return None if code is None else (code["when"], code["lines"][0].partition("(")[0])


def test_the_function_about_to_be_called_and_the_one_called_last() -> None:
    session = session_on("first_graph")
    assert called(session) == ("next", "add_back0")
    session.go_to(3)  # that was the step of c, a leaf
    assert called(session) == ("next", "multiply_back0")
    for expected in (
        ("next", "multiply_back0"),
        ("last", "multiply_back0"),
        ("next", "multiply_back1"),
        ("last", "multiply_back1"),
    ):
        session.into()
        assert called(session) == expected
    session.back()
    assert called(session) == ("next", "multiply_back1")
    session.next()
    assert called(session) == ("last", "multiply_back1")
    session.next()  # a leaf, and another one follows
    assert called(session) is None
    session.next()
    assert called(session) is None


def lines_of(session: object) -> dict[str | None, int | None]:
    return {node.name: node.line for node in session.graph.nodes}  # type: ignore[attr-defined]


def test_a_leaf_has_the_line_that_gave_it(tmp_path: Path) -> None:
    body = (
        "def two(value):\n    return Tensor(value, requires_grad=True)\n"
        "a = two(2.0)\nb = zeros(3)\nc = a.detach()\nloss = (a * b + c).sum()\n"
    )
    found = lines_of(session_on(write(tmp_path, body)))
    assert (found["a"], found["b"], found["c"], found["loss"]) == (4, 6, 7, 8)


def test_a_parameter_has_the_line_that_made_its_module(tmp_path: Path) -> None:
    body = (
        "class Net(Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.inner = Linear(2, 3)\n"
        "    def forward(self, x):\n        return self.inner(x)\n"
        "net = Net()\nmodel = Sequential(\n    net,\n    Linear(3, 1),\n)\n"
        "loss = model(ones(1, 2)).sum()\n"
    )
    found = lines_of(session_on(write(tmp_path, body)))
    assert (found["0.inner.weight"], found["0.inner.bias"]) == (6, 6)
    assert (found["1.weight"], found["1.bias"]) == (12, 12)


def test_the_batch_of_a_training_was_given_by_no_line_of_the_scenario() -> None:
    session = session_on("mlp")
    found = lines_of(session)
    assert found["inputs"] is None
    assert found["linear1.weight"] is not None
    source = view_of(session)["source"]
    assert source["lines"][source["line"] - source["first"]].strip().startswith("return")
