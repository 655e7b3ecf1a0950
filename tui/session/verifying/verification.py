"""Verifying the backward functions of a graph against central differences.

Each is called by itself, with copies in float64 of what its forward function was called with: the
backward pass, its gradients and its hooks are not touched.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import engine
from engine.wrapping import operation_of
from tui.session import numbers
from tui.session.facts import function_name
from tui.session.protocol import Graph
from tui.session.verifying import probing

SECONDS = 5.0
"""So much of the processor's time the elements of one argument are tested one by one; then all of
them at once."""


@dataclass(frozen=True)
class Finding:
    """What verifying one argument's backward function has found."""

    node: int | None
    """Whose argument it is; None for a function that the graph does not use."""
    op: str
    arg: int
    """The argument's position."""
    function: str
    """What the backward function is called."""
    yours: bool
    """Whether it is no function of the engine's."""
    check: engine.ArgumentCheck | None
    """The comparison, where there could be one."""
    problem: str = ""
    """What is wrong with it, where that is not its numbers."""
    raised: bool = False
    """Whether the problem is that it raised."""
    skipped: str = ""
    """Why it could not be checked."""
    beside: str = ""
    """How it differs from the engine's function whose place it has taken; empty for not at all."""
    probed: str = ""
    """What it was called with, where the graph does not use it."""

    @property
    def ok(self) -> bool:
        """Whether nothing wrong was found."""
        return not self.problem and (self.check is None or self.check.ok)

    @property
    def tested(self) -> bool:
        """Whether there was anything to compare."""
        return bool(self.problem) or (self.check is not None and self.check.tested > 0)


@dataclass(frozen=True)
class Target:
    """A backward function with what it is to be checked on."""

    node: int | None
    op: str
    func: Callable[..., Any]
    back: Callable[..., Any] | None
    arg: int


class Verifier:
    """Verifies the backward functions of a graph, one argument after the other.

    Args:
        graph: whose nodes are verified.
        pulse: called again and again while it takes its time; what it raises ends it.
    """

    def __init__(self, graph: Graph, pulse: Callable[[], None] | None = None) -> None:
        self._graph = graph
        self._pulse = pulse

    def of_node(self, node: int) -> list[Target]:
        """Every argument of a node that gets a gradient; none for a leaf."""
        backs = self._graph.backward(node)
        if not backs:
            return []
        func, _ = self._graph.forward(node)
        op = self._graph.nodes[node].op or function_name(func)
        return [Target(node, op, func, back, arg) for arg, back in backs.items()]

    def targets(self) -> list[Target]:
        """Every argument of the graph that gets a gradient, in the order of the backward pass, and
        what was registered besides and is not used by the graph."""
        used = [t for node in range(self._graph.step_count) for t in self.of_node(node)]
        called = {(t.func, t.arg, t.back) for t in used}
        unused = [
            Target(None, operation_of(func).name, func, back, arg)
            for func, arg, back in engine.BACK_FUNCS.added()
            if (func, arg, back) not in called
        ]
        return used + unused

    def verify(self, target: Target) -> Finding:
        """Compare one backward function with central differences."""
        with _undisturbed():
            if target.back is None:
                return _finding(
                    target,
                    problem=f"{target.op} has no backward function for argument {target.arg}: add "
                    f"one with BACK_FUNCS.add_back_func({target.op}, {target.arg}, ...)",
                )
            if target.node is None:
                return self._probe(target, target.back)
            _, kwargs = self._graph.forward(target.node)
            return self._on(target, target.back, self._graph.arguments(target.node), kwargs)

    def _on(
        self,
        target: Target,
        back: Callable[..., Any],
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> Finding:
        try:
            check = engine.check_backward_func(
                target.func,
                back,
                target.arg,
                args,
                dict(kwargs),
                seconds=SECONDS,
                pulse=self._pulse,
            )
        except engine.GradcheckError as error:
            return _finding(target, problem=str(error), raised=error.__cause__ is not None)
        except engine.CannotCheck as reason:
            return _finding(target, skipped=str(reason))
        return _finding(target, check, beside=_beside(target, back, args, kwargs))

    def _probe(self, target: Target, back: Callable[..., Any]) -> Finding:
        """Check a function that the graph does not use on arguments that are made up for it."""
        right: list[Finding] = []
        failed: list[Finding] = []
        why_not = "it is not known how many arguments it takes"
        for described, args in probing.cases(target.func, back, target.arg):
            finding = replace(self._on(target, back, args, {}), probed=described)
            if finding.skipped:
                why_not = finding.skipped
            else:
                (right if finding.ok else failed).append(finding)
        # A function may be meant for some shapes only, and raise for others.
        wrong = [finding for finding in failed if not (right and finding.raised)]
        if wrong:
            return wrong[0]
        if not right:
            return _finding(target, skipped=f"could not be probed: {why_not}")
        shown = next((finding for finding in right if finding.beside), right[0])
        return replace(shown, probed=", ".join(dict.fromkeys(f.probed for f in right)))


def _finding(
    target: Target,
    check: engine.ArgumentCheck | None = None,
    problem: str = "",
    raised: bool = False,
    skipped: str = "",
    beside: str = "",
) -> Finding:
    back = target.back
    return Finding(
        node=target.node,
        op=target.op,
        arg=target.arg,
        function="none" if back is None else function_name(back),
        yours=back is not None and not is_engines(back),
        check=check,
        problem=problem,
        raised=raised,
        skipped=skipped,
        beside=beside,
    )


def is_engines(function: Callable[..., Any]) -> bool:
    """Whether a function is one of the engine's own."""
    return (getattr(function, "__module__", "") or "").startswith("engine.")


def _beside(
    target: Target, back: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> str:
    """Where a function first differs from that of the engine's which it has replaced."""
    other = engine.BACK_FUNCS.replaced(target.func, target.arg)
    if other is None or other is back or not is_engines(other) or is_engines(back):
        return ""
    try:
        found = engine.first_difference(target.func, back, other, target.arg, args, dict(kwargs))
    except engine.GradcheckError:
        return ""  # the engine's is not made for this
    if found is None:
        return ""
    yours, theirs = numbers.apart(found.got, found.other)
    where = f" at {list(found.index)}" if found.index else ""
    given = "a grad_out of ones" if np.all(found.grad_out == 1) else "the same grad_out"
    return f"for {given} yours gives {yours}{where}, the engine's {theirs}"


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Random numbers are drawn afterwards as if nothing had been called, and what is printed in
    the thousands of calls is lost."""
    drawn, drawn_by_numpy = engine.get_rng_state(), np.random.get_state()
    try:
        with engine.no_grad(), contextlib.redirect_stdout(_Nowhere()):
            yield
    finally:
        engine.set_rng_state(drawn)
        np.random.set_state(drawn_by_numpy)


class _Nowhere(io.TextIOBase):
    """A stream that keeps nothing."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)
