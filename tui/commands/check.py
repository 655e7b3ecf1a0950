"""`bp-tui SCENARIO --check`: is every backward function right?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, TextIO

from tui.commands.output import FetchProgress, json_line
from tui.loading import loader
from tui.options import Options
from tui.session.facts import plain
from tui.session.labels import Labels
from tui.session.opening import open_graph
from tui.session.protocol import Graph
from tui.session.verifying import verdicts
from tui.session.verifying.verification import Finding, Verifier

HOW = "got and expected: in float64, for a grad_out of fixed random numbers, 0.5 to 1.5 or negative"


def check(options: Options, as_json: bool, out: TextIO) -> int:
    """Verify every backward function and print what is wrong to `out`; returns the exit code, 1
    where one is.

    Raises:
        ScenarioError: the scenario cannot be used.
    """
    scenario = loader.load(options, FetchProgress())
    graph = open_graph(scenario)
    labels = Labels(graph)
    findings = []
    for finding in _findings(scenario, graph, labels):
        findings.append(finding)
        if as_json:
            json_line(_event(finding, graph), out)
            _explain(finding, labels)
        elif verdicts.needs_a_word(finding):
            print(*_block(finding, labels), sep="\n", end="\n\n", file=out, flush=True)
    failed = sum(not finding.ok for finding in findings)
    if as_json:
        json_line({"event": "end", "checked": len(findings), "failed": failed}, out)
    else:
        if any(finding.check and not finding.ok for finding in findings):
            print(HOW, end="\n\n", file=out)
        print(f"{scenario.name}: {verdicts.summary(findings)}", file=out)
    return 1 if failed else 0


def _findings(scenario: loader.Scenario, graph: Graph, labels: Labels) -> Iterator[Finding]:
    """What is found, one after the other, with the progress on a terminal's standard error."""
    verifier = Verifier(graph)
    targets = verifier.targets()
    shown = sys.stderr.isatty()
    for i, target in enumerate(targets):
        if shown:
            where = target.op if target.node is None else labels.short(target.node)
            print(
                f"\rchecking {i + 1} of {len(targets)}  {where:.40}\x1b[K", end="", file=sys.stderr
            )
            sys.stderr.flush()
        try:
            with loader.guarded(scenario.path):
                finding = verifier.verify(target)
        finally:
            if shown:
                print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        yield finding


def _block(finding: Finding, labels: Labels) -> list[str]:
    head = f"{verdicts.argument(finding, labels)}: {verdicts.function(finding)}"
    rest = [verdicts.verdict(finding), verdicts.extent(finding), *verdicts.remarks(finding)]
    return [verdicts.place(finding, labels), *(f"  {text}" for text in (head, *rest) if text)]


def _explain(finding: Finding, labels: Labels) -> None:
    """On standard error what the JSON has no room for."""
    where = f"{verdicts.place(finding, labels)}, {verdicts.argument(finding, labels)}"
    said = verdicts.remarks(finding)
    if finding.problem or not finding.tested:
        said.insert(0, verdicts.verdict(finding))
    for text in said:
        print(f"bp-tui: {where}: {verdicts.function(finding)}: {text}", file=sys.stderr)


def _event(finding: Finding, graph: Graph) -> dict[str, Any]:
    """A finding as a JSON object; there are numbers only where there was something to compare."""
    compared = finding.check
    event: dict[str, Any] = {
        "event": "check",
        "node": finding.node,
        "op": finding.op,
        "arg": finding.arg,
        "backward": finding.function,
        "ok": finding.ok,
        "max_error": None,
        "index": None,
        "got": None,
        "expected": None,
        "tested": compared.tested if compared else 0,
        "elements": compared.elements if compared else _elements(finding, graph),
    }
    if compared is not None and compared.index is not None:
        event |= {
            "max_error": plain(compared.max_error),
            "index": list(compared.index),
            "got": plain(compared.got),
            "expected": plain(compared.expected),
        }
    return event


def _elements(finding: Finding, graph: Graph) -> int:
    """How many elements the argument has; 0 where the graph has no such argument."""
    if finding.node is None:
        return 0
    parents = {p.arg: p.node for p in graph.nodes[finding.node].parents}
    return int(graph.value(parents[finding.arg]).size)
