"""What the first frame says of values that are not finite, and of NumPy's warnings."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tui_support import BUNDLED, debugged, run, session_on, text_of, view_of, wait_until, write

from engine import Tensor, no_grad, record_origins
from tui.loading.warned import noted
from tui.session.causes import nonfinite


def first_frame(folder: Path, body: str) -> list[str]:
    session = session_on(write(folder, body))
    return text_of(view_of(session)["step"]).splitlines()


T = "t = Tensor([2.0, -1.0, 3.0], requires_grad=True)\n"


def test_the_earliest_value_is_named_before_everything_else(tmp_path: Path) -> None:
    lines = first_frame(tmp_path, f"{T}c = log(t)\nd = c * 2\nloss = d.sum()\n")
    assert lines[:3] == [
        "! c = log(t): 1 NaN at [1], from t[1] = -1",
        "! NumPy warns of invalid value encountered in log (wrong.py, line 4)",
        "",
    ]


SENTENCES = {
    "two arguments": (
        "u = Tensor([1.0, 0.0, 1.0])\nc = t / u",
        "c = t / u: one -Inf at [1], from t[1] = -1 and u[1] = 0",
    ),
    "a number": (
        "c = t / 0",
        "c = t / 0: 2 Inf and one -Inf, the first at [0], from t[0] = 2 and 0",
    ),
    "broadcasting": (
        "u = Tensor([[1.0], [0.0]])\nc = t / u",
        "c = t / u: 2 Inf and one -Inf, the first at [1, 0], from t[0] = 2 and u[1, 0] = 0",
    ),
    "without a name": (
        "c = log(t + 1)",
        "c = log(add): one -Inf at [1], from add[1] = 0",
    ),
    "all elements": (
        "c = (t * 1e38).sum()",
        "c = sum(multiply): Inf, from multiply between -1e38 and 3e38",
    ),
    "matrices": (
        "m = Tensor([[3e38, 1.0]])\nc = m @ Tensor([[2.0], [1.0]]) + t[0]",
        "m @ ... (line 5): 1 Inf at [0, 0], from m between 1 and 3e38",
    ),
    "given": (
        "u = Tensor([1.0, float('nan'), 1.0])\nc = t * u",
        "u: 1 NaN at [1], and it came so into the graph",
    ),
    "outside the graph": (
        "u = Tensor([2.0, -1.0, 3.0])\nv = log(u)\nw = v * 2\nc = t * w",
        "v = log(u) (line 5): 1 NaN at [1], from u[1] = -1",
    ),
    "several": (
        "c = log(t) * sqrt(t)",
        "log(t): 1 NaN at [1], from t[1] = -1; also at sqrt (node 2)",
    ),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", SENTENCES)
def test_which_value_and_from_which_numbers(case: str, tmp_path: Path) -> None:
    body, sentence = SENTENCES[case]
    lines = first_frame(tmp_path, f"{T}{body}\nloss = c.sum()\n")
    assert lines[0] == f"! {sentence}"


@pytest.mark.parametrize("scenario", BUNDLED)
def test_a_sound_scenario_says_nothing(scenario: str) -> None:
    session = session_on(scenario)
    assert "!" not in text_of(view_of(session)["step"])


def test_nan_in_the_next_batch_of_a_training_is_seen(tmp_path: Path) -> None:
    body = """
xs = np.linspace(-1, 1, 20, dtype=np.float32).reshape(10, 2)
model = Linear(2, 1)
training = Training(model, SGD(model.parameters(), 0.1), (xs, xs), (xs, xs),
                    lambda out, y: log(out - 5).sum(), batch_size=4)
"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # What the user says about warnings holds: none is shown, and none is noted.
        lines = first_frame(tmp_path, body)
    assert lines[0].startswith(
        "! log(subtract): 4 NaN, the first at [0, 0], from subtract[0, 0] = -"
    )
    assert "NumPy" not in lines[1]
    lines = first_frame(tmp_path, body)
    assert lines[1] == "! NumPy warns of invalid value encountered in log (wrong.py, line 7)"


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1.0, np.nan], "one NaN to u, at [1]"),
        ([np.nan, np.nan], "2 NaN to u, the first at [0]"),
        ([1.0, np.inf, np.nan], "1 NaN and 1 Inf to u, the first at [1]"),
        (np.inf, "Inf to u"),
    ],
)
def test_what_is_handed_on_is_counted(values: Any, told: str) -> None:
    array = np.asarray(values)
    assert nonfinite.handed(array, nonfinite.first_place(array), "u") == told


def test_a_warning_during_a_step_is_told_at_that_step(tmp_path: Path) -> None:
    body = "t = Tensor([0.0, 1.0], requires_grad=True)\nr = sqrt(t)\nloss = r.sum()\n"
    session = session_on(write(tmp_path, body))
    told = []
    for _ in range(3):
        session.next()
        told.append(text_of(view_of(session)["step"]).splitlines()[0])
    assert "!" not in told[0] + told[2]
    assert told[1] == ("! sqrt_back: NumPy warns of divide by zero encountered in divide (line 4)")
    session.back()
    session.back()
    session.next()
    assert text_of(view_of(session)["step"]).startswith("! sqrt_back: NumPy warns")


def test_a_warning_in_ones_own_backward_function_names_its_line(tmp_path: Path) -> None:
    body = """
def halve(x):
    return x / 2
def halve_back(grad_out, out, x):
    return grad_out / (0 * x)
half = wrap_forward_fn(halve)
BACK_FUNCS.add_back_func(halve, 0, halve_back)
t = Tensor([0.0, 1.0], requires_grad=True)
loss = half(t).sum()
"""
    session = session_on(write(tmp_path, body))
    session.go_to(2)
    shown = text_of(view_of(session)["step"])
    assert (
        "! halve_back: NumPy warns of divide by zero encountered in divide (wrong.py, line 7)"
        in shown
    )


# Noting warnings


def warn_of_log(value: float) -> Any:
    return np.log(np.float64(value))


def test_each_line_is_noted_once_and_shown_as_ever() -> None:
    def warn() -> list[str]:
        with noted() as notes:
            for _ in range(3):
                warn_of_log(-1.0)
            warn_of_log(0.0)
        return notes

    with pytest.warns(RuntimeWarning) as shown:
        notes = warn()
    assert [note.partition(" (")[0] for note in notes] == [
        "invalid value encountered in log",
        "divide by zero encountered in log",
    ]
    assert all("test_tui_nonfinite.py, line" in note for note in notes)
    assert len(shown) == 2


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_line_is_noted_once_whether_it_is_recorded_or_not() -> None:
    x, zero = Tensor(1.0, requires_grad=True), Tensor(0.0)

    def warn() -> list[str]:
        with noted() as notes, warnings.catch_warnings():
            warnings.simplefilter("always")
            for block in (nullcontext(), no_grad(), record_origins()):
                with block:
                    x / zero
        return notes

    assert [note.partition(" (")[0] for note in warn()] == ["divide by zero encountered in divide"]


def test_nothing_is_left_behind() -> None:
    before, filters = warnings.showwarning, list(warnings.filters)
    with noted():
        pass
    assert warnings.showwarning is before
    assert list(warnings.filters) == filters


def test_other_warnings_are_only_shown() -> None:
    with pytest.warns(UserWarning, match="mine"), noted() as notes:
        warnings.warn("mine", stacklevel=1)
    assert notes == []


def test_what_a_scenario_says_about_warnings_is_kept(tmp_path: Path) -> None:
    ignoring = f"import warnings\nwarnings.filterwarnings('ignore')\n{T}loss = log(t).sum()\n"
    with warnings.catch_warnings():
        lines = first_frame(tmp_path, ignoring)
        assert any(entry[:3] == ("ignore", None, Warning) for entry in warnings.filters)
    assert "NumPy" not in "\n".join(lines)
    failing = ignoring.replace("'ignore'", "'error'")
    done = run(write(tmp_path, failing), "--trace")
    assert done.returncode == 2
    assert "RuntimeWarning: invalid value encountered in log" in done.stderr


def test_warnings_still_go_to_standard_error_and_to_the_log(tmp_path: Path) -> None:
    path = write(tmp_path, f"{T}c = log(t)\nloss = c.sum()\n")
    assert "! c = log(t): 1 NaN at [1], from t[1] = -1\n\nstep" in run(path, "--trace").stdout
    done = run(path, "--trace", "--json")
    assert f"{path}:4: RuntimeWarning: invalid value encountered in log" in done.stderr
    with debugged(path) as program:
        view = program.wait_for("stepping", within=20)
        assert view["step"][0][1].startswith("! c = log(t): 1 NaN")
        log = program.client.log
        assert wait_until(lambda: any("RuntimeWarning" in line for line in log), 20)
