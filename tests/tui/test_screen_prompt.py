"""The line in which the user types."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from tui.screens.prompt import LONGEST, Prompt
from tui.widgets.lines import Line


def prompt(text: str = "") -> Prompt:
    return Prompt("go to", lambda typed: None, text)


def typed(keys: list[str], text: str = "") -> str:
    line = prompt(text)
    for key in keys:
        line.type(key, key if len(key) == 1 else None)
    return line.text


def text_of(line: Line) -> str:
    return "".join(text for text, _ in line)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (["a", "b"], "ab"),
        (["a", "b", "left", "c"], "acb"),
        (["a", "b", "home", "c", "end", "d"], "cabd"),
        (["a", "b", "backspace"], "a"),
        (["backspace"], ""),
        (["a", "b", "left", "delete"], "a"),
        (["a", "b", "left", "ctrl+u"], "b"),
        (["a", "b", "left", "ctrl+k"], "a"),
        (["a", "b", " ", "c", "ctrl+w"], "ab"),
        (["left", "right", "right", "f5"], ""),
    ],
)
def test_keys(keys: list[str], text: str) -> None:
    assert typed(keys) == text


def test_what_is_pasted_loses_its_control_characters_and_its_excess() -> None:
    line = prompt("x")
    line.insert("a\nb\x1b[31m" + "y" * 2 * LONGEST)
    assert line.text.startswith("xab[31my")
    assert len(line.text) == LONGEST


def test_of_several_lines_the_first_one_is_pasted() -> None:
    line = prompt("x")
    line.paste("\n  > 1\nsecond\r\nthird\n")
    assert line.text == "x> 1"
    line.paste("\n \n")
    assert line.text == "x> 1"


def test_a_hint_stands_below() -> None:
    line = Prompt("stop where", lambda typed: None, hint="12, nan")
    assert "12, nan" in text_of(line.below(60))


def test_an_error_stands_beside_the_text_or_below_it_and_goes_with_the_next_key() -> None:
    line = prompt("nowhere")
    line.error = "there is no such node"
    assert text_of(line.line(60)).endswith("there is no such node")
    assert "there is no such node" not in text_of(line.line(30))
    assert text_of(line.below(30)) == " there is no such node"
    line.type("x", "x")
    assert line.error == ""
    assert "Esc" in text_of(line.below(30))


@pytest.mark.parametrize("width", [20, 40, 80])
def test_the_place_where_one_types_is_always_seen(width: int) -> None:
    line = prompt("0123456789" * 20)
    assert cell_len(text_of(line.line(width))) <= width
    assert line.line(width)[2][0] == " "
    line.type("home", None)
    assert line.line(width)[2][0] == "0"


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (["5"], "5"),
        (["5", "6"], "56"),
        (["left", "5"], "0.055"),
        (["end", "5"], "0.055"),
        (["backspace", "1"], "0.01"),
        ([], "0.05"),
    ],
)
def test_what_is_typed_takes_the_place_of_how_it_is_now(keys: list[str], text: str) -> None:
    line = Prompt("learning rate", lambda typed: None, "0.05", is_present=True)
    for key in keys:
        line.type(key, key if len(key) == 1 else None)
    assert line.text == text
