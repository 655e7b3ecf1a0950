"""How the stepping screen is divided, for each size of the terminal."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_WIDTH, LEAST_HEIGHT = 40, 12
HEADER, FOOTER = 1, 2
SOURCE_LEAST = 6
"""Fewer rows are not worth showing source in."""


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


def lay_out(width: int, height: int, nodes: int, watched: int = 0) -> Layout | None:
    """The layout for a terminal, and a graph of so many nodes of which so many are watched; None
    where it is too small."""
    if width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return None
    body = height - HEADER - FOOTER
    rail_wanted = nodes + 1
    watch = 1 + min(watched, body // 5) if watched else 0
    if width < 70:
        rail = min(rail_wanted, max(3 if watch else 4, (body - watch) * 2 // 5))
        return Layout(True, width, rail, 0, width, body - rail - watch, 0, watch)
    left = 39 if width < 100 else min(64, width * 45 // 100)
    least_source = SOURCE_LEAST if height < 30 else 10
    rail = body
    if rail_wanted + least_source <= body:
        rail = rail_wanted
    elif height >= 36:
        rail = body - least_source
    right = width - left
    tensor = (body - watch) // 2 if width >= 100 and height >= 30 else 0
    step = body - tensor - watch
    return Layout(False, left, rail, body - rail, right, step, tensor, watch)
