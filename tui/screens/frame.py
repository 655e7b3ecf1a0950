"""The lines around the body of a screen: what stands in them, for a width."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len
from rich.style import Style

from tui.actions import Action
from tui.widgets import styles
from tui.widgets.lines import Line

PAGE_KEYS: Line = [
    (" Esc", styles.KEY),
    (" close ", styles.QUIET),
    (" space PgDn PgUp", styles.KEY),
    (" scroll ", styles.QUIET),
    (" q", styles.KEY),
    (" quit ", styles.QUIET),
]
"""The keys that are told at the bottom of a page."""


def header_line(left: str, right: str, width: int) -> Line:
    """The name, then the rest of the left part, cut where there is no room for it, and the right
    part."""
    name, _, rest = left.partition("  ")
    rest = shortened(rest, width - cell_len(name) - cell_len(right) - 5)
    free = width - cell_len(name) - 3 - cell_len(rest) - cell_len(right)
    space = " " * (free - 1 if free > 2 else max(1, free))  # with a margin where there is room
    return [
        (f" {name}  ", styles.TITLE),
        (rest, styles.QUIET),
        (space, styles.PLAIN),
        (right, styles.PLAIN),
    ]


def shortened(text: str, room: int) -> str:
    """A text that fits: cut before its last part, after two blanks, where that leaves more."""
    if cell_len(text) <= room:
        return text
    last = "".join(text.rpartition("  ")[1:])
    kept = room - cell_len(last) - 1
    if kept <= cell_len(last):
        last, kept = "", max(0, room - 1)
    return text[:kept] + "…" + last


@lru_cache(maxsize=16)
def line_of_keys(offered: Sequence[Action], width: int) -> Line:
    """The keys that are told at the bottom. Where there is little room, the way to the others and
    the way out stay."""
    parts: list[tuple[str, Style]] = []
    used = 0
    last = [a for a in offered if a.name in ("help", "app.quit_program")]
    reserved = sum(cell_len(_key_text(a)) for a in last)
    for action in [a for a in offered if a not in last] + last:
        text = _key_text(action)
        if action not in last and used + cell_len(text) > width - reserved:
            continue
        key, word = action.shown_key, action.short
        if action.short.startswith("+/-"):
            key, word = "+/-", "pace"
        parts += [(f" {key}", styles.KEY), (f" {word} ", styles.QUIET)]
        used += cell_len(text)
    return parts


def _key_text(action: Action) -> str:
    if action.short.startswith("+/-"):
        return f" {action.short} "
    return f" {action.shown_key} {action.short} "
