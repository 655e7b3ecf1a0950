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

    def __init__(self, scenario: str) -> None:
        super().__init__()
        self._scenario = scenario
        self._progress = ""

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
        return [
            *items,
            ("text", "The scenario is running its own code, in a process of its own.", ""),
        ]

    def show_progress(self, text: str) -> None:
        """Show what is being done, and how far it is."""
        self._progress = text
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
        if problem.get("filename"):
            line = f", line {problem['line']}" if problem.get("line") else ""
            items.append(("line", f"{problem['filename']}{line}", ""))
        if problem.get("excerpt"):
            items.append(("strong", f"    {problem['excerpt']}", ""))
        items.append(("gap", "", ""))
        items += [("problem", text, "") for text in str(problem["message"]).splitlines()]
        client = self.program.client
        if client and client.log:
            items += [("gap", "", ""), ("quiet", "It printed, at the end:", "")]
            items += [("quiet", f"  {line}", "") for line in list(client.log)[-8:]]
        return items
