"""Looking into tensors: health, numbers, heat maps, pictures, and how little it takes."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from tui_support import session_on

from tui.errors import Refused
from tui.session import numbers
from tui.session.commands import carry_out
from tui.session.session import Session
from tui.session.tensors import chunks as chunks_module
from tui.session.tensors import find, view
from tui.session.tensors.chunks import CHUNK, chunks, place_of, sample
from tui.session.tensors.health import BINS, Health, health_of
from tui.session.tensors.histogram import bar_rows, merged
from tui.session.tensors.pictures import draw_picture
from tui.session.tensors.shades import NEGATIVE, POSITIVE, HeatMap, shade
from tui.session.tensors.slices import parse
from tui.session.tensors.table import VECTOR_COLUMNS, Table
from tui.session.tensors.text import flowing, joined, plain_text
from tui.session.tensors.view import TensorView
from tui.session.view import tensor_view
from tui.widgets.glyphs import to_ascii

arrays = npst.arrays(
    st.sampled_from([np.float32, np.float64, np.float16, np.int64, np.uint8, np.bool_]),
    npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9),
)
layouts = st.sampled_from(
    [
        lambda a: a,
        lambda a: a.T,
        lambda a: a[..., ::-1] if a.ndim else a,
        lambda a: np.broadcast_to(a, (3, *a.shape)),
    ]
)


def opened(array: Any) -> TensorView:
    looking = TensorView()
    looking.open(array)
    return looking


def text_of(rows: Any) -> str:
    return "\n".join(plain_text(row) for row in rows)


# Walking through


@settings(max_examples=100, deadline=None)
@given(arrays, layouts, st.integers(0, 40), st.integers(0, 40), st.integers(1, 7))
def test_chunks_are_the_elements_in_their_order(
    array: Any, layout: Any, start: int, stop: int, size: int
) -> None:
    array = layout(array)
    before = chunks_module.CHUNK
    chunks_module.CHUNK = size
    try:
        found = [(first, chunk.copy()) for first, chunk in chunks(array, start, stop)]
    finally:
        chunks_module.CHUNK = before
    expected = array.reshape(-1)[start : max(start, stop)]
    together = np.concatenate([chunk for _, chunk in found]) if found else expected[:0]
    np.testing.assert_array_equal(together, expected)
    places = [first for first, _ in found]
    lengths = [len(chunk) for _, chunk in found]
    assert places == [start + sum(lengths[:i]) for i in range(len(lengths))]


@settings(max_examples=100, deadline=None)
@given(arrays, layouts, st.data())
def test_what_is_found(array: Any, layout: Any, data: st.DataObject) -> None:
    array = layout(array)
    if not array.size:
        assert find.largest(array) is None
        return
    flat = array.reshape(-1)
    after = data.draw(st.integers(0, array.size - 1))
    bad = [i for i in range(array.size) if not np.isfinite(flat[i])]
    expected = next((i for i in [*(b for b in bad if b > after), *bad]), None)
    assert find.next_not_finite(array, after) == expected

    sizes = np.where(np.isnan(flat.astype(float)), -1, np.abs(flat.astype(float)))
    order = sorted((i for i in range(array.size) if sizes[i] >= 0), key=lambda i: (-sizes[i], i))
    at = find.largest(array)
    for place in order:
        assert at == place
        at = find.largest(array, at)
    assert at is None
    telling = find.most_telling(array)
    assert telling == next((i for i in bad if np.isnan(flat[i])), order[0] if order else 0)
    assert array[place_of(array, telling)] is not None


def test_a_sample_is_spread_evenly_and_small_arrays_are_whole() -> None:
    array = np.arange(1000).reshape(10, 100)
    np.testing.assert_array_equal(sample(array, 1000), array.reshape(-1))
    some = sample(array.T, 10)
    assert len(some) == 10
    assert some[0] == 0
    assert some[-1] == 999


# Health


@settings(max_examples=150, deadline=None)
@given(arrays, layouts, st.integers(1, 30))
def test_health_is_that_of_all_elements_however_they_are_counted(
    array: Any, layout: Any, size: int
) -> None:
    array = layout(array)
    before = chunks_module.CHUNK
    chunks_module.CHUNK = size
    try:
        with np.errstate(all="ignore"):
            health = Health(array)
            shares = [health.share]
            while not health.done:
                health.go_on(0)  # one chunk
                shares.append(health.share)
    finally:
        chunks_module.CHUNK = before
    assert shares == sorted(shares)
    assert shares[-1] == 1
    values = array.astype(np.float64).reshape(-1)
    finite = values[np.isfinite(values)]
    assert health.nan == np.isnan(values).sum()
    assert health.inf == np.isinf(values).sum()
    assert health.negative == (finite < 0).sum()
    assert health.zero == (finite == 0).sum()
    assert health.positive == (finite > 0).sum()
    assert health.finite == len(finite)
    if len(finite):
        assert (health.min, health.max) == (finite.min(), finite.max())
        mean, std, norm = numbers.moments(finite)
        scale = float(np.abs(finite).max())
        assert health.mean == pytest.approx(mean, rel=1e-9, abs=1e-12 * scale)
        assert health.std == pytest.approx(std, rel=1e-6, abs=1e-7 * scale)
        assert health.norm == pytest.approx(norm, rel=1e-9, abs=1e-300)
        if 0 < np.ptp(finite / 2) < 8e307 and np.ptp(finite) / BINS > 1e-300:
            assert health.bins.sum() == len(finite)


def test_health_keeps_its_precision_over_many_chunks() -> None:
    array = (np.random.default_rng(0).normal(1000, 1, 10 * CHUNK + 77)).astype(np.float32)
    health = health_of(array)
    exact = array.astype(np.float64)
    assert health.mean == pytest.approx(exact.mean(), rel=1e-12)
    assert health.std == pytest.approx(exact.std(), rel=1e-9)
    assert health.norm == pytest.approx(np.sqrt((exact**2).sum()), rel=1e-12)


@pytest.mark.parametrize("room", [1, 4, 5, 11, 24, 95, 96, 500])
def test_bins_are_merged_evenly(room: int) -> None:
    counts = np.arange(96)
    bins = merged(counts, room)
    assert bins.sum() == counts.sum()
    assert len(bins) <= room
    assert 96 % len(bins) == 0


def test_a_histogram_of_several_rows() -> None:
    assert bar_rows(np.array([0, 1, 8, 16]), 2) == ["   █", " ▁██"]
    assert bar_rows(np.array([0, 0])) == ["  "]


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


# Heat maps and pictures


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


def test_counting_a_hundred_million_goes_on_in_pieces() -> None:
    health = Health(np.broadcast_to(np.float32(1), (10000, 10000)))
    health.go_on(0)
    assert 0 < health.share <= CHUNK / 2e8
    assert health.positive == CHUNK


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
