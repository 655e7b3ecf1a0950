"""What the network says of the test data: the page of images, and the confusion matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tui_support import REGRESSION, load, write

import engine
from tui.errors import Refused
from tui.session.tensors.pictures import draw_small
from tui.session.training.commands import carry_out
from tui.session.training.confusion import confusion
from tui.session.training.predictions import predictions
from tui.session.training.session import TrainingSession

CLASSES = """
\"\"\"Three classes\"\"\"
import numpy as np
from engine import SGD, Linear, Tensor, Training, cross_entropy

data = np.array([[5.0, 0, 0], [0, 6.0, 0], [0, 0, 7.0], [1.0, 0.9, 0], [0, 9.0, 0]], np.float32)
labels = np.array([0, 1, 2, 1, 0])
model = Linear(3, 3)
model.weight.array[...] = np.eye(3)
model.bias.array[...] = 0
training = Training(
    model, SGD(model.parameters(), lr=0.1), (data, labels), (data, labels), cross_entropy,
    batch_size=2, epochs=1,
)
"""


@pytest.fixture
def session(tmp_path: Path) -> TrainingSession:
    return opened(tmp_path, CLASSES)


def opened(folder: Path, text: str) -> TrainingSession:
    scenario = load(write(folder, text))
    assert scenario.training is not None
    return TrainingSession(scenario.training)


def page(session: TrainingSession, name: str, width: int = 80) -> tuple[str, list[str]]:
    session.messages.clear()
    carry_out(session, name, {"width": width})
    (message,) = session.messages
    return message["title"], [f"{left} {right}".rstrip() for _, left, right in message["items"]]


def test_the_wrong_ones_come_first_the_surest_of_them_before_the_others(
    session: TrainingSession,
) -> None:
    found = predictions(session.training)
    assert found.said.tolist() == [0, 1, 2, 0, 1]
    assert found.is_right.tolist() == [True, True, True, False, False]
    # 4 is wrong and sure, 3 is wrong and not; of the right ones the order is that of the data.
    assert found.worst_first().tolist() == [4, 3, 0, 1, 2]
    np.testing.assert_allclose(found.shares.sum(axis=1), 1)
    np.testing.assert_allclose(found.shares[0, 0], np.exp(5) / (np.exp(5) + 2))


def test_looking_at_predictions_changes_nothing(tmp_path: Path) -> None:
    losses = []
    for look in (False, True):
        session = opened(tmp_path, CLASSES)
        while not session.training.finished:
            if look:
                page(session, "images")
                page(session, "confusion")
            session.one_batch()
        losses.append(session.training.losses)
    assert losses[0] == losses[1]


def test_examples_that_are_no_images_are_listed(session: TrainingSession) -> None:
    title, lines = page(session, "images")
    assert title == "Test images, after batch 0"
    assert lines[0] == "2 of 5 wrong, the surest of them first"
    assert lines[2].split() == ["4", "says", "1", "100%", "is", "a", "0", "0%"]
    assert lines[3].split()[:4] == ["3", "says", "0", "44%"]
    assert lines[4].split() == ["0", "right:", "0", "99%", "number", "0"]


@pytest.mark.parametrize(("width", "across"), [(80, 4), (40, 2), (120, 7), (20, 1)])
def test_images_stand_side_by_side_as_there_is_room(width: int, across: int) -> None:
    scenario = load("mlp")
    assert scenario.training is not None
    _, lines = page(TrainingSession(scenario.training), "images", width)
    assert "wrong, the surest of them first; 100 are shown" in lines[0]
    captions = [line for line in lines if line.startswith(("says", "right"))]
    assert captions[0].count("says") == across
    assert sum(line.count("says") + line.count("right") for line in captions) == 100
    labels = [line for line in lines if line.startswith("is a")]
    assert labels[0].count("is a") == across
    assert max(map(len, lines[1:])) <= width


def test_a_small_picture_has_a_dot_for_each_pixel_with_ink() -> None:
    picture = np.zeros((28, 28), np.float32)
    assert draw_small(picture) == [" " * 14] * 7
    picture[0, 0] = picture[3, 1] = picture[27, 27] = 1.0
    rows = draw_small(picture)
    assert rows[0] == chr(0x2800 + 0x01 + 0x80) + " " * 13
    assert rows[6] == " " * 13 + chr(0x2800 + 0x80)
    picture[5, 5] = np.nan
    assert draw_small(picture) == rows


def test_a_network_that_gives_nan_is_shown_too(session: TrainingSession) -> None:
    session.training.model.weight.array[...] = np.nan
    _, lines = page(session, "images")
    assert any("NaN" in line for line in lines)
    assert "nan%" not in "".join(lines)
    page(session, "confusion")


def test_the_confusion_matrix(session: TrainingSession) -> None:
    title, lines = page(session, "confusion")
    assert title == "Confusion matrix, after batch 0"
    assert lines[0] == "3 of 5 right (60.0 %)"
    rows = [line.partition("|")[2].split() for line in lines if "|" in line]
    assert rows == [
        ["said", "to", "be"],
        ["0", "1", "2", "right"],
        ["1", "1", "·", "50%"],
        ["1", "1", "·", "50%"],
        ["·", "·", "1", "100%"],
    ]
    assert "  a 0 was said to be a 1 once" in lines
    assert "  a 1 was said to be a 0 once" in lines


def test_the_matrix_keeps_to_the_width(session: TrainingSession) -> None:
    assert max(map(len, page(session, "confusion", 20)[1][2:7])) <= 18
    _, lines = page(session, "confusion", 10)
    assert not any("|" in line for line in lines)
    assert "  a 0 was said to be a 1 once" in lines


def test_a_confusion_counts_rows_by_what_it_is() -> None:
    counts = confusion(np.array([0, 0, 1]), np.array([1, 1, 0]), 3)
    assert counts.tolist() == [[0, 2, 0], [1, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("training.test_data = None", "no test data"),
        ("training.test_data = (data, data[:, 0])", "no classes"),
        ("training.test_data = (data, labels + 7)", "a class 9"),
        ("training.model = lambda x: x.sum()", "no row of scores"),
    ],
)
@pytest.mark.parametrize("name", ["images", "confusion"])
def test_what_has_no_classes_is_refused(tmp_path: Path, change: str, words: str, name: str) -> None:
    session = opened(tmp_path, CLASSES + change + "\n")
    with pytest.raises(Refused, match=words):
        page(session, name)


def test_a_regression_is_refused(tmp_path: Path) -> None:
    session = opened(tmp_path, REGRESSION)
    with pytest.raises(Refused):
        page(session, "images")


def test_prediction_is_in_evaluation_mode_and_draws_nothing() -> None:
    engine.manual_seed(0)
    model = engine.Sequential(engine.Linear(3, 3), engine.Dropout(0.5))
    data: Any = (np.ones((4, 3), np.float32), np.array([0, 1, 2, 0]))
    training = engine.Training(
        model, engine.SGD(model.parameters()), data, data, engine.cross_entropy
    )
    state = engine.get_rng_state()
    first = training.predict(data[0]).array
    assert (first == training.predict(data[0]).array).all()
    assert engine.get_rng_state() == state
    assert model.training
