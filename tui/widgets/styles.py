"""The few styles of the screens, in the terminal's own sixteen colours.

Text is only written in those that can be read on a light ground as on a dark one: yellow, cyan and
green are too bright for the one, dark blue is too dark for the other. Nothing is told by a colour
alone.
"""

from __future__ import annotations

from rich.style import Style

PLAIN = Style()
BOLD = Style(bold=True)
QUIET = Style(dim=True)
TITLE = Style(bold=True)
SHOWN = Style(color="magenta", bold=True)
READY = Style(color="bright_blue")
DONE = Style(color="green")
"""For a glyph that its shape tells, never for text."""
PROBLEM = Style(color="red", bold=True)
CURSOR = Style(reverse=True)
KEY = Style(bold=True)
BAR = Style(color="bright_blue")
REFERENCE = Style(color="magenta")
POINT = Style(color="magenta", bold=True)
MARKED = Style(bold=True, underline=True)
NEGATIVE = Style(color="bright_blue")
POSITIVE = Style(color="red")
KEYWORD = Style(color="bright_blue")
STRING = Style(color="magenta")
