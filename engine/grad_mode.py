"""Turning the recording of the graph off and on again."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, TypeVar

from engine.state import STATE, SWITCHES

P = ParamSpec("P")
R = TypeVar("R")


def is_grad_enabled() -> bool:
    """Whether operations in this thread record the graph."""
    return STATE.grad_enabled


class NoGrad:
    """No graph is recorded inside `with NoGrad():`, or in a function decorated with `@NoGrad()`.

    Leaving restores what was before, also when nested, reused or left by an exception. Each
    thread has its own switch.
    """

    def __enter__(self) -> NoGrad:
        SWITCHES.turn()
        STATE.grad_enabled_before.append(STATE.grad_enabled)
        STATE.grad_enabled = False
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        STATE.grad_enabled = STATE.grad_enabled_before.pop()
        SWITCHES.turn_back()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def without_grad(*args: P.args, **kwargs: P.kwargs) -> R:
            with NoGrad():
                return function(*args, **kwargs)

        return without_grad


no_grad = NoGrad
"""PyTorch's name for the same thing."""
