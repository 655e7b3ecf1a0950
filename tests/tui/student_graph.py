"""A small engine of a student's own, seen through the session's protocol, with a mistake or none.

It knows sums and products of numbers and arrays, and nothing of the project's engine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tui.session.protocol import Array, EdgeFacts, Node, Parent, StepFacts, Unreached


def add_back(grad_out: Array, out: Array, x: Array, y: Array) -> Array:
    """grad_out"""
    return grad_out


def multiply_back0(grad_out: Array, out: Array, x: Array, y: Array) -> Array:
    """grad_out * y"""
    return np.asarray(grad_out * y)


def multiply_back1(grad_out: Array, out: Array, x: Array, y: Array) -> Array:
    """grad_out * x"""
    return np.asarray(grad_out * x)


BACKS: dict[str, tuple[Callable[..., Array], ...]] = {
    "add": (add_back, add_back),
    "multiply": (multiply_back0, multiply_back1),
}

FORWARD: dict[str, Callable[..., Any]] = {"add": np.add, "multiply": np.multiply}

Made = tuple[str, str, str] | tuple[str, Any]
"""(name, operation, argument, argument), or (name, value)."""


class StudentGraph:
    """A right backward pass. Those below override what they do wrong.

    Args:
        tensors: in the order of the pass, the root first: (name, value) of a leaf, or
            (name, operation, name, name).
        stored: what is in `.grad` before the pass, by name.
    """

    def __init__(self, tensors: Sequence[tuple[Any, ...]], **stored: Any) -> None:
        self._ids = {t[0]: i for i, t in enumerate(tensors)}
        self._values: dict[int, Array] = {}
        for i, (_, *made) in reversed(list(enumerate(tensors))):
            if len(made) == 1:
                self._values[i] = np.asarray(made[0], dtype=np.float64)
        while len(self._values) < len(tensors):
            for i, (_, *made) in enumerate(tensors):
                ids = [self._ids[name] for name in made[1:]]
                if i not in self._values and all(j in self._values for j in ids):
                    self._values[i] = np.asarray(FORWARD[made[0]](*(self._values[j] for j in ids)))
        self._nodes = [
            Node(
                i,
                name,
                None,
                made[0] if len(made) > 1 else None,
                self._values[i].shape,
                "float64",
                len(made) == 1,
                True,
                tuple(Parent(arg, self._ids[p]) for arg, p in enumerate(made[1:])),
                None,
            )
            for i, (name, *made) in enumerate(tensors)
        ]
        self.grads: dict[int, Array] = {0: np.ones(self._values[0].shape)}
        self.stored = {self._ids[name]: np.asarray(value) for name, value in stored.items()}
        self._steps: list[StepFacts] = []
        self._position = 0

    # What there is to do wrong

    def contribution(self, node: Node, parent: Parent, grad_out: Array) -> Array | None:
        """What goes along an edge; None where it is left out."""
        assert node.op is not None
        back = BACKS[node.op][parent.arg]
        return back(grad_out, self._values[node.id], *self.arguments(node.id))

    def accumulate(self, before: Array | None, contribution: Array) -> Array:
        """The parent's gradient with a contribution."""
        return contribution if before is None else np.asarray(before + contribution)

    def grad_out(self, node: int) -> Array:
        """What a node uses."""
        return self.grads.get(node, np.zeros(self._values[node].shape))

    def store(self, before: Array | None, grad: Array) -> Array | None:
        """A leaf's `.grad`."""
        return grad if before is None else np.asarray(before + grad)

    # The protocol

    @property
    def nodes(self) -> Sequence[Node]:
        return self._nodes

    @property
    def step_count(self) -> int:
        return len(self._nodes)

    @property
    def position(self) -> int:
        return self._position

    def step(self) -> StepFacts:
        if self._position == len(self._steps):
            self._steps.append(self._computed(self._nodes[self._position]))
        step = self._steps[self._position]
        for edge in step.edges:
            self.grads[edge.parent] = edge.accumulated
        self._store(step.node, step.stored_after)
        self._position += 1
        return step

    def step_back(self) -> StepFacts:
        self._position -= 1
        step = self._steps[self._position]
        for edge in reversed(step.edges):
            if edge.before is None:
                del self.grads[edge.parent]
            else:
                self.grads[edge.parent] = edge.before
        self._store(step.node, step.stored_before)
        return step

    def _store(self, node: int, grad: Array | None) -> None:
        if grad is None:
            self.stored.pop(node, None)
        else:
            self.stored[node] = grad

    def taken(self, index: int) -> StepFacts:
        return self._steps[index]

    def value(self, node: int) -> Array:
        return self._values[node]

    def grad(self, node: int) -> Array | None:
        return self.grads.get(node)

    def stored_grad(self, node: int) -> Array | None:
        return self.stored.get(node)

    def waiting(self, node: int) -> int:
        users = [n for n in self._nodes for p in n.parents if p.node == node]
        return sum(user.id >= self._position for user in users)

    def arguments(self, node: int) -> tuple[Any, ...]:
        return tuple(self._values[p.node] for p in self._nodes[node].parents)

    def upcoming(self, node: int) -> list[Callable[..., Any]]:
        op = self._nodes[node].op
        return list(BACKS[op]) if op else []

    def changed(self, node: int) -> str | None:
        return None

    def trained_since(self) -> str | None:
        return None

    def why_no_grad(self, node: int) -> list[str]:
        return []

    def broken_outside(self, node: int) -> str | None:
        return None

    def unreached(self) -> list[Unreached]:
        return []

    def why_unreached(self, name: str) -> list[str]:
        return []

    def _computed(self, node: Node) -> StepFacts:
        grad_out = self.grad_out(node.id)
        edges = []
        for parent in node.parents:
            contribution = self.contribution(node, parent, grad_out)
            if contribution is None:
                continue
            before = self.grads.get(parent.node)
            accumulated = self.grads[parent.node] = self.accumulate(before, contribution)
            assert node.op is not None
            back = BACKS[node.op][parent.arg]
            waiting = sum(
                p.node == parent.node for n in self._nodes[node.id + 1 :] for p in n.parents
            )
            edges.append(
                EdgeFacts(
                    parent.arg, parent.node, back, contribution, None, before, accumulated, waiting
                )
            )
        stored = self.stored.get(node.id)
        if node.leaf:
            after = self.store(stored, grad_out)
            if after is not None:
                self.stored[node.id] = after
        return StepFacts(node.id, node.id, grad_out, tuple(edges), stored, self.stored.get(node.id))


FIRST_GRAPH = (
    ("L", "add", "d", "e"),
    ("e", "add", "b", "c"),
    ("c", 3.0),
    ("d", "multiply", "a", "b"),
    ("b", 2.0),
    ("a", 6.0),
)
"""The graph of scenarios/first_graph.py in its right order."""

BREADTH_FIRST = (
    ("L", "add", "d", "s"),
    ("d", "multiply", "a", "b"),
    ("s", "add", "e", "c"),
    ("a", 6.0),
    ("b", 2.0),
    ("e", "add", "b", "a"),
    ("c", 3.0),
)
"""a and b are used before e, one level deeper, has contributed."""
