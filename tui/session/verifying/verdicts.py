"""What verifying has found, in words."""

from __future__ import annotations

from collections.abc import Sequence

from tui.session.labels import Labels
from tui.session.numbers import apart, number
from tui.session.verifying.verification import Finding


def place(finding: Finding, labels: Labels) -> str:
    """Where the function is used: `node 3, d = a * b`, or that the graph does not use it."""
    if finding.node is None:
        return f"{finding.op}, not used by the graph"
    return place_of(finding.node, labels)


def place_of(node: int, labels: Labels) -> str:
    """A node, with the scenario's line that made it: `node 3, d = a * b, line 11`."""
    line = labels.graph.nodes[node].line
    return f"node {node}, {labels.full(node)}" + ("" if line is None else f", line {line}")


def argument(finding: Finding, labels: Labels) -> str:
    """Which argument the gradient is for: `to b, argument 1`."""
    if finding.node is None:
        return f"argument {finding.arg}"
    parents = {p.arg: p.node for p in labels.graph.nodes[finding.node].parents}
    return f"to {labels.called(parents[finding.arg])}, argument {finding.arg}"


def function(finding: Finding) -> str:
    """The backward function's name, and whose it is where it is not the engine's."""
    return finding.function + (", yours" if finding.yours else "")


def verdict(finding: Finding) -> str:
    """Whether it is right, in a sentence."""
    check = finding.check
    if finding.problem:
        return f"WRONG: {finding.problem}"
    if check is None:
        return f"not checked: {finding.skipped}"
    if not check.ok:
        at = f" at {list(check.index)}" if check.index else ""
        got, expected = apart(check.got, check.expected)
        return f"WRONG{at}: got {got}, central differences say {expected}"
    if check.tested:
        return f"right, largest error {_power(check.max_error)}"
    if check.elements == 0:
        return "not checked: there are no elements"
    return "not checked: no element could be tested"


def complaint(finding: Finding) -> str:
    """What is wrong with a function, as it is said wherever its node is shown."""
    what = verdict(finding).removeprefix("WRONG")
    return f"verify: {finding.function}, argument {finding.arg}, is wrong{what}"


def extent(finding: Finding) -> str:
    """How much was tested, and what was left out; empty where there was no comparison."""
    check = finding.check
    if check is None:
        return ""
    parts = []
    if not check.ok:
        parts.append(f"largest error {number(check.max_error)}")
    tested = _elements(check.tested)
    if check.tested < check.elements:
        tested = f"{check.tested:,} of {_elements(check.elements)}"
    if check.directions:
        tested += f" and {check.directions} random directions"
    parts.append(f"tested: {tested}")
    if check.kinks:
        parts.append(f"{_elements(check.kinks)} at a kink: left out")
    if check.undefined:
        where = "where the function ends, or rounding hides it"
        parts.append(f"{_elements(check.undefined)} {where}: left out")
    return "; ".join(parts)


def remarks(finding: Finding) -> list[str]:
    """What else there is to say: how it was probed, how it differs from the engine's."""
    said = []
    if finding.probed:
        said.append(f"probed with random arguments of shape {finding.probed}")
    if finding.beside:
        said.append(finding.beside)
    return said


def needs_a_word(finding: Finding) -> bool:
    """Whether more than "right" has to be said, so that it is not taken for something else."""
    return not finding.ok or not finding.tested or bool(remarks(finding))


def summary(findings: Sequence[Finding]) -> str:
    """All of them in one line: `25 checked, all right`."""
    if not findings:
        return "there is no backward function to check"
    tested = sum(finding.tested for finding in findings)
    wrong = sum(not finding.ok for finding in findings)
    verdicts = f"{wrong} wrong" if wrong else "all right" if tested else "nothing found out"
    untested = len(findings) - tested
    rest = f", {untested} could not be checked" if untested else ""
    return f"{tested} checked, {verdicts}{rest}"


def _elements(count: int) -> str:
    return f"{count:,} element" + ("s" if count != 1 else "")


def _power(error: float) -> str:
    """The error of a right gradient: one digit of it says enough."""
    return "0" if error == 0 else f"{error:.0e}".replace("e-0", "e-")
