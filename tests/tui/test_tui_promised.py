"""A backward function that does not return what the formula in its docstring says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tui_graphs import graph_of, tensors
from tui_support import session_on, text_of, view_of, write

import engine
from tui.session import formula_results
from tui.session.checks import promised
from tui.session.protocol import Graph

OWN = """
def f(x):
    return x * x * x
def f_back(grad_out, out, x):
    {doc!r}
    return {code}
cubed = wrap_forward_fn(f)
BACK_FUNCS.add_back_func(cubed, 0, f_back)
a = Tensor({value}, requires_grad=True)
loss = cubed(a).sum()
"""


def told(folder: Path, doc: str, code: str, value: str = "[1.0, -2.0, 3.0]") -> list[str]:
    """What is wrong with the step of an own backward function."""
    path = write(folder, OWN.format(doc=doc, code=code, value=value))
    session = session_on(path)
    session.next()
    session.next()
    return [left for kind, left, _ in view_of(session)["step"] if kind == "problem"]


@pytest.mark.parametrize(
    ("doc", "code", "said"),
    [
        (
            "-grad_out",
            "grad_out",
            "! f_back returned 1 at [0], but its docstring says -grad_out: that is -1.",
        ),
        (
            "grad_out * 3 * x * x",
            "grad_out * 3 * x",
            "! f_back returned -6 at [1], but its docstring says grad_out * 3 * x * x: that is 12.",
        ),
        (
            "grad_out * 3 * x ** 2\n\nMore is told below.",
            "grad_out * 3 * x ** 2 * (x > 0)",
            "! f_back returned 0 at [1], but its docstring says grad_out * 3 * x ** 2: that is 12.",
        ),
    ],
)
def test_what_breaks_its_promise(tmp_path: Path, doc: str, code: str, said: str) -> None:
    assert told(tmp_path, doc, code) == [said]


@pytest.mark.parametrize(
    ("doc", "code"),
    [
        ("grad_out * 3 * x * x", "3 * grad_out * x ** 2"),
        ("grad_out * 3 * x * x", "np.float64(3) * grad_out * x.astype(np.float64) ** 2"),
        ("3 * x ** 2", "grad_out * 3 * x ** 2"),  # the derivative alone, as one may write it
        ("3 * x", "grad_out * 3 * x ** 2"),
        ("Gradient of x ** 3.", "grad_out * x"),
        ("grad_out * own(x)", "grad_out * x"),
        ("grad_out @ x", "grad_out * x"),  # one number: it may be meant otherwise
        ("", "grad_out * x"),
        ("grad_out / (x - x)", "grad_out * x"),  # no number
    ],
)
def test_what_promises_nothing_or_keeps_it(tmp_path: Path, doc: str, code: str) -> None:
    assert told(tmp_path, doc, code) == []


def test_a_formula_that_does_not_give_the_result_is_not_said_to(tmp_path: Path) -> None:
    session = session_on(write(tmp_path, OWN.format(doc="-grad_out", code="grad_out", value="2.0")))
    session.next()
    session.next()
    assert "-grad_out  =  -1  is not" in text_of(view_of(session)["step"])


def broken(graph: Graph) -> list[str]:
    found: list[str] = []
    while graph.position < graph.step_count:
        found += promised.broken_promises(graph, graph.step())
    return found


@given(root=tensors())
@settings(max_examples=100, deadline=None)
def test_the_engine_keeps_its_promises(root: engine.Tensor) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(promised, "is_ours", lambda function: False)
        assert broken(graph_of(root)) == []


UNARY: dict[str, Any] = {
    name: getattr(engine, name)
    for name in ("abs", "cos", "exp", "log", "negative", "relu", "sigmoid", "sin", "sqrt", "tanh")
}


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(
    exponent=st.floats(-8, 8),
    kind=st.sampled_from(["float16", "float32", "float64"]),
    seed=st.integers(0, 99),
)
@example(exponent=-7.0, kind="float16", seed=0)  # half of the smallest number is 0
@settings(max_examples=60, deadline=None)
def test_however_small_or_large_the_numbers_are(
    name: str, exponent: float, kind: str, seed: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(promised, "is_ours", lambda function: False)
        values = np.random.default_rng(seed).normal(0, 10.0**exponent, 9).astype(kind)
        x = engine.Tensor(np.abs(values) if name in ("log", "sqrt") else values, True, kind)
        root = (UNARY[name](x) * engine.Tensor(values[::-1].copy(), dtype=kind)).sum()
        assert broken(graph_of(root)) == []


def test_of_large_arrays_nothing_is_computed_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"grad_out": np.ones(9, np.float32)}
    assert formula_results.disagreement("-grad_out", values, np.ones(9, np.float32)) == ((0,), -1)
    monkeypatch.setattr(formula_results, "AT_MOST", 8)
    assert formula_results.disagreement("-grad_out", values, np.ones(9, np.float32)) is None
