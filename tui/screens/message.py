"""The screens of a scenario that is not there: one that is being loaded, one with a problem."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult

from tui import actions
from tui.screens.base import BaseScreen, bindings
from tui.widgets import styles
from tui.widgets.items import Item, Items
from tui.widgets.lines import Line


class _MessageScreen(BaseScreen):
    def compose_body(self) -> ComposeResult:
        """The message."""
        yield Items(id="message")

    def items(self) -> list[Item]:
        """What is said."""
        return []

    def draw_body(self) -> None:
        """Show the message."""
        self.query_one("#message", Items).show_items(self.items())

    def action_leave(self) -> None:
        """Close a page."""
        self.close_page()


class LoadingScreen(_MessageScreen):
    """The scenario is being loaded."""

    ACTIONS = actions.LOADING
    BINDINGS = bindings(actions.LOADING)
    KEEPS_KEYS = True

    def __init__(self, scenario: str) -> None:
        super().__init__()
        self._scenario = scenario
        self._progress = ""
        self._place: dict[str, Any] = {}
        """Where in the user's code it is."""

    def header(self) -> tuple[str, str]:
        """What is loaded."""
        return f"bp-tui  {self._scenario}", "loading"

    def upcoming(self) -> Line:
        """What one can do."""
        return [
            (" Next  ", styles.SHOWN),
            ("it opens as soon as it is there; Esc gives up.", styles.PLAIN),
        ]

    def items(self) -> list[Item]:
        """What is waited for."""
        items: list[Item] = [("title", f"Loading {self._scenario}", ""), ("gap", "", "")]
        if self._progress:
            return [*items, ("line", self._progress, "")]
        items.append(("text", "The scenario is running its own code, in a process of its own.", ""))
        return [*items, ("gap", "", ""), *_place_items(self._place)]

    def show_progress(self, text: str) -> None:
        """Show what is being done, and how far it is."""
        self._progress = text
        self.draw()

    def show_place(self, place: dict[str, Any]) -> None:
        """Show where it is, see `tui.process.whereabouts.facts`."""
        if place != self._place:
            self._place = place
            self.draw()

    def action_give_up(self) -> None:
        """Stop loading."""
        if not self.close_page():
            self.program.give_up()


class ProblemScreen(_MessageScreen):
    """A scenario that cannot be used: what is wrong, where, and how to go on."""

    ACTIONS = actions.PROBLEM
    BINDINGS = bindings(actions.PROBLEM)

    def __init__(self, scenario: str, problem: dict[str, Any]) -> None:
        super().__init__()
        self._scenario = scenario
        self._problem = problem
        self._title = str(problem.get("title", "This scenario cannot be used"))

    def header(self) -> tuple[str, str]:
        """Which scenario."""
        given_up = "given up" in self._title
        return f"bp-tui  {self._scenario}", "given up" if given_up else "cannot be used"

    def upcoming(self) -> Line:
        """How to go on."""
        mend = "" if "given up" in self._title else "mend the file, then "
        return [
            (" Next  ", styles.SHOWN),
            (f"{mend}R reads it afresh; o opens another.", styles.PLAIN),
        ]

    def items(self) -> list[Item]:
        """The problem, with its line."""
        problem = self._problem
        items: list[Item] = [("title", self._title, ""), ("gap", "", "")]
        items += _place_items(problem)
        items.append(("gap", "", ""))
        items += [("problem", text, "") for text in str(problem["message"]).splitlines()]
        client = self.program.client
        printed = client.last_printed() if client else []
        if printed:
            items += [("gap", "", ""), ("quiet", "It printed, at the end:", "")]
            items += [("quiet", f"  {line}", "") for line in printed[-8:]]
        return items


def _place_items(place: dict[str, Any]) -> list[Item]:
    """A place in the user's code, with its line."""
    items: list[Item] = []
    if place.get("filename"):
        line = f", line {place['line']}" if place.get("line") else ""
        function = f", in {place['function']}" if place.get("function") else ""
        items.append(("line", f"{place['filename']}{line}{function}", ""))
    if place.get("excerpt"):
        items.append(("strong", f"    {place['excerpt']}", ""))
    return items
