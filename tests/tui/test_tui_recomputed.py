"""Values that are not what their operations make of their arguments any more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tui_support import load, write

from tui.session.checks.recomputed import difference
from tui.session.opening import open_graph
from tui.session.protocol import Graph

NETWORK = """
manual_seed(3)
images = Tensor(np.random.default_rng(0).random((6, 2, 8, 8)))
model = Sequential(Conv2d(2, 4, 3, padding=1), BatchNorm2d(4), ReLU(), MaxPool2d(2), Dropout(0.4),
                   Flatten(), Linear(64, 5), LayerNorm(5), Softmax(1))
out = model(images)
parts = stack([out[:, :2], out[:, 2:4]]).permute(1, 0, 2).reshape(6, 4)
loss = cross_entropy(einsum('bi,ij->bj', parts, Tensor(np.eye(4), requires_grad=True)),
                     np.array([0, 1, 2, 3, 0, 1])) + out.std() + out.half().sum().float()
"""


def changes(graph: Graph) -> dict[int, str]:
    found = {node: graph.changed(node) for node in range(graph.step_count)}
    return {node: text for node, text in found.items() if text is not None}


@pytest.mark.parametrize("inside", ["True", "False"])
def test_nothing_is_said_of_a_network_of_all_kinds(tmp_path: Path, inside: str) -> None:
    body = NETWORK.replace("out = model", f"model.train({inside})\nout = model")
    graph = open_graph(load(write(tmp_path, body)))
    assert graph.step_count > 30
    assert changes(graph) == {}


def test_a_direct_write_before_the_session_is_told_at_the_node_that_had_used_the_old_value(
    tmp_path: Path,
) -> None:
    body = """
a = Tensor([1.0, 2.0], requires_grad=True)
b = Tensor([3.0, 4.0], requires_grad=True)
c = a * b
d = c + a
loss = d.sum()
b.array[1] = 7
"""
    graph = open_graph(load(write(tmp_path, body)))
    found = changes(graph)
    assert [graph.nodes[node].name for node in found] == ["c"]
    assert "it is 8 at [1], and now 14; a direct write into .array" in next(iter(found.values()))


def test_a_function_of_the_users_own_is_not_called_again() -> None:
    calls = []

    def own(x: np.ndarray) -> np.ndarray:
        calls.append(1)
        return x + len(calls)

    assert difference(own, (np.ones(2),), {}, np.zeros(2)) is None
    assert not calls


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.float32([3, 4]), None),
        (np.float32([3, 4.000001]), None),
        (np.float32([3, 4.001]), "it is 4.001 at [1], and now 4"),
        (np.float32([3, np.nan]), "it is NaN at [1], and now 4"),
        (np.float32([[3, 4]]), "it has the shape (1, 2), and now it would be (2,)"),
    ],
)
def test_differences_in_words(value: np.ndarray, words: str | None) -> None:
    args = (np.float32([1, 2]), np.float32([2, 2]))
    assert difference(np.add, args, {}, value) == words


def test_what_is_not_finite_on_both_sides_is_the_same() -> None:
    value = np.log(np.float32([0, 1]))
    assert difference(np.log, (np.float32([0, 1]),), {}, value) is None
    assert difference(np.log, (np.float32([-1, 1]),), {}, np.float32([np.nan, 0])) is None


def test_a_very_large_result_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.session.checks.recomputed.AT_MOST", 3)
    assert difference(np.negative, (np.ones(4),), {}, np.ones(4)) is None
    assert difference(np.negative, (np.ones(3),), {}, np.ones(3)) is not None


def test_a_leaf_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    graph = open_graph(load(write(tmp_path, "a = Tensor(3.0, requires_grad=True)\nloss = a\n")))
    assert changes(graph) == {}
