"""The pages of v and V: what verifying a node, or all nodes, has found."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from tui.session.explanation import GAP, Item
from tui.session.labels import Labels
from tui.session.session import Session
from tui.session.verifying import verdicts
from tui.session.verifying.verification import Finding, Target, Verifier

ALL = "Verify all nodes"
PATIENCE = 0.3
"""Seconds from one sign of progress to the next."""

MOST_RIGHT = 300
"""How many right ones are listed."""

HOW: Item = (
    "text",
    "Each was compared with central differences in float64, for a grad_out of fixed random numbers "
    "between 0.5 and 1.5, of either sign.",
    "",
)


class _Interrupted(Exception):
    """The user wants something else."""


def verify_node(session: Session) -> None:
    """Verify the backward functions of the node under the cursor."""
    node = session.cursor
    targets = Verifier(session.graph).of_node(node)
    if not targets:
        what = "a leaf" if session.graph.nodes[node].leaf else "without a gradient"
        session.say(f"node {node}, {session.labels.short(node)}, is {what}: nothing to verify")
        return
    title = f"Verify {verdicts.place_of(node, session.labels)}"

    def page(findings: Sequence[Finding], complete: bool) -> list[Item]:
        items = [item for f in findings for item in [*_block(f, session.labels), GAP]]
        return [*items, HOW] if complete and any(f.tested for f in findings) else items

    _run(session, title, targets, page)


def verify_all(session: Session) -> None:
    """Verify the backward functions of all nodes, and those that no node uses."""
    targets = Verifier(session.graph).targets()
    if not targets:
        session.say("there is no backward function to verify")
        return

    def page(findings: Sequence[Finding], complete: bool) -> list[Item]:
        return _all_items(findings, session.labels, complete)

    _run(session, ALL, targets, page)


def _run(
    session: Session,
    title: str,
    targets: Sequence[Target],
    page: Callable[[Sequence[Finding], bool], list[Item]],
) -> None:
    """Verify, show what was found, and meanwhile now and then how far it is."""
    findings: list[Finding] = []
    shown, told = False, time.monotonic()

    def show(state: Item | None, complete: bool) -> None:
        nonlocal shown
        head = [] if state is None else [state, GAP]
        session.show_page(title, [*head, *page(findings, complete)], update=shown)
        shown = True

    def pulse() -> None:
        nonlocal told
        if session.is_interrupted():
            raise _Interrupted
        if time.monotonic() - told > PATIENCE:
            told = time.monotonic()
            show(("strong", f"{len(findings)} of {len(targets)} checked", "Esc stops"), False)

    verifier = Verifier(session.graph, pulse)
    try:
        for target in targets:
            pulse()
            findings.append(verifier.verify(target))
            _keep(session, findings[-1])
    except _Interrupted:
        so_far = f"Stopped after {len(findings)} of {len(targets)}"
        if shown:
            show(("strong", so_far, ""), False)
        else:
            session.say(so_far)
        return
    show(None, True)


def _keep(session: Session, finding: Finding) -> None:
    """Keep what is wrong, to be said wherever the node is explained."""
    if finding.node is None:
        return
    wrong = session.found_wrong.setdefault(finding.node, {})
    wrong.pop(finding.arg, None)
    if not finding.ok:
        wrong[finding.arg] = verdicts.complaint(finding)


def _all_items(findings: Sequence[Finding], labels: Labels, complete: bool) -> list[Item]:
    """The summary, then what is wrong, what needs a word, and the right ones in a line each."""
    items: list[Item] = [("strong", verdicts.summary(findings), "")] if complete else []
    wrong = [f for f in findings if not f.ok]
    others = [f for f in findings if f.ok and verdicts.needs_a_word(f)]
    for finding in [*wrong, *others]:
        items += [GAP, ("strong", verdicts.place(finding, labels), ""), *_block(finding, labels)]
    right = [f for f in findings if f.ok and not verdicts.needs_a_word(f)]
    items += [GAP] * bool(items and right)
    for finding in right[:MOST_RIGHT]:
        assert finding.node is not None
        where = f"{finding.node:>4} {labels.short(finding.node)}"
        items.append(("line", f"{where}  {verdicts.argument(finding, labels)}", _brief(finding)))
    if len(right) > MOST_RIGHT:
        items.append(("line", f"     and {len(right) - MOST_RIGHT:,} more", "right"))
    return [*items, GAP, HOW] if complete else items


def _brief(finding: Finding) -> str:
    return f"{finding.function}  right"


def _block(finding: Finding, labels: Labels) -> list[Item]:
    """One argument: what was called, whether it is right, how that is known."""
    items: list[Item] = [("line", verdicts.argument(finding, labels), verdicts.function(finding))]
    kind = "strong" if finding.ok else "problem"
    items.append((kind, f"  {verdicts.verdict(finding)}", ""))
    rest = [verdicts.extent(finding), *verdicts.remarks(finding)]
    return [*items, *(("text", f"  {text}", "") for text in rest if text)]
