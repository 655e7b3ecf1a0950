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

from tui.session.folding import Folding, Row
from tui.session.protocol import Graph

NODE = "*"
"""Stands in a row's lanes where the node's glyph goes."""

MORE = "…"
"""Stands where lanes are cut off."""

KEPT_EVERY = 128
"""After so many rows (or as many as there are lanes) the lanes are kept."""

STARTS, JOINS, ENDS = "starts", "joins", "ends"
"""How the line from a node meets a lane."""


class Lanes:
    """Draws the lanes of a graph's rows as they are folded now.

    Args:
        graph: whose steps the rows show.
        folding: which steps stand in which row.
    """

    def __init__(self, graph: Graph, folding: Folding) -> None:
        self._graph = graph
        self._folding = folding
        self._rows = len(folding) - (len(graph.nodes) - graph.step_count)
        self._kept: list[tuple[int, list[int | None]]] = [(0, [])]
        """Rows with the lanes that come to them from above."""

    def draw(self, first: int, count: int, columns: int) -> list[str]:
        """The lanes of some rows, two characters a lane without trailing blanks.

        Args:
            first: the first of the rows.
            count: how many they are; those below the last step have no lanes.
            columns: how many characters there are at the most; what is cut off ends in `…`, and
                the node is always there.
        """
        start, lanes = next(kept for kept in reversed(self._kept) if kept[0] <= first)
        state = _State(lanes)
        drawn = []
        for index in range(start, min(first + count, self._rows)):
            furthest, kept_lanes = self._kept[-1]
            if index - furthest >= max(KEPT_EVERY, len(kept_lanes), len(state.lanes)):
                self._kept.append((index, state.lanes.copy()))
            row = self._folding.row(index)
            own, joining = state.advance(index, self._parents(row), self._is_leaf)
            if index >= first:
                drawn.append(_drawn(state.lanes, own, joining, columns))
            state.trim()
        return drawn

    def _parents(self, row: Row) -> dict[int, None]:
        """The rows to which a row hands gradients, by node and argument."""
        steps, index_of = self._graph.step_count, self._folding.index_of
        return dict.fromkeys(
            index_of(parent.node)
            for node in self._graph.nodes[row.first : row.last + 1]
            for parent in node.parents
            if row.last < parent.node < steps
        )

    def _is_leaf(self, index: int) -> bool:
        row = self._folding.row(index)
        return row.call is None and self._graph.nodes[row.first].leaf


class _State:
    """Which row each lane leads to, between two rows."""

    def __init__(self, lanes: list[int | None]) -> None:
        self.lanes = lanes.copy()
        self._lane_of = {row: lane for lane, row in enumerate(lanes) if row is not None}
        self._free = [lane for lane, row in enumerate(lanes) if row is None]
        """The free lanes between others, the leftmost first."""

    def advance(
        self, index: int, parents: Iterable[int], is_leaf: Callable[[int], bool]
    ) -> tuple[int, dict[int, str]]:
        """Go past a row: its own lane, and how the lines from it meet others.

        Every lane that starts takes the leftmost free one. The first to choose is the row that
        comes last among those that lead further: what goes on stays at the left, and leaves, of
        which many may wait for long, at the right.
        """
        own = self._lane_of.pop(index, None)
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


def _drawn(lanes: list[int | None], own: int, joining: dict[int, str], columns: int) -> str:
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
