"""The page that lies over the body of a screen, where it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tui.actions import Action
from tui.screens.command_list import command_items, matching
from tui.widgets.items import Item, Items
from tui.widgets.layout import LEAST_HEIGHT, LEAST_WIDTH

if TYPE_CHECKING:
    from tui.screens.base import BaseScreen

SCROLLING = {"pagedown": 1, "space": 1, "pageup": -1}
"""The keys that scroll a page, and by how many screens of it."""


class Page(Items):
    """The keys, what the scenario has printed, the commands to search in, or what the screen was
    told to show."""

    def __init__(self) -> None:
        super().__init__(id="page")
        self.display = False
        self.kind: str | None = None
        """`help`, `log`, `commands` or `told`; None where no page is open."""
        self.title = ""
        """That of what was told last."""
        self._told: Sequence[Item] = ()
        self._first = 0
        """The first row that is seen."""
        self._chosen = 0
        """Which of the commands that are listed."""

    def open(self, kind: str) -> bool:
        """Show a page of a kind; whether it is another one than before."""
        is_another = self.kind != kind
        if is_another:
            self._first = 0
        self.kind = kind
        return is_another

    def tell(self, title: str, items: Sequence[Item], from_the_top: bool) -> None:
        """What to show, under a title, on a page of the kind `told`."""
        self.title, self._told = title, items
        if from_the_top:
            self._first = 0

    def scroll(self, pages: int) -> None:
        """Show what comes so many screens of the page further down."""
        height = self.size.height
        step = pages * max(1, height - 1)
        self._first = max(0, min(self._first + step, self.rows_of(self._items()) - height))

    def choose(self, by: int | None) -> None:
        """Choose the command that stands so many further down; the first one with None."""
        self._chosen = 0 if by is None else self._chosen + by

    def chosen(self, typed: str) -> Action | None:
        """The command that is chosen among those in which what is typed occurs."""
        found = matching(self._screen.ACTIONS, typed)
        return found[max(0, min(self._chosen, len(found) - 1))] if found else None

    def draw(self) -> None:
        """Show as much of it as there is room for."""
        if self.kind is not None:
            items = self._items()
            self.show_items(items, self._first)

    @property
    def _screen(self) -> BaseScreen:
        return cast("BaseScreen", self.screen)

    def _items(self) -> list[Item]:
        screen = self._screen
        if self.kind == "help":
            return _help_items(screen.ACTIONS)
        if self.kind == "log":
            client = screen.program.client
            return _log_items(client.last_printed() if client else [], self)
        if self.kind == "commands":
            return self._commands()
        return [("title", self.title, "Esc closes this page"), ("gap", "", ""), *self._told]

    def _commands(self) -> list[Item]:
        found = matching(self._screen.ACTIONS, self._screen.typed)
        self._chosen = max(0, min(self._chosen, len(found) - 1))
        items: list[Item] = [
            ("title", "Commands", "Enter does it, Esc closes"),
            *command_items(found, self._chosen),
        ]
        until_chosen = self.rows_of(items[: self._chosen + 2])
        self._first = max(0, until_chosen + 1 - self.size.height)
        return items


def _help_items(actions: Sequence[Action]) -> list[Item]:
    """The keys and what they do."""
    keys: list[Item] = [("key", action.shown_key, action.help) for action in actions if action.help]
    return [("title", "Keys", "? closes this page"), *keys]


def _log_items(lines: Sequence[str], page: Items) -> list[Item]:
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
