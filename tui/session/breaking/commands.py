"""What the stepping screen can ask about breakpoints, conditions and watches."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tui.errors import Refused
from tui.session.breaking import PAGE
from tui.session.breaking.breakpoints import Breakpoint, Breakpoints, Watch
from tui.session.breaking.condition import Condition
from tui.session.breaking.listed import changed, told
from tui.session.breaking.syntax import FUNCTIONS, NAMES, ExpressionError
from tui.session.breaking.targets import OneNode, Target
from tui.session.explanation import GAP, Item

if TYPE_CHECKING:
    from tui.session.session import Session

NOT_HERE = "not in this graph"
"""Said of a breakpoint or a watch that none of the graph's steps is meant by."""


def _toggle(session: Session, command: dict[str, Any]) -> None:
    node = session.cursor
    try:
        has = session.breakpoints.toggle_stop(node)
    except Refused as refusal:
        session.say(str(refusal))
        return
    label = session.labels.short(node)
    session.say(f"{'breakpoint on' if has else 'no breakpoint any more on'} node {node}, {label}")


def _watch(session: Session, command: dict[str, Any]) -> None:
    node = session.cursor
    try:
        if not session.breakpoints.toggle_watch(node):
            session.say(f"node {node}, {session.labels.short(node)}, is watched no more")
    except Refused as refusal:
        session.say(str(refusal))


def _change(session: Session, command: dict[str, Any]) -> None:
    """Add what was typed, or carry out `-2` or `!2`; an open list shows it."""
    text = str(command["text"])
    breakpoints = session.breakpoints
    try:
        done = changed(breakpoints, text)
        session.say(done or _added(breakpoints, breakpoints.add_stop(text).what))
    except ExpressionError as error:
        raise Refused(_meant(session, text.strip()) or str(error)) from None
    session.show_page(PAGE, listing(breakpoints), update=True)


def _meant(session: Session, text: str) -> str | None:
    """How what was typed is written, where it is clear what it means; None where it is not."""
    if any(node.name == text for node in session.graph.nodes):
        return f"write name {text} to stop before the node of that name"
    if any(node.op == text for node in session.graph.nodes):
        return f"write op {text} to stop before each such node"
    if re.match(r"loss\b", text):
        return "a loss stops a training: t, then b there; here it is what happens in a step"
    return None


def _added(breakpoints: Breakpoints, what: Target | Condition) -> str:
    if isinstance(what, Condition):
        return f"c stops after a step where {what} holds"
    return f"c stops before {what}" + ("" if breakpoints.is_here(what) else f", {NOT_HERE}")


def listing(breakpoints: Breakpoints) -> list[Item]:
    """The page of all breakpoints, conditions and watches, and how they are written."""
    items: list[Item] = []
    entries: list[Breakpoint | Watch] = [*breakpoints.breakpoints, *breakpoints.watches]
    for number, entry in enumerate(entries, 1):
        items.append(("key", f"{number:>3}", _described(breakpoints, entry)))
    if not entries:
        items.append(("line", "none yet", ""))
    how = (
        ("b", "breakpoint on the node under the cursor, on or off; W: watch it, or no more"),
        ("rail", "■ breakpoint  □ one that is off  ◆ watched  ◈ breakpoint and watched"),
        ("a -2", "removes number 2; a !2 switches it off, or on again"),
        ("a", "adds one: node 12, op matmul, name linear*.bias stop before these nodes;"),
        ("", "a condition stops after a step of which it holds:"),
        ("", 'norm(contribution) > 10 and op == "matmul"'),
    )
    items += [GAP, *(("key", key, text) for key, text in how)]
    items += [GAP, ("strong", "In a condition (an array holds where any of its elements does)", "")]
    items += [("line", f"{name:<13} {meaning}", "") for name, (_, meaning) in NAMES.items()]
    items += [("line", f"{'functions':<13} {' '.join(FUNCTIONS)}", "")]
    items += [("line", f"{'operators':<13} + - * / // % **  == != < <= > >= in  and or not", "")]
    return items


def _described(breakpoints: Breakpoints, entry: Breakpoint | Watch) -> str:
    what = entry.what
    words = [f"watch {what}" if isinstance(entry, Watch) else str(what)]
    if isinstance(what, OneNode):
        node = breakpoints.find(what)
        kind = "watch " if isinstance(entry, Watch) else ""
        words = [kind + (str(what) if node is None else f"node {node}, {what.called}")]
    if not isinstance(what, Condition) and not breakpoints.is_here(what):
        words.append(NOT_HERE)
    if isinstance(entry, Breakpoint):
        words += told(entry)
    if entry.given:
        words.append("from the command line")
    return ", ".join(words)


COMMANDS: dict[str, Callable[[Session, dict[str, Any]], object]] = {
    "breakpoint": _toggle,
    "watch": _watch,
    "breakpoints": lambda session, command: session.show_page(PAGE, listing(session.breakpoints)),
    "change_breakpoints": _change,
}
