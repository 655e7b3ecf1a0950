"""What the pages that every screen has are made of."""

from __future__ import annotations

from collections.abc import Sequence

from tui.actions import Action
from tui.widgets.items import Item, Items
from tui.widgets.layout import LEAST_HEIGHT, LEAST_WIDTH


def help_items(actions: Sequence[Action]) -> list[Item]:
    """The keys and what they do."""
    keys: list[Item] = [("key", action.shown_key, action.help) for action in actions if action.help]
    return [("title", "Keys", "? closes this page"), *keys]


def log_items(lines: Sequence[str], page: Items) -> list[Item]:
    """The last lines that the scenario has printed, as many as a page has room for."""
    title: Item = ("title", "What the scenario has printed", "l closes this page")
    if not lines:
        return [title, ("quiet", "nothing", "")]
    room = max(1, page.size.height - 1)
    shown: list[Item] = []
    for line in reversed(lines[-room:]):
        shown.insert(0, ("line", line, ""))
        if page.rows_of(shown) > room:
            # A line that is longer than the page is cut rather than left out.
            shown = shown[1:] or [("line", line[: room * page.size.width // 2], "")]
            break
    return [title, *shown]


def small_items(width: int, height: int, question: str) -> list[Item]:
    """What is needed, where the terminal is too small; and a question that is open."""
    need = f"bp-tui needs {LEAST_WIDTH} columns and {LEAST_HEIGHT} rows; here are "
    items: list[Item] = [("text", f"{need}{width} and {height}.", "")]
    if question:
        items.append(("problem", f"{question} y / n", ""))
    return items
