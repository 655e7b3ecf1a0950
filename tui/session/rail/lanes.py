"""The lanes of the rail, drawn like those of `git log --graph`, a row at a time.

A lane is a gradient on its way from the rows that contribute to it to the row that waits for it.
A row's node stands on its lane; from it lines lead to the lanes of its parents. A lane that is
merely crossed stays `│`; those that join have a junction.

Where a lane runs depends on the rows above, so they are gone through once, down to the lowest row
that was asked for; at some of them the lanes are kept, and what is drawn goes on from there.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable

from tui.session.protocol import Graph
from tui.session.rail.folding import Folding, Row

NODE = "*"
"""Stands in a row's lanes where the node's glyph goes."""

MORE = "…"
"""Stands where lanes are cut off."""

KEPT_EVERY = 128
"""After so many rows and lines the lanes are kept; where there are many, less often."""

LANES_FOR_A_ROW = 8
"""So many lanes that are kept take as much room as going through a row takes time."""

DRAWN_AT_MOST = 16
"""So many parts of the picture are kept, for going there and back again."""

LaneEnds = list[int | None]
"""For each lane from the left where it leads to; None for a free one."""

STARTS, JOINS, ENDS = "starts", "joins", "ends"
"""How the line from a node meets a lane."""


class Lanes:
    """Draws the lanes of a graph's rows as they are folded now.

    Args:
        graph: whose steps the rows show.
        folding: which steps stand in which row.
        users: which nodes use each of them, see `users_of`.
    """

    def __init__(self, graph: Graph, folding: Folding, users: list[list[int]]) -> None:
        self._graph = graph
        self._folding = folding
        self._users = users
        self._runs = folding.runs
        """The folded rows that the lanes belong to."""
        self._kept: list[tuple[int, LaneEnds]] = [(0, [])]
        """Rows with the lanes that come to them from above."""
        self._last: tuple[int, _State] | None = None
        """The row below those that were drawn last, and the lanes that come to it."""
        self._drawn: dict[tuple[int, int, int], list[str]] = {}
        """What was drawn, by where it was."""

    def draw(self, first: int, count: int, columns: int) -> list[str]:
        """The lanes of some rows, two characters a lane without trailing blanks.

        Args:
            first: the first of the rows.
            count: how many they are; those below the last step have no lanes.
            columns: how many characters there are at the most; what is cut off ends in `…`, and
                the node is always there.
        """
        if self._folding.runs is not self._runs:
            self._fold_anew()
        where = (first, count, columns)
        if where not in self._drawn:
            if len(self._drawn) >= DRAWN_AT_MOST:
                self._drawn.clear()
            self._drawn[where] = self._draw(first, count, columns)
        return self._drawn[where].copy()

    def _draw(self, first: int, count: int, columns: int) -> list[str]:
        start, lanes = next(kept for kept in reversed(self._kept) if kept[0] <= first)
        if self._last is not None and start <= self._last[0] <= first:
            start, state = self._last
        else:
            state = _State(lanes)
        self._last = None
        drawn = []
        rows = len(self._folding) - (len(self._graph.nodes) - self._graph.step_count)
        effort = 0
        for index in range(start, min(first + count, rows)):
            if effort >= max(KEPT_EVERY, len(state.lanes) // LANES_FOR_A_ROW):
                if index > self._kept[-1][0]:
                    self._kept.append((index, state.lanes.copy()))
                effort = 0
            row = self._folding.row(index)
            parents = self._parents(row)
            own, joining = state.advance(row.first, parents, self._is_leaf)
            effort += row.size + len(parents)
            if index >= first:
                drawn.append(_drawn(state.lanes, own, joining, columns))
            state.trim()
        self._last = (max(start, min(first + count, rows)), state)
        return drawn

    def _fold_anew(self) -> None:
        """Forget the lanes below the first row that is folded differently; those above lead to the
        same places, unless they lead into the midst of what is folded."""
        changed = _changed(self._runs, self._folding.runs)
        first = min((run.first for run in changed), default=0)
        same_above = changed and not any(
            self._graph.nodes[run.first].leaf
            or any(
                self._users[node] and self._users[node][0] < first
                for node in range(run.first + 1, run.last + 1)
            )
            for run in changed
        )
        last = self._folding.index_of(first) if same_above else 0
        self._kept = [kept for kept in self._kept if kept[0] <= last]
        self._runs = self._folding.runs
        self._drawn.clear()
        self._last = None

    def _parents(self, row: Row) -> dict[int, None]:
        """The first nodes of the rows to which a row hands gradients, by node and argument."""
        steps, row_of = self._graph.step_count, self._folding.row_of
        return dict.fromkeys(
            row_of(parent.node).first
            for node in self._graph.nodes[row.first : row.last + 1]
            for parent in node.parents
            if row.last < parent.node < steps
        )

    def _is_leaf(self, node: int) -> bool:
        return self._graph.nodes[node].leaf and self._folding.row_of(node).call is None


def _changed(before: list[Row], after: list[Row]) -> list[Row]:
    """The rows between those that two lists have in common at their start and at their end."""
    shorter = min(len(before), len(after))
    start = 0
    while start < shorter and before[start] == after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return before[start : len(before) - end] + after[start : len(after) - end]


class _State:
    """Which row (by its first node) each lane leads to, between two rows."""

    def __init__(self, lanes: LaneEnds) -> None:
        self.lanes = lanes.copy()
        self._lane_of = {row: lane for lane, row in enumerate(lanes) if row is not None}
        self._free = [lane for lane, row in enumerate(lanes) if row is None]
        """The free lanes between others, the leftmost first."""

    def advance(
        self, row: int, parents: Iterable[int], is_leaf: Callable[[int], bool]
    ) -> tuple[int, dict[int, str]]:
        """Go past a row: its own lane, and how the lines from it meet others.

        Every lane that starts takes the leftmost free one. The first to choose is the row that
        comes last among those that lead further: what goes on stays at the left, and leaves, of
        which many may wait for long, at the right.
        """
        own = self._lane_of.pop(row, None)
        if own is None:
            own = self._take_free()
        self._free_lane(own)
        joining = {}
        new = []
        for parent in parents:
            lane = self._lane_of.get(parent)
            if lane is None:
                new.append(parent)
            else:
                joining[lane] = JOINS
        if len(new) > 1:
            main = max(new, key=lambda parent: (not is_leaf(parent), parent))
            new.remove(main)
            new.insert(0, main)
        for parent in new:
            joining[self._lead_to(parent)] = STARTS
        if not new:
            self._move_into(own, joining)
        return own, joining

    def trim(self) -> None:
        """Forget the free lanes at the right."""
        while self.lanes and self.lanes[-1] is None:
            self.lanes.pop()
            self._free.pop()

    def _move_into(self, own: int, joining: dict[int, str]) -> None:
        """Where nothing goes on in a node's own lane, the next lane that joins from the right
        does: so the lanes stay together at the left."""
        right = min((lane for lane in joining if lane > own), default=None)
        if right is not None:
            parent = self.lanes[right]
            assert parent is not None
            self._free.remove(own)
            self.lanes[own] = parent
            self._lane_of[parent] = own
            self._free_lane(right)
            joining[right] = ENDS

    def _free_lane(self, lane: int) -> None:
        self.lanes[lane] = None
        insort(self._free, lane)

    def _take_free(self) -> int:
        if self._free:
            return self._free.pop(0)
        self.lanes.append(None)
        return len(self.lanes) - 1

    def _lead_to(self, row: int) -> int:
        lane = self._take_free()
        self.lanes[lane] = row
        self._lane_of[row] = lane
        return lane


def _drawn(lanes: LaneEnds, own: int, joining: dict[int, str], columns: int) -> str:
    """A row's lanes, as they leave it."""
    left, right = min([own, *joining]), max([own, *joining])
    width = max(len(lanes), right + 1)
    cells = []
    for lane in range(min(width, columns // 2 + 1)):
        across = left <= lane <= right
        if lane == own:
            cell = NODE
        elif lane in joining:
            cell = _junction(lane, left, right, joining[lane])
        elif lane < len(lanes) and lanes[lane] is not None:
            cell = "│"
        else:
            cell = "─" if across else " "
        cells.append(cell + ("─" if left <= lane < right else " "))
    text = "".join(cells)
    if 2 * width - 1 <= columns:
        return text.rstrip()
    if 2 * own + 1 < columns:
        return text[: columns - 1] + MORE
    return text[: columns - 2] + MORE + NODE


def _junction(lane: int, left: int, right: int, kind: str) -> str:
    """A lane that joins goes on above and below; one that starts has no line above, one that
    ends here none below."""
    side = 2 if lane == right else 0 if lane == left else 1
    return {STARTS: "╭┬╮", JOINS: "├┼┤", ENDS: "╰┴╯"}[kind][side]
