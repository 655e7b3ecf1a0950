"""The debugging session: where the backward pass stands, and how it is moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tui.session.breaking.breakpoints import Breakpoints
from tui.session.breaking.stop import Stop
from tui.session.checks.checked_pass import CheckedPass
from tui.session.explanation import Explainer, Item
from tui.session.introduction import introduction, unreached, warnings_of
from tui.session.labels import Labels
from tui.session.patience import Patience
from tui.session.protocol import Array, Graph, StepFacts, users_of
from tui.session.rail.finding import Finder
from tui.session.rail.folding import Folding
from tui.session.rail.rail import Rail
from tui.session.tensors.inspector import Inspector
from tui.session.tensors.slices import Index

Json = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """What is being debugged, for the screen's header, introduction and source pane."""

    name: str
    about: str
    """A few words on the network and its data."""
    title: str
    introduction: str
    filename: str
    source: list[str]
    """The scenario file's lines."""
    warnings: Sequence[str] = ()
    """What NumPy warned of while the scenario ran."""
    opening: Sequence[Item] = ()
    """What is shown before the first step in the place of title and introduction."""


@dataclass(frozen=True)
class Place:
    """Where the session stands."""

    position: int
    """How many steps have been taken."""
    revealed: int | None
    """How many half edges of the last one are shown; None for all of it."""
    cursor: int
    first_row: int
    """The first row of the rail that is seen."""
    folded: frozenset[str]
    """The calls that are folded."""


class Session:
    """Steps through a graph, forwards and backwards; `tui.session.view` shows it.

    Args:
        graph: whose backward pass is stepped.
        subject: what it belongs to.
        breakpoints: where a run stops and what is watched; they may come from another session.
    """

    def __init__(
        self, graph: Graph, subject: Subject, breakpoints: Breakpoints | None = None
    ) -> None:
        self.graph = graph
        self.subject = subject
        self.labels = Labels(graph)
        self.checked = CheckedPass(graph, self.labels)
        self.breakpoints = breakpoints or Breakpoints()
        self.breakpoints.attach(graph, self.labels)
        self.stopped: Stop | None = None
        """Why the last run has stopped, where it was not at the end."""
        self.cursor = 0
        self.revealed: int | None = None
        self.inspector: Inspector | None = None
        """Looks into a tensor, while the screen of one is open."""
        self.chosen: dict[int, Index] = {}
        """By node, the element that is worked through where something is brought there."""
        self.found_wrong: dict[int, dict[int, str]] = {}
        """By node and argument, what verifying has found wrong."""
        self._users = users_of(graph.nodes)
        self.folding = Folding(graph)
        self.finder = Finder(graph, self.labels)
        self.explainer = Explainer(graph, self.labels, self._users, self.chosen)
        self.rail = Rail(graph, self.folding, self._users)
        self._presses: list[Place] = []
        """Where each press of n or s that can be undone started."""
        self.messages: list[Json] = []
        """What was said, where nobody is there to deliver it at once."""
        self.deliver: Callable[[Json], None] = self.messages.append
        """Takes what is to be said to the screen."""
        self.is_interrupted: Callable[[], bool] = lambda: False
        """Whether the user has asked for something else meanwhile: what takes long then ends."""

    @cached_property
    def introduction(self) -> list[Item]:
        """What is shown before the first step: what is wrong already, then what it is about."""
        return [
            *warnings_of(self.graph, self.labels, self.subject.warnings),
            *(self.subject.opening or introduction(self.subject.title, self.subject.introduction)),
            *unreached(self.graph),
        ]

    # Saying

    def say(self, text: str) -> None:
        """Say something in a line, which is shown until the next key."""
        self.deliver({"type": "notice", "text": text})

    def show_page(self, title: str, items: Sequence[Item], update: bool = False) -> None:
        """Show a page of items over the screen's body.

        Args:
            title: the page's heading.
            items: what it shows, see `tui.session.explanation`.
            update: whether it is shown only where a page of that title is still open.
        """
        self.deliver({"type": "page", "title": title, "items": list(items), "update": update})

    def inspect(self) -> None:
        """Open the tensors of the node under the cursor."""
        self.inspector = Inspector(self.graph, self.labels, self.grad_shown, self.cursor)

    # Moving

    @property
    def done(self) -> int:
        """How many steps are done; one that is shown edge by edge is not."""
        return self.graph.position - (self.revealed is not None)

    def next(self) -> bool:
        """Take the next step (over a folded row: all of its steps), or show the rest of the one
        under way; False at the end."""
        return self._next(over_rows=True)

    def _next(self, over_rows: bool) -> bool:
        """See `next`; a run does not go over rows, it may stop within one."""
        if self.revealed is None and self.graph.position == self.graph.step_count:
            return False
        place = self._place()
        if self.revealed is not None:
            self.revealed = None
            self._pressed(place)
            return True
        position = self.graph.position
        try:
            self._move((self.folding.row_of(position).last if over_rows else position) + 1)
        finally:
            if self.graph.position > place.position:
                self._pressed(place)
        return True

    def run_on(self) -> bool:
        """Take the next step as part of a run; False where the run ends, since a breakpoint or a
        condition has stopped it (that is said) or there is no step left."""
        if not self._next(over_rows=False):
            return False
        self.stopped = self.breakpoints.stop()
        if self.stopped is not None:
            self.reveal_step()
            self.say(str(self.stopped))
        return self.stopped is None

    def into(self) -> bool:
        """Show the next half edge: its formula first, then its result; False at the end. A folded
        row is unfolded, down to the node that is next."""
        if self.revealed is None and self.graph.position == self.graph.step_count:
            return False
        place = self._place()
        if self.revealed is None:
            step = self.checked.step()
            self.folding.reveal(step.node)
            self.revealed = 1 if step.edges else None
        else:
            self.revealed += 1
        edges = self.graph.taken(self.graph.position - 1).edges
        if self.revealed is not None and self.revealed >= 2 * len(edges):
            self.revealed = None
        self._pressed(place)
        return True

    def back(self) -> bool:
        """Undo one press of n or s (after a jump: one step, or those of a folded row); False at
        the start."""
        if self._presses:
            place = self._presses.pop()
        elif self.graph.position:
            before = self.folding.row_of(self.graph.position - 1).first
            cursor = self.folding.row_of(max(0, before - 1)).first
            place = Place(before, None, cursor, self.rail.first, self.folding.folded)
        else:
            return False
        self._move(place.position)
        if place.folded is not self.folding.folded:
            self.folding.set(place.folded)
        self.revealed, self.cursor = place.revealed, place.cursor
        self.rail.first = place.first_row
        return True

    def go_to(self, position: int) -> None:
        """Take steps, or take them back, until `position` are done; where taking them lasts, a
        command that comes ends it."""
        self._presses.clear()
        self.revealed = None
        try:
            self._move(max(0, min(position, self.graph.step_count)), Patience(self))
        finally:  # where a step fails, those before it are done
            self._follow()

    def stop_at(self, stop: Stop) -> None:
        """Go to where a run would have stopped, and say why there."""
        self.go_to(stop.position)
        self.stopped = stop
        self.reveal_step()

    def start(self) -> None:
        """Back to the start of the same graph."""
        self.go_to(0)

    def run_to_cursor(self) -> bool:
        """Forwards or backwards until the row under the cursor is the last one done; False where
        it is no step."""
        if self.cursor >= self.graph.step_count:
            return False
        self.go_to(self.folding.row_of(self.cursor).last + 1)
        return True

    def point(self, node: int) -> None:
        """Move the cursor to the row of a node."""
        node = max(0, min(node, len(self.graph.nodes) - 1))
        self.cursor = self.folding.row_of(node).first

    def move_cursor(self, rows: int) -> None:
        """Move the cursor down (with a negative number up) by rows."""
        index = self.folding.index_of(self.cursor) + rows
        self.cursor = self.folding.row(max(0, min(index, len(self.folding) - 1))).first

    # Folding

    def fold(self) -> None:
        """Unfold the row under the cursor by one level; fold the innermost module or function
        around it where it is a node."""
        on_step = self.on_step
        if not self.folding.toggle(self.cursor):
            self.say(f"node {self.cursor} is in no module or function that can be folded")
        self.point(self.at if on_step else self.cursor)

    def fold_all(self) -> None:
        """Fold all modules and functions, or unfold them where all are folded."""
        on_step = self.on_step
        if not self.folding.toggle_all():
            self.say("there is no module or function to fold")
        self.point(self.at if on_step else self.cursor)

    def reveal(self, node: int) -> None:
        """Unfold whatever hides a node."""
        self.folding.reveal(node)
        self.point(self.cursor)

    def reveal_step(self) -> None:
        """Unfold a row that is done in part, so that the step shown is seen."""
        if self.shown is not None and self.folding.row_of(self.shown).last != self.shown:
            self.folding.reveal(self.shown)
            self._follow()

    @property
    def shown(self) -> int | None:
        """The node of the last step taken; None at the start."""
        return self.graph.position - 1 if self.graph.position else None

    @property
    def at(self) -> int:
        """The node of the step shown; the root at the start."""
        return self.shown or 0

    @property
    def on_step(self) -> bool:
        """Whether the cursor is on the row of the step shown."""
        return self.folding.row_of(self.at).first == self.cursor

    def _move(self, position: int, patience: Patience | None = None) -> None:
        """Take steps, or take them back."""
        while self.graph.position < position:
            self.checked.step()
            if patience is not None and patience.is_over():
                self.reveal_step()
                break
        while self.graph.position > position:
            self.graph.step_back()

    def _place(self) -> Place:
        return Place(
            self.graph.position,
            self.revealed,
            self.cursor,
            self.rail.first,
            self.folding.folded,
        )

    def _pressed(self, place: Place) -> None:
        """Keep where a press started, so that it can be undone, and show where it has led."""
        self._presses.append(place)
        self._follow()

    def _follow(self) -> None:
        self.point(self.at)

    # What is shown of the gradients

    def uses(self, node: int) -> int:
        """How many contributions a node gets in all."""
        return len(self._users[node])

    def last_step(self) -> StepFacts:
        """The last step taken, where there is one."""
        return self.graph.taken(self.graph.position - 1)

    def hidden_edges(self, node_id: int) -> int:
        """How many contributions to a node have come by edges that are not yet shown."""
        if self.revealed is None:
            return 0
        edges = self.last_step().edges[self.revealed // 2 :]
        return sum(edge.parent == node_id for edge in edges)

    @property
    def looked_at(self) -> int:
        """The node whose tensors are open, else the one under the cursor."""
        return self.cursor if self.inspector is None else self.inspector.node

    def state_of_grad(self, node_id: int) -> str:
        """What is shown of a node's gradient, in words."""
        waiting = self.graph.waiting(node_id) + self.hidden_edges(node_id)
        return f"gradient so far, {waiting} to come" if waiting else "gradient"

    def grad_shown(self, node_id: int) -> Array | None:
        """What has arrived at a node, as far as it is shown."""
        if self.revealed is not None:
            for edge in self.last_step().edges[self.revealed // 2 :]:
                if edge.parent == node_id:
                    return edge.before
        return self.graph.grad(node_id)
