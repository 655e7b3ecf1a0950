"""How a gradient came to be what it is: backwards along the steps that brought it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tui.session import formulas, numbers
from tui.session.facts import function_name
from tui.session.labels import Labels
from tui.session.protocol import Array, EdgeFacts, Graph, StepFacts, users_of

MOST = 3
"""So many nodes are told of, where many have the same to tell."""


@dataclass(frozen=True, slots=True)
class Came:
    """A contribution, with the step that made it."""

    step: StepFacts
    edge: EdgeFacts


class Flow:
    """Follows the gradients of a graph back to where they came from."""

    def __init__(self, graph: Graph, labels: Labels) -> None:
        self.graph = graph
        self.labels = labels
        self._users = users_of(graph.nodes)

    def came(self, node: int) -> list[Came]:
        """What has come to a node so far, in the order in which it came."""
        users = dict.fromkeys(u for u in self._users[node] if u < self.graph.position)
        steps = (self.graph.taken(user) for user in users)
        return [Came(step, edge) for step in steps for edge in step.edges if edge.parent == node]

    def missing(self, node: int) -> list[int]:
        """The nodes whose steps are still to bring something."""
        position, steps = self.graph.position, self.graph.step_count
        return [u for u in dict.fromkeys(self._users[node]) if position <= u < steps]

    def between(self, node: int) -> list[int]:
        """The nodes on the ways from the root to a node, in the order of their steps."""
        found, waiting = {node}, [node]
        while waiting:
            for user in self._users[waiting.pop()]:
                if user not in found:
                    found.add(user)
                    waiting.append(user)
        return sorted(found - {node})

    def sum_of(self, node: int) -> str:
        """What has come to a node, by where it came from: `6 from d (node 3) + 1 from e (node
        1)`."""
        came = self.came(node)
        terms = [
            f"{numbers.in_words(c.edge.contribution)} from {self.node(c.step.node)}"
            for c in came[:MOST]
        ]
        more = [f"{len(came) - MOST} more"] if len(came) > MOST else []
        return " + ".join(terms + more)

    def hook_made(self, node: int, bad: Callable[[Array], object]) -> str | None:
        """Whether it was a node's hooks that made its gradient bad, in a sentence."""
        if node >= self.graph.position:
            return None
        step = self.graph.taken(node)
        if step.unhooked is None or bad(step.unhooked) or not bad(step.grad_out):
            return None
        name = self.labels.short(node)
        return (
            f"A hook of {name} made it {numbers.in_words(step.grad_out)}; before the hook it was "
            f"{numbers.in_words(step.unhooked)}."
        )

    def way(self, way: list[int]) -> str:
        """A sentence on the nodes from where it starts to the one that is asked about, which are
        given the other way round; nothing for a single one."""
        return f" The way: {self.labels.way(reversed(way))}." if len(way) > 1 else ""

    def formula(self, came: Came) -> str:
        """The backward function's formula with the names of the arguments put in."""
        step, edge = came.step, came.edge
        formula = formulas.formula_of(edge.backward)
        if formula is None or not formulas.is_expression(formula):
            return formula or f"{function_name(edge.backward)}(...)"
        names = formulas.parameter_names(edge.backward)
        labels = ["grad_out", self.labels.result(step.node), *self.labels.operands(step.node)]
        return formulas.put_in(formula, dict(zip(names, labels, strict=False)))

    def node(self, node: int) -> str:
        """A node's label with its number."""
        return f"{self.labels.short(node)} (node {node})"
