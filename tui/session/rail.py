"""The graph as one row a node in the order of the backward pass, drawn like `git log --graph`.

A lane is a gradient on its way from the nodes that contribute to it to the node that waits for
it. A row's node stands on its lane; from it lines lead to the lanes of its parents. A lane that
is merely crossed stays `│`; those that join have a junction.
"""

from __future__ import annotations

from tui.session.protocol import Graph

NODE = "*"
"""Stands in a row's lanes where the node's glyph goes."""

STARTS, JOINS, ENDS = "starts", "joins", "ends"
"""How the line from a node meets a lane."""


def draw_lanes(graph: Graph) -> list[str]:
    """The lanes of each step's row, two characters a lane without trailing blanks."""
    rows = []
    lanes: list[int | None] = []
    lane_of: dict[int, int] = {}
    for node in graph.nodes[: graph.step_count]:
        own = lane_of.pop(node.id, None)
        if own is None:
            own = _free_lane(lanes, 0)
        lanes[own] = None
        joining: dict[int, str] = {}
        for parent in _parents_by_argument(graph, node.id):
            if parent in lane_of:
                joining[lane_of[parent]] = JOINS
                continue
            lane = own if lanes[own] is None else _free_lane(lanes, own)
            lanes[lane] = parent
            lane_of[parent] = lane
            joining[lane] = STARTS
        _move_into_own(lanes, lane_of, own, joining)
        rows.append(_row(lanes, own, joining))
        while lanes and lanes[-1] is None:
            lanes.pop()
    return rows


def _move_into_own(
    lanes: list[int | None], lane_of: dict[int, int], own: int, joining: dict[int, str]
) -> None:
    """Where nothing goes on in the node's own lane, the next lane that joins from the right does:
    so the lanes stay together at the left."""
    if lanes[own] is not None:
        return
    right = min((lane for lane in joining if lane > own), default=None)
    if right is not None:
        parent = lanes[right]
        assert parent is not None
        lanes[own], lanes[right] = parent, None
        lane_of[parent] = own
        joining[right] = ENDS


def _parents_by_argument(graph: Graph, node: int) -> list[int]:
    parents = [p.node for p in graph.nodes[node].parents]
    return [p for p in dict.fromkeys(parents) if p < graph.step_count]


def _free_lane(lanes: list[int | None], beyond: int) -> int:
    """The first free lane to the right of `beyond`, a new one where there is none."""
    for lane in range(beyond, len(lanes)):
        if lanes[lane] is None:
            return lane
    lanes.append(None)
    return len(lanes) - 1


def _row(lanes: list[int | None], own: int, joining: dict[int, str]) -> str:
    left, right = min([own, *joining]), max([own, *joining])
    cells = []
    for lane in range(max(len(lanes), right + 1)):
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
    return "".join(cells).rstrip()


def _junction(lane: int, left: int, right: int, kind: str) -> str:
    """A lane that joins goes on above and below; one that starts has no line above, one that
    ends here none below."""
    side = 2 if lane == right else 0 if lane == left else 1
    return {STARTS: "╭┬╮", JOINS: "├┼┤", ENDS: "╰┴╯"}[kind][side]
