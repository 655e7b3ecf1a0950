"""The backward pass as an object: steps forwards and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from engine_reference import (
    Program,
    bits,
    examples,
    grad_of,
    leaf,
    programs,
    replaced,
    state_of,
    take_all,
)
from hypothesis import given
from hypothesis import strategies as st

from engine import (
    BACK_FUNCS,
    BackwardPass,
    Linear,
    Tensor,
    add_step_hook,
    backward_steps,
    unbroadcast,
)


def expected_contributions(backward_pass: BackwardPass) -> Counter[int]:
    """How many contributions each node gets, counted from the recipes."""
    count: Counter[int] = Counter()
    for node in backward_pass.order:
        recipe = node.recipe
        for parent in recipe.parents.values() if recipe else ():
            count[id(parent)] += parent.requires_grad
    return count


# What a step says


@examples(200)
@given(programs(1, 30))
def test_no_node_comes_before_all_its_contributions(program: Program) -> None:
    _, root = program.build()
    backward_pass = BackwardPass(root, program.end_grad)
    expected, arrived = expected_contributions(backward_pass), Counter[int]()
    assert backward_pass.order[0] is root
    wanted = [id(node) for node in backward_pass.nodes if node.requires_grad]
    assert [id(node) for node in backward_pass.order] == wanted
    for index, node in enumerate(backward_pass.order):
        assert arrived[id(node)] == expected[id(node)]
        assert backward_pass.waiting(node) == 0
        step = backward_pass.step()
        assert (step.index, backward_pass.position) == (index, index + 1)
        assert step.node is node
        for edge in step.edges:
            arrived[id(edge.parent)] += 1
            assert edge.waiting == expected[id(edge.parent)] - arrived[id(edge.parent)]
        for other in backward_pass.order:
            assert backward_pass.waiting(other) == expected[id(other)] - arrived[id(other)]
    assert backward_pass.finished
    with pytest.raises(StopIteration):
        backward_pass.step()


@examples(200)
@given(programs(1, 30))
def test_the_records_add_up(program: Program) -> None:
    leaves, root = program.build()
    backward_pass = BackwardPass(root, program.end_grad)
    sums: dict[int, Any] = {id(root): bits(program.end_grad.astype(np.float32))}
    for step in take_all(backward_pass):
        node, recipe = step.node, step.node.recipe
        assert bits(step.grad_out) == sums[id(node)]
        assert bits(backward_pass.grad(node)) == sums[id(node)]
        assert bits(step.unhooked) == bits(step.grad_out)
        wanting = [i for i, p in (recipe.parents if recipe else {}).items() if p.requires_grad]
        assert [edge.arg for edge in step.edges] == wanting
        for edge in step.edges:
            assert recipe is not None
            assert edge.parent is recipe.parents[edge.arg]
            assert edge.backward is BACK_FUNCS.get_back_func(recipe.func, edge.arg)
            assert bits(edge.before) == sums.get(id(edge.parent))
            total = edge.contribution if edge.before is None else edge.before + edge.contribution
            assert bits(edge.accumulated) == bits(total)
            sums[id(edge.parent)] = bits(edge.accumulated)
            own = edge.backward(step.grad_out, node.array, *recipe.args, **recipe.kwargs)
            assert bits(edge.contribution) == bits(own)
            assert edge.contribution.shape == edge.parent.shape
            if edge.raw is not None:
                assert edge.raw.shape != edge.contribution.shape
                assert bits(unbroadcast(edge.raw, edge.parent.array)) == bits(edge.contribution)
    for tensor in leaves:
        if tensor.grad is not None:
            assert bits(tensor.grad) == sums[id(tensor)]
    assert {id(s.node) for s in backward_pass.steps if s.grad_after is not s.grad_before} == {
        id(tensor) for tensor in leaves if tensor.grad is not None
    }


def test_the_edges_of_a_small_graph() -> None:
    row, column = leaf([1.0, 2.0, 3.0]), leaf([[10.0], [20.0]])
    product = row * column
    total = product.sum()
    loss = total + row.sum()
    steps = list(backward_steps(loss))
    by_node = {id(step.node): step for step in steps}
    assert [len(step.edges) for step in steps].count(0) == 2
    first, second = by_node[id(product)].edges
    assert (first.arg, first.backward.__name__) == (0, "multiply_back0")
    assert (second.arg, second.backward.__name__) == (1, "multiply_back1")
    assert first.raw is not None
    assert first.raw.tolist() == [[10, 10, 10], [20, 20, 20]]
    assert first.contribution.tolist() == [30, 30, 30]
    assert second.raw is not None
    assert second.raw.tolist() == [[1, 2, 3], [1, 2, 3]]
    assert second.contribution.tolist() == [[6], [6]]
    edges = [edge for step in steps for edge in step.edges if edge.parent is row]
    assert [edge.waiting for edge in edges] == [1, 0]
    assert edges[0].before is None
    assert edges[1].before is edges[0].accumulated
    assert edges[1].accumulated.tolist() == [31, 31, 31]
    assert [edge.raw for edge in by_node[id(loss)].edges] == [None, None]
    assert by_node[id(row)].edges == ()
    assert by_node[id(row)].grad_before is None
    assert by_node[id(row)].grad_after is row.grad


def test_raw_is_of_this_edge_only() -> None:
    """`unbroadcast` in the forward pass, or in another edge, leaves no trace."""
    x, y = leaf([[1.0, 2.0]]), leaf([3.0, 4.0])
    out = x + y
    unbroadcast(np.ones((5, 2)), np.ones(2))
    (step, *_) = list(backward_steps(out))
    assert step.edges[0].raw is None
    assert step.edges[1].raw is not None
    assert step.edges[1].raw.shape == (1, 2)


def test_raw_belongs_to_what_was_returned() -> None:
    """Where a backward function calls `unbroadcast` several times, that call counts."""

    def back0(grad_out: Any, out: Any, x: Any, y: Any) -> Any:
        returned = unbroadcast(grad_out * y, x)
        unbroadcast(grad_out * 100, x)
        return returned

    def back1(grad_out: Any, out: Any, x: Any, y: Any) -> Any:
        unbroadcast(grad_out * 100, y)
        return unbroadcast(grad_out * x, y)

    row, column = leaf([1.0, 2.0, 3.0]), leaf([[10.0], [20.0]])
    with replaced(np.multiply, 0, back0), replaced(np.multiply, 1, back1):
        product = row * column
    for edge in next(iter(backward_steps(product))).edges:
        assert edge.raw is not None
        assert bits(unbroadcast(edge.raw, edge.parent.array)) == bits(edge.contribution)


def test_upcoming_names_the_backward_functions_of_a_node() -> None:
    a, constant = leaf([2.0]), Tensor([3.0])
    backward_pass = BackwardPass(constant * a)
    names = [back.__name__ for back in backward_pass.upcoming(backward_pass.root)]
    assert names == ["multiply_back1"]
    assert backward_pass.upcoming(a) == []


# One implementation: stepping, run() and Tensor.backward()


@examples(150)
@given(programs(1, 30), st.integers(0, 30))
def test_stepping_running_and_backward_are_the_same_to_the_bit(
    program: Program, first: int
) -> None:
    def grads(way: Callable[[Tensor], Any]) -> list[Any]:
        leaves, root = program.build()
        leaves[0].grad = Tensor(np.full(leaves[0].shape, 0.1, np.float32))
        way(root)
        return [bits(tensor.grad) for tensor in leaves]

    def some_then_run(root: Tensor) -> None:
        backward_pass = BackwardPass(root, program.end_grad)
        for _ in range(min(first, len(backward_pass.order))):
            backward_pass.step()
        backward_pass.run()
        assert backward_pass.finished

    def with_a_step_hook(root: Tensor) -> None:
        with add_step_hook(lambda step: None):
            root.backward(program.end_grad)

    wanted = grads(lambda root: root.backward(program.end_grad))
    for way in (
        lambda root: take_all(BackwardPass(root, program.end_grad)),
        lambda root: list(backward_steps(root, program.end_grad)),
        lambda root: BackwardPass(root, program.end_grad).run(),
        lambda root: BackwardPass(root, program.end_grad).run(keep_steps=False),
        some_then_run,
        with_a_step_hook,
    ):
        assert grads(way) == wanted


def test_a_pass_that_was_run_can_be_looked_at_and_taken_back() -> None:
    a, b = leaf(2.0), leaf(5.0)
    product = a * b
    loss = product + a
    stepped = BackwardPass(loss)
    start = state_of(stepped)
    take_all(stepped)
    for tensor in (a, b):
        tensor.grad = None
    ran = BackwardPass(loss)
    assert ran.waiting(a) == 2
    ran.run()
    assert ran.position == 4
    assert len(ran.steps) == 4
    assert [bits(step.grad_out) for step in ran.steps] == [
        bits(step.grad_out) for step in stepped.steps
    ]
    assert ran.taken(3).node is ran.order[3]
    assert state_of(ran) == state_of(stepped)
    while ran.position:
        ran.step_back()
    assert state_of(ran) == start


def test_a_pass_that_kept_no_steps_says_so() -> None:
    x = leaf(2.0)
    backward_pass = BackwardPass(x * x)
    assert backward_pass.waiting(x) == 2
    backward_pass.run(keep_steps=False)
    assert grad_of(x) == 4
    assert backward_pass.finished
    assert backward_pass.waiting(x) == 0
    with pytest.raises(RuntimeError, match="keep"):
        backward_pass.step_back()
    with pytest.raises(StopIteration):
        backward_pass.step()


def test_taken_and_the_ends() -> None:
    backward_pass = BackwardPass(leaf(2.0) * 3)
    for wrong in (0, -1, 2):
        with pytest.raises(IndexError, match="has not been taken"):
            backward_pass.taken(wrong)
    with pytest.raises(StopIteration):
        backward_pass.step_back()
    step = backward_pass.step()
    assert backward_pass.taken(0) is step
    assert not backward_pass.finished
    assert backward_pass.step_back() is step
    with pytest.raises(IndexError):
        backward_pass.taken(0)


# Back and forth

MOVES = st.lists(st.integers(-12, 12), min_size=1, max_size=12)


@examples(150)
@given(programs(1, 25), MOVES, st.booleans())
def test_back_and_forth_restores_every_bit(
    program: Program, moves: list[int], hooked: bool
) -> None:
    leaves, root = program.build()
    leaves[0].grad = Tensor(np.full(leaves[0].shape, 0.1, np.float32))
    backward_pass = BackwardPass(root, program.end_grad)
    calls: Counter[int] = Counter()
    if hooked:
        for i, node in enumerate(backward_pass.order):

            def hook(grad: Tensor, i: int = i) -> Any:
                calls[i] += 1
                return [None, grad * 2, grad.array - 1][i % 3]

            node.register_hook(hook)
            if i % 2:
                node.retain_grad()
    states = {0: state_of(backward_pass)}
    count = len(backward_pass.order)
    for move in [*moves, -count, count, -count]:
        wanted = min(max(backward_pass.position + move, 0), count)
        while backward_pass.position != wanted:
            if move > 0:
                backward_pass.step()
            else:
                backward_pass.step_back()
            state = state_of(backward_pass)
            assert states.setdefault(backward_pass.position, state) == state
    assert backward_pass.position == 0
    assert set(calls.values()) <= {1}
    take_all(backward_pass)
    ending = [bits(tensor.grad) for tensor in leaves]
    again, root = program.build()
    if not hooked:
        again[0].grad = Tensor(np.full(leaves[0].shape, 0.1, np.float32))
        root.backward(program.end_grad)
        assert [bits(tensor.grad) for tensor in again] == ending


def test_forth_again_gives_the_same_steps() -> None:
    x = leaf([1.0, 2.0])
    calls = []
    with replaced(np.exp, 0, lambda grad_out, out, x: calls.append(1) or grad_out * out):
        backward_pass = BackwardPass(x.exp().sum())
        first = list(take_all(backward_pass))
        grad = x.grad
        while backward_pass.position:
            backward_pass.step_back()
        assert x.grad is None
        backward_pass.run()
    assert [id(step) for step in backward_pass.steps] == [id(step) for step in first]
    assert x.grad is grad
    assert calls == [1]


def test_edges_that_are_asked_for_late_are_those_of_the_step() -> None:
    layer = Linear(3, 2)
    out = layer(leaf([[1.0, 2.0, 3.0]]))
    step = BackwardPass(out, [[1.0, 1.0]]).step()
    out.relu_()  # made by another operation from now on
    assert [edge.backward.__name__ for edge in step.edges] == [
        *("linear_back0", "linear_back1", "linear_back2")
    ]
    assert [edge.parent for edge in step.edges][1:] == [layer.weight, layer.bias]
    assert step.edges is step.edges


def test_a_step_says_what_it_holds() -> None:
    x = leaf([1.0, 2.0])
    first, second = list(backward_steps(x.sum()))
    assert repr(first).startswith("Step(index=0, node=Tensor(array(3.")
    assert "edges=(Edge(arg=0, parent=Tensor(array([1., 2.]" in repr(first)
    assert "edges=()" in repr(second)
    assert repr(second).endswith("grad_after=Tensor(array([1., 1.], dtype=float32)))")


# backward_steps


def test_a_loop_that_is_left_early_leaves_the_grads_as_they_were() -> None:
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    loss = (x * y + x).sum() + y.sum()
    x.grad = before = Tensor([7.0, 7.0])
    count = len(BackwardPass(loss).order)
    for stop in range(1, count):
        for index, _ in enumerate(backward_steps(loss), 1):
            if index == stop:
                break
        assert x.grad is before
        assert y.grad is None

    def fail_before_the_last() -> None:
        for step in backward_steps(loss):
            if step.index == count - 2:
                assert step.node.grad is not before
                raise KeyError

    with pytest.raises(KeyError):
        fail_before_the_last()
    assert x.grad is before
    assert y.grad is None
    assert len(list(backward_steps(loss))) == count
    assert grad_of(x).tolist() == [11, 12]
