"""The curve of the loss: what is in it, where each point stands, and how it is drawn."""

from __future__ import annotations

import math
import random
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tui_support import REGRESSION, load, write

from tui.session.training.commands import carry_out
from tui.session.training.curve import Bins, Columns, Curve
from tui.session.training.session import TrainingSession
from tui.widgets import styles
from tui.widgets.canvas import ASCII, BLOCK, BRAILLE, FORMS, Canvas, Layer
from tui.widgets.plot import LossPlot, caption, first_form
from tui.widgets.scale import axis_label, scale_for

LOSSES = st.floats(-1e6, 1e6)


@pytest.fixture
def session(tmp_path: Path) -> TrainingSession:
    scenario = load(write(tmp_path, REGRESSION))
    assert scenario.training is not None
    return TrainingSession(scenario.training)


class Plot:
    """Stands in for the plot on a screen of 60 columns."""

    size = type("Size", (), {"width": 60, "height": 10})
    form = BRAILLE

    def show(self, lines: Any) -> None:
        self.lines = list(lines)
        self.rows = ["".join(text for text, _ in line) for line in self.lines]


def drawn(curve: dict[str, Any], form: Any = BRAILLE) -> Plot:
    plot: Any = Plot()
    plot.form = form
    LossPlot.show_curve(plot, curve)
    return plot


def curve_of(raw: list[Any], **more: Any) -> dict[str, Any]:
    curve = {
        "first": 0,
        "last": 100,
        "zoom": None,
        "scale": "linear",
        "raw": raw,
        "bad": [],
        "mean": [],
        "tests": [],
        "number": 1,
        "references": [],
    }
    return curve | more


def binned(losses: list[float], place: Columns) -> list[list[float]]:
    """The bins, filled in two goes."""
    bins = Bins(place)
    bins.catch_up(losses[: len(losses) // 2], losses)
    bins.catch_up(losses, losses)
    return bins.losses()


def cells(row: str) -> str:
    return row[7:]


# Columns and bins


@settings(max_examples=100)
@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 150))
def test_bins_hold_every_loss(done: int, left: int, columns: int) -> None:
    losses = [random.Random(i).random() for i in range(done)]
    bins = binned(losses, Columns(0, done + left, columns))
    found = [b[0] for b in bins]
    assert found == sorted(set(found))
    assert all(0 <= column < columns for column in found)
    if losses:
        assert min(b[1] for b in bins) == min(losses)
        assert max(b[2] for b in bins) == max(losses)
    if done and not left:
        assert found[-1] == columns - 1 or done == 1 or columns == 1


def test_bins_leave_out_what_is_not_finite() -> None:
    place = Columns(0, 4, 4)
    assert binned([1.0, math.nan, math.inf, 2.0], place) == [[0, 1.0, 1.0], [3, 2.0, 2.0]]
    assert binned([math.nan], place) == []
    assert binned([], Columns(0, 0, 4)) == []


@given(st.integers(0, 10**6), st.integers(0, 10**4), st.integers(1, 300))
def test_later_batches_are_never_further_left(first: int, span: int, count: int) -> None:
    place = Columns(first, first + span, count)
    chosen = sorted(random.Random(span).randrange(max(1, span)) for _ in range(20))
    columns = [place.of(first + batch) for batch in chosen]
    assert columns == sorted(columns)
    assert all(0 <= column < count for column in columns)


# The curve of a training


def test_the_mean_is_that_of_the_last_twenty(session: TrainingSession) -> None:
    session.training.epochs = 12
    for _ in range(30):
        session.one_batch()
    losses = session.training.losses
    mean = session.curve.view(1000)["mean"]
    assert len(mean) == 30
    assert mean[0][1] == losses[0]
    assert mean[-1][1] == pytest.approx(sum(losses[-20:]) / 20)
    assert mean[4][1] == pytest.approx(sum(losses[:5]) / 5)


def test_going_back_forgets_the_means_of_what_is_no_more(session: TrainingSession) -> None:
    session.training.epochs = 12
    for _ in range(8):
        session.one_batch()
    session.curve.view(50)
    session.back()
    session.back()
    session.training.lr = 10.0
    for _ in range(2):
        session.one_batch()
    mean = session.curve.view(50)["mean"]
    assert mean[-1][1] == pytest.approx(sum(session.training.losses) / 8)


def test_losses_that_are_not_finite_are_marked_and_not_in_the_mean() -> None:
    training = SimpleNamespace(
        losses=[1.0, math.nan, 3.0], results=[], total_batches=3, position=3, batches_per_epoch=3
    )
    curve: Any = Curve(training)  # type: ignore[arg-type]
    view = curve.view(3)
    assert view["bad"] == [1]
    assert view["mean"] == [[0, 1.0], [1, 1.0], [2, 2.0]]
    assert drawn(curve.view(106)).rows[0].count("!") == 1


def test_a_run_stays_as_a_reference_when_another_starts(session: TrainingSession) -> None:
    for _ in range(4):
        session.one_batch()
    losses = list(session.training.losses)
    carry_out(session, "restart", {})
    session.one_batch()
    view = session.curve.view(60)
    assert view["number"] == 2
    (reference,) = view["references"]
    assert reference["number"] == 1
    assert reference["about"].startswith("SGD 0.")
    assert reference["mean"][0][1] == losses[0]
    assert reference["mean"][-1][1] == pytest.approx(sum(losses) / 4)
    for _ in range(5):
        carry_out(session, "restart", {})
        session.one_batch()
    view = session.curve.view(60)
    assert [r["number"] for r in view["references"]] == [4, 5, 6]
    assert view["number"] == 7


def test_a_start_without_a_batch_is_no_run(session: TrainingSession) -> None:
    carry_out(session, "restart", {})
    assert session.curve.view(60)["references"] == []


def test_zoom_shows_the_last_batches_and_then_all(session: TrainingSession) -> None:
    session.training.epochs = 60
    for _ in range(130):
        session.one_batch()
    spans = []
    for _ in range(4):
        carry_out(session, "zoom", {})
        view = session.curve.view(60)
        spans.append((view["first"], view["last"], view["zoom"]))
        assert view["raw"][-1][0] <= 60
    assert spans == [(0, 500, 500), (40, 140, 100), (112, 132, 20), (0, 180, None)]


def test_a_window_moves_in_leaps(session: TrainingSession) -> None:
    session.training.epochs = 60
    for _ in range(3):
        carry_out(session, "zoom", {})
    firsts = []
    for _ in range(40):
        session.one_batch()
        firsts.append(session.curve.view(60)["first"])
    assert sorted(set(firsts)) == [0, 4, 8, 12, 16, 20]


# Scales


@settings(max_examples=150)
@given(st.lists(LOSSES, max_size=8), st.booleans(), st.booleans(), st.integers(2, 12))
@example([10.0, -5e-324], False, True, 2)
def test_a_scale_holds_its_values(
    values: list[float], is_log: bool, from_zero: bool, count: int
) -> None:
    scale = scale_for(values, is_log, from_zero)
    assert scale.bottom < scale.top
    for value in values:
        if not is_log or value >= 1e-300:
            assert scale.bottom <= value <= scale.top
        else:
            assert scale.height(value) is None
    ticks = scale.ticks(count)
    assert ticks == sorted(ticks, reverse=True)
    assert ticks, "an axis has at least one number"
    assert len(ticks) <= 2 * count + 2
    slack = 1e-6 * max(abs(scale.top), abs(scale.bottom))
    if is_log:
        slack = 1e-6 * scale.bottom
    assert all(scale.bottom - slack <= t <= scale.top * (1 + 1e-6) + slack for t in ticks)


@pytest.mark.parametrize(
    ("values", "top"), [([2.4], 2.5), ([], 1.25), ([9.9], 10.25), ([100], 125)]
)
def test_a_linear_axis_ends_at_a_round_number(values: list[float], top: float) -> None:
    scale = scale_for(values, is_log=False, from_zero=True)
    assert (scale.bottom, scale.top) == (0.0, pytest.approx(top, abs=top / 20))


def test_round_numbers_stand_at_the_axis() -> None:
    assert scale_for([2.4], False, True).ticks(5) == [2.5, 2.0, 1.5, 1.0, 0.5, 0.0]
    ticks = scale_for([0.03, 2.4], True, True).ticks(5)
    assert ticks == pytest.approx([5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02])
    assert scale_for([1e-8, 1e8], True, True).ticks(4)[0] == pytest.approx(1e8)


@pytest.mark.parametrize("value", [0, 0.0123, 2.5, -2.5, 99.9, 1234, 54321, 2e6, 3e12, 1e16, 4e-7])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_label_has_at_most_six_cells(value: float, sign: int) -> None:
    label = axis_label(sign * value)
    assert len(label) <= 6
    assert float(label) == pytest.approx(sign * value, rel=0.05)


@pytest.mark.parametrize("scale", ["linear", "log"])
@pytest.mark.parametrize("loss", [0.0003, 0.5, 2.3, 99.0, 1500.0, 2e6, 3e12, 1e200])
def test_the_axis_fits_its_numbers(loss: float, scale: str) -> None:
    rows = drawn(curve_of([[0, loss / 2, loss]], scale=scale)).rows
    axis = [re.search("[┤│]", row) for row in rows[:-1]]
    assert len({mark and mark.start() for mark in axis}) == 1, rows
    labels = [row.partition("┤")[0] for row in rows if "┤" in row]
    assert labels
    assert len(set(labels)) == len(labels), "numbers that differ are printed alike"


# Drawing


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(-10, 100), st.floats(-10, 100)), max_size=40), st.booleans())
def test_a_curve_keeps_to_its_place_in_every_form(pairs: list[Any], is_log: bool) -> None:
    raw = [[i, min(pair), max(pair)] for i, pair in enumerate(pairs)]
    mean = [[i, pair[0]] for i, pair in enumerate(pairs)]
    curve = curve_of(raw, mean=mean, scale="log" if is_log else "linear")
    for form in FORMS:
        plot = drawn(curve, form)
        assert [len(row) for row in plot.rows[:-1]] == [60] * 9
        if not is_log:
            seen = [any(cells(row)[c] != " " for row in plot.rows[:-1]) for c in range(53)]
            assert seen == [c * form.columns < len(pairs) for c in range(53)]


def test_dots_by_hand() -> None:
    layers = (Layer(styles.QUIET, "'.:"), Layer(styles.BAR, "***"))
    for form, expected in ((BRAILLE, "⠁⢀"), (BLOCK, "▀▄"), (ASCII, "'.")):
        canvas = Canvas(form, 2, 1, layers)
        canvas.dot(0, 0, 0)
        canvas.dot(0, canvas.dot_columns - 1, canvas.dot_rows - 1)
        canvas.dot(0, -1, 0)
        canvas.dot(0, 0, canvas.dot_rows)
        assert canvas.row(0, styles.PLAIN) == [(expected, styles.QUIET)]
    canvas = Canvas(ASCII, 3, 1, layers)
    canvas.dot(0, 0, 1)
    canvas.line(1, [(1, 0), (2, 1)])
    canvas.text(2, 0, "o", styles.POINT)
    assert canvas.row(0, styles.PLAIN) == [
        (".", styles.QUIET),
        ("*", styles.BAR),
        ("o", styles.POINT),
    ]


def test_a_line_has_no_holes() -> None:
    canvas = Canvas(BRAILLE, 10, 10, (Layer(styles.BAR, "***"),))
    canvas.line(0, [(0, 0), (3, 39), (19, 39)])
    filled = ["".join(text for text, _ in canvas.row(r, styles.PLAIN)) for r in range(10)]
    assert all(row.strip() for row in filled)
    assert " " not in filled[-1][2:]


def test_ascii_tells_the_mean_from_the_batches_and_from_an_earlier_run() -> None:
    curve = curve_of(
        [[5, 1.0, 1.0]],
        mean=[[0, 2.0], [3, 2.0]],
        references=[{"number": 1, "about": "SGD 0.1", "mean": [[20, 0.5], [30, 0.5]]}],
    )
    text = "\n".join(drawn(curve, ASCII).rows[:-1])
    assert "****" in text
    assert "-----" in text
    assert re.search(r"-1\b", text)
    assert re.search(r"[.':]", text)


def test_the_caption_says_what_there_is_in_the_room_there_is() -> None:
    references = [{"number": 1, "about": "SGD 0.05", "mean": []}]
    curve = curve_of([], references=references, zoom=100, scale="log", bad=[3])
    wide, narrow = caption(curve, 200), caption(curve, 38)
    for words in ("last 100 batches", "log axis", "! is no finite", "o test", "1 was SGD 0.05"):
        assert words in wide
    assert "SGD" not in narrow
    assert len(caption(curve, 78)) <= 78


def test_the_form_follows_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "linux")
    assert first_form(ascii_only=False) is BLOCK
    assert first_form(ascii_only=True) is ASCII
    monkeypatch.setenv("TERM", "xterm-256color")
    assert first_form(ascii_only=False) is BRAILLE


def test_a_curve_of_a_hundred_thousand_batches_has_no_more_columns_than_there_are(
    tmp_path: Path,
) -> None:
    losses = [1 / (i + 1) for i in range(100_000)]
    training: Any = SimpleNamespace(
        losses=losses,
        results=[],
        total_batches=100_000,
        position=100_000,
        batches_per_epoch=100_000,
    )
    curve = Curve(training)
    view = curve.view(90)
    assert len(view["raw"]) == len(view["mean"]) == 90
