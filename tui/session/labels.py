"""What a node is called on the screen: its name, its place in the network, or what it computes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from tui.session import numbers
from tui.session.protocol import Graph, Node

INFIX = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "true_divide": "/",
    "matmul": "@",
}

OPERANDS_AT_MOST = 12
"""So many of an operation's arguments are named in an expression."""

KEPT = 1024
"""The labels of so many nodes are kept: a screen asks for the same ones with every key."""

UNCHANGING = (int, float, str, bool, type(None))
"""What an argument may be whose text is the same whenever it is asked for; a tuple of such, too."""


class Labels:
    """Short and full labels of a graph's nodes, made when they are asked for."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._per_path = Counter(n.path for n in graph.nodes if n.path and n.op)
        self._unnamed_ops = Counter(
            n.op for n in graph.nodes if not n.name and not n.path and n.op and n.requires_grad
        )
        self._per_path_op = Counter((n.path, n.op) for n in graph.nodes)
        self._short: dict[int, tuple[str, bool]] = {}
        """By node its short label, and whether that is more than an operation."""
        self._full: dict[int, str] = {}
        """By node the full label, where no array is printed in it: that may be written into."""
        self._on_rail: dict[int, tuple[str, str]] = {}
        """By node what its row says, where no array at all is printed in it."""

    def short(self, node_id: int) -> str:
        """What others call the node: `d`, `output.add`, `relu2`, `linear1.weight.T`, `sum`."""
        return self._shortened(node_id)[0]

    def called(self, node_id: int) -> str:
        """What a sentence calls the node: as `short`, but `node 6`, as the rail counts, where that
        is no more than the operation, which the rail does not show by itself."""
        short, is_told_apart = self._shortened(node_id)
        return short if is_told_apart else f"node {node_id}"

    def result(self, node_id: int) -> str:
        """What a formula calls the node's result: its name, or `out`."""
        name = self.called(node_id)
        return name if name.replace(".", "_").isidentifier() else "out"

    def is_told_apart(self, node_id: int) -> bool:
        """Whether a node's short label is more than an operation."""
        return self._shortened(node_id)[1]

    def _shortened(self, node_id: int) -> tuple[str, bool]:
        known = self._short.get(node_id)
        if known is None:
            node, turned = self.graph.nodes[node_id], ""
            while not node.name and self._is_transpose(node):
                node, turned = self.graph.nodes[node.parents[0].node], turned + ".T"
            is_told_apart = bool(node.name or node.path or node.op is None)
            known = self._unturned(node) + turned, is_told_apart
            _keep(self._short, node_id, known)
        return known

    def _unturned(self, node: Node) -> str:
        if node.name:
            return node.name
        if node.path and node.op:
            if self._per_path[node.path] == 1:
                return node.path
            alone = self._per_path_op[node.path, node.op] == 1
            return f"{node.path}.{node.op}" + ("" if alone else f" {node.id}")
        if node.op:
            return node.op if self._unnamed_ops[node.op] <= 1 else f"{node.op} {node.id}"
        return f"leaf {node.id}" if node.requires_grad else f"constant {node.id}"

    def expression(self, node_id: int) -> str | None:
        """What the node computes, in its arguments' short labels: `a * b`; None for a leaf."""
        node = self.graph.nodes[node_id]
        if node.op is None:
            return None
        operands = self.operands(node_id, OPERANDS_AT_MOST)
        if node.op in INFIX and len(operands) == 2:
            return f"{operands[0]} {INFIX[node.op]} {operands[1]}"
        if node.op == "negative" and len(operands) == 1:
            return f"-{operands[0]}"
        if self._is_transpose(node):
            return f"{operands[0]}.T"
        if node.op == "getitem":
            return f"{operands[0]}[...]"
        return f"{node.op}({', '.join(operands)})"

    def operands(self, node_id: int, most: int | None = None) -> list[str]:
        """The arguments of the node's operation: short labels, and numbers as they are; `...`
        stands for those above `most`."""
        parents = {p.arg: p.node for p in self.graph.nodes[node_id].parents[:most]}
        arguments = self.graph.arguments(node_id)
        labels = [
            self.short(parents[i]) if i in parents else constant(value)
            for i, value in enumerate(arguments[:most])
        ]
        return labels if len(labels) == len(arguments) else [*labels, "..."]

    def way(self, nodes: Iterable[int]) -> str:
        """Nodes along which something went: `c → d → loss`, the middle of a long way left out."""
        names = [self.short(node) for node in nodes]
        if len(names) > 6:
            names = [*names[:2], f"{len(names) - 4} more", *names[-2:]]
        return " → ".join(names)

    def full(self, node_id: int) -> str:
        """Name and expression: `d = a * b`; inside a module just where it stands."""
        node = self.graph.nodes[node_id]
        if node.op is None or (not node.name and node.path):
            return self.short(node_id)
        known = self._full.get(node_id)
        if known is None:
            if self._is_transpose(node):
                known = self.short(node_id)
            else:
                expression = self.expression(node_id)
                known = f"{node.name} = {expression}" if node.name else str(expression)
            if self._is_unchanging(node):
                _keep(self._full, node_id, known)
        return known

    def on_rail(self, node_id: int) -> tuple[str, str]:
        """What the node's row says, and what it says where there is no room for that: see
        `with_value` and `brief`."""
        known = self._on_rail.get(node_id)
        if known is None:
            known = self.with_value(node_id), self.brief(node_id)
            node = self.graph.nodes[node_id]
            if node.shape and (node_id in self._full or known[0] == self.short(node_id)):
                _keep(self._on_rail, node_id, known)
        return known

    def with_value(self, node_id: int) -> str:
        """The full label, and the value of a single number: `d = a * b = 12`."""
        label = self.full(node_id)
        return label if self.graph.nodes[node_id].path else self._with_value(label, node_id)

    def brief(self, node_id: int) -> str:
        """Where there is no room for more: the name with the value of a single number, or just
        the operation."""
        node = self.graph.nodes[node_id]
        if node.name is None:
            short = self.short(node_id)
            return short.removeprefix(f"{node.path}.") if node.path else short
        return self._with_value(node.name, node_id)

    def _with_value(self, label: str, node_id: int) -> str:
        value = self.graph.value(node_id)
        return label if value.ndim else f"{label} = {numbers.number(value[()])}"

    def _is_unchanging(self, node: Node) -> bool:
        """Whether the node's arguments, as far as they are told, always have the same text."""
        parents = {parent.arg for parent in node.parents}
        return all(
            arg in parents or is_unchanging(value)
            for arg, value in enumerate(self.graph.arguments(node.id)[:OPERANDS_AT_MOST])
        )

    def _is_transpose(self, node: Node) -> bool:
        if node.op != "permute" or len(node.parents) != 1:
            return False
        arguments = self.graph.arguments(node.id)
        return len(arguments) == 2 and arguments[1] == (1, 0)


def _keep(kept: dict[int, Any], node_id: int, label: Any) -> None:
    if len(kept) >= KEPT:
        kept.clear()
    kept[node_id] = label


def is_unchanging(value: Any) -> bool:
    """Whether an argument that is no Tensor always has the same text."""
    if isinstance(value, tuple):
        return all(map(is_unchanging, value))
    return type(value) in UNCHANGING or isinstance(value, np.number)


def constant(value: Any) -> str:
    """An argument that is no Tensor."""
    if isinstance(value, np.ndarray):
        if numbers.is_inline(value):
            return numbers.inline(value)
        return f"array {numbers.shape(value.shape)}"
    if isinstance(value, (int, float, np.generic)):
        return numbers.number(value)
    if isinstance(value, tuple):
        return "(" + ", ".join(constant(v) for v in value) + ("," * (len(value) == 1)) + ")"
    text = str(value)
    return text if len(text) <= 20 else text[:17] + "..."
