"""Hooks of tensors and of steps: when they are called, what they may return, how they go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from engine_reference import (
    grad_of,
    leaf,
)

from engine import (
    BackwardError,
    BackwardPass,
    Step,
    Tensor,
    add_step_hook,
    backward_steps,
)


def test_tensor_hooks_replace_the_gradient_in_their_order() -> None:
    a, b = leaf([2.0]), leaf([3.0])
    c = a * b
    seen: list[Any] = []
    c.register_hook(lambda grad: seen.append(grad.tolist()))
    c.register_hook(lambda grad: grad * 10)
    c.register_hook(lambda grad: grad.array + 1)
    c.register_hook(lambda grad: seen.append(grad.tolist()))
    a.register_hook(lambda grad: -grad)
    d = c * 5
    d.backward()
    assert seen == [[5], [51]]
    assert grad_of(a).tolist() == [-153]
    assert grad_of(b).tolist() == [102]
    assert c.grad is None
    step = {id(s.node): s for s in backward_steps(d)}[id(c)]
    assert (step.unhooked.tolist(), step.grad_out.tolist()) == ([5], [51])


def test_a_hook_is_called_once_with_the_whole_gradient() -> None:
    x = leaf(3.0)
    y = x * 2
    seen: list[float] = []
    y.register_hook(lambda grad: seen.append(grad.item()))
    (y * 5 + y + y * y).backward()
    assert seen == [5 + 1 + 2 * 6]


def test_retain_grad() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2
    z = y * y
    y.retain_grad()
    z.retain_grad()
    y.register_hook(lambda grad: grad * 3)
    z.backward()
    assert grad_of(z).tolist() == [1, 1]
    assert grad_of(y).tolist() == [12, 24]
    assert grad_of(x).tolist() == [24, 48]
    assert not np.shares_memory(grad_of(y), grad_of(x))
    z.backward()
    assert grad_of(y).tolist() == [24, 48]


def test_hooks_are_refused_where_they_make_no_sense() -> None:
    constant = Tensor([1.0])
    with pytest.raises(RuntimeError, match=r"register_hook.*does not require grad"):
        constant.register_hook(print)
    with pytest.raises(RuntimeError, match=r"retain_grad.*does not require grad"):
        constant.retain_grad()
    x = leaf([1.0, 2.0])
    with pytest.raises(TypeError, match="a hook is a function"):
        x.register_hook("print")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a hook is a function"):
        add_step_hook(None)  # type: ignore[arg-type]
    weights = x * 2
    weights.register_hook(lambda grad: Tensor(1.0))
    with pytest.raises(BackwardError, match=r"hook of weights \(2,\).*shape \(\).*\(2,\)"):
        weights.backward()


def test_step_hooks_see_every_pass_until_removed() -> None:
    x = leaf([1.0])
    loss = x * 2
    seen: list[tuple[int, str | None]] = []
    handle = add_step_hook(lambda step: seen.append((step.index, step.node.op)))
    loss.backward()
    list(backward_steps(loss))
    BackwardPass(loss).step()
    assert seen == [(0, "multiply"), (1, None)] * 2 + [(0, "multiply")]
    handle.remove()
    handle.remove()
    with add_step_hook(lambda step: seen.append((-1, None))):
        pass
    loss.backward()
    assert len(seen) == 5


def test_a_step_hook_sees_the_step_done() -> None:
    x = leaf([1.0])
    seen: list[Any] = []
    with add_step_hook(lambda step: seen.append(step.node.grad)):
        (x * 2).backward()
    assert seen[0] is None
    assert seen[1] is x.grad


def test_handles_can_be_removed_while_a_pass_runs() -> None:
    x = leaf([1.0])
    y = x * 2
    calls: list[str] = []

    def first(step: Step) -> None:
        calls.append("first")
        second_handle.remove()
        first_handle.remove()

    first_handle = add_step_hook(first)
    second_handle = add_step_hook(lambda step: calls.append("second"))
    tensor_handle = x.register_hook(lambda grad: calls.append("x"))

    def drop(grad: Tensor) -> None:
        calls.append("y")
        tensor_handle.remove()
        own.remove()

    own = y.register_hook(drop)
    y.backward()
    y.backward()
    assert calls == ["y", "first"]
    assert grad_of(x).tolist() == [4]
    once: list[int] = []
    again = y.register_hook(lambda grad: again.remove() or once.append(1))  # type: ignore[func-returns-value]
    y.register_hook(lambda grad: once.append(2))
    y.backward()
    y.backward()
    assert once == [1, 2, 2]
