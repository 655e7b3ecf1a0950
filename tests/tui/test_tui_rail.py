"""The lanes of the rail: a picture that can be read back as the graph it shows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from tui_graphs import graph_of, tensors
from tui_support import BUNDLED, load

from tui.session.opening import open_graph
from tui.session.rail import draw_lanes

UP, DOWN = set("│├┼┤╰┴╯"), set("│├┼┤╭┬╮")
RIGHT, LEFT = set("─├┼╭┬╰┴"), set("─┼┤┬╮┴╯")
JUNCTIONS = set("├┼┤╭┬╮╰┴╯")
ENDING = set("╰┴╯")


def cell(rows: list[str], row: int, column: int) -> str:
    inside = row < len(rows) and 0 <= column < len(rows[row])
    return rows[row][column] if inside else " "


def reached_from(rows: list[str], row: int, column: int) -> int:
    """The row of the node to which the lane leads that leaves a cell downwards."""
    while True:
        row += 1
        here = cell(rows, row, column)
        if here == "*":
            return row
        assert here in UP, f"the lane in column {column} breaks off at row {row}"
        if here in ENDING:
            column = rows[row].index("*")


def parents_drawn(rows: list[str], row: int) -> set[int]:
    """The nodes to which the lines of a row's node lead."""
    own = rows[row].index("*")
    found = set()
    ends_here = False
    for step in (2, -2):
        column = own
        toward, back = (RIGHT, LEFT) if step > 0 else (LEFT, RIGHT)
        while True:
            between = cell(rows, row, column + step // 2)
            if between != "─":
                break
            column += step
            here = cell(rows, row, column)
            assert here in "─│" or here in back, f"a line runs against {here!r}"
            if here in ENDING:
                ends_here = True
            elif here in JUNCTIONS:
                found.add(reached_from(rows, row, column))
            if here in JUNCTIONS and here not in toward:
                break
    if ends_here or cell(rows, row + 1, own) == "*" or cell(rows, row + 1, own) in UP:
        found.add(reached_from(rows, row, own))
    return found


def check(graph: Any, rows: list[str]) -> None:
    steps = graph.step_count
    assert len(rows) == steps
    for i, row in enumerate(rows):
        assert row == row.rstrip()
        assert row.count("*") == 1
        assert set(row[::2]) <= set("*│─ ") | JUNCTIONS
        assert set(row[1::2]) <= set("─ ")
        assert row.index("*") % 2 == 0
        expected = {p.node for p in graph.nodes[i].parents if p.node < steps}
        assert parents_drawn(rows, i) == expected, "\n".join(rows)
        for column in range(0, max(map(len, rows)), 2):
            below = "" if i + 1 == steps else cell(rows, i + 1, column)
            here = cell(rows, i, column)
            if here in DOWN:
                assert below == "*" or below in UP, "\n".join(rows)
            if below and below in UP:
                assert here == "*" or here in DOWN, "\n".join(rows)
            if below == "*":
                assert here == "*" or here in DOWN, "\n".join(rows)


@settings(max_examples=150, deadline=None)
@given(tensors(most=25))
def test_a_picture_shows_its_graph(root: Any) -> None:
    graph = graph_of(root)
    check(graph, draw_lanes(graph))


@pytest.mark.parametrize("name", BUNDLED)
def test_pictures_of_bundled_scenarios(name: str) -> None:
    graph = open_graph(load(name))
    check(graph, draw_lanes(graph))


@pytest.mark.parametrize(
    ("name", "picture"),
    [
        ("first_graph", ["*─╮", "│ *─╮", "│ │ *", "*─┤", "│ *", "*"]),
        (
            "shared_parent",
            ["*", "*─╮", "*─│─╮", "│ ├─*", "*─│─╮", "│ ├─*", "│ │ *", "*─╯", "*"],
        ),
        ("log_chain", ["*", "*─╮", "│ *", "│ *", "*─╮", "│ *", "*"]),
    ],
)
def test_pictures_by_hand(name: str, picture: list[str]) -> None:
    assert draw_lanes(open_graph(load(name))) == picture


def test_a_picture_that_is_wrong_is_noticed() -> None:
    """The reader of pictures itself: a crossed lane drawn as joined is another graph."""
    graph = open_graph(load("shared_parent"))
    rows = draw_lanes(graph)
    for row, wrong in ((2, "*─┼─╮"), (2, "*─│─╯"), (3, "│ │ *"), (7, "* │"), (7, "*─┤")):
        with pytest.raises(AssertionError):
            check(graph, [*rows[:row], wrong, *rows[row + 1 :]])
