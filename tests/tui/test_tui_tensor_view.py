"""Looking into a tensor: its table and the window on it, moving about, and how little it takes."""

from __future__ import annotations

import itertools
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from tensor_support import opened, text_of
from tui_support import session_on

from tui.errors import Refused
from tui.session import numbers
from tui.session.commands import carry_out
from tui.session.session import Session
from tui.session.tensors import view
from tui.session.tensors.slices import parse
from tui.session.tensors.table import VECTOR_COLUMNS, Table
from tui.session.tensors.text import flowing, joined, plain_text
from tui.session.view import tensor_view

# Tables and windows


@settings(max_examples=100, deadline=None)
@given(npst.arrays(np.int64, npst.array_shapes(min_dims=0, max_dims=4, max_side=12)), st.data())
def test_every_element_has_its_row_and_column(array: Any, data: st.DataObject) -> None:
    table = Table(array)
    index = tuple(data.draw(st.integers(0, n - 1)) for n in array.shape)
    row, column = table.cell(index)
    assert 0 <= row < table.rows
    assert 0 <= column < table.columns
    assert table.index(row, column) == index
    window = table.window(row, 1, column, 1)
    assert window[0].reshape(-1)[0] == array[index]
    assert table.spread(np.array([row]), np.array([column]))[0, 0] == array[index]
    everything = np.concatenate([r.reshape(-1) for r in table.window(0, 10**6, 0, 10**6)])
    np.testing.assert_array_equal(everything, array.reshape(-1))


@settings(max_examples=100, deadline=None)
@given(
    npst.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.bool_]),
        npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=40),
    ),
    st.integers(38, 130),
    st.integers(9, 40),
    st.sampled_from(["", "d", "dd"]),
    st.data(),
)
def test_a_view_keeps_to_its_place_and_shows_cursor_and_health(
    array: Any, width: int, height: int, displays: str, data: st.DataObject
) -> None:
    with np.errstate(all="ignore"):
        looking = opened(array)
        for _ in displays:
            looking.next_display()
        for _ in range(3):
            rows = looking.draw(width, height)
            assert len(rows) <= height
            assert all(len(plain_text(row)) <= width for row in rows)
            if array.size:
                marks = [mark for row in rows for _, mark in row]
                assert marks.count("cursor") == 1
                text = text_of(rows)
                assert all(n in text for n in ("negative", "zero", "positive", "NaN", "Inf")), text
                if np.isfinite(array).any() and width >= 60:
                    assert all(n in text for n in ("min", "mean", "max", "std", "norm")), text
            looking.move(data.draw(st.integers(-60, 60)), data.draw(st.integers(-60, 60)))


def test_a_window_of_a_matrix() -> None:
    looking = opened(np.arange(12.0).reshape(3, 4) / 4)
    looking.move(1, 2)
    rows = looking.draw(80, 20)
    assert text_of(rows[:5]).splitlines() == [
        " at [1, 2]  1.5",
        "          0       1       2       3",
        " 0        0   0.250   0.500   0.750",
        " 1    1.000   1.250   1.500   1.750",
        " 2    2.000   2.250   2.500   2.750",
    ]
    assert ("1.500", "cursor") in rows[3]
    assert text_of(rows[-3:]).splitlines()[:2] == [
        " 0 negative  1 zero  11 positive  0 NaN  0 Inf",
        " min 0  mean 1.375  max 2.75  std 0.863  norm 5.624",
    ]


def test_headings_are_the_indices_in_the_tensor() -> None:
    looking = opened(np.arange(120).reshape(4, 5, 6))
    looking.slice("1:3, ::2, 5:1:-2")
    lines = text_of(looking.draw(80, 20)).splitlines()
    assert lines[0] == " [1:3, ::2, :1:-2] gives (2,3,2)  at [1, 0, 5]  35"
    assert [line.split() for line in lines[1:8]] == [
        ["5", "3"],
        ["1,0", "35", "33"],
        ["1,2", "47", "45"],
        ["1,4", "59", "57"],
        ["2,0", "65", "63"],
        ["2,2", "77", "75"],
        ["2,4", "89", "87"],
    ]


def test_a_vector_is_written_in_rows() -> None:
    looking = opened(np.arange(25))
    looking.jump("23")
    lines = [line.split() for line in text_of(looking.draw(100, 20)).splitlines()]
    assert lines[0] == ["at", "[23]", "23"]
    assert lines[1] == [f"+{i}" for i in range(VECTOR_COLUMNS)]
    assert lines[2] == ["0", *map(str, range(10))]
    assert lines[4] == ["20", *map(str, range(20, 25))]


def test_the_window_follows_the_cursor_and_wastes_nothing() -> None:
    looking = opened(np.arange(10000.0).reshape(100, 100))
    looking.to_end(last=True)
    lines = text_of(looking.draw(80, 20)).splitlines()
    assert lines[1].split()[-1] == "99"
    assert lines[16].split()[0] == "99"
    first = lines[2].split()[0]
    looking.move(-3, 0)
    assert text_of(looking.draw(80, 20)).splitlines()[2].split()[0] == first
    looking.to_end(last=False)
    assert text_of(looking.draw(80, 20)).splitlines()[2].split()[:2] == ["0", "0"]


def test_a_slice_keeps_the_cursor_on_its_element_and_a_wrong_one_changes_nothing() -> None:
    looking = opened(np.arange(120).reshape(4, 5, 6))
    looking.jump("2, 3, 4")
    looking.slice("2, :, 3:6")
    assert looking.place == (2, 3, 4)
    before = text_of(looking.draw(80, 20))
    with pytest.raises(Refused, match="dimension 2 has 6 elements"):
        looking.slice("0, 0, 9")
    with pytest.raises(Refused):
        looking.jump("1, 2")
    assert text_of(looking.draw(80, 20)) == before
    looking.slice("0, :, 3:6")
    assert looking.place == (0, 0, 3)
    assert looking.jump("1, 1, 1") == "[1, 1, 1] is not in [0, :, 3:]: all is shown again"
    assert looking.where == parse("", (4, 5, 6))
    assert looking.place == (1, 1, 1)


def test_next_nan_and_largest_say_where_there_is_none() -> None:
    array = np.array([[1.0, -9.0, 3.0], [2.0, 9.0, 0.0]])
    looking = opened(array)
    assert looking.next_bad() == "no NaN and no Inf"
    places = []
    for _ in range(6):
        assert looking.largest() == ""
        places.append(looking.place)
    assert places == [(0, 1), (1, 1), (0, 2), (1, 0), (0, 0), (1, 2)]
    assert looking.largest() == "that was the smallest: m starts again"
    looking.move(0, -1)
    assert looking.largest() == ""
    assert looking.place == (0, 1)
    array[1, 0], array[0, 2] = np.nan, -np.inf
    for place in ((0, 2), (1, 0), (0, 2)):
        assert looking.next_bad() == ""
        assert looking.place == place
    looking.slice("0, :2")
    assert looking.next_bad() == "no NaN and no Inf in [0, :2]"


def test_values_in_a_range_are_marked_and_not_by_colour_alone() -> None:
    looking = opened(np.array([[0.5, 1.5, 2.5]]))
    looking.mark("1 to 2")
    rows = looking.draw(80, 20)
    assert "*1.500" in text_of(rows)
    assert text_of(rows).count("*") == 2  # and where it says so
    assert "* 1 to 2" in plain_text(rows[0])
    with pytest.raises(Refused):
        looking.mark("2 to 1")
    looking.mark("")
    assert "*" not in text_of(looking.draw(80, 20))


def test_an_array_without_elements_says_so() -> None:
    assert "it has no elements" in text_of(opened(np.zeros((0, 3))).draw(80, 20))


def test_another_array_of_the_same_shape_keeps_slice_and_cursor() -> None:
    looking = opened(np.zeros((4, 5)))
    looking.slice("1:, 2:")
    looking.jump("3, 4")
    looking.open(np.ones((4, 5)))
    assert (looking.where.text, looking.place) == ("[1:, 2:]", (3, 4))
    looking.open(np.ones((5, 4)))
    assert (looking.where.text, looking.place) == ("[:, :]", (0, 0))


# What the session says


def inspecting(name: str, node: str) -> Session:
    session = session_on(name)
    session.point(next(n.id for n in session.graph.nodes if n.name == node))
    carry_out(session, "tensor.open", {})
    return session


def test_a_gradient_that_has_not_come_yet_and_one_that_has() -> None:
    session = inspecting("first_graph", "b")
    carry_out(session, "tensor.other", {})
    shown = tensor_view(session, 80, 21)
    assert shown is not None
    assert shown["kind"] == "gradient none yet"
    assert "it waits for 2 contributions" in text_of(shown["rows"])
    with pytest.raises(Refused, match="no gradient here yet"):
        carry_out(session, "tensor.largest", {})
    for _ in range(2):
        carry_out(session, "next", {})
    shown = tensor_view(session, 80, 21)
    assert shown is not None
    assert shown["kind"] == "gradient () float32, 1 to come"
    assert shown["node"] == session.inspector.node  # type: ignore[union-attr]
    carry_out(session, "tensor.close", {})
    assert tensor_view(session, 80, 21) is None


def test_what_needs_no_gradient_has_only_a_value() -> None:
    session = inspecting("mlp", "inputs")
    with pytest.raises(Refused, match="needs no grad"):
        carry_out(session, "tensor.other", {})


def test_an_element_is_chosen_and_let_go() -> None:
    session = inspecting("mlp", "linear1.weight")
    carry_out(session, "tensor.element", {"text": "3, 400"})
    carry_out(session, "tensor.choose", {})
    assert session.chosen == {session.inspector.node: (3, 400)}  # type: ignore[union-attr]
    assert session.messages[-1]["text"].startswith("the steps work through [3, 400]")
    shown = tensor_view(session, 80, 21)
    assert shown is not None
    assert "► worked through in the steps" in text_of(shown["rows"])
    assert text_of(shown["rows"]).count("►") == 2
    carry_out(session, "tensor.choose", {})
    assert session.chosen == {}


# Size


def test_a_hundred_million_elements_are_opened_without_a_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of so many only what is seen is computed, whatever is displayed and wherever one goes."""
    monkeypatch.setattr(view, "AT_ONCE", 0)  # of the counting one chunk
    array = np.broadcast_to(np.arange(10000, dtype=np.float32), (100, 100, 10000))
    printed = 0
    aligned = numbers.aligned

    def counted(row: Any, whole: Any, strip: bool = True) -> list[str]:
        nonlocal printed
        printed += len(row)
        return aligned(row, whole, strip)

    monkeypatch.setattr(numbers, "aligned", counted)
    tracemalloc.start()
    try:
        looking = opened(array)
        frames = 0
        for display in range(2):
            looking.draw(120, 40)
            looking.jump("57, 33, 8123")
            looking.draw(120, 40)
            looking.page(1)
            looking.to_end(last=True)
            looking.draw(120, 40)
            looking.slice("::2, 5:, ::-1")
            looking.draw(120, 40)
            looking.slice("")
            looking.next_display()
            frames += 4 * (display == 0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < array.size * array.itemsize / 20
    assert printed <= 2 * frames * 40 * (120 // 8)
    assert looking.is_counting


# Text


@given(st.lists(st.tuples(st.text("ab ", min_size=1, max_size=9), st.sampled_from("xy"))))
def test_joined_parts_are_the_same_text(parts: list[tuple[str, str]]) -> None:
    row = joined(parts)
    assert plain_text(row) == "".join(text for text, _ in parts)
    assert all(a[1] != b[1] for a, b in itertools.pairwise(row))


def test_flowing_words_are_not_broken() -> None:
    rows = flowing([("one two", "x"), ("three", "y"), ("four", "x")], 16)
    assert [plain_text(row) for row in rows] == [" one two  three", " four"]


def test_flowing_words_begin_at_multiples_of_a_column() -> None:
    words = [(text, "x") for text in ("one", "three", "seventeen", "four")]
    rows = [plain_text(row) for row in flowing(words, 24, 7)]
    assert rows == [" one    three  seventeen", " four"]
