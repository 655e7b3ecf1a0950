"""Does the gradient fit the loss? Mistakes are found, healthy trainings agree, nothing changes."""

from __future__ import annotations

import itertools
import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_support import REGRESSION, load, text_of, write

import engine
from engine import BACK_FUNCS
from scenarios.data import mnist
from tui.session.training.commands import carry_out
from tui.session.training.monitor import pages, slope_words
from tui.session.training.monitor.recomputing import recomputed
from tui.session.training.monitor.slope import Line, Slope, check, compared
from tui.session.training.session import TrainingSession


class Functions(engine.Module):
    """A network whose every operation is one that a student writes."""

    def __init__(self) -> None:
        super().__init__()
        self.first = engine.Linear(784, 32)
        self.last = engine.Linear(32, 10)

    def forward(self, x: engine.Tensor) -> engine.Tensor:
        hidden = x @ self.first.weight.T + self.first.bias
        return engine.maximum(hidden, 0.0) @ self.last.weight.T + self.last.bias


def training_of(model: engine.Module | None = None, seed: int = 0, **more: Any) -> engine.Training:
    engine.manual_seed(seed)
    (inputs, labels), _ = mnist()
    model = Functions() if model is None else model
    return engine.Training(
        model,
        engine.SGD(model.parameters(), lr=0.05),
        (inputs[:640], labels[:640]),
        None,
        engine.CrossEntropyLoss(),
        **{"epochs": 1, **more},
    )


def slope_of(training: engine.Training) -> Slope:
    inputs, labels = training.next_batch()
    return check(training, inputs.array, labels.array)


def level(training: engine.Training) -> str:
    return str(slope_words.facts(slope_of(training))["level"])


@contextmanager
def backward(func: Any, arg: int, back: Callable[..., Any]) -> Iterator[None]:
    before = BACK_FUNCS.get_back_func(func, arg)
    BACK_FUNCS.add_back_func(func, arg, back)
    try:
        yield
    finally:
        BACK_FUNCS.add_back_func(func, arg, before)


def unbroadcast(grad: Any, original: Any) -> Any:
    return engine.unbroadcast(grad, np.asarray(original))


MISTAKES: dict[str, tuple[Any, int, Callable[..., Any]]] = {
    "doubled": (np.matmul, 1, lambda g, out, x, y: 2 * (x.T @ g)),
    "sign": (np.matmul, 1, lambda g, out, x, y: -(x.T @ g)),
    "relu lets all through": (np.maximum, 0, lambda g, out, x, y: unbroadcast(g, x)),
    "relu lets nothing through": (np.maximum, 0, lambda g, out, x, y: np.zeros_like(x)),
    "relu by its result's size": (np.maximum, 0, lambda g, out, x, y: unbroadcast(g * out, x)),
    "bias by the mean": (
        np.add,
        1,
        lambda g, out, x, y: unbroadcast(g, y) / (len(g) if np.ndim(g) else 1),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_backward_function_is_found(mistake: str) -> None:
    with backward(*MISTAKES[mistake]):
        training = training_of()
        for _ in range(4):
            assert level(training) == "wrong"
            training.step()


def test_the_words_name_what_is_wrong_and_what_to_do() -> None:
    with backward(*MISTAKES["doubled"]):
        session = TrainingSession(training_of())
        session.one_batch()
        session.monitor.refresh(running=False)
        told = session.monitor.facts(9)["slope"]
        assert told["words"].startswith("the loss falls by ")
        assert "where the gradient says" in told["words"]
        assert told["words"].endswith("a backward function is wrong; Esc, then V finds it")
        assert len(told["short"]) <= 70
        assert len(told["brief"]) <= 32
        carry_out(session, "slope", {})
        page = text_of(session.messages[-1]["items"])
    assert "! first.weight does not fit: it says " in page
    assert "first.bias  agrees" in page
    assert "The gradient is wrong at first.weight and last.weight, and fits at" in page


def test_a_parameter_whose_gradient_alone_is_wrong_is_named() -> None:
    with backward(*MISTAKES["bias by the mean"]):
        session = TrainingSession(training_of())
        carry_out(session, "slope", {})
        page = text_of(session.messages[-1]["items"])
    assert "! first.bias does not fit" in page
    assert "first.weight  agrees" in page


def test_an_agreement_is_never_called_a_proof() -> None:
    session = TrainingSession(training_of())
    session.monitor.refresh(running=False)
    told = session.monitor.facts(9)["slope"]
    for length in ("words", "short", "brief"):
        assert told[length].endswith("(no proof)")
    carry_out(session, "slope", {})
    page = text_of(session.messages[-1]["items"])
    assert "is no proof" in page
    assert "does not fit" not in page


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("lr", [0.01, 0.1, 3.0])
def test_healthy_trainings_agree_all_along(seed: int, lr: float) -> None:
    # Where the rate is far too high nothing may be to be told, but nothing wrong is told.
    training = training_of(seed=seed, epochs=3)
    training.lr = lr
    levels = set()
    while not training.finished:
        levels.add(level(training))
        training.step()
    assert levels <= ({"fits"} if lr < 1 else {"fits", "quiet"})


def test_layers_that_draw_and_layers_that_keep_statistics_agree() -> None:
    model = engine.Sequential(
        engine.Linear(784, 32),
        engine.BatchNorm1d(32),
        engine.ReLU(),
        engine.Dropout(0.5),
        engine.Linear(32, 10),
    )
    training = training_of(model)
    for _ in range(5):
        training.step()
        assert level(training) == "fits"


# At kinks, minima, and where it cannot be told


@pytest.mark.parametrize("at_zero", [0.0, 0.5, 1.0])
def test_where_all_is_at_a_kink_no_slope_between_is_called_wrong(at_zero: float) -> None:
    def back(g: Any, out: Any, x: Any, y: Any) -> Any:
        return unbroadcast(g * np.where(np.equal(x, 0), at_zero, np.greater(x, 0)), x)

    with backward(np.maximum, 0, back):
        training = training_of()
        training.model.first.weight.array[...] = 0
        training.model.first.bias.array[...] = 0
        assert level(training) == ("fits" if at_zero == 0.5 else "quiet")


def test_at_a_minimum(tmp_path: Path) -> None:
    scenario = load(write(tmp_path, REGRESSION))
    training = scenario.training
    assert training is not None
    training.model.weight.array[...] = 1
    training.model.bias.array[...] = 0
    inputs, _ = training.next_batch()
    slope = check(training, inputs.array.round(), inputs.array.round().sum(1, keepdims=True))
    assert slope.down is None
    told = slope_words.facts(slope)
    assert (told["level"], told["brief"]) == ("fits", "gradient 0, agrees (no proof)")


@given(
    st.sampled_from([math.sin, math.exp, lambda x: abs(x - 1e-9), lambda x: x**3, math.atan]),
    st.floats(-5, 5),
    st.sampled_from([0.5, -1.0, 1.01, 2.0, 0.0]),
)
@settings(max_examples=200, deadline=None)
def test_a_slope_that_is_right_fits_and_one_that_is_off_does_not(
    function: Callable[[float], float], x: float, factor: float
) -> None:
    h = 1e-7
    slope = (function(x + h) - function(x - h)) / (2 * h)
    if abs(slope) < 1e-2 or (function(1e-9) == 0 and abs(x) < 1e-3):
        return  # too flat for these differences to say what is right
    assert compared(lambda t: function(x + t), function(x), slope, 1e-5).fits is True
    line = compared(lambda t: function(x + t), function(x), slope * factor, 1e-5)
    assert line.fits is False
    assert line.does == pytest.approx(slope, rel=1e-3)


@pytest.mark.parametrize("claimed", [-1.0, -0.3, 0.0, 1.0])
def test_between_the_slopes_of_a_kink(claimed: float) -> None:
    assert compared(abs, 0.0, claimed, 1e-5).fits is True


@pytest.mark.parametrize("claimed", [-1.1, 2.0])
def test_beyond_the_slopes_of_a_kink_nothing_is_told(claimed: float) -> None:
    # Of many kinks in one place each may have another slope; a sum of these can be anything.
    assert compared(abs, 0.0, claimed, 1e-5).fits is None


def test_what_is_too_rough_is_not_called_wrong() -> None:
    noise = np.random.default_rng(0)
    assert compared(lambda t: t + noise.normal(0, 1e-3), 0.0, 1.0, 1e-5).fits is None
    assert compared(lambda t: math.nan, 0.0, 1.0, 1e-5).fits is None
    assert compared(lambda t: 1e9 + t, 1e9, 3e-4, 1e-5).fits is not False


# What cannot be computed in float64


@pytest.mark.parametrize(
    ("loss", "reason"),
    [
        (
            "Tensor((out - y).array.astype(np.float32)).sum()",
            "the loss has no gradient",
        ),
        ("single(out - y).sum()", "something in it computes in less than float64"),
        ("mean_square(out, y) * float('nan')", "the loss is NaN"),
        ("only_float32(out).sum()", "TypeError: float32 only"),
        ("(out * next(odd)).sum()", "the loss is not the same when it is computed again"),
    ],
)
def test_a_loss_that_insists_is_told_quietly(tmp_path: Path, loss: str, reason: str) -> None:
    body = REGRESSION + (
        "import itertools\nodd = itertools.count(1)\n"
        "def only_float32(x):\n"
        "    if x.dtype != np.float32: raise TypeError('float32 only')\n    return x\n"
        "def cast(x): return x.astype(np.float32)\n"
        "single = wrap_forward_fn(cast)\n"
        "BACK_FUNCS.add_back_func(cast, 0, lambda g, out, x: g.astype(x.dtype))\n"
        f"def other(out, y): return {loss}\ntraining.loss_fn = mean_square\n"
    )
    scenario = load(write(tmp_path, body))
    training = scenario.training
    assert training is not None
    training.loss_fn = scenario.namespace["other"]
    slope = slope_of(training)
    assert reason in slope.problem
    assert slope_words.facts(slope)["level"] == "quiet"
    assert slope_words.facts(slope)["brief"] == "not computed in float64"
    session = TrainingSession(training)
    carry_out(session, "slope", {})
    assert session.messages[-1]["title"] == pages.SLOPE
    assert reason in text_of(session.messages[-1]["items"])


def test_a_model_that_takes_whole_batches_only() -> None:
    class Whole(Functions):
        def forward(self, x: engine.Tensor) -> engine.Tensor:
            return super().forward(x.reshape(64, 784))

    assert level(training_of(Whole())) == "fits"


# Nothing changes


class Awkward(Functions):
    """Counts, draws and keeps its own statistics in all the ways there are."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.seen: list[int] = []
        self.mean = engine.Tensor(np.zeros(10, np.float32))
        self.register_buffer("running", engine.Tensor(np.zeros(10, np.float32)))
        self.own = np.random.default_rng(1)

    def forward(self, x: engine.Tensor) -> engine.Tensor:
        global CALLS
        CALLS += 1
        SEEN.append(CALLS)
        self.calls += 1
        self.seen.append(self.calls)
        out = super().forward(x)
        self.running.array[...] += out.array.mean(axis=0)
        self.mean = engine.Tensor(out.array.mean(axis=0))
        noise = np.random.rand() + random.random() + self.own.random() + RANDOM.random()
        return out * (1 + 0.01 * noise) + engine.zeros(1).uniform_(0, 1)


CALLS = 0
SEEN: list[int] = []
RANDOM = random.Random(3)


def start_over() -> None:
    global CALLS
    CALLS = 0
    SEEN.clear()
    RANDOM.seed(3)
    np.random.seed(0)
    random.seed(0)
    engine.manual_seed(0)


def trained(check_too: bool) -> tuple[engine.Training, list[Any]]:
    start_over()
    training = training_of(Awkward())
    while not training.finished:
        if check_too:
            assert slope_of(training).problem == ""
        training.step()
    model = training.model
    drawn = [np.random.rand(), random.random(), RANDOM.random(), model.own.random()]
    return training, [CALLS, list(SEEN), model.calls, model.seen, *drawn]


def test_the_training_does_not_notice() -> None:
    alone, left = trained(False)
    watched, found = trained(True)
    assert watched.losses == alone.losses
    assert found == left
    for one, other in zip(watched.model.parameters(), alone.model.parameters(), strict=True):
        assert one.array.tobytes() == other.array.tobytes()
    assert watched.model.running.array.tobytes() == alone.model.running.array.tobytes()
    assert watched.model.mean.array.tobytes() == alone.model.mean.array.tobytes()


def test_arrays_and_gradients_are_the_very_same_afterwards() -> None:
    training = training_of(Awkward())
    training.step()
    tensors = [*training.model.parameters(), *training.model.buffers()]
    before = [(t.array, t.array.tobytes(), t._grad) for t in tensors]
    slope_of(training)
    for tensor, (array, content, grad) in zip(tensors, before, strict=True):
        assert tensor.array is array
        assert array.tobytes() == content
        assert tensor._grad is grad


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("at", range(1, 7))
def test_also_where_the_scenario_raises(error: type[BaseException], at: int) -> None:
    training = training_of()
    training.step()
    calls = itertools.count(1)
    loss_fn = training.loss_fn

    def failing(out: Any, labels: Any) -> engine.Tensor:
        if next(calls) == at:
            raise error("odd")
        return loss_fn(out, labels)

    training.loss_fn = failing
    tensors = list(training.model.parameters())
    before = [(t.array, t.array.tobytes(), t._grad) for t in tensors]
    if error is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            slope_of(training)
    else:
        slope = slope_of(training)
        assert "odd" in slope.problem or at <= 2  # with all examples it is tried once more
    for tensor, (array, content, grad) in zip(tensors, before, strict=True):
        assert tensor.array is array
        assert array.tobytes() == content
        assert tensor._grad is grad


def test_what_the_scenario_prints_is_not_seen(capsys: pytest.CaptureFixture[str]) -> None:
    training = training_of()
    loss_fn = training.loss_fn

    def talking(out: Any, labels: Any) -> engine.Tensor:
        print("here")
        return loss_fn(out, labels)

    training.loss_fn = talking
    slope_of(training)
    assert capsys.readouterr().out == ""


def test_whoever_watches_the_steps_of_a_pass_is_not_called() -> None:
    training = training_of()
    seen: list[Any] = []
    with engine.add_step_hook(seen.append):
        slope_of(training)
    assert seen == []


def test_a_leaf_that_is_no_parameter_keeps_its_gradient() -> None:
    extra = engine.Tensor(np.ones(1), requires_grad=True)
    training = training_of()
    loss_fn = training.loss_fn
    training.loss_fn = lambda out, y: loss_fn(out, y) + (extra * extra).sum().reshape(())
    training.step()
    grad = extra._grad
    slope = slope_of(training)
    assert extra._grad is grad
    assert "float64" in slope.problem or slope.wrong is None


def test_in_the_block_everything_is_in_float64() -> None:
    training = training_of(Awkward())
    inputs, labels = training.next_batch()
    with recomputed(training, inputs.array, labels.array, 32) as loss:
        assert {t.dtype.name for t in training.model.parameters()} == {"float64"}
        assert loss.length > 1
    assert {t.dtype.name for t in training.model.parameters()} == {"float32"}


# How often


def test_its_cost_is_bounded_while_the_training_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.session.training.monitor import monitor

    calls: list[float] = []
    now = itertools.count(1000)
    clock = [1000.0]
    slow = Slope(None, None, "", 0.1)

    def counted(*_: object) -> Slope:
        calls.append(clock[0])
        return slow

    monkeypatch.setattr(monitor, "check", counted)
    monkeypatch.setattr(monitor.time, "monotonic", lambda: clock[0])
    session = TrainingSession(training_of(epochs=100))
    session.run()
    for _ in range(60):
        clock[0] = float(next(now))
        session.training.step()
        session.monitor.refresh(running=True)
    gaps = [b - a for a, b in itertools.pairwise(calls)]
    assert len(calls) > 3
    assert min(gaps) >= 30 * slow.seconds


def test_one_that_would_take_long_is_left_once_that_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from tui.session.training.monitor import slope

    def slow(outputs: engine.Tensor, labels: engine.Tensor) -> engine.Tensor:
        time.sleep(0.45)
        return engine.cross_entropy(outputs, labels)

    lines: list[Line] = []
    along = slope._along
    monkeypatch.setattr(slope, "_along", lambda *a: lines.append(along(*a)) or lines[-1])  # type: ignore[func-returns-value]
    session = TrainingSession(training_of())
    session.training.loss_fn = slow
    session.monitor.refresh(running=False)
    told = session.monitor.facts(9)["slope"]["words"]
    assert told.startswith("v checks it; it takes ")
    session.monitor.refresh(running=False)
    assert not lines
    session.monitor.check_now()
    assert len(lines) == 2
    assert session.monitor.facts(9)["slope"]["level"] == "fits"


def test_one_that_takes_long_is_left_to_be_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.session.training.monitor import monitor

    calls: list[int] = []

    def long(*_: object) -> Slope:
        calls.append(1)
        return Slope(None, None, "", 2.0)

    monkeypatch.setattr(monitor, "check", long)
    session = TrainingSession(training_of())
    session.monitor.refresh(running=False)
    session.one_batch()
    session.monitor.refresh(running=False)
    session.monitor.refresh(running=False)
    assert len(calls) == 1
    assert session.monitor.facts(9)["slope"]["words"] == "v checks it; it takes 2.0 s here"
