"""The words in the header: which network, on which data."""

from __future__ import annotations

from pathlib import Path

import pytest
from tui_support import REGRESSION, load, write

from scenarios.data import InUse
from tui.screens.frame import shortened
from tui.session import opening
from tui.session.opening import about

CONVOLUTIONS = """
class Net(Module):
    def __init__(self):
        super().__init__()
        self.first = Conv2d({first})
        self.second = Conv2d({second})
        self.last = Linear(2, 1)
    def forward(self, x):
        return self.last(x)
training.model = Net()
"""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("first_graph", "One tensor used twice"),
        ("mlp", "784-64-64-10 on 5,000 embedded MNIST images  batch 1 of 63"),
        ("mlp_adam", "784-64-64-10 on 5,000 embedded MNIST images  batch 1 of 63"),
        ("cnn", "conv 1-8-16 on 5,000 embedded MNIST images  batch 1 of 125"),
    ],
)
def test_of_the_bundled_scenarios(name: str, words: str) -> None:
    assert about(load(name, data="embedded")) == words


@pytest.mark.parametrize(
    "used",
    [
        InUse("cache", 60_000, 10_000, "from the cache"),
        InUse("torchvision", 60_000, 10_000, "fetched with torchvision"),
        InUse("idx", 60_000, 10_000, "from /some/folder"),
    ],
)
def test_of_all_the_images(used: InUse, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = load("mlp", data="embedded")
    monkeypatch.setattr(opening.data, "in_use", lambda: used)
    assert about(scenario).startswith("784-64-64-10 on 70,000 MNIST images  batch 1 of ")


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("1, 4, 3", "4, 6, 3", "conv 1-4-6  batch"),
        ("3, 4, (2, 3)", "4, 4, 3, groups=2", "conv 3-4-4  batch"),
        ("1, 4, 3", "1, 6, 3", "  batch"),
    ],
)
def test_of_convolutions_that_follow_each_other_or_not(
    first: str, second: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening.data, "in_use", lambda: None)
    body = REGRESSION + CONVOLUTIONS.format(first=first, second=second)
    assert about(load(write(tmp_path, body))).startswith(words)


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (40, "784-10 on 5,000 images  batch 1 of 63"),
        (37, "784-10 on 5,000 images  batch 1 of 63"),
        (36, "784-10 on 5,000 imag…  batch 1 of 63"),
        (32, "784-10 on 5,000 …  batch 1 of 63"),
        (31, "784-10 on 5,000 images  batch …"),
        (1, "…"),
        (0, "…"),
    ],
)
def test_the_batch_stays_where_half_of_the_rest_does(room: int, shown: str) -> None:
    assert shortened("784-10 on 5,000 images  batch 1 of 63", room) == shown


def test_a_title_is_cut_at_its_end() -> None:
    assert shortened("One tensor used twice", 12) == "One tensor …"
