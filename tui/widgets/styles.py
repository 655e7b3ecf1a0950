"""The few styles of the screens, in the terminal's own colours."""

from __future__ import annotations

from rich.style import Style

PLAIN = Style()
BOLD = Style(bold=True)
QUIET = Style(dim=True)
TITLE = Style(bold=True)
SHOWN = Style(color="yellow", bold=True)
READY = Style(color="cyan")
DONE = Style(color="green")
PROBLEM = Style(color="red", bold=True)
CURSOR = Style(reverse=True)
KEY = Style(bold=True)
BAR = Style(color="cyan")
REFERENCE = Style(color="magenta")
POINT = Style(color="yellow", bold=True)
MARKED = Style(bold=True, underline=True)
NEGATIVE = Style(color="blue")
POSITIVE = Style(color="red")
KEYWORD = Style(color="magenta")
STRING = Style(color="green")
