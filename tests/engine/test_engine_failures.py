"""A pass that fails or is interrupted: every gradient is as it was, and it can go on."""

from __future__ import annotations

import itertools
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import pytest
from engine_reference import (
    bits,
    grad_of,
    leaf,
    replaced,
    state_of,
    take_all,
)

import engine
from engine import (
    BackwardError,
    BackwardPass,
    Linear,
    ReLU,
    Sequential,
    Tensor,
    add_step_hook,
    backward_steps,
    cross_entropy,
    unbroadcast,
)
from engine.state import SWITCHES


class Wrong(Exception):
    """What the tests' hooks raise."""


class Fuse:
    """Blows at a given one of its calls."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error = error
        self.calls = self.blows_at = 0

    def __call__(self, *_: Any) -> None:
        self.calls += 1
        if self.calls == self.blows_at:
            raise self.error


def failing_graph(fuse: Fuse) -> tuple[list[Tensor], Tensor]:
    """Hooks on an inner node, a node that retains its gradient, the leaves and the root."""
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    a.grad = Tensor([5.0, 5.0])
    c = a * b
    c.retain_grad()
    loss = ((c + a).exp() * 0.001 + b).sum()
    for tensor in (a, b, c, loss):
        tensor.register_hook(fuse)
    return [a, b, c], loss


@pytest.mark.parametrize("error", [Wrong, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("way", ["backward", "run after a step", "step hook", "loop"])
def test_a_failure_at_any_point_leaves_every_grad_as_it_was(
    way: str, error: type[BaseException]
) -> None:
    fuse = Fuse(error)

    def exp_back(grad_out: Any, out: Any, x: Any) -> Any:
        fuse()
        return grad_out * out

    def go(loss: Tensor) -> None:
        if way == "backward":
            loss.backward()
        elif way == "run after a step":
            backward_pass = BackwardPass(loss)
            backward_pass.step()
            try:
                backward_pass.run()
            except BaseException:
                assert backward_pass.position == 1
                backward_pass.step_back()
                raise
        elif way == "step hook":
            with add_step_hook(fuse):
                loss.backward()
        else:
            for _ in backward_steps(loss):
                pass

    with replaced(np.exp, 0, exp_back):
        tensors, loss = failing_graph(fuse)
        go(loss)
        wanted = [bits(tensor.grad) for tensor in tensors]
        points = fuse.calls
        assert points >= 5
        for fuse.blows_at in range(1, points + 1):
            fuse.calls = 0
            tensors, loss = failing_graph(fuse)
            before = [id(tensor.grad) for tensor in tensors]
            with pytest.raises((error, BackwardError)):
                go(loss)
            assert [id(tensor.grad) for tensor in tensors] == before
            assert grad_of(tensors[0]).tolist() == [5, 5]
            go(loss)
            assert [bits(tensor.grad) for tensor in tensors] == wanted


class Interrupt:
    """While it is on, raises KeyboardInterrupt at the n-th line that a backward pass runs."""

    FILES = (engine.backward.__file__, engine.straight.__file__, engine.contributions.__file__)

    def __init__(self, line: int) -> None:
        self.left = line

    def __enter__(self) -> Interrupt:
        self.before = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self.before)

    def trace(self, frame: FrameType, event: str, arg: Any) -> Any:
        if frame.f_code.co_filename not in self.FILES:
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self.trace


def prepared(way: str) -> tuple[list[Tensor], Callable[[], Any]]:
    """Tensors whose gradients a call of the function completes."""
    if way == "training":
        network = Sequential(Linear(2, 3), ReLU(), Linear(3, 2))
        parameters = list(network.parameters())
        for n, parameter in enumerate(parameters):
            parameter.array[...] = np.linspace(0.5, 1, parameter.numel()).reshape(parameter.shape)
            parameter.grad = Tensor(np.ones(parameter.shape)) if n % 2 else None
        return parameters, cross_entropy(network(Tensor([[1.0, 2.0]])), Tensor([1])).backward
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    a.grad = Tensor([5.0, 5.0])
    c = a * b
    c.retain_grad()
    loss = ((c + a) * b).sum()
    backward_pass = BackwardPass(loss)
    if way == "run again":
        take_all(backward_pass)
        while backward_pass.position:
            backward_pass.step_back()
    ways = {
        "backward": loss.backward,
        "run": backward_pass.run,
        "run again": backward_pass.run,
        "loop": lambda: list(backward_steps(loss)),
    }
    return [a, b, c], ways[way]


@pytest.mark.parametrize("way", ["training", "backward", "run", "run again", "loop"])
def test_an_interrupt_at_any_line_leaves_all_or_nothing_done(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An interrupt may leave it too high, and then the quick ways are not taken any more.
    monkeypatch.setattr(SWITCHES, "turned", SWITCHES.turned)
    tensors, complete = prepared(way)
    complete()
    done = [bits(tensor.grad) for tensor in tensors]
    wrong = set()
    for line in itertools.count(1):
        tensors, complete = prepared(way)
        before = [bits(tensor.grad) for tensor in tensors]
        try:
            with Interrupt(line):
                complete()
        except KeyboardInterrupt as error:
            if [bits(tensor.grad) for tensor in tensors] not in (before, done):
                wrong.add(traceback.extract_tb(error.__traceback__)[-2].lineno)
        else:
            break
    assert line > 50
    assert wrong == set(), "lines of the engine"


@pytest.mark.parametrize("where", ["tensor hook", "step hook", "second edge"])
def test_a_step_that_failed_was_not_taken_and_can_be_tried_again(where: str) -> None:
    a, b = leaf([1.0, 2.0]), leaf([[3.0], [4.0]])
    broken = True

    def fail(*_: Any) -> None:
        if broken:
            raise Wrong

    def multiply_back1(grad_out: Any, out: Any, x: Any, y: Any) -> Any:
        fail()
        return unbroadcast(grad_out * x, y)

    with replaced(
        np.multiply, 1, multiply_back1 if where == "second edge" else engine.multiply_back1
    ):
        product = a * b
    product.retain_grad()
    product.register_hook(lambda grad: grad * 2)
    loss = product.sum() + a.sum()
    handle = product.register_hook(fail) if where == "tensor hook" else None
    backward_pass = BackwardPass(loss)
    while backward_pass.order[backward_pass.position] is not product:
        backward_pass.step()
    before, position = state_of(backward_pass), backward_pass.position
    hook = add_step_hook(fail) if where == "step hook" else None
    try:
        for _ in range(2):
            with pytest.raises((Wrong, BackwardError)):
                backward_pass.step()
            assert (state_of(backward_pass), backward_pass.position) == (before, position)
    finally:
        if hook is not None:
            hook.remove()
    broken = False
    if handle is not None:
        handle.remove()
    take_all(backward_pass)
    assert grad_of(product).tolist() == [[2, 2], [2, 2]]
    assert grad_of(a).tolist() == [15, 15]
    assert grad_of(b).tolist() == [[6], [6]]


def test_a_pass_whose_run_failed_can_be_run_again() -> None:
    a = leaf([1.0, 2.0])
    handle = a.register_hook(lambda grad: 1 / 0)
    backward_pass = BackwardPass((a * 3).sum())
    with pytest.raises(ZeroDivisionError):
        backward_pass.run()
    handle.remove()
    backward_pass.run()
    assert grad_of(a).tolist() == [3, 3]
