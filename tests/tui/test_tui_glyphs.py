"""Glyphs and colours for poor terminals: ASCII forms, sixteen colours on any ground, none."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from rich.cells import cell_len
from rich.color import Color, ColorSystem
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from tui_support import ROOT

from tui.terminal.colours import has_colours
from tui.widgets import glyphs, styles

XTERM = TerminalTheme(
    (0, 0, 0),
    (255, 255, 255),
    [
        (0, 0, 0),
        (205, 0, 0),
        (0, 205, 0),
        (205, 205, 0),
        (0, 0, 238),
        (205, 0, 205),
        (0, 205, 205),
        (229, 229, 229),
    ],
    [
        (127, 127, 127),
        (255, 0, 0),
        (0, 255, 0),
        (255, 255, 0),
        (92, 92, 255),
        (255, 0, 255),
        (0, 255, 255),
        (255, 255, 255),
    ],
)
"""The colours of an xterm that nobody has set up."""

STYLES = {
    name: value for name, value in vars(styles).items() if isinstance(value, Style) and value.color
}


def drawn() -> Iterator[tuple[str, str]]:
    """The texts with more than ASCII that the session and the screens are written with, each with
    its place."""
    for folder in ("session", "screens", "widgets"):
        for path in sorted((ROOT / "tui" / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
            for node in ast.walk(tree):
                if (
                    isinstance(node, ast.Constant)
                    and isinstance(node.value, str)
                    and not node.value.isascii()
                    and id(node) not in said  # no docstring
                ):
                    yield f"{path.relative_to(ROOT)}, line {node.lineno}", node.value


def test_every_glyph_that_is_drawn_has_an_ascii_form_of_one_cell() -> None:
    found = list(drawn())
    assert len(found) > 20
    for place, text in found:
        for char in text:
            form = glyphs.to_ascii(char)
            assert form.isascii(), place
            assert len(form) == cell_len(char) == 1, f"{place}: {char}"
            assert char.isascii() or form != "?", f"{place}: {char} has no form of its own"


def test_braille_is_dots_in_ascii() -> None:
    assert glyphs.to_ascii("\u2800\u2801\u28ff") == " **"


def test_what_has_no_form_keeps_its_cells() -> None:
    for text in ("größe", "変数", "e\u0301", "🔎x", "loss→→"):
        assert glyphs.to_ascii(text).isascii()
        assert len(glyphs.to_ascii(text)) == cell_len(text)


@pytest.mark.parametrize("name", STYLES)
def test_each_colour_is_one_of_the_sixteen(name: str) -> None:
    color = STYLES[name].color
    assert color is not None
    assert color.downgrade(ColorSystem.STANDARD) == color


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize("ground", [(0, 0, 0), (255, 255, 255)])
def test_each_colour_can_be_read_on_a_dark_and_on_a_light_ground(
    name: str, ground: tuple[int, int, int]
) -> None:
    color = STYLES[name].color
    assert color is not None
    least = 2 if name == "DONE" else 3  # what is no text stands out by its shape
    assert contrast(color, ground) >= least


def contrast(color: Color, ground: tuple[int, int, int]) -> float:
    """The ratio of luminances of WCAG 2, from 1 to 21."""
    light, dark = sorted((luminance(color.get_truecolor(XTERM)), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(rgb: tuple[int, ...]) -> float:
    linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("environment", "has"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm-256color"}, True),
        ({"TERM": "linux"}, True),
        ({"TERM": "screen"}, True),
        ({}, True),
        ({"TERM": "vt100"}, False),
        ({"TERM": "vt220"}, False),
        ({"TERM": "xterm-mono"}, False),
        ({"TERM": "linux-m"}, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
    ],
)
def test_which_terminals_have_colours(environment: dict[str, str], has: bool) -> None:
    assert has_colours(environment) is has


@pytest.mark.parametrize(
    ("variables", "has"),
    [
        ({}, True),
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "POSIX"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, False),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, True),
        ({"LC_CTYPE": "en_US.UTF-8", "LANG": "C"}, True),
        # As Python leaves LANG=C, and an environment without any of them.
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, False),
        ({"LC_CTYPE": "C.UTF-8"}, True),
    ],
)
def test_the_locale_says_whether_there_is_more_than_ascii(
    variables: dict[str, str], has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with open("/dev/null", "w", encoding="utf-8") as terminal:
        monkeypatch.setattr("sys.__stdout__", terminal)
        assert glyphs.has_unicode() is has
