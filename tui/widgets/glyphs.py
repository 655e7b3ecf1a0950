"""The characters that the screens draw with, each one cell wide, and their ASCII forms."""

from __future__ import annotations

import os
import sys

from rich.cells import cell_len

STATES = {"waits": "·", "ready": "○", "shown": "►", "done": "●", "rests": "-"}
"""The state of a node, as a glyph."""

MARKS = {"": " ", "breakpoint": "■", "off": "□", "watched": "◆", "both": "◈"}
"""What is set on a node: a breakpoint (or one that is switched off), a watch, both."""

_ASCII = {
    "■": "B",
    "□": "b",
    "◆": "W",
    "◈": "&",
    "·": ".",
    "○": "o",
    "►": ">",
    "●": "*",
    "│": "|",
    "─": "-",
    "├": "+",
    "┤": "+",
    "┬": "+",
    "┴": "+",
    "┼": "+",
    "╭": ".",
    "╮": ".",
    "╰": "'",
    "╯": "'",
    "→": ">",
    "≈": "~",
    "…": "~",
    "▁": ".",
    "▂": ".",
    "▃": ":",
    "▄": ":",
    "▅": "-",
    "▆": "=",
    "▇": "+",
    "█": "#",
    "░": ".",
    "▒": ":",
    "▓": "+",
    "▀": "'",
    "╌": ",",
    "═": "=",
    "≡": "%",
    "—": "-",
    "±": "~",
}

COERCED = ("C.UTF-8", "C.utf8", "UTF-8")
"""What Python sets LC_CTYPE to where the locale is C."""

_TABLE = str.maketrans(_ASCII)


def has_unicode() -> bool:
    """Whether the terminal is set up for more than ASCII."""
    encoding = (sys.__stdout__.encoding if sys.__stdout__ else None) or ""
    return "utf" in encoding.lower() and "utf" in _locale().lower()


def _locale() -> str:
    """What the user has set; where that is nothing, what most terminals can."""
    everything, characters, lang = (os.environ.get(n) for n in ("LC_ALL", "LC_CTYPE", "LANG"))
    # In the C locale Python itself sets LC_CTYPE (PEP 538); the terminal may not read it.
    if characters in COERCED and lang:
        characters = None
    return everything or characters or lang or "utf-8"


def harmless(text: str) -> str:
    """`text` without what a terminal would obey: a tab as four blanks, another control character
    (or half of a character) as a `?`."""
    return "".join(
        char if char.isprintable() or char == " " else "    " if char == "\t" else "?"
        for char in text
    )


def to_ascii(text: str) -> str:
    """`text` with every character in ASCII, cell for cell; dots of braille become stars."""
    if text.isascii():
        return text
    return "".join(_one(char) for char in text.translate(_TABLE))


def _one(char: str) -> str:
    if char.isascii():
        return char
    if "\u2800" <= char <= "\u28ff":
        return " " if char == "\u2800" else "*"
    return "?" * cell_len(char)
