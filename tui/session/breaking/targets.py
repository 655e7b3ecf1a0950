"""What a breakpoint stops before, and what is watched: a node, an operation's nodes, a name's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.session.protocol import Node


@dataclass(frozen=True, slots=True)
class OneNode:
    """A node, by what stays the same of it when the file is read afresh or a training goes on to
    its next batch."""

    name: str | None
    path: str | None
    op: str | None
    nth: int
    """0 for the first of those that agree in the three others, in the order of the ids."""
    called: str = field(compare=False)
    """Its label when it was chosen, for where it is in the graph no more."""

    def __str__(self) -> str:
        return f"node {self.called}"


@dataclass(frozen=True, slots=True)
class Operation:
    """All nodes that an operation made; wildcards are possible."""

    pattern: str

    def __str__(self) -> str:
        return f"op {self.pattern}"


@dataclass(frozen=True, slots=True)
class Called:
    """All nodes that are called so on the screen; wildcards are possible."""

    pattern: str

    def __str__(self) -> str:
        return f"name {self.pattern}"


Target = OneNode | Operation | Called


def one_node(nodes: Sequence[Node], node: int, called: str) -> OneNode:
    """How a node is found again in another graph of the same program."""
    own = nodes[node]
    nth = sum(_agree(other, own) for other in nodes[:node])
    return OneNode(own.name, own.path, own.op, nth, called)


def find(nodes: Sequence[Node], wanted: OneNode) -> int | None:
    """The node that is meant; None where the graph has none such."""
    left = wanted.nth
    for node in nodes:
        if _agree(node, wanted):
            if not left:
                return node.id
            left -= 1
    return None


def _agree(a: Node | OneNode, b: Node | OneNode) -> bool:
    return a.name == b.name and a.path == b.path and a.op == b.op
