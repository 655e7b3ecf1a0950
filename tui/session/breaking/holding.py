"""Whether a condition holds of a step, and why."""

from __future__ import annotations

from tui.session.breaking.condition import Condition
from tui.session.breaking.evaluation import evaluate, holds
from tui.session.breaking.reasons import reason
from tui.session.breaking.step_values import StepValues
from tui.session.labels import Labels
from tui.session.protocol import Graph, StepFacts


def why(condition: Condition, graph: Graph, labels: Labels, step: StepFacts) -> str | None:
    """Why a condition holds of a step that was taken, in words; None where it does not.

    An array holds where any of its elements does; a condition with a name of an edge where it
    does for any of the step's edges, and never at a leaf, which has none.

    Raises:
        EvaluationError: it cannot be computed from the step's values.
    """
    if not condition.is_of_edges:
        return _why(condition, StepValues(graph, labels, step), "")
    for edge in step.edges:
        values = StepValues(graph, labels, step, edge)
        said = _why(condition, values, f" to {labels.short(edge.parent)}")
        if said is not None:
            return said
    return None


def _why(condition: Condition, values: StepValues, to: str) -> str | None:
    if not holds(evaluate(condition.tree, values)):
        return None
    because = reason(condition.tree, values)
    return f"{condition.text} holds{to}" + (f": {because}" if because else "")
