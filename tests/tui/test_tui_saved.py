"""Direct writes into `.array` after the forward pass: noticed at the step that they make wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_support import json_lines, run, session_on, text_of, view_of, write

import engine
from tui.session.checks.saved import KEPT, Saved
from tui.session.engine_graph import EngineGraph


def step_items(session: Any) -> str:
    return text_of(view_of(session)["step"])


def named_product() -> tuple[EngineGraph, dict[str, engine.Tensor]]:
    x, w = engine.Tensor([3.0, 4.0]), engine.Tensor([1.0, 2.0], requires_grad=True)
    product = w * x
    tensors = {"x": x, "w": w, "product": product}
    return EngineGraph(product.sum(), None, {id(t): n for n, t in tensors.items()}), tensors


def test_nothing_is_said_where_nothing_was_changed() -> None:
    graph, _ = named_product()
    assert [graph.changed(node.id) for node in graph.nodes] == [None] * 4


def test_a_changed_argument_is_named_with_its_numbers() -> None:
    graph, tensors = named_product()
    tensors["x"].array[1] = 40.0
    assert graph.changed(1) == (
        "argument 1, x, was changed after the forward pass by a direct write into .array: "
        "[3 4] then, [3 40] now"
    )
    assert graph.changed(0) is None
    assert graph.changed(3) is not None  # x itself


def test_a_changed_result_is_named() -> None:
    graph, tensors = named_product()
    tensors["product"].array[:] = 0.0
    assert str(graph.changed(1)).startswith("its result, product, was changed")
    assert str(graph.changed(0)).startswith("argument 0, product, was changed")


def test_what_is_written_back_is_no_change() -> None:
    graph, tensors = named_product()
    tensors["x"].array[1] = 40.0
    tensors["x"].array[1] = 4.0
    assert graph.changed(1) is None


def test_a_change_that_the_engine_has_seen_is_told_in_its_words() -> None:
    graph, tensors = named_product()
    tensors["x"].add_(1.0)
    assert "add_" in str(graph.changed(1))
    assert "changed it in place" in str(graph.changed(1))
    assert "direct write" not in str(graph.changed(1))
    assert str(graph.changed(3)).startswith("its value: add_")


def test_a_change_before_the_session_was_opened_is_told_as_well() -> None:
    x, w = engine.Tensor([3.0]), engine.Tensor([1.0], requires_grad=True)
    x.uniform_()  # before it is used: no harm
    product = w * x
    x.add_(1.0)
    graph = EngineGraph(product.sum())
    assert "add_" in str(graph.changed(1))
    assert str(graph.changed(3)).startswith("its value: add_")
    assert [graph.changed(i) for i in (0, 2)] == [None, None]


def test_of_many_elements_the_first_changed_one_is_shown() -> None:
    values = np.arange(20, dtype=np.float32)
    saved = Saved([values])
    values[[7, 9]] = -1
    assert saved.difference(values) == "at [7] 7 then, -1 now, and at 1 more"


def test_of_large_arrays_only_what_is_there_now_is_known() -> None:
    values = np.zeros((100, 100), np.float32)
    saved = Saved([values])
    assert saved.difference(values) is None
    values[99, 99] = 2
    assert saved.difference(values) == "(100,100) norm 2 now"


@pytest.mark.parametrize("dtype", ["bool", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("size", [4, 40])
@pytest.mark.parametrize("view", ["whole", "turned", "every second", "spread", "part"])
def test_every_kind_of_array(dtype: str, size: int, view: str) -> None:
    base = np.ones((size, size), dtype)
    array = {
        "whole": base,
        "turned": base.T,
        "every second": base[::2, ::2],
        "spread": np.broadcast_to(base[:1], (size, size)),
        "part": base[: size // 2],
    }[view]
    saved = Saved([(3, [array])])
    assert saved.difference(array) is None
    base[0, 0] = 0
    assert saved.difference(array) is not None


def test_what_lies_beside_a_part_does_not_count() -> None:
    data = np.ones((100, 20), np.float32)
    batch = data[:10]
    saved = Saved([batch])
    data[50] = 0
    assert saved.difference(batch) is None


@given(st.integers(0, KEPT), st.integers(1, 255))
def test_any_byte_counts(place: int, change: int) -> None:
    for size in (KEPT // 8, KEPT):
        values = np.arange(size, dtype=np.float64)
        saved = Saved([values])
        as_bytes = values.view(np.uint8)
        as_bytes[place % len(as_bytes)] ^= change
        assert saved.difference(values) is not None


CHANGED = """
w = Tensor([1.0, 2.0], requires_grad=True)
x = Tensor([3.0, 4.0])
h = w * x
loss = h.sum()
"""


def test_a_session_tells_it_at_the_step_and_nowhere_else(tmp_path: Path) -> None:
    session = session_on(write(tmp_path, CHANGED))
    session.next()
    assert "!" not in step_items(session)
    session.graph.value(3)[0] = 7
    session.next()
    first = step_items(session).splitlines()[0]
    assert first == (
        "! h: argument 1, x, was changed after the forward pass by a direct write into .array: "
        "[3 4] then, [7 4] now"
    )
    session.next()
    assert "!" not in step_items(session)
    session.go_to(2)  # also where it is come back to, although nothing is computed again
    assert step_items(session).startswith("! h: argument 1, x,")


def test_a_change_while_it_is_stepped_over_is_told(tmp_path: Path) -> None:
    session = session_on(write(tmp_path, CHANGED))
    session.graph.value(3)[0] = 7
    session.into()
    session.into()
    session.into()
    assert step_items(session).startswith("! h: argument 1, x,")


BY_A_HOOK = CHANGED.replace("loss", "h.register_hook(lambda grad: x.array.fill(9))\nloss")
LATER = BY_A_HOOK.replace("h = w * x", "k = w * x\nh = k * 1")


def test_a_trace_tells_it_too(tmp_path: Path) -> None:
    path = write(tmp_path, LATER)
    table = run(path, "--trace")
    assert "! k: argument 1, x, was changed" in table.stdout
    assert table.returncode == 0
    steps = [e for e in json_lines(run(path, "--trace", "--json").stdout) if e["event"] == "step"]
    told = [step.get("violations") for step in steps]
    assert [bool(t) for t in told] == [False, False, True, False]
    assert told[2][0].startswith("k: argument 1, x, was changed")
