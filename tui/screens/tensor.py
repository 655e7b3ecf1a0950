"""The screen of a tensor: its numbers, a heat map or pictures, and its health."""

from __future__ import annotations

from typing import Any

from rich.style import Style
from textual import events
from textual.app import ComposeResult

from tui import actions
from tui.screens import saving
from tui.screens.base import BaseScreen, bindings
from tui.widgets import styles
from tui.widgets.lines import Line, Lines

View = dict[str, Any]

MARKS: dict[str, Style] = {
    "plain": styles.PLAIN,
    "strong": styles.BOLD,
    "quiet": styles.QUIET,
    "cursor": styles.CURSOR,
    "marked": styles.MARKED,
    "bad": styles.PROBLEM,
    "chosen": styles.SHOWN,
    "negative": styles.NEGATIVE,
    "positive": styles.POSITIVE,
    "bar": styles.BAR,
}
"""How what the session has marked is drawn, see `tui.session.tensors.text`."""


class TensorScreen(BaseScreen):
    """Shows a window of a tensor, which the session has laid out; each key is a command to it."""

    ACTIONS = actions.TENSOR
    CHANGES = ("leave",)
    BINDINGS = bindings(actions.TENSOR)

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view
        self._asked_for = (view["width"], view["height"])
        """The size for which the session was asked to lay out."""

    def compose_body(self) -> ComposeResult:
        """All of it."""
        yield _Window(id="tensor")

    def show_view(self, view: View) -> None:
        """Show what the session has laid out."""
        self._view = view
        self.draw()

    def header(self) -> tuple[str, str]:
        """Which node, which of its tensors; how many steps are done."""
        view = self._view
        return f"{view['label']}  {view['kind']}", f"{view['done']} of {view['steps']} done"

    def upcoming(self) -> Line:
        """What one can do here."""
        return [(" Next  ", styles.SHOWN), (self._view["hint"], styles.PLAIN)]

    def draw_body(self) -> None:
        """Show the rows; where the size has changed, ask for new ones."""
        if not self.is_shown:
            return
        window = self.query_one(_Window)
        size = window.size
        if size and size != self._asked_for:
            self._asked_for = (size.width, size.height)
            self.program.send(do="size", tensor_width=size.width, tensor_height=size.height)
        window.show([[(text, MARKS[mark]) for text, mark in row] for row in self._view["rows"]])

    # Keys

    def action_cursor_up(self) -> None:
        """The row above."""
        self.move(-1, 0)

    def action_cursor_down(self) -> None:
        """The row below."""
        self.move(1, 0)

    def action_cursor_left(self) -> None:
        """The column at the left."""
        self.move(0, -1)

    def action_cursor_right(self) -> None:
        """The column at the right."""
        self.move(0, 1)

    def action_page_up(self) -> None:
        """A page up."""
        self.program.send(do="tensor.page", by=-1)

    def action_page_down(self) -> None:
        """A page down."""
        self.program.send(do="tensor.page", by=1)

    def action_first(self) -> None:
        """The first element."""
        self.program.send(do="tensor.end", last=False)

    def action_last(self) -> None:
        """The last element."""
        self.program.send(do="tensor.end", last=True)

    def action_other(self) -> None:
        """The gradient instead of the value, or the other way round."""
        self.program.send(do="tensor.other")

    def action_slice(self) -> None:
        """Show a slice."""
        self._prompt_for(
            "tensor.slice", "slice, as 0, :, 3:7; nothing for all", self._view["slice"]
        )

    def action_element(self) -> None:
        """Go to an element."""
        self._prompt_for("tensor.element", "go to element, as 3, 17")

    def action_mark(self) -> None:
        """Mark a range of values."""
        self._prompt_for("tensor.mark", "mark values, as 0.1 to 0.5 or > 2; nothing for none")

    def action_bad(self) -> None:
        """Go to the next NaN or Inf."""
        self.program.send(do="tensor.bad")

    def action_largest(self) -> None:
        """Go to the largest element."""
        self.program.send(do="tensor.largest")

    def action_display(self) -> None:
        """Numbers, heat map or pictures."""
        self.program.send(do="tensor.display")

    def action_choose(self) -> None:
        """Have the steps work through this element."""
        self.program.send(do="tensor.choose")

    def action_next(self) -> None:
        """Take the next step."""
        self.program.send(do="next")

    def action_back(self) -> None:
        """Undo one press."""
        self.program.send(do="back")

    def action_into(self) -> None:
        """Go on by half an edge."""
        self.program.send(do="into")

    def action_copy(self) -> None:
        """Copy the node."""
        self.program.send(do="copy")

    def action_save(self) -> None:
        """Let the user type a file to save to."""
        saving.ask(self, saving.EVERYTHING)

    def action_leave(self) -> None:
        """Close a page, or go back to the steps."""
        if not self.close_page():
            self.program.send(do="tensor.close")

    def move(self, rows: int, columns: int) -> None:
        """Move the cursor."""
        self.program.send(do="tensor.move", rows=rows, columns=columns)

    def _prompt_for(self, command: str, label: str, initial: str = "") -> None:
        self.prompt(
            label,
            lambda text: self.program.send(do=command, text=text),
            initial,
            is_present=bool(initial),
        )


class _Window(Lines):
    """The body; the wheel moves the cursor."""

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._move(1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._move(-1)

    def _move(self, rows: int) -> None:
        if isinstance(self.screen, TensorScreen):
            self.screen.move(rows, 0)
