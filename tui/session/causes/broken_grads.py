"""Where a gradient became NaN or Inf."""

from __future__ import annotations

from tui.session import formulas
from tui.session.causes import nonfinite
from tui.session.causes.flow import Came, Flow
from tui.session.facts import function_name
from tui.session.protocol import EdgeFacts


def why_not_finite(flow: Flow, node: int) -> list[str]:
    """Which step was the first to make NaN or Inf of finite numbers."""

    def broken(came: Came) -> bool:
        return not nonfinite.is_finite(came.edge.contribution)

    way = [node]
    while True:
        came = [c for c in flow.came(way[-1]) if broken(c)]
        if not came:
            break
        start = next((c for c in came if nonfinite.is_finite(c.step.grad_out)), None)
        if start is not None:
            return [_broke(flow, start) + flow.way(way)]
        way.append(came[0].step.node)
    tail = flow.way(way)
    short = flow.labels.short(way[-1])
    hooked = flow.hook_made(way[-1], lambda grad: not nonfinite.is_finite(grad))
    if hooked:
        return [hooked]
    if flow.came(way[-1]):
        return [
            f"What came to {short} was finite, and its sum is more than "
            f"{flow.graph.nodes[way[-1]].dtype} holds.{tail}"
        ]
    return [f"The seed, the gradient of {short} itself, is not finite.{tail}"]


def _broke(flow: Flow, came: Came) -> str:
    step, edge = came.step, came.edge
    place = nonfinite.first_place(edge.contribution)
    what = nonfinite.handed(edge.contribution, place, flow.labels.called(edge.parent))
    name = flow.node(step.node)
    arguments = flow.graph.arguments(step.node)
    own = (*arguments, flow.graph.value(step.node))
    whose = ""
    if not all(map(nonfinite.is_finite, own)):
        source = nonfinite.source_of(flow.graph, step.node)
        origin = nonfinite.origin_of(flow.graph, flow.labels, source)
        whose = f" The values had it already: {origin}."
    return (
        f"It starts at {name}: {function_name(edge.backward)} hands {what}; "
        f"{flow.formula(came)}{_numbers(flow, came)}.{whose}"
    )


def _numbers(flow: Flow, came: Came) -> str:
    """The numbers that the first bad element was made from, where they are at its place."""
    step, edge = came.step, came.edge
    if flow.graph.nodes[step.node].op not in nonfinite.ELEMENTWISE:
        return ""
    made = edge.contribution if edge.raw is None else edge.raw  # before it was summed
    if nonfinite.is_finite(made):
        return ""
    place = nonfinite.first_place(made)
    values = [step.grad_out, flow.graph.value(step.node), *flow.graph.arguments(step.node)]
    labels = ["grad_out", flow.labels.result(step.node), *flow.labels.operands(step.node)]
    used = _used(edge)
    parts = [
        nonfinite.element(value, label, made.shape, place)
        for i, (value, label) in enumerate(zip(values, labels, strict=True))
        if used is None or i in used
    ]
    told = " and ".join(part for part in parts if part)
    return f", from {told}" if told else ""


def _used(edge: EdgeFacts) -> set[int] | None:
    """The positions of the parameters that a backward function's formula names."""
    formula = formulas.formula_of(edge.backward)
    if formula is None or not formulas.is_expression(formula):
        return None
    words = formulas.words_of(formula)
    return {i for i, n in enumerate(formulas.parameter_names(edge.backward)) if n in words}
