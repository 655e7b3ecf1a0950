"""Changes in place: never a silently wrong gradient.

Where the graph is recorded and a gradient has to flow through the change, it is a step of the
graph; what the backward pass needs and finds changed is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from engine_reference import bits, grad_of, leaf

import engine
from engine import (
    SGD,
    BackwardError,
    BackwardPass,
    Linear,
    Parameter,
    Tensor,
    backward_steps,
    cross_entropy,
    no_grad,
)


def _sgd(x: Tensor) -> None:
    grad = x.grad
    x.grad = Tensor(np.ones_like(x.array))
    SGD([x], lr=0.5).step()
    x.grad = grad


def _augmented(x: Tensor) -> None:
    x += 1.0


CHANGES: dict[str, Callable[[Tensor], Any]] = {
    "add_": lambda x: x.add_(1.0),
    "sub_": lambda x: x.sub_(1.0),
    "+=": _augmented,
    "zero_": lambda x: x.zero_(),
    "uniform_": lambda x: x.uniform_(),
    "SGD.step": _sgd,
    "a detached twin": lambda x: x.detach().add_(1.0),
    "another tensor of its array": lambda x: Tensor(x.array).add_(1.0),
    "a parameter of its array": lambda x: Parameter(x).add_(1.0),
    "a row of it": lambda x: x[0].add_(1.0),
    "a reshaped view": lambda x: x.reshape(4).add_(1.0),
    "its transpose": lambda x: x.T.add_(1.0),
}


def check_refused(loss: Tensor, leaves: list[Tensor], *words: str) -> None:
    """Running and stepping refuse it, and no gradient has changed."""
    for way in (loss.backward, lambda: list(backward_steps(loss))):
        with pytest.raises(BackwardError) as caught:
            way()
        for word in (*words, "changed it in place"):
            assert word in str(caught.value)
    assert [tensor.grad for tensor in leaves] == [None] * len(leaves)


@pytest.mark.parametrize("how", CHANGES)
def test_a_saved_argument(how: str) -> None:
    x, y = leaf(np.ones((2, 2))), leaf(np.ones((2, 2)))
    loss = (x * y).sum()
    with no_grad():
        CHANGES[how](x)
    op = {"+=": "add_"}.get(
        how, how if how in ("zero_", "sub_", "uniform_", "SGD.step") else "add_"
    )
    check_refused(
        loss, [x, y], "multiply saved argument 0, x (shape (2, 2))", op, __file__, "line "
    )


def check_refused_or_right(loss: Tensor, x: Tensor, wanted: Any) -> None:
    """A change that is not minded (the engine has a copy) is as good as one that is refused."""
    refused = None
    try:
        loss.backward()
    except BackwardError as error:
        refused = str(error)
    if refused is None:
        np.testing.assert_allclose(grad_of(x), wanted, rtol=1e-6)
    else:
        assert "changed it in place" in refused
        assert x.grad is None


def test_the_line_that_did_it() -> None:
    x = leaf([1.0, 2.0])
    loss = x.log().sum()
    with no_grad():
        x.add_(1.0)  # this line
    with pytest.raises(BackwardError) as caught:
        loss.backward()
    with open(__file__, encoding="utf-8") as source:
        lines = source.read().splitlines()
    line = next(i for i, text in enumerate(lines, 1) if text.endswith("# this line"))
    assert f"line {line}" in str(caught.value)


def test_the_last_of_the_lines_that_did_it() -> None:
    x = leaf([1.0, 2.0])
    optimiser = SGD([x], lr=0.5)
    x.grad = Tensor(np.ones_like(x.array))

    def elsewhere() -> None:
        optimiser.step()  # at another place

    def refused() -> str:
        with pytest.raises(BackwardError) as caught:
            loss.backward()
        return str(caught.value)

    with open(__file__, encoding="utf-8") as source:
        lines = source.read().splitlines()
    line = {
        text.split("# ")[-1]: i for i, text in enumerate(lines, 1) if "optimiser.step()" in text
    }
    loss = x.log().sum()
    optimiser.step()  # here
    assert f"line {line['here']})" in refused()
    optimiser.step()  # here, too
    assert f"line {line['here, too']})" in refused()
    elsewhere()
    assert f"line {line['at another place']})" in refused()
    optimiser.step()  # back
    assert f"line {line['back']})" in refused()


def test_a_saved_result() -> None:
    x = leaf([1.0, 2.0])
    y = x.exp()
    loss = y.sum()
    with no_grad():
        y.add_(1.0)
    check_refused(loss, [x])


def test_a_saved_constant() -> None:
    x, constant = leaf([1.0, 2.0]), Tensor([3.0, 4.0])
    loss = (constant * x).sum()
    constant.zero_()
    check_refused(loss, [x], "multiply saved argument 0", "zero_")


@pytest.mark.parametrize(
    "index",
    [
        lambda i: i,
        lambda i: (i, i),
        lambda i: (slice(None), i),
        lambda i: [i, i],
    ],
)
def test_a_saved_index(index: Callable[[Tensor], Any]) -> None:
    """Without notice the gradient would go to other elements."""
    x, places = leaf([[1.0, 2.0], [3.0, 4.0]]), Tensor([0, 0])
    loss = x[index(places)].sum()
    taken = np.zeros((2, 2))
    np.add.at(taken, loss.recipe.parents[0].recipe.args[1], 1)  # type: ignore[union-attr]
    places.add_(1)
    check_refused_or_right(loss, x, taken)


@pytest.mark.parametrize("recorded", [False, True])
def test_the_labels_of_a_loss(recorded: bool) -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    cross_entropy(x, [0, 1]).backward()
    wanted = grad_of(x)
    x.grad = None
    labels = Tensor([0, 1])
    with engine.record_origins(recorded):
        loss = cross_entropy(x, labels)
    labels.zero_()
    check_refused_or_right(loss, x, wanted)


@pytest.mark.parametrize("way", ["by keyword", "in a tuple", "in a tuple by keyword"])
def test_a_saved_argument_of_another_kind(way: str) -> None:
    def scaled(x: Any, by: Any) -> Any:
        return x * (by[0] if isinstance(by, tuple) else by)

    scale = engine.wrap_forward_fn(scaled, name="scale")
    engine.BACK_FUNCS.add_back_func(scale, 0, lambda grad_out, out, x, by: scaled(grad_out, by))
    x, by = leaf([1.0, 2.0]), Tensor([3.0, 4.0])
    given = (by,) if "tuple" in way else by
    loss = (scale(x, by=given) if "keyword" in way else scale(x, given)).sum()
    by.zero_()
    check_refused_or_right(loss, x, [3, 4])


@pytest.mark.parametrize("recorded", [False, True])
def test_the_weights_of_a_layer(recorded: bool) -> None:
    layer = Linear(3, 2)
    x = leaf(np.ones((4, 3)))
    with engine.record_origins(recorded):
        loss = layer(x).sum()
    with no_grad():
        layer.weight.add_(1.0)
    check_refused(loss, [x, layer.weight, layer.bias], "add_")
    x.requires_grad = False
    with engine.record_origins(recorded):
        loss = layer(x).sum()
    with no_grad():
        layer.weight.add_(1.0)
    loss.backward()  # only the gradient of x would need the weights
    assert grad_of(layer.weight).tolist() == [[4, 4, 4], [4, 4, 4]]
    layer.zero_grad()
    with engine.record_origins(recorded):
        loss = layer(x).sum()
    x.zero_()
    check_refused(loss, [layer.weight, layer.bias], "zero_")


def test_a_change_in_the_middle_of_a_pass() -> None:
    x, y = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    loss = (x * y).sum()
    backward_pass = BackwardPass(loss)
    backward_pass.step()
    with no_grad():
        x.add_(1.0)
    with pytest.raises(BackwardError, match="changed it in place"):
        backward_pass.step()
    assert backward_pass.position == 1
    backward_pass.step_back()
    assert x.grad is None


def test_what_may_change() -> None:
    """Before the graph is built, after backward(), and what the graph does not use."""
    x, y, other = leaf([1.0, 2.0]), leaf([3.0, 4.0]), Tensor([5.0, 6.0])
    with no_grad():
        x.add_(1.0)
    loss = (x * y).sum()
    other.add_(1.0)
    engine.zeros(2).add_(1.0)
    loss.backward()
    assert grad_of(y).tolist() == [2, 3]
    with no_grad():
        x.add_(1.0)
    with pytest.raises(BackwardError):
        loss.backward()
    y.grad = None
    (x * y).sum().backward()
    assert grad_of(y).tolist() == [3, 4]


def test_memory_that_is_used_anew_is_not_taken_for_the_old() -> None:
    for _ in range(50):
        scratch = engine.zeros(7)
        x = leaf(np.ones(7))
        loss = (x * 2.0).sum()
        scratch.add_(1.0)
        del scratch
        later = engine.ones(7)
        (loss + (x * later).sum()).backward()
        assert grad_of(x).tolist() == [3] * 7


# Changes that a gradient flows through


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (lambda y, z: y.add_(z), lambda y, z: y + z),
        (lambda y, z: y.add_(z, alpha=3.0), lambda y, z: y + 3.0 * z),
        (lambda y, z: y.sub_(2.0), lambda y, z: y - 2.0),
        (lambda y, z: y.sub_(z.sum(), alpha=0.5), lambda y, z: y - 0.5 * z.sum()),
        (lambda y, z: y.__iadd__(z).__isub__(z * z), lambda y, z: y + z - z * z),
        (lambda y, z: y.add_(y), lambda y, z: y + y),
        (lambda y, z: y.add_(1.0).exp().sub_(y), lambda y, z: (y + 1.0).exp() - (y + 1.0)),
    ],
)
@pytest.mark.parametrize("needs", [(True, True), (True, False), (False, True)])
def test_a_recorded_change_is_the_operation_of_its_name(
    change: Callable[..., Any], same: Callable[..., Any], needs: tuple[bool, bool]
) -> None:
    results = []
    for way in (change, same):
        x = Tensor([1.0, -2.0], requires_grad=needs[0])
        z = Tensor([3.0, 0.5], requires_grad=needs[1])
        y = x * 2.0
        array = y.array
        out = way(y, z)
        if out.requires_grad:
            (out * out).backward([1.0, 10.0])
        results.append([bits(out), bits(x.grad), bits(z.grad), out.requires_grad])
        if way is change and out is y:
            assert y.array is array
    assert results[0] == results[1]


def test_a_recorded_change_keeps_the_dtype_as_any_other_does() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2.0
    y += Tensor([1.0, 1.0], dtype=np.float64)
    assert y.dtype == np.float32
    y.backward()
    assert grad_of(x).tolist() == [2, 2]


def test_a_total_in_a_loop() -> None:
    x, total = leaf([1.0, 2.0]), engine.zeros(2)
    same = total
    for factor in (1, 2, 3):
        total += x * factor
    assert total is same
    assert total.tolist() == [6, 12]
    total.backward()
    assert grad_of(x).tolist() == [6, 6]


@pytest.mark.parametrize("use", [lambda y: y.exp() * y, lambda y: y * y, lambda y: y.log()])
def test_what_needs_the_old_values_is_refused(use: Callable[[Tensor], Tensor]) -> None:
    x = leaf([1.0, 2.0])
    y = x * 2.0
    used = use(y).sum()
    y += 1.0
    check_refused(used, [x], "add_")
    check_refused(used + y.sum(), [x], "add_")


@pytest.mark.parametrize(
    ("use", "slope"),
    [
        (lambda y: y * 3.0, [6, 6]),
        (lambda y: y.sum(), [2, 2]),
        (lambda y: y[0], [2, 0]),
        (lambda y: y.reshape(2, 1), [2, 2]),
        (lambda y: y.exp() + y, [2 * np.exp(2.0) + 2, 2 * np.exp(4.0) + 2]),
    ],
)
@pytest.mark.parametrize("times", [1, 2])
def test_what_does_not_need_the_old_values_goes_on(
    use: Callable[[Tensor], Tensor], slope: list[float], times: int
) -> None:
    """The gradient goes to what the tensor was when it was used, not through the change."""
    for run in (Tensor.backward, lambda loss: list(backward_steps(loss))):
        x = leaf([1.0, 2.0])
        y = x * 2.0
        used = use(y).sum()
        for _ in range(times):
            y *= 5.0
        run(used)
        np.testing.assert_allclose(grad_of(x), slope, rtol=1e-6)
        x.grad = None
        run(used + y.sum())
        np.testing.assert_allclose(grad_of(x), np.add(slope, 2 * 5.0**times), rtol=1e-6)


def test_a_use_between_two_changes() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2.0
    y *= 3.0
    used = (y + 1.0).sum()
    y *= 5.0
    used.backward()
    assert grad_of(x).tolist() == [6, 6]


def test_what_needed_no_gradient_before_it_was_changed() -> None:
    x, y = leaf([1.0, 2.0]), Tensor([3.0, 4.0])
    used = x + y
    y.mul_(x)
    (used.sum() + y.sum()).backward()
    assert grad_of(x).tolist() == [1 + 3, 1 + 4]


def test_a_backward_function_that_took_the_place_of_the_engines_may_read_all() -> None:
    x = leaf([1.0, 2.0])
    engine.BACK_FUNCS.add_back_func(engine.add, 0, lambda grad_out, out, x, y: grad_out * x / x)
    loss = (x + 1.0).sum()
    with no_grad():
        x.zero_()
    check_refused(loss, [x], "add saved argument 0, x (shape (2,))", "zero_")


@pytest.mark.parametrize("divide", [False, True])
def test_a_change_by_something_made_of_the_tensor_itself(divide: bool) -> None:
    """`y -= y.sum()`: no cycle."""
    x = leaf([1.0, 2.0])
    y = x * 2.0
    if divide:
        y.mul_(y[0])
        wanted = [8.0 + 8.0, 4.0]
    else:
        y.sub_(y.sum())
        wanted = [-2.0, -2.0]
    y.backward(np.ones(2))
    assert grad_of(x).tolist() == wanted


@pytest.mark.parametrize("change", [lambda y: y.zero_(), lambda y: y.uniform_()])
def test_an_overwritten_result_is_refused(change: Callable[[Tensor], Tensor]) -> None:
    y = leaf([1.0, 2.0]) * 2.0
    with pytest.raises(RuntimeError, match=r"gradient .* flow.*no_grad"):
        change(y)
    assert y.tolist() == [2, 4]


@pytest.mark.parametrize("view", [lambda x: x[0], lambda x: x.reshape(4), lambda x: x.T])
def test_a_view_of_a_leaf_cannot_be_changed(view: Callable[[Tensor], Tensor]) -> None:
    x = leaf(np.ones((2, 2)))
    part = view(x)
    with pytest.raises(RuntimeError, match=r"gradient .* flow.*no_grad"):
        part += 1.0
    assert x.tolist() == [[1, 1], [1, 1]]


def test_values_that_were_changed_behind_their_history_are_not_used_further() -> None:
    x = leaf([1.0, 2.0])
    y = x * 2.0
    with no_grad():
        y.add_(1.0)
    for use in (lambda: y * 3.0, lambda: np.ones(2) * y, lambda: y.sum(), lambda: y[[0, 0]]):
        try:
            loss = use()
        except BackwardError as error:
            refused = str(error)
        else:
            with pytest.raises(BackwardError) as caught:
                loss.backward(np.ones(loss.shape))
            refused = str(caught.value)
        assert "changed it in place" in refused
        assert x.grad is None


LAYERS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "conv2d": engine.conv2d,
    "batch_norm": lambda x, w, b: engine.batch_norm(x, None, None, b, w[0, 0, 0], True),
    "layer_norm": lambda x, w, b: engine.layer_norm(x, (3,), w[0, 0, 0], b),
    "linear": lambda x, w, b: engine.linear(x, w[0, 0], b),
    "max_pool2d": lambda x, w, b: engine.max_pool2d(x * w.sum() * b.sum(), 1),
    "a product": lambda x, w, b: x * w.sum() * b,
}


@pytest.mark.parametrize(
    "rectify",
    [lambda h: h.relu_(), lambda h: engine.relu(h, inplace=True), engine.ReLU(inplace=True)],
    ids=["method", "function", "module"],
)
@pytest.mark.parametrize("layer", LAYERS)
def test_relu_in_place_after_a_layer(layer: str, rectify: Callable[[Tensor], Tensor]) -> None:
    numbers = np.random.default_rng(4)
    arrays = [numbers.normal(size=shape) for shape in ((2, 3, 5, 3), (3, 3, 3, 3), (3,))]
    grads = []
    for in_place in (True, False):
        leaves = [Tensor(array, requires_grad=True) for array in arrays]
        hidden = LAYERS[layer](*leaves)
        before = hidden.array
        out = rectify(hidden) if in_place else engine.relu(hidden)
        assert (out is hidden) == in_place
        assert (out.array is before) == in_place
        assert out.array.min() == 0
        (out * out).sum().backward()
        grads.append([grad_of(tensor) for tensor in leaves])
    for mine, wanted in zip(*grads, strict=True):
        np.testing.assert_array_equal(mine, wanted)


def test_what_relu_in_place_refuses() -> None:
    x = leaf([1.0, -1.0])
    with pytest.raises(RuntimeError, match="leaf that requires grad"):
        engine.relu(x, inplace=True)
    with pytest.raises(RuntimeError, match="of a view in place"):
        engine.ReLU(inplace=True)((x * 2)[:1])
    with pytest.raises(TypeError, match="only a Tensor can be changed in place, not ndarray"):
        engine.relu(x.array, inplace=True)
    hidden = engine.exp(x)
    loss = (hidden.sum() + engine.relu(hidden - 1.0, inplace=True).sum()) * 1.0
    loss.backward()  # what was changed is nobody's but the relu's
    x.grad, hidden = None, engine.exp(x)
    used = engine.sin(hidden).sum()
    check_refused(used + engine.ReLU(inplace=True)(hidden).sum(), [x], "sin saved", "relu_")
