"""The debugging session: where the backward pass stands, and what there is to see."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tui.session import numbers
from tui.session.breaking.breakpoints import Breakpoints
from tui.session.breaking.stop import Stop
from tui.session.checked_pass import CheckedPass
from tui.session.explanation import GAP, Explainer, Item
from tui.session.facts import function_name
from tui.session.formulas import source_of
from tui.session.inspection import inspect_node
from tui.session.introduction import introduction, unreached, warnings_of
from tui.session.labels import Labels
from tui.session.protocol import Array, Graph, StepFacts, users_of
from tui.session.rail import draw_lanes
from tui.session.tensors.inspector import Inspector
from tui.session.tensors.slices import Index

Json = dict[str, Any]

SOURCE_LINES = 40
"""How many lines of the scenario are sent, around the one that made the node."""


WATCHES = 8
"""So many watched gradients are shown at most."""


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


class Session:
    """Steps through a graph, forwards and backwards, and shows it.

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
        self.breakpoints = breakpoints or Breakpoints()
        self.breakpoints.attach(graph, self.labels)
        self.stopped: Stop | None = None
        """Why the last run has stopped, where it was not at the end."""
        self.cursor = 0
        self.revealed: int | None = None
        self.checked = CheckedPass(graph, self.labels)
        self.inspector: Inspector | None = None
        """Looks into a tensor, while the screen of one is open."""
        self.chosen: dict[int, Index] = {}
        """By node, the element that is worked through where something is brought there."""
        self._explainer = Explainer(graph, self.labels, self.chosen)
        self._lanes = draw_lanes(graph)
        self._uses = [len(users) for users in users_of(graph.nodes)]
        """How many contributions each node gets in all."""
        self._presses: list[Place] = []
        """Where each press of n or s that can be undone started."""
        self._first_row = 0
        self.messages: list[Json] = []
        """What was said, where nobody is there to deliver it at once."""
        self.deliver: Callable[[Json], None] = self.messages.append
        """Takes what is to be said to the screen."""
        self.is_interrupted: Callable[[], bool] = lambda: False
        """Whether the user has asked for something else meanwhile: what takes long then ends."""

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
        self.inspector = Inspector(self.graph, self.labels, self._grad_shown, self.cursor)

    def tensor_view(self, width: int, height: int) -> Json | None:
        """All that the screen of a tensor shows; None where it is not open."""
        if self.inspector is None:
            return None
        chosen = self.chosen.get(self.inspector.node)
        return {
            "name": self.subject.name,
            "done": self.done,
            "steps": self.graph.step_count,
            **self.inspector.view(width, height, chosen),
        }

    # Moving

    @property
    def done(self) -> int:
        """How many steps are done; one that is shown edge by edge is not."""
        return self.graph.position - (self.revealed is not None)

    def next(self) -> bool:
        """Take the next step, or show the rest of the one under way; False at the end."""
        if self.revealed is None and self.graph.position == self.graph.step_count:
            return False
        place = self._place()
        if self.revealed is not None:
            self.revealed = None
        else:
            self.checked.step()
        self._presses.append(place)
        self._follow()
        return True

    def run_on(self) -> bool:
        """Take the next step as part of a run; False where the run ends, since a breakpoint or a
        condition has stopped it (that is said) or there is no step left."""
        if not self.next():
            return False
        self.stopped = self.breakpoints.stop()
        if self.stopped is not None:
            self.say(str(self.stopped))
        return self.stopped is None

    def into(self) -> bool:
        """Show the next half edge: its formula first, then its result; False at the end."""
        if self.revealed is None and self.graph.position == self.graph.step_count:
            return False
        place = self._place()
        if self.revealed is None:
            step = self.checked.step()
            self.revealed = 1 if step.edges else None
        else:
            self.revealed += 1
        edges = self.graph.taken(self.graph.position - 1).edges
        if self.revealed is not None and self.revealed >= 2 * len(edges):
            self.revealed = None
        self._presses.append(place)
        self._follow()
        return True

    def back(self) -> bool:
        """Undo one press of n or s (after a jump: one step); False at the start."""
        if self._presses:
            place = self._presses.pop()
        elif self.graph.position:
            before = self.graph.position - 1
            place = Place(before, None, max(0, before - 1), self._first_row)
        else:
            return False
        self._move(place.position)
        self.revealed, self.cursor = place.revealed, place.cursor
        self._first_row = place.first_row
        return True

    def go_to(self, position: int) -> None:
        """Take steps, or take them back, until `position` are done."""
        self._presses.clear()
        self.revealed = None
        try:
            self._move(max(0, min(position, self.graph.step_count)))
        finally:  # where a step fails, those before it are done
            self._follow()

    def start(self) -> None:
        """Back to the start of the same graph."""
        self.go_to(0)

    def run_to_cursor(self) -> bool:
        """Forwards or backwards until the node under the cursor is the last one done; False
        where it is no step."""
        if self.cursor >= self.graph.step_count:
            return False
        self.go_to(self.cursor + 1)
        return True

    def point(self, node: int) -> None:
        """Move the cursor."""
        self.cursor = max(0, min(node, len(self.graph.nodes) - 1))

    @property
    def shown(self) -> int | None:
        """The node of the last step taken; None at the start."""
        return self.graph.position - 1 if self.graph.position else None

    def _move(self, position: int) -> None:
        while self.graph.position < position:
            self.checked.step()
        while self.graph.position > position:
            self.graph.step_back()

    def _place(self) -> Place:
        return Place(self.graph.position, self.revealed, self.cursor, self._first_row)

    def _follow(self) -> None:
        self.cursor = self.shown or 0

    # Showing

    def view(self, rows: int, width: int, height: int, both: bool) -> Json:
        """All that the stepping screen shows.

        Args:
            rows: how many rows the rail has.
            width: how many columns the pane beside it has.
            height: how many rows that pane has.
            both: whether it shows the tensors of the node under the cursor beside the step.
        """
        on_step = self.cursor == (self.shown or 0)
        return {
            "name": self.subject.name,
            "about": self.subject.about,
            "done": self.done,
            "steps": self.graph.step_count,
            "cursor": self.cursor,
            "shown": self.shown,
            "total": len(self.graph.nodes),
            "rail": self._rail(rows),
            "first": self._first_row,
            "step": self._step_items() if on_step or both else None,
            "tensors": self._tensor_items(width, height) if not on_step or both else None,
            "next": self._upcoming(),
            "source": self._source(),
            "called": self._called(),
            "watches": self._watches(),
        }

    def _upcoming(self) -> str:
        if self.revealed is None:
            return self._explainer.upcoming()
        step = self.graph.taken(self.graph.position - 1)
        edge = step.edges[self.revealed // 2]
        if self.revealed % 2:
            return f"s shows what {function_name(edge.backward)} gives; n finishes the step."
        parent = self.labels.short(edge.parent)
        return f"s goes to argument {edge.arg}, {parent}; n finishes the step."

    def _step_items(self) -> list[Item]:
        if self.graph.position == 0:
            return self._introduction
        step = self.graph.taken(self.graph.position - 1)
        items = self._explainer.step(step, self.revealed)
        stopped = self.stopped
        if stopped is not None and (stopped.position, None) == (step.index + 1, self.revealed):
            items[1:1] = [("strong", stopped.at_the_step, "")]
        return [*self._problems(step), *items]

    def _problems(self, step: StepFacts) -> list[Item]:
        """What was wrong with a step, above its explanation."""
        problems = self.checked.problems(step.index)
        return [("problem", f"! {problem}", "") for problem in problems] + [GAP] * bool(problems)

    @cached_property
    def _introduction(self) -> list[Item]:
        subject = self.subject
        return [
            *warnings_of(self.graph, self.labels, subject.warnings),
            *introduction(subject.title, subject.introduction),
            *unreached(self.graph),
        ]

    def _tensor_items(self, width: int, height: int) -> list[Item]:
        return inspect_node(
            self.graph, self.labels, self.cursor, self._grad_shown(self.cursor), width, height
        )

    def _rail(self, rows: int) -> list[Json]:
        total = len(self.graph.nodes)
        margin = min(2, max(0, (rows - 1) // 2))
        first = min(self._first_row, self.cursor - margin)
        first = max(first, self.cursor + margin - rows + 1)
        self._first_row = max(0, min(first, total - rows))
        return [self._row(i) for i in range(self._first_row, min(total, self._first_row + rows))]

    def _row(self, node_id: int) -> Json:
        node = self.graph.nodes[node_id]
        grad = self._grad_shown(node_id) if node.requires_grad else None
        state, note = self._state(node_id, grad)
        return {
            "id": node_id,
            "lanes": self._lanes[node_id] if node_id < self.graph.step_count else "",
            "state": state,
            "label": self.labels.with_value(node_id),
            "brief": self.labels.brief(node_id),
            "shape": numbers.shape(node.shape) if node.shape else "",
            "grad": "" if grad is None else numbers.measure(grad),
            "note": note,
            "mark": self.breakpoints.mark(node_id),
        }

    def _watches(self) -> Json:
        """The watched nodes, as many as are ever shown, and how many there are."""
        watched = self.breakpoints.watched()
        nodes = itertools.islice(watched, WATCHES)
        rows = [
            {**self._row(node), "label": self.labels.short(node), "mark": "watched"}
            for node in nodes
        ]
        return {"rows": rows, "count": len(watched)}

    def _state(self, node_id: int, grad: Array | None) -> tuple[str, str]:
        if not self.graph.nodes[node_id].requires_grad:
            return "rests", "no grad"
        if node_id == self.shown:
            return "shown", ""
        if node_id < self.graph.position:
            return "done", ""
        if grad is None:
            return "waits", ""
        waiting = self.graph.waiting(node_id) + self._hidden_edges(node_id)
        if not waiting:
            return "ready", ""
        all_edges = self._uses[node_id]
        return "waits", f"{all_edges - waiting} of {all_edges}"

    def _last_step(self) -> StepFacts:
        return self.graph.taken(self.graph.position - 1)

    def _hidden_edges(self, node_id: int) -> int:
        """How many contributions to a node have come by edges that are not yet shown."""
        if self.revealed is None:
            return 0
        edges = self._last_step().edges[self.revealed // 2 :]
        return sum(edge.parent == node_id for edge in edges)

    def _grad_shown(self, node_id: int) -> Array | None:
        """What has arrived at a node, as far as it is shown."""
        if self.revealed is not None:
            for edge in self._last_step().edges[self.revealed // 2 :]:
                if edge.parent == node_id:
                    return edge.before
        return self.graph.grad(node_id)

    def _source(self) -> Json:
        line = self.graph.nodes[self.cursor].line
        first = max(0, (line or 1) - 1 - SOURCE_LINES // 2)
        return {
            "filename": self.subject.filename,
            "line": line,
            "first": first + 1,
            "lines": self.subject.source[first : first + SOURCE_LINES],
        }

    def _called(self) -> Json | None:
        """The source of the backward function that was called last."""
        if self.graph.position == 0:
            return None
        step = self._last_step()
        edges = step.edges if self.revealed is None else step.edges[: (self.revealed + 1) // 2]
        if not edges:
            return None
        function = edges[-1].backward
        lines = source_of(function)
        if lines is None:
            return None
        own = (getattr(function, "__module__", "") or "").startswith("engine.")
        return {"owner": "engine" if own else "yours", "lines": lines}
