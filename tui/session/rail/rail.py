"""The rows of the rail that are seen: what each stands for, and how far its nodes are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.session import numbers
from tui.session.protocol import Graph, Node
from tui.session.rail.folding import Folding, Row
from tui.session.rail.lanes import Lanes

if TYPE_CHECKING:
    from tui.session.session import Session

Json = dict[str, Any]

MARGIN = 2
"""So many rows are seen above and below the cursor, where there are any."""


class Rail:
    """Scrolls through a graph's rows and says what is to be seen in each.

    Only the rows that are seen are computed.

    Args:
        graph: whose nodes stand in the rows.
        folding: which of them stand in which row.
        users: which nodes use each of them, see `users_of`.
    """

    def __init__(self, graph: Graph, folding: Folding, users: list[list[int]]) -> None:
        self.first = 0
        """The first row that is seen."""
        self._lanes = Lanes(graph, folding, users)

    def view(self, session: Session, rows: int, columns: int) -> list[Json]:
        """As many rows as there is room for, the cursor's among them.

        Args:
            session: tells how far each node is.
            rows: how many there is room for.
            columns: how many columns the lanes may take.
        """
        folding = session.folding
        self._scroll(session, rows)
        lanes = self._lanes.draw(self.first, rows, columns)
        shown = range(self.first, min(len(folding), self.first + rows))
        lanes += [""] * (len(shown) - len(lanes))
        return [
            {"lanes": lane, **row_view(session, folding.row(index))}
            for index, lane in zip(shown, lanes, strict=True)
        ]

    def _scroll(self, session: Session, rows: int) -> None:
        """No more than is needed to see the cursor."""
        folding = session.folding
        cursor = folding.index_of(session.cursor)
        margin = min(MARGIN, max(0, (rows - 1) // 2))
        first = min(self.first, cursor - margin)
        first = max(first, cursor + margin - rows + 1)
        self.first = max(0, min(first, len(folding) - rows))


def row_view(session: Session, row: Row) -> Json:
    """A row; one that is folded stands for its first node, through which (as for any node)
    all comes that comes from above."""
    node = session.graph.nodes[row.first]
    grad = session.grad_shown(row.first) if node.requires_grad else None
    state, note = _state(session, node, row, grad is not None)
    if row.call is None:
        label, brief = session.labels.on_rail(row.first)
    else:
        brief = f"+ {row.call.path}"
        label = f"{brief} {row.call.module or ''}".rstrip()
        if not node.shape:
            label += f" = {numbers.number(session.graph.value(row.first)[()])}"
        if not note and grad is None:
            note = f"{row.size} nodes"
    return {
        "id": row.first,
        "mark": _mark(session, row),
        "state": state,
        "label": label,
        "brief": brief,
        "shape": numbers.shape(node.shape) if node.shape else "",
        "grad": "" if grad is None else numbers.measure(grad),
        "note": note,
    }


def _mark(session: Session, row: Row) -> str:
    """The mark of the row's first node that has one."""
    breakpoints = session.breakpoints
    if not breakpoints.breakpoints and not breakpoints.watches:
        return ""
    nodes = range(row.first, row.last + 1)
    return next((mark for node in nodes if (mark := breakpoints.mark(node))), "")


def _state(session: Session, node: Node, row: Row, arrived: bool) -> tuple[str, str]:
    """How far a row is, whose first node it is, and a note on what is halfway there."""
    if not node.requires_grad:
        return "rests", "no grad"
    done = session.graph.position - row.first
    if done > row.size:
        return "done", ""
    if done > 0:
        return "shown", "" if done == row.size else f"{done} of {row.size}"
    if not arrived:
        return "waits", ""
    waiting = session.graph.waiting(row.first) + session.hidden_edges(row.first)
    if not waiting:
        return "ready", ""
    all_edges = session.uses(row.first)
    return "waits", f"{all_edges - waiting} of {all_edges}"
