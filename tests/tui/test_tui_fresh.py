"""What is shown is what the arrays and functions are now: nothing that is kept from one view to
the next may hide that the scenario's code has changed them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tui_support import session_on, text_of, view_of, write

from tui.session import labels, numbers
from tui.session.session import Session

SCALED = """
scale = np.array([1.0, 2.0, 3.0], np.float32)
x = Tensor([1.0, 1.0, 1.0], requires_grad=True)
y = x * scale
loss = y.sum()
"""

TWICE = """
def twice_back(grad_out, out, x):
    "grad_out * 2"
    return grad_out * 2
twice = wrap_forward_fn(lambda x: x * 2, name="twice")
BACK_FUNCS.add_back_func(twice, 0, twice_back)
x = Tensor(3.0, requires_grad=True)
loss = twice(x)
"""


def rail_of(session: Session) -> dict[int, dict[str, Any]]:
    return {row["id"]: row for row in view_of(session)["rail"]}


def test_a_gradient_that_is_written_into() -> None:
    session = session_on("mlp")
    while session.graph.position < 9:
        session.next()
    node = session.last_step().edges[0].parent
    before = view_of(session)
    grad = session.graph.grad(node)
    assert grad is not None
    assert grad.size > numbers.INLINE
    then = rail_of(session)[node]["grad"]
    assert then == numbers.measure(grad)
    assert then in text_of(before["step"])
    grad *= 100
    assert rail_of(session)[node]["grad"] == numbers.measure(grad) != then
    assert numbers.measure(grad) in text_of(view_of(session)["step"])


def test_values_and_arguments_that_are_written_into(tmp_path: Path) -> None:
    session = session_on(write(tmp_path, SCALED))
    assert rail_of(session)[0]["label"] == "loss = sum(y) = 6"
    assert rail_of(session)[1]["label"] == "y = x * [1 2 3]"
    session.graph.value(0)[...] = 7
    session.graph.arguments(1)[1][0] = 5
    assert rail_of(session)[0]["label"] == "loss = sum(y) = 7"
    assert rail_of(session)[0]["brief"] == "loss = 7"
    assert rail_of(session)[1]["label"] == "y = x * [5 2 3]"
    session.next()
    session.next()
    assert "\ny = x * [5 2 3]  node 1" in text_of(view_of(session)["step"])


def test_a_backward_function_that_is_changed(tmp_path: Path) -> None:
    session = session_on(write(tmp_path, TWICE))
    session.next()
    assert "grad_out * 2" in text_of(view_of(session)["step"])
    back: Any = session.last_step().edges[0].backward
    back.__doc__ = "grad_out + 1"
    assert "grad_out + 1" in text_of(view_of(session)["step"])
    assert "grad_out * 2" not in text_of(view_of(session)["step"])


def test_an_array_is_measured_once_in_a_view_and_anew_in_the_next() -> None:
    array = np.arange(10, dtype=np.float32)
    with numbers.each_measured_once():
        first = numbers.measure(array)
        array *= 2
        assert numbers.measure(array) == first
    assert numbers.measure(array) != first
    with numbers.each_measured_once():
        assert numbers.measure(array) != first


def test_no_more_labels_are_kept_than_a_screen_needs(monkeypatch: Any) -> None:
    monkeypatch.setattr(labels, "KEPT", 5)
    session = session_on("deep")
    nodes = range(len(session.graph.nodes))
    told = [session.labels.on_rail(node) for node in nodes]
    assert told == [(session.labels.with_value(n), session.labels.brief(n)) for n in nodes]
    kept = (session.labels._short, session.labels._full, session.labels._on_rail)
    assert all(len(known) <= 5 for known in kept)
