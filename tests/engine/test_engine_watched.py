"""A backward pass that only step hooks watch: it takes the steps of one that is stepped, keeps none
of them, and shares nothing that a hook has kept."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from engine_reference import Program, bits, examples, leaf, programs
from hypothesis import given

import engine
from engine import BackwardPass, Step, Tensor, add_step_hook
from engine.registry import Array


def told(step: Step) -> tuple[Any, ...]:
    """All that a step says, with arrays as their bits."""
    grads = [None if t is None else bits(t.array) for t in (step.grad_before, step.grad_after)]
    edges = [
        (
            *(edge.arg, id(edge.parent), edge.backward, bits(edge.contribution), bits(edge.raw)),
            *(bits(edge.before), bits(edge.accumulated), edge.waiting),
        )
        for edge in step.edges
    ]
    return (step.index, id(step.node), bits(step.grad_out), bits(step.unhooked), edges, *grads)


def agree(leaves: list[Tensor], root: Tensor, end_grad: Any = None) -> None:
    """The steps that a hook sees, twice, are those that are taken one by one."""
    for t in leaves:
        t.grad = None
    backward_pass = BackwardPass(root, end_grad)
    taken = [told(backward_pass.step()) for _ in backward_pass.order]
    grads = [bits(t.grad.array if t.grad is not None else None) for t in leaves]
    backward_pass = BackwardPass(root, end_grad)
    taken += [told(backward_pass.step()) for _ in backward_pass.order]
    for t in leaves:
        t.grad = None
    seen: list[tuple[Any, ...]] = []
    with add_step_hook(lambda step: seen.append(told(step))):
        root.backward(end_grad)
        assert [bits(t.grad.array if t.grad is not None else None) for t in leaves] == grads
        root.backward(end_grad)
    assert seen == taken


@examples(150)
@given(programs(1, 30))
def test_a_hook_sees_the_steps_of_a_pass(program: Program) -> None:
    agree(*program.build(), program.end_grad)


def test_a_hook_sees_the_steps_of_a_network() -> None:
    rng = np.random.default_rng(0)
    shared = engine.Linear(4, 4)
    network = engine.Sequential(shared, engine.ReLU(), shared, engine.Tanh(), engine.Linear(4, 3))
    rows = Tensor(rng.random((5, 4), np.float32))
    hidden = network(rows)
    hidden.register_hook(lambda grad: grad * 2)
    hidden.retain_grad()
    loss = engine.cross_entropy(hidden, Tensor(np.arange(5) % 3))
    agree([*network.parameters(), hidden], loss)


def test_a_pass_that_is_only_watched_keeps_no_step() -> None:
    x = Tensor(np.ones(100_000, np.float32), requires_grad=True)
    y = x
    for _ in range(50):
        y = y * 1.5
    loss = y.sum()
    seen: list[int] = []
    with add_step_hook(lambda step: seen.append(step.index)):
        tracemalloc.start()
        try:
            loss.backward()
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert seen == list(range(52))
    assert most < 8 * x.array.nbytes


def network_and_loss() -> tuple[list[Tensor], Tensor]:
    network = engine.Sequential(engine.Linear(30, 20), engine.ReLU(), engine.Linear(20, 3))
    rows = Tensor(np.random.default_rng(0).random((5, 30), np.float32))
    return list(network.parameters()), engine.cross_entropy(network(rows), Tensor(np.arange(5) % 3))


def test_no_gradient_of_a_leaf_is_copied() -> None:
    parameters, loss = network_and_loss()
    seen: dict[int, int] = {}

    def look(step: Step) -> None:
        assert step.grad_after is step.node.grad
        seen[id(step.node)] = id(step.grad_out)

    with add_step_hook(look):
        loss.backward()
    for parameter in parameters:
        assert parameter.grad is not None
        assert id(parameter.grad.array) == seen[id(parameter)]


KEPT: dict[str, Callable[[Step], Any]] = {
    "the step": lambda step: step,
    "its gradient": lambda step: step.grad_out,
    "a view of it": lambda step: step.grad_out[...],
    "the edges": lambda step: step.edges,
    "contributions": lambda step: [edge.contribution for edge in step.edges],
    "the step, with what it says": lambda step: (step, step.grad_after),
    "after the gradient was looked at": lambda step: (step.node.grad, step)[1],
}


@pytest.mark.parametrize("what", KEPT)
@pytest.mark.parametrize("is_added_twice", [False, True])
def test_what_a_hook_keeps_stays_what_it_was(what: str, is_added_twice: bool) -> None:
    def arrays(kept: Any) -> list[Array]:
        if isinstance(kept, np.ndarray):
            return [kept]
        if isinstance(kept, Step):
            return [kept.grad_out, *arrays(kept.edges)]
        if kept is None or isinstance(kept, Tensor):
            return []  # the `.grad` itself
        if isinstance(kept, engine.Edge):
            return [kept.contribution, kept.accumulated]
        return [array for part in kept for array in arrays(part)]

    parameters, loss = network_and_loss()
    if is_added_twice:
        x = leaf(np.ones(3))
        loss, parameters = loss + (x + x * 2).sum(), [*parameters, x]
    kept: list[Any] = []
    with add_step_hook(lambda step: kept.append(KEPT[what](step))):
        loss.backward()
    before = [bits(array) for array in arrays(kept)]
    for parameter in parameters:
        assert parameter.grad is not None
        parameter.grad.array[...] = 7
    assert [bits(array) for array in arrays(kept)] == before
    for parameter in parameters:
        assert parameter.grad is not None
        assert (parameter.grad.array == 7).all()


def test_a_gradient_that_a_hook_gives_is_left_as_it_is() -> None:
    x, given_grad = leaf([1.0, 2.0]), Tensor(np.ones(2, np.float32))

    def give(step: Step) -> None:
        if step.node is x:
            x.grad = given_grad

    with add_step_hook(give):
        (x * 2).backward()
    assert x.grad is given_grad
