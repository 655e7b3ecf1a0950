"""Which nodes stand in a row of the rail: each one alone, or those of a module's call together.

A folded row covers steps that follow each other, so the rows are in the order of the backward
pass however they are folded: a call whose steps do not all follow each other has several rows,
and one that has a single step there is not folded. What needs no grad is never folded.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import chain, islice
from typing import NamedTuple

from tui.session.protocol import Call, Graph, Node

MANY_ROWS = 60
"""In a graph of more rows modules are folded at the start too, not only functions."""


class Row(NamedTuple):
    """The nodes from `first` to `last` in one row."""

    first: int
    last: int
    call: Call | None
    """The call that is folded; None where the row is a node."""

    @property
    def size(self) -> int:
        """How many nodes it covers."""
        return self.last - self.first + 1


class Folding:
    """The rows of a graph, and which calls are folded.

    Args:
        graph: whose nodes stand in rows.
    """

    def __init__(self, graph: Graph) -> None:
        self._total = len(graph.nodes)
        self._calls = _calls_of_steps(graph)
        """The innermost call to which each step belongs."""
        calls = {call for inner in set(self._calls) for call in _outwards(inner)}
        self._foldable = frozenset(call.path for call in calls)
        self.runs: list[Row] = []
        """The rows of more than one node, in their order; a new list whenever they change."""
        self._first_nodes: list[int] = []
        """The first node of each run."""
        self._indices: list[int] = []
        """The index of the row of each run."""
        self._hidden = 0
        """How many nodes have no row of their own."""
        self.folded: frozenset[str] = frozenset()
        """The paths of the calls that are folded. A call inside another one that is folded keeps
        its own state for when that is unfolded."""
        self.set(call.path for call in calls if call.module is None)
        if len(self) > MANY_ROWS:
            self.set(self._foldable)

    def __len__(self) -> int:
        """The number of rows."""
        return self._total - self._hidden

    def row(self, index: int) -> Row:
        """A row by its place from the top."""
        run = bisect_right(self._indices, index) - 1
        if run < 0:
            return Row(index, index, None)
        if self._indices[run] == index:
            return self.runs[run]
        node = self.runs[run].last + index - self._indices[run]
        return Row(node, node, None)

    def index_of(self, node: int) -> int:
        """The place of the row in which a node is."""
        run = bisect_right(self._first_nodes, node) - 1
        if run < 0:
            return node
        return self._indices[run] + max(0, node - self.runs[run].last)

    def row_of(self, node: int) -> Row:
        """The row in which a node is."""
        run = bisect_right(self._first_nodes, node) - 1
        if run >= 0 and node <= self.runs[run].last:
            return self.runs[run]
        return Row(node, node, None)

    def set(self, folded: Iterable[str]) -> None:
        """Fold these calls, as far as they are in the graph, and no others."""
        before, self.folded = self.folded, self._foldable.intersection(folded)
        unfolded = before - self.folded
        if not self.folded:
            self.runs = []
        elif self.folded <= before:
            self.runs = [
                part
                for run in self.runs
                for part in (self._runs_in(run) if _path(run) in unfolded else (run,))
            ]
        else:
            self.runs = self._runs_in(Row(0, len(self._calls) - 1, None))
        self._first_nodes = [run.first for run in self.runs]
        self._indices = []
        self._hidden = 0
        for run in self.runs:
            self._indices.append(run.first - self._hidden)
            self._hidden += run.size - 1

    def toggle(self, node: int) -> bool:
        """Unfold the row of a node by one level; fold the innermost call around it where it is a
        row of its own. False where there is nothing to fold."""
        call = self.row_of(node).call
        if call is not None:
            self.set(self.folded - {call.path})
            return True
        call = self._around(node)
        if call is None:
            return False
        self.set(self.folded | {call.path})
        return True

    def toggle_all(self) -> bool:
        """Fold every call, or unfold them where all are folded. False where there is none."""
        self.set(() if self.folded == self._foldable else self._foldable)
        return bool(self._foldable)

    def reveal(self, node: int) -> None:
        """Unfold whatever hides a node among others."""
        around = {call.path for call in _outwards(self._call_of(node))}
        if self.row_of(node).call is not None:
            self.set(self.folded - around)

    def _call_of(self, node: int) -> Call | None:
        return self._calls[node] if node < len(self._calls) else None

    def _around(self, node: int) -> Call | None:
        """The innermost call that holds a node and one beside it."""
        beside = {
            call.path
            for other in (node - 1, node + 1)
            if other >= 0
            for call in _outwards(self._call_of(other))
        }
        calls = _outwards(self._call_of(node))
        return next((call for call in calls if call.path in beside), None)

    def _runs_in(self, part: Row) -> list[Row]:
        """The rows of more than one node among some nodes."""
        outermost: dict[Call | None, Call | None] = {None: None}
        runs = []
        first, current = part.first, None
        calls = islice(self._calls, part.first, part.last + 1)
        for node, inner in enumerate(chain(calls, [None]), part.first):
            if inner in outermost:
                call = outermost[inner]
            else:
                around = [c for c in _outwards(inner) if c.path in self.folded]
                call = outermost[inner] = around[-1] if around else None
            if call is not current:
                if current is not None and node - first > 1:
                    runs.append(Row(first, node - 1, current))
                first, current = node, call
        return runs


def _path(row: Row) -> str | None:
    return row.call.path if row.call else None


def _outwards(call: Call | None) -> list[Call]:
    """A call and those around it, the innermost first."""
    calls = []
    while call is not None:
        calls.append(call)
        call = call.caller
    return calls


def _calls_of_steps(graph: Graph) -> list[Call | None]:
    """The call to which each step belongs: the one in which it was made; for a parameter that of
    its module, where nothing else uses it."""
    steps = graph.nodes[: graph.step_count]
    calls = [node.call for node in steps]
    users: dict[int, set[Call | None]] = {
        node.id: set() for node in steps if node.leaf and node.call is None and _module_of(node)
    }
    if users:
        for node in steps:
            for parent in node.parents:
                if parent.node in users:
                    users[parent.node].add(node.call)
    for leaf, around in users.items():
        calls[leaf] = _owner(_module_of(graph.nodes[leaf]), around)
    return calls


def _module_of(leaf: Node) -> str:
    """The path of the module that a parameter's name tells: `linear1` for `linear1.weight`."""
    return (leaf.name or "").rpartition(".")[0]


def _owner(module: str, users: set[Call | None]) -> Call | None:
    """The only call of a module in which all of the users are."""
    around = [set(_outwards(user)) for user in users]
    common = set.intersection(*around) if around else set()
    return next((call for call in common if call.path.partition(" (")[0] == module), None)
