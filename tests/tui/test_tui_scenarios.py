"""The bundled scenarios: each can be stepped at every place, and teaches what it says."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import sys
import types
from collections.abc import Sequence
from typing import Any
from unittest import mock

import numpy as np
import pytest
from rich.cells import cell_len
from tui_graphs import all_grads
from tui_support import (
    BUNDLED,
    COMPLETE,
    REFUSED_AT,
    TRAINED,
    assert_refused,
    environment,
    json_lines,
    load,
    run,
    session_on,
    text_of,
    view_of,
)

import engine
from scenarios import LESSONS
from tui.loading import catalog
from tui.session.session import Session
from tui.widgets import items
from tui.widgets.lines import Line

pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")

PANE = 38, 21
"""Columns and rows of the pane at the right of a terminal of 80x24."""

SMALL = tuple(name for name in BUNDLED if name not in TRAINED)


@pytest.fixture(autouse=True)
def a_short_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    """`deep` looks alike at every length."""
    monkeypatch.setenv("N", "12")


def source_of(name: str) -> str:
    return (catalog.FOLDER / f"{name}.py").read_text(encoding="utf-8")


def line_of(name: str, text: str) -> int:
    """The number of the one line of a scenario that is this text."""
    (found,) = (i for i, line in enumerate(source_of(name).splitlines(), 1) if line == text)
    return found


class Lesson:
    """A scenario whose pass was stepped as far as it goes."""

    def __init__(self, name: str) -> None:
        self.session = session_on(name)
        self.graph = self.session.graph
        self.ids = {node.name: node.id for node in self.graph.nodes if node.name}
        with contextlib.suppress(engine.BackwardError):
            while self.session.next():
                pass

    def value(self, name: str) -> Any:
        return self.graph.value(self.ids[name]).tolist()

    def grad(self, name: str) -> Any:
        """What has arrived at a node, in numbers that stand in a docstring."""
        grad = self.graph.grad(self.ids[name])
        return None if grad is None else rounded(grad)

    def handed(self, name: str, parent: str) -> list[Any]:
        """What a node's step contributed to a parent, edge by edge."""
        edges = self.graph.taken(self.ids[name]).edges
        return [rounded(e.contribution) for e in edges if e.parent == self.ids[parent]]

    def explained(self, name: str) -> str:
        """What the screen says of a node's step."""
        self.session.go_to(self.ids[name] + 1)
        return text_of(view_of(self.session)["step"])


def rounded(array: Any) -> Any:
    return np.round(np.asarray(array, np.float64), 6).tolist()


def docstring(name: str) -> str:
    """A scenario's docstring with its line breaks taken for blanks."""
    return " ".join((load(name).namespace["__doc__"] or "").split())


# All of them


def test_the_lessons_are_the_files_in_their_order() -> None:
    files = {path.stem for path in catalog.FOLDER.glob("*.py")} - {"__init__"}
    assert set(LESSONS) == files
    assert [entry.name for entry in catalog.bundled()] == list(LESSONS)
    assert LESSONS[0] == "first_graph"


@pytest.mark.parametrize("name", BUNDLED)
def test_what_is_said_before_the_first_step_fits_80_by_24(name: str) -> None:
    shown = view_of(session_on(name))["step"]
    width, height = PANE
    lines = items.lay_out(shown, width)
    assert len(lines) <= height
    assert shown[0][0] == "title"
    assert len(shown[0][1]) <= width
    bullets = [text for kind, text, _ in shown if kind == "text" and text.startswith("- ")]
    assert ("text", "Look for", "") in [tuple(item) for item in shown]
    assert 2 <= len(bullets) <= 4


@pytest.mark.parametrize("name", BUNDLED)
def test_what_each_press_of_s_brings_is_seen_at_80_by_24(name: str) -> None:
    width, height = PANE
    session = session_on(name)
    with contextlib.suppress(engine.BackwardError):
        while session.into():
            step = view_of(session)["step"]
            lines = items.fitted(step, width, height)
            assert len(lines) <= height, step[0][1]


def shown(lines: Sequence[Line]) -> str:
    """The text of lines."""
    return "\n".join("".join(text for text, _ in line) for line in lines)


def test_an_earlier_edge_is_told_in_short_only_where_that_is_enough() -> None:
    session = session_on("softmax_cross_entropy")
    session.go_to(5)
    step = view_of(session)["step"]
    in_short, in_full = (shown(items.fitted(step, PANE[0], n)) for n in (20, 4))
    assert "true_divide_back0\n  …\n  powers now" in in_short
    assert "  = [[0 0 -0.2] [0 -1 0]]" in in_full


def check_view(session: Session, both: bool) -> str:
    """A view that can be sent and drawn; as text, to be compared."""
    view = view_of(session, 7, both)
    text = json.dumps(view, allow_nan=False)
    assert len(text) < 60_000
    assert view["next"].strip()
    for row in view["rail"]:
        assert row["label"].strip()
        assert row["brief"].strip()
        assert len(row["label"]) < 200
    for shown in (view["step"], view["tensors"]):
        for item in shown or []:
            kind, left, right = item
            assert kind in items.STYLES
            assert kind == "gap" or (left + right).strip()
            for line in items.lay_out([item], PANE[0]):
                assert sum(cell_len(part) for part, _ in line) <= PANE[0]
    return text


@pytest.mark.parametrize("name", BUNDLED)
def test_every_view_of_every_place_forwards_and_back(name: str) -> None:
    session = session_on(name)
    seen = []
    refused = None
    going = True
    while going:
        own = session.cursor
        for node in range(len(session.graph.nodes)):
            session.point(node)
            check_view(session, both=node == own)
        session.point(own)
        seen.append((check_view(session, True), all_grads(session)))
        try:
            going = session.into()
        except engine.BackwardError:
            refused, going = session.graph.position, False
    assert refused == REFUSED_AT.get(name)
    assert session.done == (session.graph.step_count if refused is None else refused)
    for view, grads in reversed(seen):
        assert check_view(session, True) == view
        assert all_grads(session) == grads
        session.back()
    assert not session.back()


def in_torch(name: str) -> dict[str, Any]:
    """The names of a scenario that was run, word for word, on PyTorch."""
    torch = pytest.importorskip("torch")
    names = ("exp", "log", "no_grad", "relu", "sigmoid", "sqrt", "where")
    shim = types.ModuleType("engine")
    vars(shim).update({one: getattr(torch, one) for one in names})
    vars(shim)["Tensor"] = torch.tensor
    namespace: dict[str, Any] = {}
    with mock.patch.dict(sys.modules, {"engine": shim}):
        exec(compile(source_of(name), name, "exec"), namespace)
    return namespace


@pytest.mark.parametrize("name", [name for name in SMALL if name in COMPLETE])
def test_pytorch_gives_the_same_gradients(name: str) -> None:
    torch = pytest.importorskip("torch")
    theirs = in_torch(name)
    scenario = load(name)
    assert scenario.loss is not None
    scenario.loss.backward(scenario.end_grad)
    theirs["loss"].backward(torch.ones_like(theirs["loss"]))
    compared = 0
    for key, tensor in scenario.namespace.items():
        if isinstance(tensor, engine.Tensor) and tensor.is_leaf and tensor.requires_grad:
            wanted = theirs[key].grad
            if wanted is None or tensor.grad is None:
                assert wanted is tensor.grad is None, key
                continue
            compared += 1
            if name == "relu_kink":  # the one agreed difference: half of the gradient at 0
                assert wanted.tolist() == [0, 1, 3]
                wanted = wanted + 0.5 * (theirs["x"] == 0)
            np.testing.assert_allclose(tensor.grad.array, wanted.numpy(), rtol=1e-5, err_msg=key)
    assert compared


# One by one


def test_diamond_adds_up_over_four_ways() -> None:
    lesson = Lesson("diamond")
    assert 4 * 2 + 4 * 3 + 5 * 2 + 5 * 3 == 45
    assert (lesson.handed("left", "y"), lesson.handed("right", "y")) == ([4], [5])
    assert lesson.grad("y") == 9
    assert sorted(lesson.handed("a", "x") + lesson.handed("b", "x")) == [18, 27]
    assert lesson.grad("x") == 45
    assert lesson.graph.step_count == 7
    assert "Why add?" in lesson.explained("left")


def test_matmul_shapes_fit_in_one_order_only() -> None:
    lesson = Lesson("matmul_shapes")
    assert lesson.handed("scores", "v") == [[[52], [56]]]
    assert lesson.handed("hidden", "X") == [[[2, -1, 1]] * 4]
    assert lesson.grad("W")[0][0] == (1 + 4 + 7 + 10) * 2 == 44
    assert lesson.grad("hidden") == [[2, -1]] * 4
    scores, hidden = lesson.explained("scores"), lesson.explained("hidden")
    assert "hidden.T @ grad_out" in scores
    assert "(2,4) @ (4,1)" in scores
    assert "(4,2) @ (2,3)" in hidden
    assert "(3,4) @ (4,2)" in hidden


def test_relu_kink_has_three_slopes_for_one_function() -> None:
    lesson = Lesson("relu_kink")
    assert lesson.value("x") == [-2, 0, 3]
    assert [lesson.value(name) for name in ("half", "none", "whole")] == [[0, 0, 3]] * 3
    assert lesson.handed("whole", "x") == [[0, 1, 1]]
    assert lesson.handed("none", "x") == [[0, 0, 1]]
    assert lesson.handed("half", "x") == [[0, 0.5, 1]]
    h = 1e-3
    across = [(max(x + h, 0) - max(x - h, 0)) / (2 * h) for x in lesson.value("x")]
    np.testing.assert_allclose(across, [0, 0.5, 1])


def test_softmax_cross_entropy_comes_to_softmax_minus_one_hot() -> None:
    lesson = Lesson("softmax_cross_entropy")
    np.testing.assert_allclose(lesson.value("powers"), [[1, 2, 5], [6, 1, 1]], rtol=1e-6)
    np.testing.assert_allclose(lesson.value("total"), [[8], [8]], rtol=1e-6)
    np.testing.assert_allclose(lesson.value("right"), [0.625, 0.125], rtol=1e-6)
    powers = lesson.ids["powers"]
    users = [node.id for node in lesson.graph.nodes for p in node.parents if p.node == powers]
    assert users == [lesson.ids["shares"], lesson.ids["total"]]
    arrived = lesson.grad("logits")
    assert arrived == [[0.125, 0.25, -0.375], [0.75, -0.875, 0.125]]
    one_hot = np.eye(3)[[2, 1]]
    np.testing.assert_allclose(arrived, lesson.value("shares") - one_hot, atol=1e-6)
    np.testing.assert_allclose(np.sum(arrived, axis=1), 0, atol=1e-6)
    logits = engine.Tensor(lesson.value("logits"), requires_grad=True)
    engine.cross_entropy(logits, engine.Tensor([2, 1]), reduction="sum").backward()
    assert logits.grad is not None
    np.testing.assert_allclose(logits.grad.array, arrived, atol=1e-6)


def test_cnn_pools_three_of_four_gradients_away() -> None:
    lesson = Lesson("cnn")
    graph = lesson.graph
    called = {node.path: node.id for node in graph.nodes if node.path}
    for pool in ("pool1", "pool2"):
        (edge,) = graph.taken(called[pool]).edges
        images, channels, rows, columns = edge.contribution.shape
        tiles = edge.contribution.reshape(images, channels, rows // 2, 2, columns // 2, 2)
        handed_on = np.count_nonzero(tiles, axis=(3, 5))
        assert handed_on.max() == 1
        got_one = graph.taken(called[pool]).grad_out != 0
        np.testing.assert_array_equal(handed_on == 1, got_one)
        assert got_one.mean() > 0.99
    assert [len(graph.taken(called[conv]).edges) for conv in ("conv2", "conv1")] == [3, 2]
    assert graph.nodes[called["conv1"]].shape == (32, 8, 24, 24)
    assert graph.nodes[lesson.ids["conv1.weight"]].shape == (8, 1, 5, 5)
    assert "each used at 24 * 24 places of 32 images" in docstring("cnn")


def test_pytorch_gives_the_gradients_of_the_cnn() -> None:
    torch = pytest.importorskip("torch")
    training = load("cnn").training
    assert training is not None
    inputs, labels = training.next_batch()
    engine.cross_entropy(training.model(inputs), labels).backward()
    named = dict(training.model.named_parameters())
    theirs = {name: torch.tensor(p.array, requires_grad=True) for name, p in named.items()}
    maps = torch.tensor(inputs.array)
    for conv in ("conv1", "conv2"):
        maps = torch.conv2d(maps, theirs[f"{conv}.weight"], theirs[f"{conv}.bias"])
        maps = torch.max_pool2d(torch.relu(maps), 2)
    logits = maps.flatten(1) @ theirs["output.weight"].T + theirs["output.bias"]
    torch.nn.functional.cross_entropy(logits, torch.tensor(labels.array)).backward()
    for name, parameter in named.items():
        assert parameter.grad is not None
        wanted = theirs[name].grad.numpy()
        np.testing.assert_allclose(parameter.grad.array, wanted, rtol=1e-4, atol=1e-6, err_msg=name)


def accuracies(name: str, changed: str = "", seed: int = 0) -> list[float]:
    """After each epoch, of a training whose loss function may be another."""
    training = load(name, seed=seed).training
    assert training is not None
    if changed:
        plain = training.loss_fn
        training.loss_fn = lambda outputs, labels: eval(changed, {"loss": plain(outputs, labels)})
    with np.errstate(all="ignore"):
        epochs = [event for event in training.events() if isinstance(event, engine.EpochDone)]
    assert len(epochs) == 5
    return [float(epoch.test_accuracy or 0) for epoch in epochs]


def test_the_cnn_reads_the_embedded_test_images() -> None:
    done = run("cnn", "--train", "--epochs", "5", "--json", "--data", "embedded")
    end = json_lines(done.stdout)[-1]
    assert (end["event"], end["epochs"], end["batches"]) == ("end", 5, 625)
    assert end["test_accuracy"] > 0.93


@pytest.mark.parametrize("seed", [1, 2])
def test_the_cnn_does_so_whatever_the_seed(seed: int) -> None:
    assert accuracies("cnn", seed=seed)[-1] > 0.93


def test_adam_moves_every_weight_that_has_a_gradient_by_the_learning_rate() -> None:
    training = load("mlp_adam").training
    assert training is not None
    weight = dict(training.model.named_parameters())["linear1.weight"]
    before = weight.array.copy()
    training.step()
    assert weight.grad is not None
    moved, grad = np.abs(weight.array - before), np.abs(weight.grad.array)
    assert training.optimizer.lr == 0.001
    off = grad.max(axis=1) == 0
    assert off.sum() == 1
    assert not moved[off].any()
    large_enough = grad > 1e-6  # of less, the eps of Adam is a part
    assert large_enough[~off].mean() > 0.99
    assert grad.max() > 1000 * grad[large_enough].min()
    np.testing.assert_allclose(moved[large_enough], 0.001, rtol=0.02)


def test_adam_does_not_mind_how_large_the_loss_is() -> None:
    plain, large = accuracies("mlp_adam"), accuracies("mlp_adam", "loss * 1000")
    np.testing.assert_allclose(large, plain, atol=0.01)
    assert plain[-1] > 0.9
    assert accuracies("mlp", "loss * 1000")[-1] == 0.1
    assert accuracies("mlp")[-1] > 0.85


def test_vanishing_loses_three_quarters_at_each_sigmoid() -> None:
    lesson = Lesson("vanishing")
    assert lesson.value("h1") == 0.5
    column = [lesson.graph.grad(i) for i in range(1, lesson.ids["first"] + 1)]
    assert len(column) == 11
    ratios = [float(b / a) for a, b in itertools.pairwise(column)]
    assert max(ratios) == ratios[-1] == 0.25
    assert f"{column[-1]:.4g}" == "3.875e-07"
    assert f"{lesson.graph.grad(lesson.ids['last']):.4g}" == "0.659"
    assert "last.grad is 0.659, first.grad 3.875e-7" in docstring("vanishing")


def test_vanishing_is_mended_by_a_way_around() -> None:
    plain = re.compile(r"^(h\d+) = sigmoid\((h\d+)\)$", re.MULTILINE)
    tried = plain.sub(r"\1 = \2 + sigmoid(\2)", source_of("vanishing"))
    assert tried.count(" + sigmoid(") == 9 + 1  # and once in the docstring
    namespace: dict[str, Any] = {}
    exec(tried, namespace)
    namespace["loss"].backward()
    assert namespace["first"].grad.item() > 0.25


def test_exploding_grows_threefold_at_each_moment() -> None:
    lesson = Lesson("exploding")
    norms = [np.linalg.norm(lesson.graph.grad(lesson.ids[f"s{i}"])) for i in range(10, 0, -1)]
    np.testing.assert_allclose([b / a for a, b in itertools.pairwise(norms)], 3)
    assert (f"{norms[0]:.4g}", f"{norms[-1]:.0f}") == ("1.414", "27836")
    assert lesson.grad("s1") == [[3**9, 3**9]] == [[19683, 19683]]
    weight = lesson.ids["W"]
    assert sum(p.node == weight for node in lesson.graph.nodes for p in node.parents) == 10
    namespace = load("exploding").namespace
    namespace["loss"].backward()
    assert engine.clip_grad_norm_([namespace["W"]], 1.0) > 1e5
    np.testing.assert_allclose(np.linalg.norm(namespace["W"].grad.array), 1, rtol=1e-5)


def test_dead_relu_gets_no_gradient_anywhere() -> None:
    lesson = Lesson("dead_relu")
    before = np.array(lesson.value("before"))
    assert before[:, 1].tolist() == [-4, -7]
    assert ((before > 0).sum(axis=0)).tolist() == [2, 0, 1]
    assert [row[1] for row in lesson.grad("W")] == [0, 0]
    assert lesson.grad("b") == [2, 0, 3]
    assert lesson.grad("v") == [[7], [0], [2]]
    assert all(row[0] and row[2] for row in lesson.grad("W"))


def test_nan_starts_at_the_root_although_every_value_is_finite() -> None:
    lesson = Lesson("nan")
    assert all(np.isfinite(lesson.graph.value(node.id)).all() for node in lesson.graph.nodes)
    assert lesson.value("loss") == 7
    assert lesson.handed("guarded", "length") == [[1, 0, 1]]
    steps = [lesson.graph.taken(i) for i in range(lesson.graph.step_count)]
    first = next(s for s in steps for e in s.edges if np.isnan(e.contribution).any())
    assert first.node == lesson.ids["length"]
    assert not np.isnan(first.grad_out).any()
    assert first.edges[0].backward.__name__ == "sqrt_back"
    assert np.isnan(lesson.graph.grad(lesson.ids["scaled"])).tolist() == [False, True, False]
    assert np.isnan(lesson.graph.stored_grad(lesson.ids["w"])).all()


def test_nan_is_mended_inside_the_root() -> None:
    mended = source_of("nan").replace(
        "length = sqrt(square)", "length = sqrt(where(square > 0, square, 1.0))"
    )
    assert "sqrt(where(square > 0, square, 1.0))" in docstring("nan")
    namespace: dict[str, Any] = {}
    exec(mended, namespace)
    namespace["loss"].backward()
    assert (namespace["loss"].item(), namespace["w"].grad.item()) == (7, 7)


def test_detached_parameters_get_none() -> None:
    lesson = Lesson("detached")
    assert lesson.graph.stored_grad(lesson.ids["w3"]) == 12
    assert not {"w1", "w2"} & set(lesson.ids)
    for name in ("kept", "scale"):
        assert not lesson.graph.nodes[lesson.ids[name]].requires_grad
    namespace = load("detached").namespace
    assert namespace["kept"].tolist() == namespace["hidden"].tolist()
    namespace["loss"].backward()
    assert [namespace[f"w{i}"].grad is None for i in (1, 2, 3)] == [True, True, False]


def test_inplace_is_refused_where_the_old_value_is_needed() -> None:
    lesson = Lesson("inplace")
    session = lesson.session
    assert (lesson.value("out"), lesson.value("w2")) == (30, 4)
    assert session.done == REFUSED_AT["inplace"] == lesson.ids["out"]
    before = json.dumps(view_of(session))
    changed = line_of("inplace", "    w2 -= 1")
    for press in (session.next, session.into, lambda: session.go_to(99)):
        with pytest.raises(engine.BackwardError, match=rf"inplace\.py, line {changed}\)"):
            press()
        assert json.dumps(view_of(session)) == before
    assert lesson.grad("out") == 4
    assert 4 * 5 == 20
    assert 4 * lesson.value("w2") == 16
    assert [lesson.graph.stored_grad(lesson.ids[name]) for name in ("w1", "w2")] == [None, None]
    assert "the message names the line that changed w2" in docstring("inplace")


def test_a_jump_over_a_step_that_is_refused_ends_before_it() -> None:
    session = session_on("inplace")
    session.point(4)
    with pytest.raises(engine.BackwardError):
        session.run_to_cursor()
    assert (session.done, session.shown, session.cursor) == (2, 1, 1)
    assert session.back()
    assert (session.done, session.cursor) == (1, 0)


def test_inplace_is_mended_by_the_order() -> None:
    source = source_of("inplace")
    change = "with no_grad():\n    w2 -= 1\n"
    namespace: dict[str, Any] = {}
    exec(source.replace(change, "loss.backward()\n" + change), namespace)
    grads = [namespace[name].grad.item() for name in ("w1", "w2")]
    assert grads == [4 * 5 * 2, 4 * 6]


def test_pytorch_refuses_inplace_too() -> None:
    loss = in_torch("inplace")["loss"]
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_the_trace_of_inplace_ends_in_one_message(more: tuple[str, ...]) -> None:
    done = run("inplace", "--trace", *more)
    line = line_of("inplace", "    w2 -= 1")
    assert_refused(done, f"inplace.py, line {line}", "changed it in place", lines=1)
    if more:
        events = [event["event"] for event in json_lines(done.stdout)]
        assert events == ["graph", "step", "step"]
    else:
        assert "error = out - 28" in done.stdout


def test_deep_is_as_long_as_is_asked_for() -> None:
    lesson = Lesson("deep")
    assert lesson.graph.step_count == 12 + 1
    column = [float(lesson.graph.grad(i)) for i in range(4)]
    assert column == [1, 0.5, 1, 0.5]
    done = run("deep", "--trace", "--json", env=environment(N="7"))
    assert json_lines(done.stdout)[-1]["steps"] == 8


def test_deep_has_a_length_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("N")
    assert session_on("deep").graph.step_count == 100 + 1


def test_deep_can_be_too_deep_for_a_recursion(monkeypatch: pytest.MonkeyPatch) -> None:
    length = 20 * sys.getrecursionlimit()
    monkeypatch.setenv("N", str(length))
    session = session_on("deep")
    session.point(length)
    assert session.run_to_cursor()
    assert session.done == length + 1
    assert session.graph.stored_grad(length) == 1
    session.point(0)
    assert session.run_to_cursor()
    assert session.done == 1
    assert json.loads(json.dumps(view_of(session)))["total"] == length + 1


def test_deep_says_what_is_wrong_with_its_length() -> None:
    done = run("deep", "--trace", env=environment(N="many"))
    assert_refused(done, "deep.py, line", "'many'")


def test_the_parent_that_is_shared_comes_last() -> None:
    lesson = Lesson("shared_parent")
    last = lesson.ids["x"]
    assert last == lesson.graph.step_count - 1
    handing = (edge for i in range(last) for edge in lesson.graph.taken(i).edges)
    assert sum(edge.parent == last for edge in handing) == 5
    said = "x waits for five contributions; its own step is the last one."
    assert said in docstring("shared_parent")
