"""`bp-tui SCENARIO --trace`: every step of the backward pass, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from tui import loader
from tui.commands.output import FetchProgress, json_line
from tui.errors import ScenarioError
from tui.options import Options
from tui.session import facts, nonfinite
from tui.session.checked_pass import CheckedPass
from tui.session.labels import Labels
from tui.session.numbers import in_words
from tui.session.opening import open_graph
from tui.session.protocol import StepFacts

HEADINGS = ("step", "node", "op", "grad_out", "to", "backward", "contribution", "so far")


def trace(options: Options, as_json: bool, full: bool, out: TextIO) -> int:
    """Take every step and print it to `out`; returns the exit code.

    Raises:
        ScenarioError: the scenario cannot be used, or fails in a step.
    """
    scenario = loader.load(options, FetchProgress())
    graph = open_graph(scenario)
    checked = CheckedPass(graph, Labels(graph))
    steps = _steps(scenario, checked)
    if as_json:
        json_line(facts.graph_event(scenario.name, graph, full), out)
        for step in steps:
            json_line(facts.step_event(step, full, checked.violations(step.index)), out)
        json_line(facts.end_event(graph, full), out)
        return 0
    print(f"{scenario.name}: {scenario.title}", file=out)
    print(f"{graph.step_count} steps of the backward pass\n", file=out)
    for problem in nonfinite.earliest(graph, checked.labels):
        print(f"! {problem}\n", file=out)
    _print_table(checked, steps, out)
    return 0


def _steps(scenario: loader.Scenario, checked: CheckedPass) -> Iterator[StepFacts]:
    while not checked.finished:
        with loader.guarded(scenario.path):
            step = checked.step()
        yield step


def _print_table(checked: CheckedPass, steps: Iterator[StepFacts], out: TextIO) -> None:
    graph, labels = checked.graph, checked.labels
    rows: list[tuple[str, ...]] = [HEADINGS]
    failure: ScenarioError | None = None
    try:
        for step in steps:
            rows.extend((f"! {problem}",) for problem in checked.problems(step.index))
            rows.extend(_rows(step, labels))
    except ScenarioError as error:
        failure = error
    whole = [row for row in rows if len(row) > 1]
    widths = [max(len(row[i]) for row in whole) for i in range(len(HEADINGS))]
    for row in rows:
        if len(row) == 1:  # what was wrong with the step below it
            print(row[0], file=out)
            continue
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)]
        cells[0] = f"{row[0]:>{widths[0]}}"
        print("  ".join(cells).rstrip(), file=out)
    if failure is not None:
        raise failure
    print("\nGradients of the leaves", file=out)
    leaves = [node for node in graph.nodes[: graph.step_count] if node.leaf]
    width = max((len(labels.short(node.id)) for node in leaves), default=0)
    for node in leaves:
        grad = graph.stored_grad(node.id)
        shown = "None" if grad is None else in_words(grad)
        print(f"  {labels.short(node.id):<{width}}  {shown}", file=out)


def _rows(step: StepFacts, labels: Labels) -> list[tuple[str, ...]]:
    op = labels.graph.nodes[step.node].op
    first = (str(step.index), labels.full(step.node), op or "leaf", in_words(step.grad_out))
    rows: list[tuple[str, ...]] = []
    for edge in step.edges:
        rows.append(
            (
                *(first if not rows else ("", "", "", "")),
                labels.short(edge.parent),
                facts.function_name(edge.backward),
                in_words(edge.contribution),
                in_words(edge.accumulated) + (f", {edge.waiting} to come" if edge.waiting else ""),
            )
        )
    if not rows:
        stored = "" if step.stored_after is None else in_words(step.stored_after)
        rows.append((*first, ".grad", "", "", stored))
    return rows
