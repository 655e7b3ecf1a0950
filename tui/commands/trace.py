"""`bp-tui SCENARIO --trace`: every step of the backward pass, as a table or as JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TextIO

from tui.commands.output import FetchProgress, json_line
from tui.errors import Refused, ScenarioError
from tui.loading import loader
from tui.options import Options
from tui.session import facts
from tui.session.breaking.breakpoints import Breakpoints
from tui.session.breaking.commands import NOT_HERE
from tui.session.breaking.condition import Condition
from tui.session.breaking.stop import Stop
from tui.session.causes import nonfinite
from tui.session.checks.checked_pass import CheckedPass
from tui.session.labels import Labels
from tui.session.numbers import in_words
from tui.session.opening import open_graph
from tui.session.protocol import Graph, StepFacts

HEADINGS = ("step", "node", "op", "grad_out", "to", "backward", "contribution", "so far")


def trace(options: Options, as_json: bool, full: bool, out: TextIO) -> int:
    """Take every step and print it to `out`; with breakpoints, up to the first step where one
    holds. The end of the trace then shows what the leaves have so far.

    Returns:
        The exit code: 1 where a breakpoint has stopped it.

    Raises:
        ScenarioError: the scenario cannot be used, or fails in a step; or a condition cannot be
            computed for one.
    """
    scenario = loader.load(options, FetchProgress())
    graph = open_graph(scenario)
    labels = Labels(graph)
    breakpoints = _breakpoints(options, graph, labels)
    stops: list[Stop] = []
    checked = CheckedPass(graph, labels)
    steps = _steps(scenario, checked, breakpoints, stops)
    if as_json:
        json_line(facts.graph_event(scenario.name, graph, full), out)
        for step in steps:
            json_line(facts.step_event(step, full, checked.violations(step.index)), out)
        json_line(facts.end_event(graph, full), out)
        return _ended(stops, labels)
    print(f"{scenario.name}: {scenario.title}", file=out)
    print(f"{graph.step_count} steps of the backward pass\n", file=out)
    for problem in nonfinite.earliest(graph, labels):
        print(f"! {problem}\n", file=out)
    _print_table(checked, steps, out)
    return _ended(stops, labels)


def _breakpoints(options: Options, graph: Graph, labels: Labels) -> Breakpoints:
    """Those of the command line; what is remembered is for the screen.

    Raises:
        ScenarioError: the graph has no such node.
    """
    breakpoints = Breakpoints()
    breakpoints.attach(graph, labels)
    for text in options.breaks:
        try:
            what = breakpoints.add_stop(text, given=True).what
        except Refused as refusal:
            raise ScenarioError(f"--break: {refusal}") from None
        if not isinstance(what, Condition) and not breakpoints.is_here(what):
            print(f"bp-tui: --break: {what} is {NOT_HERE}", file=sys.stderr)
    return breakpoints


def _steps(
    scenario: loader.Scenario,
    checked: CheckedPass,
    breakpoints: Breakpoints,
    stops: list[Stop],
) -> Iterator[StepFacts]:
    """The steps up to the first that stops, which is added to `stops`."""
    while not checked.finished and not stops:
        with loader.guarded(scenario.path):
            step = checked.step()
        yield step
        if stop := breakpoints.stop(ahead=False):
            stops.append(stop)


def _ended(stops: list[Stop], labels: Labels) -> int:
    """Say on standard error what has stopped the trace; the exit code."""
    for stop in stops:
        if stop.failed:
            raise ScenarioError(f"--break: {stop.reasons} (node {stop.position - 1})")
        print(f"bp-tui: {stop.told(labels.short(stop.position - 1))}", file=sys.stderr)
        return 1
    return 0


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
    so_far = "" if graph.position == graph.step_count else " so far"
    print(f"\nGradients of the leaves{so_far}", file=out)
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
