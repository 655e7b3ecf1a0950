"""The lanes of the rail: a picture that can be read back as the graph it shows."""

from __future__ import annotations

from random import Random
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_graphs import graph_of, networks, tensors
from tui_support import BUNDLED, load

import engine
from tui.session.opening import open_graph
from tui.session.protocol import users_of
from tui.session.rail.folding import Folding
from tui.session.rail.lanes import KEPT_EVERY, Lanes

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


def lanes_of(graph: Any, folding: Folding) -> Lanes:
    return Lanes(graph, folding, users_of(graph.nodes))


def drawn(graph: Any, folding: Folding | None = None, columns: int = 1000) -> list[str]:
    """The lanes of all rows; where nothing is said, each node is one."""
    if folding is None:
        folding = Folding(graph)
        folding.set(())
    return lanes_of(graph, folding).draw(0, len(folding), columns)


def parent_rows(graph: Any, folding: Folding) -> list[set[int]]:
    """For each row with steps the other rows that its nodes hand gradients to."""
    steps = graph.step_count
    found: list[set[int]] = []
    for index in range(len(folding)):
        row = folding.row(index)
        if row.first >= steps:
            break
        parents = {p.node for n in graph.nodes[row.first : row.last + 1] for p in n.parents}
        found.append({folding.index_of(p) for p in parents if p < steps} - {index})
    return found


def check(expected: list[set[int]], rows: list[str]) -> None:
    assert len(rows) == len(expected)
    for i, row in enumerate(rows):
        assert row == row.rstrip()
        assert row.count("*") == 1
        assert set(row[::2]) <= set("*│─ ") | JUNCTIONS
        assert set(row[1::2]) <= set("─ ")
        assert row.index("*") % 2 == 0
        assert parents_drawn(rows, i) == expected[i], "\n".join(rows)
        for column in range(0, max(map(len, rows)), 2):
            below = "" if i + 1 == len(rows) else cell(rows, i + 1, column)
            here = cell(rows, i, column)
            if here in DOWN:
                assert below == "*" or below in UP, "\n".join(rows)
            if below and below in UP:
                assert here == "*" or here in DOWN, "\n".join(rows)
            if below == "*":
                assert here == "*" or here in DOWN, "\n".join(rows)


def check_graph(graph: Any, folding: Folding | None = None) -> None:
    if folding is None:
        folding = Folding(graph)
        folding.set(())
    check(parent_rows(graph, folding), drawn(graph, folding))


@settings(max_examples=150, deadline=None)
@given(tensors(most=25))
def test_a_picture_shows_its_graph(root: Any) -> None:
    check_graph(graph_of(root))


@settings(max_examples=100, deadline=None)
@given(networks(), st.randoms(use_true_random=False))
def test_a_folded_picture_shows_the_graph_of_its_rows(root: Any, random: Random) -> None:
    graph = graph_of(root)
    folding = Folding(graph)
    for _ in range(6):
        check_graph(graph, folding)
        folding.toggle(random.randrange(graph.step_count))
    folding.toggle_all()
    check_graph(graph, folding)


@settings(max_examples=60, deadline=None)
@given(tensors(most=40), st.data())
def test_any_part_of_a_picture_is_as_in_the_whole(root: Any, data: st.DataObject) -> None:
    graph = graph_of(root)
    whole = drawn(graph)
    lanes = lanes_of(graph, Folding(graph))
    for _ in range(5):
        first = data.draw(st.integers(0, len(whole)))
        count = data.draw(st.integers(0, 10))
        assert lanes.draw(first, count, 1000) == whole[first : first + count]


@settings(max_examples=80, deadline=None)
@given(networks(), st.data())
def test_lanes_that_were_kept_are_right_however_rows_are_folded(
    root: Any, data: st.DataObject
) -> None:
    graph = graph_of(root)
    folding = Folding(graph)
    lanes = lanes_of(graph, folding)
    with mock.patch("tui.session.rail.lanes.KEPT_EVERY", 3):
        for _ in range(12):
            first = data.draw(st.integers(0, len(folding) - 1))
            assert lanes.draw(first, 4, 1000) == drawn(graph, folding)[first : first + 4]
            if data.draw(st.booleans()):
                folding.toggle(data.draw(st.integers(0, graph.step_count - 1)))
            elif data.draw(st.integers(0, 9)) == 0:
                folding.toggle_all()


def test_any_part_of_a_long_picture_is_as_in_the_whole() -> None:
    a = engine.Tensor(1.0, requires_grad=True)
    leaves = [engine.Tensor(1.0, requires_grad=True) for _ in range(3 * KEPT_EVERY)]
    for leaf in leaves:
        a = leaf + a * a
    graph = graph_of(a)
    whole = drawn(graph)
    lanes = lanes_of(graph, Folding(graph))
    for first in (0, 700, 20, KEPT_EVERY - 3, 2 * KEPT_EVERY, 900, 5):
        assert lanes.draw(first, 9, 1000) == whole[first : first + 9]


@settings(max_examples=60, deadline=None)
@given(tensors(most=40), st.integers(4, 12))
def test_what_does_not_fit_is_cut_off_and_the_node_stays(root: Any, columns: int) -> None:
    graph = graph_of(root)
    for cut, whole in zip(drawn(graph, columns=columns), drawn(graph), strict=True):
        assert len(cut) <= columns
        assert cut.count("*") == 1
        if len(whole) <= columns:
            assert cut == whole
        elif cut.endswith("…*"):
            assert whole.startswith(cut[:-2])
            assert whole.index("*") >= columns - 2
        else:
            assert cut.endswith("…")
            assert whole.startswith(cut[:-1].rstrip())


def test_what_goes_on_stays_at_the_left() -> None:
    """Leaves that wait for long do not push the chain that they are added to away."""
    leaves = [engine.Tensor(1.0, requires_grad=True) for _ in range(30)]
    total = leaves[0]
    for leaf in leaves[1:]:
        total = leaf + total
    rows = drawn(graph_of(total))
    assert all(row.startswith("*") for row in rows[:29])


def test_a_lane_that_has_ended_is_used_again() -> None:
    """Two chains after each other take no more room than one."""
    ends = []
    for _ in range(4):
        a = engine.Tensor(1.0, requires_grad=True)
        for _ in range(10):
            a = a * engine.Tensor(2.0, requires_grad=True)
        ends.append(a)
    while len(ends) > 1:
        ends = [ends[0] + ends[1], *ends[2:]]
    rows = drawn(graph_of(ends[0]))
    assert max(len(row) for row in rows) <= 2 * 5


@pytest.mark.parametrize("name", BUNDLED)
def test_pictures_of_bundled_scenarios(name: str) -> None:
    graph = open_graph(load(name))
    folding = Folding(graph)
    check_graph(graph, folding)
    folding.toggle_all()
    check_graph(graph, folding)
    check_graph(graph)


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
    assert drawn(open_graph(load(name))) == picture


def test_a_picture_that_is_wrong_is_noticed() -> None:
    """The reader of pictures itself: a crossed lane drawn as joined is another graph."""
    graph = open_graph(load("shared_parent"))
    rows = drawn(graph)
    folding = Folding(graph)
    for row, wrong in ((2, "*─┼─╮"), (2, "*─│─╯"), (3, "│ │ *"), (7, "* │"), (7, "*─┤")):
        with pytest.raises(AssertionError):
            check(parent_rows(graph, folding), [*rows[:row], wrong, *rows[row + 1 :]])
