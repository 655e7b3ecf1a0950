"""The bundled scenarios that show how it goes: each teaches what it says."""

from __future__ import annotations

import numpy as np
import pytest
from scenario_support import Lesson, docstring
from tui_support import json_lines, load, run

import engine


def test_diamond_adds_up_over_four_ways() -> None:
    lesson = Lesson("diamond")
    assert 4 * 2 + 4 * 3 + 5 * 2 + 5 * 3 == 45
    assert (lesson.handed("left", "y"), lesson.handed("right", "y")) == ([4], [5])
    assert lesson.grad("y") == 9
    assert sorted(lesson.handed("a", "x") + lesson.handed("b", "x")) == [18, 27]
    assert lesson.grad("x") == 45
    assert lesson.graph.step_count == 7
    assert "Why add?" in lesson.explained("left")


def test_the_parent_that_is_shared_comes_last() -> None:
    lesson = Lesson("shared_parent")
    last = lesson.ids["x"]
    assert last == lesson.graph.step_count - 1
    handing = (edge for i in range(last) for edge in lesson.graph.taken(i).edges)
    assert sum(edge.parent == last for edge in handing) == 5
    said = "x waits for five contributions; its own step is the last one."
    assert said in docstring("shared_parent")


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
