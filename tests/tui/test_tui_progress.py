"""Whether the loss falls: what is wrong is named, and why; a network that learns is left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from monitor_support import layers, mlp, session_of, sgd, train
from tui_support import text_of

import engine
from tui.plain import training as words
from tui.session.training.monitor.pages import table_items
from tui.session.training.monitor.progress import Progress, Trend
from tui.session.training.session import TrainingSession
from tui.session.training.view import view_of


class Losses:
    """As much of a training as is looked at."""

    def __init__(self, losses: Any, total: int | None = None) -> None:
        self.losses = [float(loss) for loss in losses]
        self.total_batches = len(self.losses) if total is None else total


def progress_of(losses: Losses) -> Progress:
    return Progress(cast(engine.Training, losses))


def trend(losses: Any, total: int | None = None) -> Trend:
    return progress_of(Losses(losses, total)).trend()


def noise(count: int, size: float, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(0, size, count)


# What is said


def test_a_loss_that_stands_still() -> None:
    found = trend(2.3 + noise(100, 0.03), total=300)
    assert found.kind == "still"
    assert found.words.startswith("the loss does not fall: 2.3")
    assert found.words.endswith(" in the last 20 batches")


def test_a_loss_that_rises_slowly() -> None:
    found = trend(2.3 + 0.003 * np.arange(100), total=300)
    assert (found.kind, found.has_fallen) == ("still", False)
    assert found.words.startswith("the loss rises, if slowly: 2.306 at first, 2.569")


def test_a_loss_that_hardly_falls() -> None:
    found = trend(2.3 - 0.0003 * np.arange(300) + noise(300, 0.01))
    assert found.kind == "still"
    assert found.words.startswith("the loss hardly falls: 2.3 at first, 2.2")


def test_a_loss_that_would_soon_have_fallen_is_given_its_time() -> None:
    losses = 2.3 - 0.001 * np.arange(100) + noise(100, 0.01)
    assert trend(losses, total=100).kind == "still"
    assert trend(losses, total=1000).kind == ""


def test_a_loss_that_rises() -> None:
    falling, rising = np.linspace(2.3, 0.5, 100), np.linspace(0.5, 1.5, 60)
    found = trend(np.concatenate([falling, rising]) + noise(160, 0.02))
    assert found.kind == "rises"
    assert found.words.startswith("the loss rises: 0.")
    assert "around batch 110, 1.3" in found.words


@pytest.mark.parametrize("factor", [1.05, 1.2, 1.5, 4.0])
def test_a_loss_that_explodes_rises_though_no_error_of_its_mean_is_small(factor: float) -> None:
    found = trend(74 * factor ** np.arange(100))
    assert (found.kind, found.has_fallen) == ("rises", False)


def test_whether_it_had_fallen_before() -> None:
    assert trend([*np.linspace(2.3, 0.5, 100), *np.linspace(0.5, 1.5, 60)]).has_fallen
    assert not trend(np.linspace(0.5, 3.5, 60)).has_fallen


def test_a_long_training_is_given_more_time_and_a_short_one_is_told_at_its_end() -> None:
    losses = 0.25 + noise(200, 0.001)
    assert trend(losses, total=6000).kind == ""
    assert trend(losses, total=4000).kind == "still"
    assert trend(losses[:45], total=50).kind == ""
    assert trend(losses[:50], total=50).kind == "still"


def test_what_has_surely_fallen_a_little_hardly_falls() -> None:
    falling = 0.65 + 0.043 * np.exp(-np.arange(600) / 30) + noise(600, 0.001)
    assert trend(falling).words.startswith("the loss hardly falls: 0.69")


def test_what_has_risen_and_come_down_again_is_fine() -> None:
    falling, rising = np.linspace(2.3, 0.5, 100), np.linspace(0.5, 1.5, 40)
    assert trend([*falling, *rising]).kind == "rises"
    assert trend([*falling, *rising, *rising[::-1], *[0.5] * 20]).kind == ""


def test_a_first_update_that_is_too_long_is_no_start() -> None:
    assert trend([2.3, 9.0, 30.0, 12.0, 7.0, *(2.3 + noise(95, 0.03))]).kind == "still"


@pytest.mark.parametrize("count", [0, 1, 2, 5, 19, 20, 39, 59])
def test_of_a_few_batches_nothing_is_said(count: int) -> None:
    assert trend([2.3] * count, total=1000).kind == ""


def test_numbers_that_are_none_are_told_elsewhere() -> None:
    assert trend([2.3] * 60 + [float("nan")]).kind == ""
    assert trend([float("inf")] + [2.3] * 300).kind == ""


def test_what_was_of_batches_that_are_no_more_is_forgotten() -> None:
    losses = Losses(np.linspace(2.3, 0.5, 100), total=300)
    progress = progress_of(losses)
    assert progress.trend().kind == ""
    del losses.losses[50:]
    progress.went_back()
    losses.losses += list(2.3 - noise(60, 0.001) ** 2)
    assert "1.764 around batch 30" in progress.trend().words, "the lowest block that is left"


# Noise


@given(
    st.integers(0, 10**6),
    st.sampled_from([0.1, 1.0, 7.0, -3.0]),
    st.sampled_from([0.0, 0.01, 0.1, 0.4]),
    st.integers(40, 600),
)
@settings(deadline=None)
def test_noise_never_rises(seed: int, level: float, size: float, count: int) -> None:
    assert trend(level + abs(level) * noise(count, size, seed)).kind != "rises"


@given(st.integers(0, 10**6), st.sampled_from([0.0, 0.01, 0.1, 0.3]), st.integers(60, 600))
@settings(deadline=None)
def test_what_falls_is_fine_however_noisy_it_is(seed: int, size: float, count: int) -> None:
    falling = 2.3 * np.exp(-3 * np.arange(count) / count) + 0.1
    assert trend(falling * (1 + noise(count, size, seed))).kind == ""


@given(st.lists(st.floats() | st.floats(-1e300, 1e300), min_size=40, max_size=120))
@settings(deadline=None)
@pytest.mark.filterwarnings("error")
def test_there_is_room_for_what_is_said(losses: list[float]) -> None:
    found = trend(losses)
    assert bool(found.kind) == bool(found.words) == bool(found.brief)
    assert found.kind != "still" or not found.has_fallen
    assert len(found.words) <= 82
    assert len(found.brief) <= 52


def test_a_loss_that_falls_ever_faster_below_0() -> None:
    found = trend(-2.3 * 1.08 ** np.arange(100), total=300)
    assert (found.kind, found.has_fallen) == ("plunges", True)
    assert (
        found.words == "the loss falls without end: -2.699 at first, -2484 in the last 20 batches"
    )
    assert found.brief == "loss falls without end: -2.699, -2484"


@pytest.mark.parametrize(
    "losses",
    [
        pytest.param(-2.3 * 1.08 ** np.arange(40), id="too early"),
        pytest.param(1000 - 20.0 * np.arange(200), id="steadily, as far below 0 as it was above"),
        pytest.param(5 - 4000 * (1 - np.exp(-np.arange(300) / 40)), id="ever more slowly"),
        pytest.param(1e6 * 0.9 ** np.arange(100), id="to 0"),
        pytest.param(-1.0 - 0.5 * 1.02 ** np.arange(200), id="not yet far below 0"),
    ],
)
def test_losses_that_may_have_a_least_value(losses: Any) -> None:
    assert trend(losses).kind == ""


# Of real trainings, and why


class Uphill(engine.SGD):
    """Adds where it should subtract."""

    def step(self) -> None:
        with engine.no_grad():
            for parameter in self.params:
                if parameter.grad is not None:
                    parameter.array += self.lr * parameter.grad.array


def reason_of(session: TrainingSession) -> str:
    session.monitor.refresh(running=False)
    return text_of(table_items(session.monitor))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("optimizer", "kind", "why"),
    [
        (sgd(1e-6), "still", "a higher rate is worth a try"),
        (lambda m: Uphill(m.parameters(), lr=0.001), "still", "uphill: the optimiser adds"),
        (lambda m: engine.Adam(m.parameters(), lr=0.3), "still", "may say why"),
    ],
    ids=["low rate", "uphill", "high rate"],
)
def test_why_a_training_stands_still(
    optimizer: Callable[[engine.Module], engine.Optimizer], kind: str, why: str, seed: int
) -> None:
    session = train(session_of(mlp, optimizer, seed, images=4000, epochs=1))
    assert session.monitor.progress.trend().kind == kind
    assert why in reason_of(session)


@pytest.mark.parametrize(
    "loss",
    [
        lambda logits, labels: -engine.cross_entropy(logits, labels),
        engine.nll_loss,  # of what are no log-probabilities
    ],
    ids=["a sign", "logits for log-probabilities"],
)
def test_why_a_loss_has_no_end(loss: Any) -> None:
    session = session_of(mlp, lambda m: engine.Adam(m.parameters(), lr=0.001), images=4000)
    session.training.loss_fn = loss
    train(session, batches=120)
    assert session.monitor.progress.trend().kind == "plunges"
    assert "a sign is wrong in it" in reason_of(session)


def regression(optimizer: Callable[[engine.Module], engine.Optimizer]) -> TrainingSession:
    """A straight line, one batch an epoch."""
    engine.manual_seed(0)
    inputs = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    model = engine.Linear(1, 1)
    training = engine.Training(
        model, optimizer(model), (inputs, 3 * inputs), None, engine.mse_loss, 20, 400
    )
    return TrainingSession(training)


def test_momentum_that_goes_too_far_is_not_said_to_go_uphill() -> None:
    session = regression(lambda m: engine.SGD(m.parameters(), lr=0.0005, momentum=0.99))
    said = set()
    while not session.training.finished:
        session.one_batch()
        trend_now = session.monitor.progress.trend()
        if trend_now.kind:
            said.add(trend_now.kind)
            assert "uphill" not in reason_of(session)
    assert said == {"rises"}


def test_before_anything_is_measured_the_page_tells_of_the_loss() -> None:
    session = train(session_of(mlp, sgd(1e-6), images=4000, epochs=1))
    again = TrainingSession(session.training)  # as after a start that goes on with it
    assert "! The loss does not fall" in reason_of(again)
    assert "Nothing is measured yet" in reason_of(again)


def test_a_loss_that_rises_since_the_rate_was_set_too_high() -> None:
    session = train(session_of(mlp, sgd(0.1), images=4000, epochs=3), 120)
    assert session.monitor.progress.trend().kind == ""
    session.training.lr = 1.5
    train(session, 160)
    assert session.monitor.progress.trend().kind == "rises"
    assert "! The loss rises: 0." in reason_of(session)


@pytest.mark.parametrize("size", [1, 2, 8, 1000])
def test_batches_of_any_size(size: int) -> None:
    epochs = {1000: 60}.get(size, 1)
    session = session_of(mlp, sgd(0.01 if size < 50 else 0.1), batch_size=size, epochs=epochs)
    while not session.training.finished:
        session.one_batch()
        assert session.monitor.progress.trend().kind == ""


def test_sigmoids_that_learn() -> None:
    net = lambda: layers(784, 64, 64, 10, bend=engine.Sigmoid)  # noqa: E731
    session = session_of(net, sgd(0.5), images=4000, epochs=2)
    while not session.training.finished:
        session.one_batch()
        assert session.monitor.progress.trend().kind == ""


def test_in_words_it_is_said_once() -> None:
    session = session_of(mlp, sgd(1e-6), images=4000, epochs=1)
    before, at_60, later = (
        {**view_of(train(session, batch), columns=10), "note": "", "data": "", "hint": ""}
        for batch in (50, 60, 65)
    )
    said = f"Problem: {at_60['monitor']['loss']['words']}"
    assert said.startswith("Problem: the loss does not fall")
    assert said not in words.since(None, before)
    assert said in words.since(before, at_60)
    assert said in words.since(None, at_60)
    assert not any("does not fall" in line for line in words.since(at_60, later))
