"""The records of a backward pass: a step for each node, an edge for each argument.

They are not frozen, although nobody changes them: that takes five times as long to make one.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.registry import Array, BackFunc
from engine.tensor import Tensor, bare_tensor
from engine.wrapping import Operation


@dataclass(eq=False, slots=True)
class Edge:
    """A gradient's way from a node to one of its arguments."""

    arg: int
    """The argument's position."""
    parent: Tensor
    """The tensor that was the argument."""
    backward: BackFunc
    """The backward function that was called."""
    contribution: Array
    """What it returned: the gradient that comes along this edge."""
    raw: Array | None
    """The contribution before it was unbroadcast, None where `unbroadcast` summed nothing."""
    before: Array | None
    """The parent's gradient before, None where nothing had arrived yet."""
    accumulated: Array
    """The parent's gradient with the contribution added."""
    waiting: int
    """How many contributions the parent still waits for."""


EdgeValues = tuple[int, Tensor, BackFunc | Operation, Array, Array | None, Array | None, Array, int]
"""What an `Edge` is made of, in its order; the operation where that knows its backward function."""


def edges_of(given: list[EdgeValues] | tuple[Edge, ...]) -> tuple[Edge, ...]:
    """The edges that are given, or made of these values."""
    return given if isinstance(given, tuple) else tuple(map(_edge, given))


def _edge(values: EdgeValues) -> Edge:
    arg, parent, back, contribution, raw, before, accumulated, waiting = values
    called = back.back_func(arg) if isinstance(back, Operation) else back
    assert called is not None
    return Edge(arg, parent, called, contribution, raw, before, accumulated, waiting)


class Step:
    """One node of a backward pass."""

    __slots__ = (
        "_edges",
        "_grad_after",
        "grad_before",
        "grad_out",
        "index",
        "node",
        "unhooked",
    )

    index: int
    """The step's place in the pass, from 0."""
    node: Tensor
    """The node whose gradient is handed on (or, for a leaf, stored)."""
    grad_out: Array
    """The gradient of the root with respect to the node, after its hooks."""
    unhooked: Array
    """The same before the node's hooks; the same array where there are none."""
    grad_before: Tensor | None
    """The node's `.grad` before the step."""
    # Hooks are shown many steps, and few of them ask for what takes time to make.
    _edges: list[EdgeValues] | tuple[Edge, ...]
    _grad_after: Array | Tensor | None

    @property
    def edges(self) -> tuple[Edge, ...]:
        """One for each argument that gets a gradient; none for a leaf."""
        self._edges = edges = edges_of(self._edges)
        return edges

    @property
    def grad_after(self) -> Tensor | None:
        """The node's `.grad` after it: a leaf's, or that of a node that retains it, has changed."""
        grad = self._grad_after
        if grad is not None and not isinstance(grad, Tensor):
            same = self.node._grad is grad
            self._grad_after = grad = self.node.grad if same else bare_tensor(grad)
        return grad

    def __repr__(self) -> str:
        names = "index", "node", "grad_out", "unhooked", "edges", "grad_before", "grad_after"
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"Step({shown})"
