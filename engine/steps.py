"""The records of a backward pass: a step for each node, an edge for each argument.

They are not frozen, although nobody changes them: that takes five times as long to make one.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.registry import Array, BackFunc
from engine.tensor import Tensor, bare_tensor


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


@dataclass(eq=False, slots=True)
class Step:
    """One node of a backward pass."""

    index: int
    """The step's place in the pass, from 0."""
    node: Tensor
    """The node whose gradient is handed on (or, for a leaf, stored)."""
    grad_out: Array
    """The gradient of the root with respect to the node, after its hooks."""
    unhooked: Array
    """The same before the node's hooks; the same array where there are none."""
    edges: tuple[Edge, ...]
    """One for each argument that gets a gradient; none for a leaf."""
    grad_before: Tensor | None
    """The node's `.grad` before the step."""
    _grad_after: Array | Tensor | None

    @property
    def grad_after(self) -> Tensor | None:
        """The node's `.grad` after it: a leaf's, or that of a node that retains it, has changed."""
        grad = self._grad_after
        if grad is not None and not isinstance(grad, Tensor):
            # Hooks are shown many steps, and few of them ask for this.
            same = self.node._grad is grad
            self._grad_after = grad = self.node.grad if same else bare_tensor(grad)
        return grad
