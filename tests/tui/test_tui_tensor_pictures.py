"""Tensors as heat maps and pictures: what is drawn of them, and what stands where."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from tensor_support import text_of
from tui_support import session_on

from tui.session.commands import carry_out
from tui.session.tensors.pictures import draw_picture
from tui.session.tensors.shades import NEGATIVE, POSITIVE, HeatMap, shade
from tui.session.tensors.table import Table
from tui.session.tensors.text import plain_text
from tui.session.tensors.view import TensorView
from tui.session.view import tensor_view
from tui.widgets.glyphs import to_ascii


def test_shades_tell_the_sign_without_a_colour() -> None:
    assert "".join(shade(v, 1.0)[0] for v in (0.0, 0.1, 0.3, 0.6, 1.0)) == POSITIVE
    assert "".join(shade(-v, 1.0)[0] for v in (0.0, 0.1, 0.3, 0.6, 1.0)) == NEGATIVE
    assert not set(POSITIVE) & set(NEGATIVE[1:])
    in_ascii = to_ascii(POSITIVE[1:] + NEGATIVE[1:])
    assert len(set(in_ascii)) == len(in_ascii) == 8
    assert "?" not in in_ascii + to_ascii("▀▄█")
    assert shade(math.nan, 1.0) == ("N", "bad")
    assert shade(-math.inf, 1.0) == ("I", "bad")
    assert shade(0.0, 0.0)[0] == " "


def test_a_heat_map_shows_the_largest_of_each_cell() -> None:
    array = np.zeros((100, 300), np.float32)
    array[57, 123] = -8
    array[99, 299] = 2
    heat = HeatMap(Table(array), 30, 10)
    rows = [plain_text(row) for row in heat.draw((0, 0))]
    assert len(rows) == 10
    if not np.any(np.diff(heat._rows) > 8) and not np.any(np.diff(heat._columns) > 8):
        assert rows[5][12] == NEGATIVE[-1]
    small = HeatMap(Table(array[50:60, 100:150]), 30, 10)
    y, x = small.cell(7, 23)
    assert plain_text(small.draw((0, 0))[y])[x] == NEGATIVE[-1]
    assert small.element(y, x) == (7, 23)


@settings(max_examples=60, deadline=None)
@given(
    npst.arrays(np.float64, npst.array_shapes(min_dims=1, max_dims=3, max_side=20)),
    st.integers(1, 60),
    st.integers(1, 30),
)
def test_a_heat_map_fits_and_each_cell_shows_an_element_of_its_own(
    array: Any, width: int, height: int
) -> None:
    table = Table(array)
    with np.errstate(all="ignore"):
        heat = HeatMap(table, width, height)
        rows = heat.draw((0, 0))
        assert len(rows) <= height
        assert len({len(plain_text(row)) for row in rows}) == 1
        assert len(plain_text(rows[0])) <= width
    y, x = heat.cell(table.rows - 1, table.columns - 1)
    assert heat.cell(*heat.element(y, x)) == (y, x)
    assert heat.cell(*heat.element(y + 5, x + 5)) == (y, x)


def test_a_picture_with_a_ground_is_drawn_in_ink() -> None:
    picture = np.full((28, 28), -0.8, np.float32)
    picture[3:10, 4] = 2.0
    rows = [plain_text(row) for row in draw_picture(picture)]
    assert len(rows) == 14
    assert [row[4] for row in rows[:6]] == [" ", "▄", "█", "█", "█", " "]
    assert all(len(row) == 28 for row in rows)
    assert not any(row.replace(row[4], "").strip() for row in rows)


def test_a_picture_of_weights_tells_signs() -> None:
    picture = np.random.default_rng(0).normal(size=(28, 28))
    picture[0:2, 0] = 9
    picture[2:4, 0] = -9
    rows = [plain_text(row) for row in draw_picture(picture)]
    assert (rows[0][0], rows[1][0]) == (POSITIVE[-1], NEGATIVE[-1])


def test_pictures_of_a_batch_with_labels_and_answers() -> None:
    session = session_on("mlp")
    batch = session.graph.batch
    assert batch is not None
    session.point(batch.inputs)
    session.inspect()
    for _ in range(2):
        carry_out(session, "tensor.display", {})
    shown = tensor_view(session, 80, 21)
    assert shown is not None
    text = text_of(shown["rows"])
    for i in range(2):
        answer = int(batch.outputs[i].argmax())
        assert f"[{i}] a {batch.labels[i]}, network says {answer}" in text
    carry_out(session, "tensor.move", {"rows": 5})
    shown = tensor_view(session, 80, 21)
    assert shown is not None
    assert f"[5] a {batch.labels[5]}" in text_of(shown["rows"])


def test_first_layer_weights_are_pictures_too_also_in_a_slice() -> None:
    session = session_on("mlp")
    session.point(next(n.id for n in session.graph.nodes if n.name == "linear1.weight"))
    session.inspect()
    carry_out(session, "tensor.slice", {"text": "7:9"})
    for _ in range(2):
        carry_out(session, "tensor.display", {})
    text = text_of((tensor_view(session, 80, 21) or {})["rows"])
    assert "[7] unit 7" in text
    assert "[8] unit 8" in text


def drawn(view: TensorView, width: int = 80, height: int = 20) -> list[str]:
    return [plain_text(row) for row in view.draw(width, height)]


def showing_pictures(array: Any) -> TensorView:
    view = TensorView()
    view.open(array)
    view.next_display()
    view.next_display()
    return view


def test_kernels_stand_side_by_side_in_shades_that_mean_the_same() -> None:
    kernels = np.zeros((3, 2, 3, 4))
    kernels[0, 1, 2, 3] = -8
    kernels[2, 0, 0, 0] = 1
    rows = drawn(showing_pictures(kernels))
    tile = 8 + 2
    places = [rows[1].index(f"[{n}, {c}]") for n in range(3) for c in range(2)]
    assert places == [1 + tile * i for i in range(6)]
    assert [row[1 + tile : 1 + tile + 8] for row in rows[2:5]] == [" " * 8] * 2 + ["      ≡≡"]
    assert rows[2][1 + 4 * tile :].startswith("░░  ")
    assert "full is 8" in rows[5]


def test_maps_are_scrolled_through_by_the_cursor() -> None:
    maps = np.random.default_rng(0).normal(size=(5, 8, 24, 24))
    view = showing_pictures(maps)
    rows = drawn(view)
    assert "[0, 0]" in rows[1]
    assert len(rows) == 20
    assert all(len(row) <= 80 for row in rows)
    view.move(0, 9)
    assert view.place == (1, 1, 0, 0)
    assert "[1, 1]" in "".join(drawn(view))
    view.to_end(last=True)
    assert view.place == (4, 7, 23, 23)
    rows = drawn(view)
    assert "[4, 7]" in "".join(rows)
    assert "[0, 0]" not in "".join(rows)


@pytest.mark.parametrize(
    ("shape", "width", "size"),
    [
        ((1, 1, 5, 5), 80, (10, 5)),
        ((1, 1, 14, 3), 80, (6, 14)),
        ((1, 1, 24, 24), 80, (24, 12)),
        ((1, 1, 2, 200), 80, (28, 1)),
        ((1, 1, 224, 112), 40, (14, 14)),
    ],
)
def test_a_map_keeps_its_shape(shape: tuple[int, ...], width: int, size: tuple[int, int]) -> None:
    rows = drawn(showing_pictures(np.ones(shape)), width, 24)
    filled = [row.strip() for row in rows if set(row.strip()) == {"█"}]
    assert (max(map(len, filled)), len(filled)) == size


def test_a_slice_of_maps_is_still_pictures_and_of_pixels_numbers() -> None:
    view = showing_pictures(np.ones((4, 3, 6, 5)))
    view.slice("2, :, 1:4")
    rows = drawn(view)
    assert [f"[2, {channel}]" in rows[1] for channel in range(3)] == [True] * 3
    view.slice(":, :, 0")
    drawn(view)
    assert view.display == "numbers"


@settings(max_examples=60, deadline=None)
@given(
    npst.arrays(np.float32, npst.array_shapes(min_dims=4, max_dims=5, max_side=6)),
    st.integers(40, 120),
    st.integers(6, 40),
    st.data(),
)
def test_pictures_always_fit(array: Any, width: int, height: int, data: st.DataObject) -> None:
    with np.errstate(all="ignore"):
        view = showing_pictures(array)
        view.move(0, data.draw(st.integers(0, array.size)))
        rows = view.draw(width, height)
    assert len(rows) == height
    assert all(len(plain_text(row)) <= width for row in rows)
