"""What the session needs to know of a backward pass, whichever engine computes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Parent:
    """A tensor that was an argument of a node's operation."""

    arg: int
    """The argument's position."""
    node: int
    """The tensor's id."""


@dataclass(frozen=True, eq=False, slots=True)
class Call:
    """One call of a module, or of a function that is made of several operations."""

    path: str
    """`output`, `block1.conv1`, `cross_entropy`; a second call of the same `linear (2)`."""
    module: str | None
    """The class of the module that was called; None where it was a function."""
    caller: Call | None
    """The call around it."""


@dataclass(frozen=True, slots=True)
class Node:
    """A tensor of the graph."""

    id: int
    """0, 1, 2 ... in the order of the backward pass; nodes that need no grad follow."""
    name: str | None
    """Under which the user knows it."""
    call: Call | None
    """The innermost module or composite function in which it was made."""
    op: str | None
    """The operation that made it; None for a leaf."""
    shape: tuple[int, ...]
    dtype: str
    leaf: bool
    requires_grad: bool
    parents: tuple[Parent, ...]
    line: int | None
    """The scenario's line that made it."""

    @property
    def path(self) -> str | None:
        """Where in the network it was made, as `output` or `cross_entropy`."""
        return self.call.path if self.call else None


@dataclass(frozen=True, slots=True)
class EdgeFacts:
    """A gradient's way from a node to one of its arguments; see `engine.Edge`."""

    arg: int
    parent: int
    backward: Callable[..., Any]
    contribution: Array
    raw: Array | None
    before: Array | None
    accumulated: Array
    waiting: int


@dataclass(frozen=True, slots=True)
class StepFacts:
    """One step of a backward pass; see `engine.Step`."""

    index: int
    node: int
    grad_out: Array
    edges: tuple[EdgeFacts, ...]
    stored_before: Array | None
    """The node's `.grad` before the step, None where there was none."""
    stored_after: Array | None
    """The node's `.grad` after it."""
    unhooked: Array | None = None
    """The gradient before the node's hooks have replaced it; None where none has."""


@dataclass(frozen=True, slots=True)
class Unreached:
    """A tensor of the user's that requires grad and is not below the root: it gets no gradient."""

    name: str
    shape: tuple[int, ...]
    leaf: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """What a training's graph was made from: a row of each for each example."""

    inputs: int
    """The id of the node that holds them."""
    labels: Array
    outputs: Array | None
    """What the model makes of them, where that is one array."""


DIRECT_WRITE = "was changed after the forward pass by a direct write into .array"
"""How `Graph.changed` tells what nobody has told it of."""


def users_of(nodes: Sequence[Node]) -> list[list[int]]:
    """For each node the nodes that use it, once for each argument, in the order of the steps."""
    users: list[list[int]] = [[] for _ in nodes]
    for node in nodes:
        for parent in node.parents:
            users[parent.node].append(node.id)
    return users


class Graph(Protocol):
    """A graph whose backward pass can be stepped forwards and backwards."""

    @property
    def nodes(self) -> Sequence[Node]:
        """All nodes by id."""

    @property
    def step_count(self) -> int:
        """How many of the nodes are steps: those with the ids below it."""

    @property
    def position(self) -> int:
        """How many steps have been taken."""

    @property
    def batch(self) -> Batch | None:
        """The batch that it was made from, None where that is not known."""

    def step(self) -> StepFacts:
        """Take the next step."""

    def step_back(self) -> StepFacts:
        """Take the last step back."""

    def taken(self, index: int) -> StepFacts:
        """A step that has been taken."""

    def value(self, node: int) -> Array:
        """The value of a node."""

    def grad(self, node: int) -> Array | None:
        """What has arrived at a node so far, None for nothing yet."""

    def stored_grad(self, node: int) -> Array | None:
        """The node's `.grad`."""

    def waiting(self, node: int) -> int:
        """How many contributions a node still waits for."""

    def arguments(self, node: int) -> tuple[Any, ...]:
        """What the node's operation was called with: arrays and numbers."""

    def forward(self, node: int) -> tuple[Callable[..., Any], Mapping[str, Any]]:
        """The function on arrays that made the node, and its keyword arguments; no leaf has one."""

    def backward(self, node: int) -> Mapping[int, Callable[..., Any] | None]:
        """The backward function of each argument that gets a gradient; None for a missing one."""

    def changed(self, node: int) -> str | None:
        """What was changed in place since the forward pass, of the node's value and of what its
        operation was called with, in words; None for nothing."""

    def trained_since(self) -> str | None:
        """Which optimiser's step has changed a leaf since the graph was made, with its line; None
        for none."""

    def upcoming(self, node: int) -> list[Callable[..., Any]]:
        """The backward functions that the node's step will call, in their order."""

    def why_no_grad(self, node: int) -> list[str]:
        """Why a node does not require grad, a sentence each."""

    def broken_outside(self, node: int) -> str | None:
        """Where the NaN or Inf in the value of a node starts that was computed outside the graph,
        in words; None where it is not known."""

    def unreached(self) -> list[Unreached]:
        """The user's tensors that require grad, but get none from this pass, leaves first."""

    def why_unreached(self, name: str) -> list[str]:
        """Why one of these is not below the root, a sentence each."""
