"""The table of the parameters and its page: which rows, and how its numbers are written."""

from __future__ import annotations

import math

import numpy as np
import pytest
from monitor_support import bias_far_below, mlp, rows_of, session_of, train
from tui_support import text_of

from tui.session.training.commands import carry_out
from tui.session.training.monitor.spark import spark
from tui.session.training.monitor.verdicts import percent, three_digits

# The rows


def test_while_it_runs_the_table_stays_for_half_a_second() -> None:
    session = session_of(mlp)
    session.run()
    session.faster(), session.faster(), session.faster()
    seen = []
    for tenth in range(20):
        session.train_when_due()
        session.monitor.refresh(running=True, now=1000 + tenth / 10)
        seen.append(session.monitor.facts(9)["batch"])
    assert sorted(set(seen)) == [1, 6, 11, 16]
    session.monitor.refresh(running=False)
    assert session.monitor.facts(9)["batch"] == session.training.position


def test_more_parameters_than_rows() -> None:
    session = session_of(bias_far_below(2))
    session.one_batch()
    facts = session.monitor.facts(4)
    assert [row["name"] for row in facts["rows"]] == ["0.weight", "0.bias", "2.weight"]
    assert (facts["more"], facts["more_warned"], facts["parameters"]) == (3, 2, 6)
    assert session.monitor.facts(6)["more"] == 0
    healthy = session_of(mlp)
    healthy.training.model[4].bias.array[0] = np.nan
    healthy.one_batch()
    names = [row["name"] for row in healthy.monitor.facts(3)["rows"]]
    assert len(names) == 2


def test_the_table_before_the_first_batch() -> None:
    rows = rows_of(session_of(mlp))
    assert len(rows) == 6
    assert {row["grad"] for row in rows.values()} == {""}


def test_the_page_of_what_the_table_says() -> None:
    session = session_of(bias_far_below(2))
    carry_out(session, "why", {})
    assert "Nothing is measured yet" in text_of(session.messages[-1]["items"])
    train(session, 2)
    carry_out(session, "why", {})
    page = text_of(session.messages[-1]["items"])
    for part in (
        "! 2.weight: 64 of 64 units off: nothing flows through the ReLU after 2 any more",
        "Start again with a lower rate",
        "the ReLU after 2  64 of 64, no whole epoch yet",
        "A rule of thumb for weights is 0.1 %",
        "Slope: ",
    ):
        assert part in page
    healthy = train(session_of(mlp), 2)
    carry_out(healthy, "why", {})
    assert "No warning.  batch 2" in text_of(healthy.messages[-1]["items"])


# Its numbers


@pytest.mark.parametrize(
    ("values", "blocks"),
    [
        ([1.0, 1.0, 1.0], "▄▄▄"),
        ([1.0, 2.0], "▄▅"),
        ([1e-9, 1.0, 1e9], "▁▄█"),
        ([0.0, None, math.nan, math.inf, 3.0], "··!!▄"),
        ([], ""),
    ],
)
def test_a_history(values: list[float | None], blocks: str) -> None:
    assert spark(values, 8) == blocks.rjust(8)


def test_a_history_shows_the_last_of_it() -> None:
    assert spark([1e9] + [1.0] * 8, 8) == "▄" * 8


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0 %"),
        (1e-9, "1e-7 %"),
        (3e-5, "3e-3 %"),
        (1e-12, "1e-10 %"),
        (0.00012, "0.012 %"),
        (0.019, "1.9 %"),
        (0.02, "2.0 %"),
        (0.0996, "10 %"),
        (3.0, "300 %"),
        (12.4, "12 x"),
        (2e12, "2e12 x"),
    ],
)
def test_shares(share: float, text: str) -> None:
    assert percent(share) == text
    assert len(text) <= 7


@pytest.mark.parametrize(
    ("norm", "text"),
    [
        (None, "-"),
        (0.0, "0"),
        (1.1, "1.10"),
        (123.4, "123"),
        (0.0553, "0.0553"),
        (4321.0, "4321"),
        (1.23e-9, "1.2e-9"),
        (math.nan, "NaN"),
        (math.inf, "Inf"),
    ],
)
def test_norms(norm: float | None, text: str) -> None:
    assert three_digits(norm) == text
    assert len(text) <= 7
