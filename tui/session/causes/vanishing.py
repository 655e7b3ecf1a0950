"""Where a gradient has become very small, or very large."""

from __future__ import annotations

from tui.session import numbers
from tui.session.causes.flow import Came, Flow
from tui.session.protocol import Array

VANISHED = 1e-4
"""A norm that has become so small a share of the seed's (or grown by as much) is told of."""


def why_vanished(flow: Flow, node: int) -> list[str]:
    """Where the norm has fallen (or grown) most on the way from the root, if it has fallen
    (or grown) to less than VANISHED of the seed's (or by as much)."""
    ratios: list[tuple[float, Came]] = []
    current = node
    while came := flow.came(current):
        main = max(came, key=lambda c: _norm(c.edge.contribution)) if came[1:] else came[0]
        there = _norm(main.step.grad_out)
        if there:
            ratios.append((_norm(main.edge.contribution) / there, main))
        current = main.step.node
    seed, grad = flow.graph.grad(0), flow.graph.grad(node)
    if not ratios or seed is None or grad is None:
        return []
    start, end = numbers.norm(seed), numbers.norm(grad)
    falls = end < VANISHED * start
    if not end or not (falls or end * VANISHED > start):
        return []
    ratio, main = (min if falls else max)(ratios, key=lambda pair: pair[0])
    each = (end / start) ** (1 / len(ratios))
    told = (
        f"On the way from {flow.labels.short(0)} the norm {'falls' if falls else 'grows'} "
        f"from {numbers.number(start)} to {numbers.number(end)} in {len(ratios):,} steps, by a "
        f"factor of {_factor(each)} a step on average."
    )
    if 0.99 < ratio / each < 1.01:
        return [told]
    return [
        f"{told} The {'least' if falls else 'largest'}, {_factor(ratio)}, is that of "
        f"{flow.node(main.step.node)}: {flow.formula(main)}."
    ]


def _norm(array: Array) -> float:
    return abs(float(array.item())) if array.size == 1 else numbers.norm(array)


def _factor(value: float) -> str:
    return f"{value:.6g}" if 0.99 < value < 1.01 else numbers.number(value)
