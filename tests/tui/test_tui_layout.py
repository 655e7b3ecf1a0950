"""What fits where: panes, wrapped items, grids of numbers, histograms, curves."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from rich.cells import cell_len
from rich.style import Style
from tui_support import session_on, view_of, write

from tui.session.inspection import grid
from tui.session.tensors.health import health_of
from tui.session.tensors.histogram import BARS, bar_rows, merged
from tui.session.view import view_of as view_at
from tui.widgets.items import STYLES, lay_out, wrap
from tui.widgets.layout import FOOTER, HEADER, LEAST_HEIGHT, LEAST_WIDTH
from tui.widgets.layout import lay_out as panes
from tui.widgets.lines import Lines

# Panes


@pytest.mark.parametrize(("nodes", "watched"), [(1, 0), (6, 0), (6, 1), (25, 8), (1000, 1000)])
def test_panes_add_up_at_every_size(nodes: int, watched: int) -> None:
    for width in range(LEAST_WIDTH, 201):
        for height in range(LEAST_HEIGHT, 61):
            layout = panes(width, height, nodes, watched)
            assert layout is not None
            body = height - HEADER - FOOTER
            sizes = (
                layout.rail_height,
                layout.source_height,
                layout.step_height,
                layout.tensor_height,
                layout.watch_height,
            )
            where = (width, height, layout)
            assert min(sizes) >= 0, where
            assert layout.rail_height >= 2, where
            assert layout.step_height >= 4, where
            if layout.stacked:
                assert layout.left_width == layout.right_width == width, where
                assert sum(sizes) == body, where
            else:
                assert layout.left_width + layout.right_width == width, where
                assert min(layout.left_width, layout.right_width) >= 30, where
                assert layout.rail_height + layout.source_height == body, where
                right = layout.step_height + layout.tensor_height + layout.watch_height
                assert right == body, where
            assert (layout.watch_height >= 2) == (watched > 0), where
            assert layout.watch_height <= watched + 1, where
            assert layout.source_height == 0 or layout.source_height >= 4, where


@pytest.mark.parametrize(("width", "height"), [(39, 24), (80, 11), (0, 0), (1, 200)])
def test_a_terminal_that_is_too_small(width: int, height: int) -> None:
    assert panes(width, height, 10) is None


def test_80x24_shows_source_for_a_small_graph_and_the_rail_for_a_large_one() -> None:
    small, large = panes(80, 24, 6), panes(80, 24, 25)
    assert small is not None
    assert large is not None
    assert small.rail_height >= 7
    assert small.source_height >= 6
    assert (large.rail_height, large.source_height) == (21, 0)
    assert not panes(120, 40, 25).stacked  # type: ignore[union-attr]
    assert panes(120, 40, 25).tensor_height > 0  # type: ignore[union-attr]


# Items


texts = st.text(
    st.sampled_from("aaa bbb ccc   éλ→≈ 数字の木 👩 -")
    | st.characters(exclude_categories=["C", "Z", "M"]),
    max_size=120,
)


@settings(max_examples=150, deadline=None)
@given(texts, st.integers(8, 90), st.sampled_from(["", "  ", "    "]))
def test_a_wrapped_paragraph_is_never_too_wide_and_loses_nothing(
    text: str, width: int, indent: str
) -> None:
    lines = wrap(text, width, indent)
    assert all(cell_len(line) <= width for line in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 100, ["one two three"]),
        ("", 10, []),
        ("   ", 10, []),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("no abcdefghij", 4, ["no", "abcd", "efgh", "ij"]),
        ("  indented text", 10, ["  indented", "text"]),
        ("数字数字数字", 5, ["数字", "数字", "数字"]),
    ],
)
def test_wrapping_by_hand(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width) == lines


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(STYLES)), texts, texts), max_size=6),
    st.integers(30, 90),
)
def test_items_are_never_too_wide(items: list[Any], width: int) -> None:
    items = [(kind, left[:6] if kind == "key" else left, right) for kind, left, right in items]
    for line in lay_out(items, width):
        assert sum(cell_len(text) for text, _ in line) <= width


def test_left_and_right_meet_the_edges() -> None:
    (line,) = lay_out([("line", "a so far", "nothing")], 20)
    assert "".join(text for text, _ in line) == "a so far     nothing"
    lines = lay_out([("line", "a so far", "nothing at all here")], 20)
    assert ["".join(t for t, _ in line) for line in lines] == ["a so far", " nothing at all here"]


def drawn(text: str, width: int = 40) -> str:
    """What a line of a widget sends to the terminal."""
    return "".join(segment.text for segment in Lines()._lay([(text, Style())], width))


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[2J",
        "\x1b]0;a title\x07",
        "a\rb",
        "bell \x07",
        "\x9b2J",
        "a\x00b",
        "a\x7f",
        "a\nb",
        "\x0e",
    ],
)
def test_control_characters_do_not_reach_the_terminal(text: str) -> None:
    """Of the log, of a message, of the scenario's own text: all goes through a line."""
    shown = drawn(f"before {text} after")
    assert not [char for char in shown if unicodedata.category(char) == "Cc"], repr(shown)
    assert shown.startswith("before ")
    assert shown.rstrip().endswith(" after")
    assert cell_len(shown) == 40


def test_a_tab_takes_cells() -> None:
    shown = drawn("if x:\treturn")
    assert "\t" not in shown
    assert re.fullmatch(r"if x: +return *", shown)
    assert cell_len(shown) == 40


# Grids and histograms


def histogram(values: Any, bins: int) -> str:
    return bar_rows(merged(health_of(values).bins, bins))[0]


@pytest.mark.parametrize(
    "values",
    [
        [1.0, 2.0, 3.0],
        [5.0, 5.0],
        [0.0],
        [1e30, 1e30],
        [1e16, 1e16],
        [-1e300, 1e300],
        [-1.7e308, 1.7e308],
        [0.3, 0.1 + 0.2],
        [0.0, 5e-324],
        [1.0, 1.0 + 2e-16],
        list(range(1000)),
    ],
)
def test_a_histogram_of_anything(values: list[float]) -> None:
    drawn = histogram(np.array(values), 12)
    assert len(drawn) == 12
    assert set(drawn) <= set(BARS)
    assert BARS[-1] in drawn


def test_a_histogram_by_hand() -> None:
    assert histogram(np.array([0.0] * 8 + [1.0] * 4 + [3.0]), 4) == "█▄ ▁"


@settings(max_examples=100, deadline=None)
@given(
    npst.arrays(
        st.sampled_from([np.float32, np.float64, np.int64, np.bool_]),
        npst.array_shapes(min_dims=0, max_dims=4, min_side=1, max_side=30),
    ),
    st.integers(30, 80),
    st.integers(1, 12),
)
def test_a_grid_keeps_to_its_place(array: Any, width: int, rows: int) -> None:
    lines = grid(array, width, rows)
    assert all(len(line) <= width for line in lines)
    assert 1 <= len(lines) <= rows + 1


def test_a_grid_by_hand() -> None:
    lines = grid(np.arange(6.0).reshape(2, 3), 40, 5)
    assert [line.split() for line in lines] == [["0", "1", "2"], ["3", "4", "5"]]
    cut = grid(np.arange(600.0).reshape(20, 30), 40, 4)
    assert cut[0].split()[-1] == "…"
    assert "17 more rows" in cut[-1]
    assert grid(np.zeros((2, 3, 4)), 40, 5)[0].strip() == "[0, :, :]"


def test_points_stand_below_each_other_in_the_same_columns_from_matrix_to_matrix() -> None:
    coarse = grid(np.tile([0.25, -0.125, 0.0], (2, 2)), 36, 5)
    fine = grid(np.tile([0.000625, -0.00125, 0.0], (2, 2)), 36, 5)
    assert coarse == ["  0.2500    -0.1250     0         …"] * 2
    assert fine == ["  0.00063   -0.00125    0         …"] * 2


def test_a_long_number_that_is_not_shown_takes_no_room() -> None:
    row = [0.5, -0.25, 0.125, *[-1.234e-09] * 30]
    assert grid(np.array([row]), 36, 2)[0].split()[:3] == ["0.5000", "-0.2500", "0.1250"]


def test_where_there_is_one_row_it_has_numbers() -> None:
    assert grid(np.ones((64, 64)), 40, 1)[0].split()[0] == "1"


@pytest.mark.parametrize("value", [-1.2345e-5, -1.2345e-10, -1234567.0, -1.2345e-100])
def test_the_numbers_of_a_grid_stand_apart(value: float) -> None:
    (line,) = grid(np.full((1, 3), value), 40, 2)
    words = line.replace("…", "").split()
    assert len(words) >= 2
    for word in words:
        assert float(word) == pytest.approx(value, rel=1e-3)


@pytest.mark.parametrize(
    "value",
    [
        "np.full((3, 4), 1e20)",
        "np.full((3, 4), 1e38)",
        "np.array([0.3, 0.1 + 0.2]), dtype=np.float64",
        "np.array([1e200, -1e200, 1.0]), dtype=np.float64",
        "np.array([1e308, -1.7e308]), dtype=np.float64",
        "np.full(7, np.nan)",
        "np.array([np.inf, -np.inf, 1.0])",
        "np.zeros((0, 4))",
        "np.zeros((4, 0))",
        "np.zeros((1, 1, 1))",
        "np.zeros((2, 0, 3))",
        "np.arange(7)",
        "np.ones((2, 3, 4, 5))",
        "np.float16(3)",
    ],
)
def test_every_tensor_can_be_looked_at(tmp_path: Any, value: str) -> None:
    body = f"a = Tensor({value}, requires_grad=True)\nloss = (a * 1).sum()\n"
    session = session_on(write(tmp_path, body))
    for key in (session.next, session.next, session.next):
        for node in range(3):
            session.point(node)
            for width, height in ((38, 4), (40, 20), (120, 50), (38, 1)):
                assert view_at(session, 5, width, height, True)["tensors"]
        key()
    assert view_of(session)["done"] == 3


LAYER = """
from engine import Tensor, maximum
import numpy as np

inputs = Tensor(np.arange(48.0).reshape(8, 6) / 7)
weight = Tensor(np.linspace(-1.2345678, 1, 30).reshape(6, 5), requires_grad=True)
bias = Tensor(np.linspace(-0.001234, 0.000123, 5), requires_grad=True)
out = maximum(inputs @ weight + bias, 0)
loss = out.sum()
"""


def test_from_node_to_node_the_gradient_stays_where_it_is(tmp_path: Any) -> None:
    session = session_on(write(tmp_path, LAYER))
    for finish in (lambda: None, session.run_on):
        finish()
        places = set()
        for node in (node for node in session.graph.nodes if node.requires_grad and node.shape):
            session.point(node.id)
            lines = ["".join(text for text, _ in line) for line in lay_out(items(session), 38)]
            places.add(next(y for y, line in enumerate(lines) if line.startswith("gradient")))
            assert len(lines) <= 21
            assert not any(line.endswith("norm") for line in lines)
        assert len(places) == 1


def items(session: Any) -> Any:
    return view_at(session, 20, 38, 21, True)["tensors"]


WIDELY_SPREAD = """
from engine import Tensor
import numpy as np

few = Tensor(np.arange(1000) % 500 / 7e6, requires_grad=True)
most = few * (np.arange(1000) == 7)
all = most * 0
none = few * -1e9 - 1
loss = (all + none).sum()
"""


def test_what_is_told_of_a_tensor_stays_in_its_columns(tmp_path: Any) -> None:
    session = session_on(write(tmp_path, WIDELY_SPREAD))
    zeros, places = {}, set()
    for node in (node for node in session.graph.nodes if node.requires_grad and node.shape):
        session.point(node.id)
        lines = ["".join(text for text, _ in line) for line in lay_out(items(session), 38)]
        start = lines.index(next(line for line in lines if line.startswith("value")))
        moments, norm, spread = lines[start + 1 : start + 4]
        places.add((moments.index("mean"), moments.index("std"), norm.index("norm")))
        assert set(spread[13:21]) <= set(BARS)
        assert spread[12] == spread[21] == " "
        zeros[node.name] = norm[19:]
    assert places == {(2, 19, 2)}
    told = {name: zeros[name] for name in ("few", "most", "all", "none")}
    assert told == {"few": "<1 % zero", "most": "99 % zero", "all": "100 % zero", "none": ""}
