"""Steps of which each is checked when it is first taken."""

from __future__ import annotations

from tui.loading.warned import noted
from tui.session.checks.invariants import Invariants
from tui.session.checks.promised import broken_promises
from tui.session.checks.written import Given, Writers
from tui.session.facts import function_name
from tui.session.labels import Labels
from tui.session.protocol import Graph, StepFacts


class CheckedPass:
    """Takes the steps of a graph and remembers what was wrong with each.

    Args:
        graph: whose pass is at its start.
        labels: how its nodes are called.
    """

    def __init__(self, graph: Graph, labels: Labels) -> None:
        self.graph = graph
        self.labels = labels
        self._invariants = Invariants(graph, labels)
        self._writers = Writers(graph)
        self._checked = 0
        self._violations: dict[int, list[str]] = {}
        self._warnings: dict[int, list[str]] = {}

    @property
    def finished(self) -> bool:
        """Whether every step has been taken."""
        return self.graph.position == self.graph.step_count

    def step(self) -> StepFacts:
        """Take the next step.

        Raises:
            What the graph raises, with the node named before it.
        """
        graph = self.graph
        if graph.position < self._checked:
            return graph.step()
        node = graph.nodes[graph.position]
        changed = graph.changed(node.id)
        given = Given(graph, node.id)
        with noted(None if node.line is None else f"line {node.line}") as warned:
            try:
                step = graph.step()
            except Exception as error:
                if len(error.args) == 1:
                    error.args = (f"node {node.id}, {self.labels.full(node.id)}: {error}",)
                raise
        problems = self._invariants.violated(step)
        if changed is not None:
            changed = self._writers.told(node.id, changed)
            problems.insert(0, f"{self.labels.short(node.id)}: {changed}")
        if written := given.changes():
            self._writers.note(given)
            problems = [*written, *problems]  # the cause, then what comes of it
        else:
            problems += broken_promises(graph, step)
        if problems:
            self._violations[step.index] = problems
        if warned:
            names = ", ".join(dict.fromkeys(function_name(edge.backward) for edge in step.edges))
            self._warnings[step.index] = [f"{names}: NumPy warns of {text}" for text in warned]
        self._checked = graph.position
        return step

    def violations(self, index: int) -> list[str]:
        """What does not hold at a step that was taken, in words."""
        return self._violations.get(index, [])

    def problems(self, index: int) -> list[str]:
        """The same, and what NumPy warned of during the step."""
        return [*self.violations(index), *self._warnings.get(index, [])]
