"""Finding nodes by their names and operations, and places of the pass by what the user types."""

from __future__ import annotations

import re
from bisect import bisect_right
from fnmatch import translate
from typing import TYPE_CHECKING

from tui.errors import Refused
from tui.session.labels import Labels
from tui.session.protocol import Graph

if TYPE_CHECKING:
    from tui.session.session import Session

LISTED = 3
"""So many of several possible nodes are named."""


class Finder:
    """Finds the nodes of one graph.

    What each node is called is gathered when something is looked for first. Names and operations
    are many times fewer than nodes in the graphs that are large, so each is compared once.
    """

    def __init__(self, graph: Graph, labels: Labels) -> None:
        self._graph = graph
        self._labels = labels
        self._called: dict[str, list[int]] | None = None
        self._found: tuple[str, list[int]] = ("", [])
        """What was looked for last, and found."""
        self.last = ""
        """What was searched for last."""

    def matches(self, pattern: str) -> list[int]:
        """The nodes whose name, place in the network or operation contains the pattern, or is
        like it where it has wildcards (`*`, `?`, `[...]`), in their order. Upper and lower case
        count the same."""
        wanted = pattern.lower()
        if wanted != self._found[0]:
            self._found = (wanted, self._matches(wanted))
        return self._found[1]

    def _matches(self, wanted: str) -> list[int]:
        if any(char in wanted for char in "*?["):
            alike = re.compile(translate(wanted)).match
            found = [nodes for text, nodes in self._names().items() if alike(text)]
        else:
            found = [nodes for text, nodes in self._names().items() if wanted in text]
        if len(found) == 1:
            return found[0]
        return sorted({node for nodes in found for node in nodes})

    def node(self, text: str) -> int:
        """The one node that is called so: wholly, or where none is in part.

        Raises:
            Refused: there is none, or several.
        """
        found = self._names().get(text.lower(), []) or self.matches(text)
        whole = [node for node in found if self._graph.nodes[node].name == text]
        found = whole or found
        if not found:
            raise Refused(f"nothing is called {text}")
        if len(found) > 1:
            names = ", ".join(f"{self._labels.short(n)} (#{n})" for n in found[:LISTED])
            more = " ..." if len(found) > LISTED else ""
            raise Refused(f"{len(found)} are called so: {names}{more}")
        return found[0]

    def _names(self) -> dict[str, list[int]]:
        if self._called is None:
            called: dict[str, list[int]] = {}
            for node in self._graph.nodes:
                path, op, call = node.path, node.op, node.call
                texts = {node.name, op, path, f"{path}.{op}" if path and op else None}
                if call:
                    texts.add(call.module)
                if op == "permute":
                    texts.add(self._labels.short(node.id))
                for text in texts:
                    if text:
                        called.setdefault(text.lower(), []).append(node.id)
            self._called = called
        return self._called


def search(session: Session, pattern: str) -> None:
    """Move the cursor to the next node that is called so, from the top again after the last.

    Args:
        session: whose cursor is moved.
        pattern: a part of a name or operation, or one with wildcards; empty for the last one.

    Raises:
        Refused: there is none.
    """
    finder = session.finder
    pattern = pattern.strip() or finder.last
    if not pattern:
        raise Refused("type a part of a name or an operation")
    found = finder.matches(pattern)
    if not found:
        raise Refused(f"no name and no operation has {pattern} in it")
    exact = [place for place, n in enumerate(found) if session.graph.nodes[n].name == pattern]
    if pattern != finder.last and exact:
        place = exact[0]
    else:
        place = bisect_right(found, session.cursor) % len(found)
    finder.last = pattern
    session.reveal(found[place])
    session.point(found[place])
    session.say(f"{pattern}: {place + 1:,} of {len(found):,}")


def go(session: Session, text: str) -> None:
    """Go to where the user says: so many steps done, the step of a node (`#12`, or its name),
    `start` or `end`.

    Raises:
        Refused: there is no such place.
    """
    text = text.strip()
    steps = session.graph.step_count
    if text.lower() in ("start", "end"):
        session.go_to(0 if text.lower() == "start" else steps)
    elif re.fullmatch(r"-?[0-9]+", text):
        if not 0 <= int(text) <= steps:
            raise Refused(f"there are {steps:,} steps: 0 to {steps}")
        session.go_to(int(text))
        session.reveal_step()
    elif text:
        _go_to_node(
            session, _node_by_id(session, text) if text[0] == "#" else _named(session, text)
        )
    else:
        raise Refused("type how many steps, a #node, a name, start or end")


def _go_to_node(session: Session, node: int) -> None:
    if node >= session.graph.step_count:
        label = session.labels.short(node)
        raise Refused(f"{label} (#{node}) needs no grad: it is no step to go to")
    session.reveal(node)
    session.go_to(node + 1)
    session.say(f"after the step of node {node}; p goes before it, s then into it")


def _named(session: Session, text: str) -> int:
    return session.finder.node(text)


def _node_by_id(session: Session, text: str) -> int:
    last = len(session.graph.nodes) - 1
    if not re.fullmatch(r"#[0-9]+", text) or int(text[1:]) > last:
        raise Refused(f"the nodes are #0 to #{last}")
    return int(text[1:])
