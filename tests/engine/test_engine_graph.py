"""The order of the nodes."""

from __future__ import annotations

import pytest
from engine_reference import Program, examples, grad_of, leaf, programs
from hypothesis import given
from hypothesis import strategies as st

from engine import CycleError, Recipe, Tensor, sorted_computational_graph, topological_sort


class Node:
    """A node that is no Tensor; two are equal, so that only identity can tell them apart."""

    def __init__(self, *children: Node) -> None:
        self.children = list(children)

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def order_of(node: Node) -> list[Node]:
    return topological_sort(node, lambda n: n.children)


def ids(nodes: list[Node]) -> list[int]:
    return [id(node) for node in nodes]


def test_descendants_first_the_node_last() -> None:
    d = Node()
    c, b = Node(d), Node(d)
    a = Node(b, c)
    assert ids(order_of(a)) == ids([d, b, c, a])
    assert ids(order_of(d)) == ids([d])


@examples(60)
@given(st.lists(st.lists(st.integers(0, 30), max_size=4), min_size=1, max_size=12))
def test_every_node_once_and_after_its_children(edges: list[list[int]]) -> None:
    nodes: list[Node] = []
    for children in edges:
        nodes.append(Node(*(nodes[i % len(nodes)] for i in children if nodes)))
    order = ids(order_of(nodes[-1]))
    assert order[-1] == id(nodes[-1])
    assert len(set(order)) == len(order)
    for node in nodes:
        for child in node.children if id(node) in order else ():
            assert order.index(id(child)) < order.index(id(node))


@pytest.mark.parametrize("length", [1, 2, 5])
def test_a_cycle_is_said_to_be_one(length: int) -> None:
    nodes = [Node() for _ in range(length)]
    for node, after in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
        node.children.append(after)
    with pytest.raises(CycleError, match="cycle"):
        order_of(Node(nodes[0]))
    with pytest.raises(ValueError, match="cycle"):
        order_of(nodes[-1])


def test_a_cycle_of_tensors() -> None:
    a = leaf([1.0])
    b = a * 2
    c = b * 2
    recipe = b.recipe
    assert recipe is not None
    b.recipe = Recipe(recipe.func, recipe.args, {}, {0: c})
    for wrong in (b.backward, c.backward, lambda: sorted_computational_graph(c)):
        with pytest.raises(CycleError, match="cycle"):
            wrong()
    b.recipe = None


def test_sorted_computational_graph_has_the_root_first_and_every_input() -> None:
    a, b, constant = leaf([2.0]), leaf([3.0]), Tensor([1.0])
    c = a * b
    d = c + constant
    e = d * c
    order = sorted_computational_graph(e)
    assert [id(t) for t in order[:3]] == [id(e), id(d), id(constant)] or order[0] is e
    assert {id(t) for t in order} == {id(t) for t in (a, b, constant, c, d, e)}
    place = {id(t): i for i, t in enumerate(order)}
    assert place[id(e)] < place[id(d)] < place[id(c)] < place[id(a)]
    assert place[id(d)] < place[id(constant)]


@examples(40)
@given(programs(1, 30))
def test_every_node_of_a_graph_before_its_parents(program: Program) -> None:
    _, root = program.build()
    order = sorted_computational_graph(root)
    assert order[0] is root
    place = {id(t): i for i, t in enumerate(order)}
    assert len(place) == len(order)
    for node in order:
        recipe = node.recipe
        for parent in recipe.parents.values() if recipe else ():
            assert place[id(parent)] > place[id(node)]


def test_a_chain_of_100_000_nodes_needs_no_recursion() -> None:
    node = Node()
    for _ in range(100_000):
        node = Node(node)
    assert len(order_of(node)) == 100_001
    # Python takes long chains of objects apart one by one, too
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = y + 1.0
    assert len(sorted_computational_graph(y)) == 100_001
    y.backward()
    del y
    assert grad_of(x) == 1
