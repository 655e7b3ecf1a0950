"""Steps of which each is checked when it is first taken."""

from __future__ import annotations

from tui.session.facts import function_name
from tui.session.invariants import Invariants
from tui.session.labels import Labels
from tui.session.protocol import Graph, StepFacts
from tui.warned import noted


class CheckedPass:
    """Takes the steps of a graph and remembers what was wrong with each.

    Args:
        graph: whose pass is at its start.
        labels: how its nodes are called.
    """

    def __init__(self, graph: Graph, labels: Labels) -> None:
        self._graph = graph
        self._labels = labels
        self._invariants = Invariants(graph, labels)
        self._checked = 0
        self._problems: dict[int, list[str]] = {}

    def step(self) -> StepFacts:
        """Take the next step."""
        graph = self._graph
        if graph.position < self._checked:
            return graph.step()
        node = graph.nodes[graph.position]
        changed = graph.changed(node.id)
        with noted() as warned:
            step = graph.step()
        problems = self._invariants.violated(step)
        if changed is not None:
            problems.insert(0, f"{self._labels.short(node.id)}: {changed}")
        names = ", ".join(dict.fromkeys(function_name(edge.backward) for edge in step.edges))
        problems += [f"{names}: NumPy warns of {warning}" for warning in warned]
        if problems:
            self._problems[step.index] = problems
        self._checked = graph.position
        return step

    def problems(self, index: int) -> list[str]:
        """What was wrong with a step that was taken, in words."""
        return self._problems.get(index, [])
