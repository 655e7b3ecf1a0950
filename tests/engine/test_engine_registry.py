"""What the registry knows of who registered what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import engine
from engine import BACK_FUNCS, Tensor, wrap_forward_fn
from engine.registry import inner_function


def back(grad_out: Any, out: Any, x: Any, *others: Any) -> Any:
    return grad_out


@pytest.fixture(autouse=True)
def as_after_the_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BACK_FUNCS, "_own", {})
    BACK_FUNCS.mark_as_own()


def test_nothing_is_added_by_the_engine_itself() -> None:
    assert BACK_FUNCS.added() == []


def test_what_others_add_is_known_also_where_it_replaces() -> None:
    half = wrap_forward_fn(lambda x: x / 2, name="half")
    BACK_FUNCS.add_back_func(half, 0, back)
    BACK_FUNCS.add_back_func(np.log, 0, back)
    assert BACK_FUNCS.added() == [(np.log, 0, back), (inner_function(half), 0, back)]


def test_the_engine_s_put_back_is_not_added() -> None:
    original = BACK_FUNCS.get_back_func(np.log, 0)
    BACK_FUNCS.add_back_func(np.log, 0, back)
    BACK_FUNCS.add_back_func(np.log, 0, original)
    assert BACK_FUNCS.added() == []
    assert BACK_FUNCS.replaced(np.log, 0) is None


def test_one_of_a_function_of_any_number_of_arguments_is_replaced() -> None:
    (first, second) = (Tensor([1.0], requires_grad=True) for _ in range(2))
    stacked = engine.stack([first, second])
    func = stacked.recipe.func  # type: ignore[union-attr]
    original = BACK_FUNCS.get_back_func(func, 1)
    BACK_FUNCS.add_back_func(func, 1, back)
    assert BACK_FUNCS.get_back_func(func, 1) is back
    assert BACK_FUNCS.replaced(func, 1) is original
    assert BACK_FUNCS.replaced(func, 0) is None


def test_the_backward_functions_of_a_node_go_by_argument() -> None:
    a, b = Tensor(1.0, requires_grad=True), Tensor(2.0)
    product, quotient = a * b, b / a
    root = product + quotient
    passed = engine.BackwardPass(root)
    functions = [passed.backward_functions(node) for node in (product, quotient, a)]
    assert functions == [{0: engine.multiply_back0}, {1: engine.true_divide_back1}, {}]  # type: ignore[attr-defined]


def test_scalars_go_only_to_backward_functions_of_which_that_was_said() -> None:
    def total(*args: Any) -> Any:
        return args[0] + args[1]

    def writing(grad_out: Any, out: Any, *args: Any) -> Any:
        grad = grad_out.copy()
        grad[...] = grad_out
        return grad

    function = wrap_forward_fn(total)
    BACK_FUNCS.add_back_func_factory(total, lambda position: writing)
    BACK_FUNCS.add_back_func(total, 1, lambda grad_out, *_: grad_out, on_scalars=True)
    x = Tensor(2.0, requires_grad=True)
    (function(x, x) * x).backward()
    assert x.grad is not None
    assert x.grad.item() == 8
    assert BACK_FUNCS.on_scalars(engine.tanh)
    BACK_FUNCS.add_back_func(engine.tanh, 0, writing)
    assert not BACK_FUNCS.on_scalars(engine.tanh)
