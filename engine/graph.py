"""Putting a computational graph in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from engine.errors import CycleError
from engine.inplace import check_unchanged
from engine.tensor import RECIPES, Replica, Tensor

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
                raise CycleError(_cycle(child))
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


def backward_order(root: Tensor, waiting: dict[Tensor, int] | None = None) -> list[Tensor]:
    """The tensors below `root` that require grad, in the order of the backward pass.

    The order of `sorted_computational_graph` without those that need no gradient. Every backward
    pass starts with it, so it goes through the graph with as little ado as it can: cycles are
    looked for only where recipes were set by hand, for nothing else can make one.

    Args:
        root: where the pass starts.
        waiting: where it is given, it gets how many contributions each of the others waits for.

    Raises:
        BackwardError: a tensor was changed in place, and its values of before are needed.
        CycleError: the graph has a cycle.
    """
    if RECIPES.set_by_hand:
        topological_sort(root, _parents_as_they_were)
    order: list[Tensor] = []
    seen: set[Tensor] = set()
    way: list[Tensor] = []  # from the root down, each node made from the next
    # Where else to go: a node, and the one on the way that was made from it.
    turns: list[Tensor] = []
    node: Tensor | None = root
    while node is not None:
        seen.add(node)
        way.append(node)
        made_at, user, node = node._made_at, node, None
        if user._op is not None and user._op.take_apart is not None:
            user._op.take_apart(user)
        second = user._second_input
        inputs = user._kept_inputs if second is None else (user._kept_inputs, second)
        for parent in reversed(inputs):
            if isinstance(parent, Tensor) and parent._requires_grad:
                if parent._made_at > made_at:
                    parent = _as_it_was(parent, user)
                    if not parent._requires_grad:
                        continue
                if waiting is not None:
                    waiting[parent] = waiting.get(parent, 0) + 1
                if parent not in seen:
                    if node is not None:
                        turns.append(node)
                        turns.append(user)
                    node = parent
        while node is None and turns:
            user, other = turns.pop(), turns.pop()
            if other not in seen:
                while way[-1] is not user:
                    order.append(way.pop())
                if other._op is None:
                    seen.add(other)
                    order.append(other)
                else:
                    node = other
    way.reverse()
    order += way
    order.reverse()
    return order


def _as_it_was(parent: Tensor, user: Tensor) -> Tensor:
    """What `user` was made from, where that has become the result of a change in place afterwards;
    it takes the place of the argument.

    Raises:
        BackwardError: the backward functions of `user` need its values.
    """
    check_unchanged(user)
    before = parent
    while before._made_at > user._made_at:
        earlier = before._inputs[0] if before._inputs else None
        if not isinstance(earlier, Replica):
            return parent  # its recipe was set by hand
        before = earlier
    inputs = tuple(before if arg is parent else arg for arg in user._inputs)
    user.set_history(user._op, user._args, inputs)
    return before


def _parents_as_they_were(node: Tensor) -> list[Tensor]:
    for parent in node.parents():
        if parent._requires_grad and parent._made_at > node._made_at:
            _as_it_was(parent, node)
    return [parent for parent in node.parents() if parent._requires_grad]


def sorted_computational_graph(tensor: Tensor) -> list[Tensor]:
    """Every tensor that `tensor` was made from, `tensor` itself first, parents after the nodes
    that use them: the order of the backward pass, with the tensors that need no gradient."""
    order = topological_sort(tensor, lambda node: node.parents())
    order.reverse()
    return order


def _cycle(node: object) -> str:
    text = repr(node)
    shown = text if len(text) <= 60 else text[:57] + "..."
    return f"the graph has a cycle: {shown} is its own descendant"
