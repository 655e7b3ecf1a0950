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


class Labels:
    """Short and full labels of a graph's nodes, made when they are asked for."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._per_path = Counter(n.path for n in graph.nodes if n.path and n.op)
        self._unnamed_ops = Counter(
            n.op for n in graph.nodes if not n.name and not n.path and n.op and n.requires_grad
        )
        self._per_path_op = Counter((n.path, n.op) for n in graph.nodes)

    def short(self, node_id: int) -> str:
        """What others call the node: `d`, `output.add`, `relu2`, `linear1.weight.T`, `sum`."""
        node = self.graph.nodes[node_id]
        turned = ""
        while not node.name and self._is_transpose(node):
            node, turned = self.graph.nodes[node.parents[0].node], turned + ".T"
        return self._unturned(node) + turned

    def called(self, node_id: int) -> str:
        """What a sentence calls the node: as `short`, but `node 6`, as the rail counts, where that
        is no more than the operation, which the rail does not show by itself."""
        return self.short(node_id) if self.is_told_apart(node_id) else f"node {node_id}"

    def result(self, node_id: int) -> str:
        """What a formula calls the node's result: its name, or `out`."""
        name = self.called(node_id)
        return name if name.replace(".", "_").isidentifier() else "out"

    def is_told_apart(self, node_id: int) -> bool:
        """Whether a node's short label is more than an operation."""
        node = self.graph.nodes[node_id]
        while not node.name and self._is_transpose(node):
            node = self.graph.nodes[node.parents[0].node]
        return bool(node.name or node.path or node.op is None)

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
        if node.op is None or (not node.name and node.path) or self._is_transpose(node):
            return self.short(node_id)
        expression = self.expression(node_id)
        if node.name:
            return f"{node.name} = {expression}"
        return str(expression)

    def with_value(self, node_id: int) -> str:
        """The full label, and the value of a single number: `d = a * b = 12`."""
        value = self.graph.value(node_id)
        label = self.full(node_id)
        if value.ndim or self.graph.nodes[node_id].path:
            return label
        return f"{label} = {numbers.number(value[()])}"

    def brief(self, node_id: int) -> str:
        """Where there is no room for more: the name with the value of a single number, or just
        the operation."""
        node = self.graph.nodes[node_id]
        if node.name is None:
            short = self.short(node_id)
            return short.removeprefix(f"{node.path}.") if node.path else short
        value = self.graph.value(node_id)
        return node.name if value.ndim else f"{node.name} = {numbers.number(value[()])}"

    def _is_transpose(self, node: Node) -> bool:
        if node.op != "permute" or len(node.parents) != 1:
            return False
        arguments = self.graph.arguments(node.id)
        return len(arguments) == 2 and arguments[1] == (1, 0)


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
