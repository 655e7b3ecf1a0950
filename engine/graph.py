"""Putting a computational graph in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from engine.errors import CycleError

if TYPE_CHECKING:
    from engine.tensor import Tensor

N = TypeVar("N")


def topological_sort(node: N, get_children: Callable[[N], Iterable[N]]) -> list[N]:
    """All descendants of `node`, each after its own descendants, and `node` last.

    A depth-first search that keeps its own stack, so that depth is bounded by memory only.
    Children are visited in the order in which `get_children` gives them.

    Raises:
        CycleError: a node is its own descendant.
    """
    order: list[N] = []
    finished: set[int] = set()
    open_nodes: set[int] = {id(node)}
    # The children stay referenced while their ids stand in the sets: the stack holds the way to
    # the current node, `order` all that is finished.
    stack = [(node, iter(get_children(node)))]
    while stack:
        current, children = stack[-1]
        for child in children:
            key = id(child)
            if key in finished:
                continue
            if key in open_nodes:
                raise CycleError(f"the graph has a cycle: {_short(child)} is its own descendant")
            open_nodes.add(key)
            stack.append((child, iter(get_children(child))))
            break
        else:
            stack.pop()
            key = id(current)
            open_nodes.discard(key)
            finished.add(key)
            order.append(current)
    return order


def sorted_computational_graph(tensor: Tensor) -> list[Tensor]:
    """Every tensor that `tensor` was made from, `tensor` itself first, parents after the nodes
    that use them: the order of the backward pass, with the tensors that need no gradient."""
    order = topological_sort(tensor, lambda node: node.parents())
    order.reverse()
    return order


def _short(thing: object) -> str:
    text = repr(thing)
    return text if len(text) <= 60 else text[:57] + "..."
