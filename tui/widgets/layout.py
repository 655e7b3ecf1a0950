"""How the stepping screen is divided, for each size of the terminal and as the user wants it."""

from __future__ import annotations

from dataclasses import dataclass

from tui.panes import Panes

LEAST_WIDTH, LEAST_HEIGHT = 40, 12
HEADER, FOOTER = 1, 2
SOURCE_LEAST = 6
"""Fewer rows are not worth showing source in."""

LEAST_COLUMNS = 30
"""Neither side gets fewer."""

LEAST_ROWS = {"rail": 3, "step": 4, "source": 4, "tensors": 6}
"""What each pane gets at the least where another is made larger, or asked for."""

AS_IT_COMES = Panes()


@dataclass(frozen=True)
class Layout:
    """Rows and columns of the panes; a pane with 0 rows is not there."""

    stacked: bool
    """Whether the rail is above the pane of the step, not beside it."""
    left_width: int
    rail_height: int
    source_height: int
    right_width: int
    """With the line at its left, where it stands beside the rail."""
    step_height: int
    tensor_height: int
    watch_height: int = 0
    """With the line above it."""

    @property
    def beside(self) -> bool:
        """Whether the two sides stand beside each other."""
        return not self.stacked and self.left_width > 0 and self.right_width > 0


def lay_out(
    width: int, height: int, nodes: int, watched: int = 0, panes: Panes = AS_IT_COMES
) -> Layout | None:
    """The layout for a terminal, and a graph of so many nodes of which so many are watched; None
    where it is too small.

    What the user wants and has no room here is left out, or is as much as there is room for.
    """
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return None
    body = height - HEADER - FOOTER
    watch = 1 + min(watched, body // 5) if watched else 0
    if panes.alone is not None:
        return _alone(width, body, watch, panes.alone)
    stacked = width < 70
    if stacked:
        # One column: the rail at the top, the rest of it for the step.
        left = right = width
        body -= watch
        rail = min(nodes + 1, max(3 if watch else 4, body * 2 // 5))
        least = min(rail, LEAST_ROWS["rail"])
        above = _within(rail + panes.rows, least, body - LEAST_ROWS["step"])
        below = body - above
        source = _asked_for("source", panes.source is True, above, "rail")
        tensors = _asked_for("tensors", panes.tensors is True, below, "step")
    else:
        left = 39 if width < 100 else min(64, width * 45 // 100)
        left = _within(left + panes.columns, LEAST_COLUMNS, width - LEAST_COLUMNS)
        right = width - left
        above, below = body, body - watch
        source = _source(height, body, nodes, panes.source)
        roomy = width >= 100 and height >= 30
        wanted = roomy if panes.tensors is None else panes.tensors
        tensors = _asked_for("tensors", wanted, below, "step")
    return Layout(stacked, left, above - source, source, right, below - tensors, tensors, watch)


def moved(width: int, height: int, nodes: int, watched: int, panes: Panes, by: int) -> Panes:
    """The same with the divider moved by so many columns (or rows, where it lies across), as far
    as that goes."""
    bare = Panes(source=panes.source, tensors=panes.tensors)
    here = lay_out(width, height, nodes, watched, panes)
    before = lay_out(width, height, nodes, watched, bare)
    if here is None or before is None or panes.alone is not None:
        return panes
    attribute = "rows" if here.stacked else "columns"
    wanted = _divider(here) - _divider(before) + by
    there = lay_out(width, height, nodes, watched, Panes(**{**vars(panes), attribute: wanted}))
    assert there is not None
    return Panes(**{**vars(panes), attribute: _divider(there) - _divider(before)})


def _divider(layout: Layout) -> int:
    """Where the divider is."""
    return layout.rail_height + layout.source_height if layout.stacked else layout.left_width


def _alone(width: int, body: int, watch: int, pane: str) -> Layout:
    """One pane; what is watched stays below those of the right side."""
    if pane in ("rail", "source"):
        rail = body if pane == "rail" else 0
        return Layout(False, width, rail, body - rail, 0, 0, 0)
    rest = body - watch
    step = rest if pane == "step" else 0
    return Layout(False, 0, 0, 0, width, step, rest - step, watch)


def _source(height: int, body: int, nodes: int, wanted: bool | None) -> int:
    """The rows of the source: what the rail leaves over, on a high terminal some in any case."""
    rail_wanted = nodes + 1
    least = SOURCE_LEAST if height < 30 else 10
    if wanted is False:
        return 0
    if rail_wanted + least <= body:
        return body - rail_wanted
    if height >= 36:
        return least
    return _asked_for("source", wanted is True, body, "rail")


def _asked_for(pane: str, wanted: bool, room: int, neighbour: str) -> int:
    """The rows of a pane that shares its room with a neighbour, which keeps what it needs."""
    rows = room // 2 if pane == "tensors" else max(LEAST_ROWS[pane], room * 2 // 5)
    return rows if wanted and LEAST_ROWS[pane] <= rows <= room - LEAST_ROWS[neighbour] else 0


def _within(value: int, least: int, most: int) -> int:
    return max(least, min(value, most))
