"""The screen of stepping: the rail, the step explained, tensors, source."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

from rich.cells import cell_len, set_cell_size
from textual.app import ComposeResult
from textual.timer import Timer

from tui import actions
from tui.actions import Action
from tui.panes import Panes
from tui.screens import saving
from tui.screens.base import BaseScreen, bindings, set_height
from tui.session import breaking
from tui.widgets import styles
from tui.widgets.bare import Column, Row
from tui.widgets.items import Items
from tui.widgets.layout import Layout, lay_out, moved
from tui.widgets.lines import Line
from tui.widgets.rail import Rail, lanes_columns
from tui.widgets.source import Source
from tui.widgets.watches import Watches

View = dict[str, Any]

REST = 0.15
"""Seconds; a key that is held down repeats faster."""

PASS = ("done", "shown", "under_way", "next", "rows")
"""What in a view tells where the pass is, and of how many rows its rail has."""


class SteppingScreen(BaseScreen):
    """Shows a session's view; each key is a command to the session."""

    ACTIONS = actions.STEPPING
    CHANGES = ("train", "inspect")
    BINDINGS = bindings(actions.STEPPING)

    def __init__(self, view: View) -> None:
        super().__init__()
        self._rail = Rail(id="rail")
        self._source = Source(id="source")
        self._step = Items(id="step", classes="beside")
        self._tensors = Items(id="tensors", classes="beside")
        self._watched = Watches(id="watches", classes="beside")
        self._view = view
        self._layout: Layout | None = None
        self._moved_at = -REST
        """When the cursor was moved last."""
        self._resting: Timer | None = None
        """Runs while the cursor travels."""

    def compose_body(self) -> ComposeResult:
        """Rail and source at the left, step and tensors at the right."""
        with Row(id="panes"):
            with Column(id="left"):
                yield self._rail
                yield self._source
            with Column(id="right"):
                yield self._step
                yield self._tensors
                yield self._watched

    def on_mount(self) -> None:
        """Tell, once, why the panes are not as they were left."""
        if self.program.panes.problem:
            self.notice(self.program.panes.problem)
            self.program.panes.problem = ""

    def show_view(self, view: View) -> None:
        """Show where the session stands now.

        While the cursor travels, as it does under a key that is held down, the rail alone follows
        it; what else there is to see of a node comes once it rests.
        """
        moved = _is_elsewhere_only(self._view, view)
        travels = moved and time.monotonic() < self._moved_at + REST
        if moved:
            self._moved_at = time.monotonic()
        self._view = view
        self._stop_resting()
        if travels:
            self._resting = self.set_timer(REST, self._rest)
        self.draw()

    def _rest(self) -> None:
        self._stop_resting()
        self.draw()

    def _stop_resting(self) -> None:
        if self._resting is not None:
            self._resting.stop()
            self._resting = None

    def offers(self, action: Action) -> bool:
        """Only what can be trained offers that."""
        return action.name != "train" or bool(self._view["trains"])

    def header(self) -> tuple[str, str]:
        """Name and network; which pane is maximised, how many steps are done."""
        view, alone = self._view, self.program.panes.now.alone
        right = f"{view['done']} of {view['steps']} done"
        if alone is None:
            return f"{view['name']}  {view['about']}", right
        right = f"{alone} only (z)  {right}"
        name, room = view["name"], self.size.width - len(right) - 5
        if cell_len(name) > room:
            name = set_cell_size(name, max(1, room - 1)) + "…"
        return f"{name}  {view['about']}", right

    def upcoming(self) -> Line:
        """What the next step is."""
        return [(" Next  ", styles.SHOWN), (self._view["next"], styles.PLAIN)]

    def draw_body(self) -> None:
        """Lay out the panes for this size, tell the session, show its view."""
        if not self.is_shown:
            return
        layout = self._lay_out(self.program.panes.now)
        if layout is None:
            return
        if layout != self._layout:
            self._layout = layout
            self._arrange(layout)
            self._tell_size(layout)
            self.call_after_refresh(self._show_panes)
        else:
            self._show_panes()

    def _lay_out(self, panes: Panes) -> Layout | None:
        width, height = self.size
        return lay_out(width, height, self._view["rows"], self._view["watches"]["count"], panes)

    def _tell_size(self, layout: Layout) -> None:
        """Tell the session what there is room for; a pane that is not there keeps what it had."""
        size: dict[str, object] = {"source": layout.source_height > 0}
        if layout.rail_height:
            size["rows"] = layout.rail_height - 1
            size["lanes"] = lanes_columns(layout.left_width)
        if layout.right_width:
            size["width"] = layout.right_width - (3 if layout.beside else 1)
            size["height"] = layout.tensor_height or layout.step_height
            size["both"] = layout.tensor_height > 0
        self.program.send(do="size", **size)

    def _arrange(self, layout: Layout) -> None:
        self.query_one("#panes").styles.layout = "vertical" if layout.stacked else "horizontal"
        left, right = self.query_one("#left"), self.query_one("#right")
        left.styles.width, right.styles.width = layout.left_width, layout.right_width
        set_height(left, layout.rail_height + layout.source_height)
        set_height(right, layout.step_height + layout.tensor_height + layout.watch_height)
        set_height(self._rail, layout.rail_height)
        set_height(self._source, layout.source_height)
        set_height(self._step, layout.step_height)
        set_height(self._tensors, layout.tensor_height)
        set_height(self._watched, layout.watch_height)
        for pane in (self._step, self._tensors, self._watched):
            pane.set_class(layout.beside, "beside")

    def _show_panes(self) -> None:
        if not self.is_shown:
            return
        view = self._view
        if self._rail.display:
            self._rail.show_view(view)
        if self._resting is not None:
            return
        both = self._tensors.display
        if self._step.display:
            step = view["step"] if both or view["step"] is not None else view["tensors"]
            # What has just been told of a step under way stands at the end.
            self._step.show_items(step or [], to_the_end=view["under_way"])
        if both:
            self._tensors.show_items(view["tensors"] or [])
        if self._watched.display:
            self._watched.show_view(view["watches"])
        if self._source.display and view["source"] is not None:
            self._source.show_source(view["source"], view["called"])

    # Keys

    def action_next(self) -> None:
        """Take the next step."""
        self.program.send(do="next")

    def action_back(self) -> None:
        """Undo one press."""
        self.program.send(do="back")

    def action_into(self) -> None:
        """Go on by half an edge."""
        self.program.send(do="into")

    def action_continue(self) -> None:
        """Take all steps."""
        self.program.send(do="continue")

    def action_start(self) -> None:
        """Take all steps back."""
        self.program.send(do="start")

    def action_cursor_up(self) -> None:
        """The node above."""
        self.program.send(do="cursor", by=-1)

    def action_cursor_down(self) -> None:
        """The node below."""
        self.program.send(do="cursor", by=1)

    def action_page_up(self) -> None:
        """A page up."""
        self.program.send(do="cursor", by=-self._page_rows())

    def action_page_down(self) -> None:
        """A page down."""
        self.program.send(do="cursor", by=self._page_rows())

    def action_first(self) -> None:
        """The root."""
        self.program.send(do="point", node=0)

    def action_last(self) -> None:
        """The last node."""
        self.program.send(do="point", node=self._view["total"] - 1)

    def action_run_to_cursor(self) -> None:
        """Run until the node under the cursor is done."""
        self.program.send(do="run_to_cursor")

    def action_verify(self) -> None:
        """Compare the backward functions of the node under the cursor with central differences."""
        self.program.send(do="verify")

    def action_verify_all(self) -> None:
        """The same for all nodes."""
        self.program.send(do="verify_all")

    def action_why(self) -> None:
        """Why the node under the cursor has its value and its gradient."""
        self.program.send(do="why")

    def action_breakpoint(self) -> None:
        """Set a breakpoint under the cursor, or take it away."""
        self.program.send(do="breakpoint")

    def action_breakpoints(self) -> None:
        """List breakpoints, conditions and watches, or close that list."""
        if not self.shows_page(breaking.PAGE):
            self.program.send(do="breakpoints")
        else:
            self.close_page()

    def action_condition(self) -> None:
        """Let the user type where to stop."""
        self.prompt(
            "stop where",
            lambda text: self.program.send(do="change_breakpoints", text=text),
            hint="12, op matmul, nan, norm(grad_out) > 10 ...; B tells all",
        )

    def action_watch(self) -> None:
        """Watch the node under the cursor, or watch it no more."""
        self.program.send(do="watch")

    def action_inspect(self) -> None:
        """Open the tensors of the node under the cursor."""
        self.program.send(do="tensor.open")

    def action_fold(self) -> None:
        """Fold or unfold at the cursor."""
        self.program.send(do="fold")

    def action_fold_all(self) -> None:
        """Fold or unfold everything."""
        self.program.send(do="fold_all")

    def action_search(self) -> None:
        """Ask for a name or an operation."""
        self.prompt("/", lambda text: self.program.send(do="search", text=text))

    def action_go(self) -> None:
        """Ask where to go."""
        self.prompt(
            "Go to step, #node, name, start, end:" if self.size.width >= 60 else "Go to",
            lambda text: self.program.send(do="go", text=text),
        )

    def action_copy(self) -> None:
        """Copy the node under the cursor."""
        self.program.send(do="copy")

    def action_save(self) -> None:
        """Let the user type a file to save to."""
        saving.ask(self, saving.EVERYTHING)

    def action_maximise(self) -> None:
        """Maximise the next pane, or show all of them again."""
        panes = self.program.panes.now
        self._change(dataclasses.replace(panes, alone=panes.next_alone))

    def action_show_source(self) -> None:
        """Hide or show the source."""
        self._hide_or_show("source", "source_height")

    def action_show_tensors(self) -> None:
        """Hide or show the tensors beside the step."""
        self._hide_or_show("tensors", "tensor_height")

    def action_divider_left(self) -> None:
        """Make the left (or upper) side smaller."""
        self._move_divider(-1)

    def action_divider_right(self) -> None:
        """Make it larger."""
        self._move_divider(1)

    def _change(self, panes: Panes) -> None:
        problem = self.program.panes.change(panes)
        self.draw()
        if problem:
            self.notice(problem)

    def _hide_or_show(self, pane: str, height: str) -> None:
        """Hide a pane, or show it where there is room; what the size alone decides in the same
        way is left to it again."""
        panes = dataclasses.replace(self.program.panes.now, alone=None)
        now = self._lay_out(panes)
        if now is None:
            return
        is_wanted = not getattr(now, height)
        for wish in (None, is_wanted):
            changed = Panes(**{**vars(panes), pane: wish})
            if bool(getattr(self._lay_out(changed), height)) == is_wanted:
                self._change(changed)
                return
        self.notice(f"there is no room for the {pane} beside the others here; z shows it alone")

    def _move_divider(self, by: int) -> None:
        panes = self.program.panes.now
        if self._layout is None:
            return
        if panes.alone is not None:
            self.notice(f"there is no divider: only the {panes.alone} is shown; z shows the next")
            return
        columns = by if self._layout.stacked else 2 * by
        watched = self._view["watches"]["count"]
        changed = moved(*self.size, self._view["rows"], watched, panes, columns)
        if changed == panes:
            self.notice("the divider goes no further")
        self._change(changed)

    def action_train(self) -> None:
        """Open the training."""
        self.program.send(do="training.open")

    def action_leave(self) -> None:
        """Close a page (what was filling it ends), or put the cursor back on the step."""
        if self.close_page():
            self.program.send(do="stop")
        else:
            self.program.send(do="point", node=self._view["shown"] or 0)

    def on_rail_pointed(self, message: Rail.Pointed) -> None:
        """A node was clicked."""
        self.program.send(do="point", node=message.node)

    def on_rail_scrolled(self, message: Rail.Scrolled) -> None:
        """The wheel was turned."""
        self.program.send(do="cursor", by=message.by)

    def _page_rows(self) -> int:
        return max(1, len(self._view["rail"]) - 1)


def _is_elsewhere_only(before: View, now: View) -> bool:
    """Whether the cursor is on another node and the pass where it was."""
    return before["cursor"] != now["cursor"] and all(before[key] == now[key] for key in PASS)
