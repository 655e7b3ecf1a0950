"""How the panes are divided as the user wants it, and what is remembered of that."""

from __future__ import annotations

import json
import os
from itertools import product
from pathlib import Path

import pytest

from tui import files, panes
from tui.panes import ALONE, Panes, RememberedPanes
from tui.widgets.layout import FOOTER, HEADER, LEAST_COLUMNS, Layout, lay_out, moved

SIZES = [(40, 12), (69, 12), (70, 12), (80, 24), (99, 30), (100, 30), (120, 40), (200, 60)]
NODES = (1, 6, 25, 1000)
WATCHED = (0, 1, 50)


def laid_out(width: int, height: int, nodes: int, wanted: Panes, watched: int = 0) -> Layout:
    layout = lay_out(width, height, nodes, watched, wanted)
    assert layout is not None
    return layout


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_whatever_is_wanted_fits(width: int, height: int) -> None:
    body = height - HEADER - FOOTER
    wishes = product((-9999, -3, 0, 5, 9999), (None, True, False), (None, True, False))
    for offset, source, tensors in wishes:
        wanted = Panes(offset, offset, source, tensors)
        for nodes, watched in product(NODES, WATCHED):
            layout = laid_out(width, height, nodes, wanted, watched)
            where = (wanted, nodes, watched, layout)
            left = layout.rail_height + layout.source_height
            right = layout.step_height + layout.tensor_height + layout.watch_height
            assert layout.rail_height >= 2, where
            assert layout.step_height >= 4, where
            if layout.stacked:
                assert left + right == body, where
                assert layout.left_width == layout.right_width == width, where
            else:
                assert left == right == body, where
                assert layout.left_width + layout.right_width == width, where
                assert min(layout.left_width, layout.right_width) >= LEAST_COLUMNS, where
            if source is False:
                assert layout.source_height == 0, where
            if tensors is False:
                assert layout.tensor_height == 0, where


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("pane", ALONE)
def test_a_pane_alone_has_all_the_room(pane: str, width: int, height: int) -> None:
    layout = laid_out(width, height, 25, Panes(alone=pane))
    rows = {
        "rail": layout.rail_height,
        "source": layout.source_height,
        "step": layout.step_height,
        "tensors": layout.tensor_height,
    }
    assert rows.pop(pane) == height - HEADER - FOOTER
    assert not any(rows.values())
    assert sorted((layout.left_width, layout.right_width)) == [0, width]
    assert not layout.beside


def test_what_is_watched_stays_below_a_maximised_step() -> None:
    layout = laid_out(80, 24, 25, Panes(alone="step"), watched=2)
    assert (layout.step_height, layout.watch_height) == (18, 3)


def test_80x24_has_room_for_what_is_not_shown_at_first() -> None:
    layout = laid_out(80, 24, 25, Panes(source=True, tensors=True))
    assert min(layout.source_height, layout.tensor_height, layout.rail_height) >= 6
    assert layout.step_height >= 10


def test_z_goes_through_the_panes_and_back() -> None:
    wanted, seen = Panes(), []
    for _ in range(5):
        wanted = Panes(alone=wanted.next_alone)
        seen.append(wanted.alone)
    assert seen == ["rail", "step", "tensors", "source", None]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("by", [-2, 1])
def test_the_divider_moves_to_its_limit_and_back_at_once(width: int, height: int, by: int) -> None:
    wanted = Panes()
    for _ in range(200):
        wanted = moved(width, height, 25, 0, wanted, by)
    limit = laid_out(width, height, 25, wanted)
    assert limit == laid_out(width, height, 25, Panes(9999 * by // abs(by), 9999 * by // abs(by)))
    back = moved(width, height, 25, 0, wanted, -by)
    if back != wanted:  # there may be no room at all to move in
        there = laid_out(width, height, 25, back)
        assert (there.left_width, there.rail_height) != (limit.left_width, limit.rail_height)


def test_a_width_that_does_not_fit_here_is_kept_for_where_it_does() -> None:
    wide = Panes(columns=40)
    assert laid_out(80, 24, 6, wide).left_width == 50
    assert laid_out(160, 48, 6, wide).left_width == 64 + 40
    assert moved(80, 24, 6, 0, wide, -2).columns == 9  # from where it is seen to be


# Remembering


def test_what_was_changed_is_there_the_next_time() -> None:
    wanted = Panes(-4, 2, source=True, tensors=False, alone="step")
    assert RememberedPanes().now == Panes()
    assert RememberedPanes().change(wanted) == ""
    again = RememberedPanes()
    assert (again.now, again.problem) == (wanted, "")
    assert files.state_file(panes.FILE).parent == Path(os.environ["XDG_STATE_HOME"]) / "bp-tui"


def test_what_is_not_changed_is_not_written() -> None:
    RememberedPanes().change(Panes())
    assert not files.state_file(panes.FILE).exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"version": 2}',
        b'{"columns": 3}',
        b'{"version": 1, "columns": "3"}',
        b'{"version": 1, "columns": true}',
        b'{"version": 1, "rows": 1e400}',
        b'{"version": 1, "rows": 100000}',
        b'{"version": 1, "source": "yes"}',
        b'{"version": 1, "alone": "nothing"}',
        b'{"version": 1, "alone": ["rail"]}',
        b'{"version": 1, "colour": 3}',
        b" " * (files.LARGEST + 1),
    ],
)
def test_a_damaged_file_is_told_and_replaced_by_the_next_change(content: bytes) -> None:
    path = files.state_file(panes.FILE)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    remembered = RememberedPanes()
    assert remembered.now == Panes()
    assert panes.FILE in remembered.problem
    assert "damaged" in remembered.problem
    assert remembered.change(Panes(columns=2)) == ""
    assert json.loads(path.read_text())["columns"] == 2


def test_a_folder_that_cannot_be_written_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/nowhere")
    remembered = RememberedPanes()
    assert "Not a directory" in remembered.problem
    assert "cannot be remembered" in remembered.change(Panes(columns=2))
    assert remembered.change(Panes(columns=4)) == ""
    assert remembered.now == Panes(columns=4)
