"""What has to hold at every step of a backward pass, whoever computes it.

All sums are made anew here, from the contributions that the steps recorded. Floating-point numbers
may be added in any order, so a sum is allowed the error of the worst order: with k terms of machine
epsilon e it differs from the exact one by at most (k - 1) e times the sum of the terms' sizes
(N. Higham, Accuracy and Stability of Numerical Algorithms, section 4.2), element by element; a sum
of one term has to be that term. The bound is taken twice, since the sum here is rounded too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tui.session import numbers
from tui.session.labels import Labels
from tui.session.protocol import Array, EdgeFacts, Graph, StepFacts, users_of


@dataclass(slots=True)
class _Sum:
    """Contributions added up: in float64, with the sum of their sizes."""

    count: int
    total: Array
    """With one term the term itself, as it came."""
    sizes: Array | None = None

    def add(self, term: Array) -> None:
        """Add one more."""
        with np.errstate(all="ignore"):
            if self.sizes is None:
                self.total = self.total.astype(np.float64)
                self.sizes = np.abs(self.total)
            self.total = self.total + term
            self.sizes = self.sizes + np.abs(term, dtype=np.float64)
        self.count += 1

    def differs(self, claimed: Array) -> tuple[int, ...] | None:
        """Where an array is not this sum, None where it is."""
        if claimed is self.total:
            return None
        with np.errstate(all="ignore"):
            right = (claimed == self.total) | (np.isnan(claimed) & np.isnan(self.total))
            if self.sizes is not None and not right.all():
                about = np.finfo(claimed.dtype if claimed.dtype.kind == "f" else np.float64)
                allowed = 2 * (self.count - 1) * float(about.eps) * self.sizes
                right |= np.abs(claimed - self.total) <= allowed
                # A sum on the way may be larger than the dtype holds, where the whole is not.
                right |= ~np.isfinite(claimed) & (self.sizes + allowed > float(about.max))
        if right.all():
            return None
        return tuple(int(i) for i in np.unravel_index(int(np.argmin(right)), right.shape))


class Invariants:
    """Checks the steps of one graph, each once, when it is first taken.

    Args:
        graph: whose pass is at its start.
        labels: how its nodes are called.
    """

    def __init__(self, graph: Graph, labels: Labels) -> None:
        self._graph = graph
        self._name = labels.short
        nodes = graph.nodes[: graph.step_count]
        self._users = users_of(graph.nodes)
        self._sums: dict[int, _Sum] = {}
        self._unknown: set[int] = set()
        """Nodes to which something came that cannot be added up."""
        self._told: set[int] = set()
        """Nodes with a wrong sum: it is told where it happened and where it is used."""
        self._came: set[int] = set()
        self._stored = {
            node.id: grad.copy()
            for node in nodes
            if node.leaf and (grad := graph.stored_grad(node.id)) is not None
        }
        """What was in the leaves' `.grad` before the pass."""

    def violated(self, step: StepFacts) -> list[str]:
        """What does not hold at a step that has just been taken for the first time, in words.

        Steps have to come in their order, each once.
        """
        return [
            *self._too_early(step),
            *self._grad_out(step),
            *self._stored_grad(step),
            *self._edges(step),
        ]

    def _too_early(self, step: StepFacts) -> list[str]:
        users = self._users[step.node]
        if not users or users[-1] < step.node:
            return []
        late = [u for u in dict.fromkeys(users) if u > step.node]
        have = "has" if len(late) == 1 else "have"
        name = self._name(step.node)
        who = ", ".join(f"{self._name(u)} (node {u})" for u in late)
        return [
            f"{name} is used before all its contributions have come: {who} {have} not contributed "
            "yet. A node's step comes after the steps of all nodes that use it."
        ]

    def _grad_out(self, step: StepFacts) -> list[str]:
        came = step.grad_out if step.unhooked is None else step.unhooked
        shape = self._graph.nodes[step.node].shape
        known = self._sums.pop(step.node, None)
        if came.shape != shape or step.grad_out.shape != shape:
            if came.shape != shape:
                return [f"grad_out has {self._shapes(came, step.node)}."]
            return [f"grad_out after its hooks has {self._shapes(step.grad_out, step.node)}."]
        users = self._users[step.node]
        if known is None or step.node in self._unknown:
            if users and step.node not in self._came:
                return [f"grad_out of {self._name(step.node)} is used, but nothing has come to it."]
            return []
        at = known.differs(came)
        if at is None:
            return []
        early = [user for user in dict.fromkeys(users) if user < step.node]
        who = ", ".join(f"{self._name(u)} (node {u})" for u in early)
        return [
            f"grad_out of {self._name(step.node)} is not the sum of what came from {who}: "
            f"{self._numbers(came, known.total, at)}."
        ]

    def _stored_grad(self, step: StepFacts) -> list[str]:
        came, after = step.grad_out, step.stored_after
        if self._graph.nodes[step.node].leaf:
            before = self._stored.get(step.node)
        elif after is step.stored_before:
            return []
        else:
            before = step.stored_before
        name = self._name(step.node)
        if after is None:
            return [f"{name}.grad is still None: its gradient was not stored."]
        if after.shape != came.shape:
            return [f"{name}.grad has {self._shapes(after, step.node)}."]
        whole = _Sum(1, came if before is None else before)
        what = "what came"
        if before is not None:
            whole.add(came)
            what = "what was there before the pass plus what came"
        at = whole.differs(after)
        if at is None:
            return []
        overwritten = before is not None and _Sum(1, came).differs(after) is None
        how = ": it was overwritten, not added to" if overwritten else ""
        return [f"{name}.grad is not {what}{how}; {self._numbers(after, whole.total, at)}."]

    def _edges(self, step: StepFacts) -> list[str]:
        steps = self._graph.step_count
        wanted = [(p.arg, p.node) for p in self._graph.nodes[step.node].parents if p.node < steps]
        given = {(edge.arg, edge.parent) for edge in step.edges}
        problems = [
            f"nothing is contributed to {self._name(parent)}, argument {arg}, although it "
            "requires grad."
            for arg, parent in wanted
            if (arg, parent) not in given
        ]
        for edge in step.edges:
            problems += self._edge(step, edge)
        return problems

    def _edge(self, step: StepFacts, edge: EdgeFacts) -> list[str]:
        parent = edge.parent
        self._came.add(parent)
        shape = self._graph.nodes[parent].shape
        if edge.contribution.shape != shape:
            self._unknown.add(parent)
            return [
                f"the contribution to {self._name(parent)}, argument {edge.arg}, has "
                f"{self._shapes(edge.contribution, parent)}."
            ]
        if parent <= step.node:
            name = self._name(parent)
            return [
                f"the contribution to {name}, argument {edge.arg}, is lost: {name} (node {parent}) "
                "has already been used."
            ]
        if parent in self._unknown:
            return []
        known = self._sums.get(parent)
        if known is None:
            known = self._sums[parent] = _Sum(1, edge.contribution)
        else:
            known.add(edge.contribution)
        if parent in self._told:
            return []
        if edge.accumulated.shape != shape:
            self._told.add(parent)
            return [f"{self._name(parent)} so far has {self._shapes(edge.accumulated, parent)}."]
        at = known.differs(edge.accumulated)
        if at is None:
            return []
        self._told.add(parent)
        last = _Sum(1, edge.contribution)
        overwritten = known.count > 1 and last.differs(edge.accumulated) is None
        how = ": it was overwritten, not added to" if overwritten else ""
        return [
            f"{self._name(parent)} so far is not the sum of what has come to it{how}; "
            f"{self._numbers(edge.accumulated, known.total, at)}."
        ]

    def _shapes(self, grad: Array, node: int) -> str:
        shape = numbers.shape(self._graph.nodes[node].shape)
        return f"shape {numbers.shape(grad.shape)}, but {self._name(node)} has shape {shape}"

    @staticmethod
    def _numbers(claimed: Array, right: Array, at: tuple[int, ...]) -> str:
        if numbers.is_inline(claimed):
            is_, should = numbers.inline(claimed), numbers.inline(right)
            if is_ != should:
                return f"it is {is_}, and should be {should}"
        place = f"at {numbers.place(at)} " if at else ""
        return f"{place}it is {claimed[at]:.9g}, and should be {float(right[at]):.9g}"
