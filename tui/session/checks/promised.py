"""Whether a backward function returns what the formula in its docstring says."""

from __future__ import annotations

from tui.places import is_ours
from tui.session import formula_results, formulas, numbers
from tui.session.facts import function_name
from tui.session.protocol import EdgeFacts, Graph, StepFacts


def broken_promises(graph: Graph, step: StepFacts) -> list[str]:
    """Which of a step's backward functions, of those that the user has written, do not return what
    their docstrings say, in words."""
    said = []
    for edge in step.edges:
        if not is_ours(edge.backward):
            found = _difference_of(graph, step, edge)
            if found is not None:
                said.append(found)
    return said


def _difference_of(graph: Graph, step: StepFacts, edge: EdgeFacts) -> str | None:
    formula = formulas.formula_of(edge.backward)
    names = formulas.parameter_names(edge.backward)
    if formula is None or not names or names[0] not in formulas.words_of(formula):
        return None  # what is no formula of the gradient that comes down promises no result
    called_with = (step.grad_out, graph.value(step.node), *graph.arguments(step.node))
    values = dict(zip(names, called_with, strict=False))
    result = edge.contribution if edge.raw is None else edge.raw
    found = formula_results.disagreement(formula, values, result)
    if found is None:
        return None
    at, expected = found
    place = f" at {numbers.place(at)}" if at else ""
    return (
        f"{function_name(edge.backward)} returned {numbers.number(result[at])}{place}, but its "
        f"docstring says {formula}: that is {numbers.number(expected)}."
    )
