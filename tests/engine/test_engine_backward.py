"""Tensor.backward(): seeds, leaves, paths; and what the engine refuses."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from engine_reference import bits, grad_of, leaf, replaced

import engine
from engine import (
    BACK_FUNCS,
    BackwardError,
    BackwardPass,
    ShapeError,
    Tensor,
    backward_steps,
    no_grad,
    wrap_forward_fn,
)


@pytest.mark.parametrize("seed", [np.array([10.0, 20.0]), Tensor([10.0, 20.0]), [10, 20]], ids=repr)
def test_a_seed_may_be_an_array_or_a_tensor(seed: Any) -> None:
    x = leaf([1.0, 2.0])
    assert (x * x).backward(seed) is None
    assert grad_of(x).tolist() == [20, 80]
    assert grad_of(x).dtype == np.float32
    assert isinstance(x.grad, Tensor)
    assert not x.grad.requires_grad


def test_without_a_seed_it_is_ones() -> None:
    x = leaf([[1.0, 2.0]])
    (x * x).backward(None)
    assert grad_of(x).tolist() == [[2, 4]]


def test_the_seed_is_neither_kept_nor_changed() -> None:
    x = leaf([1.0, 2.0])
    seed = np.array([3.0, 4.0], np.float32)
    x.backward(seed)
    assert not np.shares_memory(grad_of(x), seed)
    x.backward(seed)
    assert grad_of(x).tolist() == [6, 8]
    assert seed.tolist() == [3, 4]
    backward_pass = BackwardPass(x * 2, seed)
    seed += 100
    x.grad = None
    backward_pass.run()
    assert grad_of(x).tolist() == [6, 8]


def test_gradients_stay_on_leaves_that_want_one() -> None:
    a, b, constant = leaf([2.0]), leaf([3.0]), Tensor([5.0])
    c = a * b
    d = c * constant
    d.backward()
    assert (grad_of(a), grad_of(b)) == ([15.0], [10.0])
    assert c.grad is None
    assert d.grad is None
    assert constant.grad is None


def test_paths_and_calls_add_up() -> None:
    a, b = leaf(6.0), leaf(2.0)
    d, e = a * b, b + 3.0
    loss = d + e + d * e
    for times in (1, 2, 3):
        loss.backward()
        assert grad_of(a) == 12 * times
        assert grad_of(b) == (7 + 30 + 12) * times
    b.grad = None
    (b * 2).backward()
    assert grad_of(b) == 2


def test_the_design_s_first_graph() -> None:
    a, b, c = leaf(6.0), leaf(2.0), leaf(3.0)
    loss = a * b + (b + c)
    loss.backward()
    assert [grad_of(t).item() for t in (a, b, c)] == [2, 7, 1]


def test_a_diamond_waits_for_both_sides() -> None:
    """What goes wrong in breadth-first order: one side of it is longer."""
    x = leaf(1.0)
    y = x * 2
    z = y + ((y * 3) * 5) * 7
    z.backward()
    assert grad_of(x) == 2 * (1 + 105)


def test_a_leaf_as_the_root() -> None:
    x = leaf([1.0, 2.0])
    x.backward([3.0, 4.0])
    assert grad_of(x).tolist() == [3, 4]


def test_mixed_dtypes_give_each_leaf_its_own() -> None:
    half, single, double = (leaf([1.0, 2.0], d) for d in (np.float16, np.float32, np.float64))
    (half * single * double).sum().backward()
    for tensor in (half, single, double):
        assert grad_of(tensor).dtype == tensor.dtype
        assert grad_of(tensor).tolist() == [1, 4]


def test_changing_requires_grad_of_leaves_after_the_graph_was_built() -> None:
    a, b = leaf(2.0), Tensor(3.0)
    loss = a * b
    b.requires_grad = True
    loss.backward()
    assert grad_of(a) == 3
    a.requires_grad = False
    a.grad = None
    loss.backward()
    assert a.grad is None


# What it refuses


def test_a_root_that_needs_no_grad_is_named() -> None:
    constant = Tensor([1.0, 2.0])
    with pytest.raises(RuntimeError, match=r"constant \(2,\) does not require grad"):
        constant.backward()
    x = leaf([1.0])
    with no_grad():
        untracked = x * 2
    with pytest.raises(RuntimeError, match=r"untracked.*not recorded"):
        BackwardPass(untracked)
    with pytest.raises(RuntimeError, match="does not require grad"):
        next(iter(backward_steps(constant)))


@pytest.mark.parametrize("seed", [np.ones(3), np.ones((2, 1)), 1.0, Tensor([[1.0, 1.0]])], ids=repr)
def test_a_seed_of_another_shape_is_told_with_both_shapes(seed: Any) -> None:
    product = leaf([1.0, 2.0]) * 2
    shape = str(np.shape(getattr(seed, "array", seed))).replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(ShapeError, match=rf"end_grad has shape {shape}.*product.*\(2,\)"):
        product.backward(seed)


@pytest.mark.parametrize("seed", [["a", "b"], [1j, 2j], [None, None], [True, False]])
def test_a_seed_that_is_no_gradient(seed: Any) -> None:
    with pytest.raises(TypeError, match="end_grad"):
        (leaf([1.0, 2.0]) * 2).backward(seed)


def _twice(x: Any) -> Any:
    return 2 * x


twice = wrap_forward_fn(_twice, name="twice")


@pytest.mark.parametrize("stepped", [False, True])
def test_a_backward_function_with_other_parameters_is_told_which_it_gets(stepped: bool) -> None:
    def twice_back(grad_out: Any, x: Any) -> Any:
        return 2 * grad_out

    BACK_FUNCS.add_back_func(twice, 0, twice_back)
    loss = twice(leaf([1.0, 2.0])).sum()
    words = "takes 2 positional.*; it is called with grad_out, out and the argument of twice"
    way = (lambda: list(backward_steps(loss))) if stepped else loss.backward
    with pytest.raises(BackwardError, match=words):
        way()


@pytest.mark.parametrize(
    ("back", "words"),
    [
        (lambda grad_out, out, x: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (lambda grad_out, out: grad_out, "raised TypeError.*takes 2 positional arguments"),
        (lambda grad_out, out, x: None, "returned None instead of a gradient"),
        (lambda grad_out, out, x: grad_out.sum(), r"gradient of shape \(\).* has shape \(2,\)"),
        (lambda grad_out, out, x: grad_out[None], r"gradient of shape \(1, 2\).* has shape \(2,\)"),
        (lambda grad_out, out, x: np.array(["a", "b"]), "returned .*U1.*not numbers"),
        (lambda grad_out, out, x: grad_out * 1j, "returned complex.*not numbers"),
        (lambda grad_out, out, x: object(), "returned object.*not numbers"),
    ],
)
@pytest.mark.parametrize("stepped", [False, True])
def test_a_wrong_backward_function_is_named(back: Any, words: str, stepped: bool) -> None:
    def twice_back(*args: Any) -> Any:
        return back(*args)

    BACK_FUNCS.add_back_func(twice, 0, twice_back)
    x = leaf([1.0, 2.0])
    doubled = twice(x)
    loss = doubled.sum()
    way = (lambda: list(backward_steps(loss))) if stepped else loss.backward
    with pytest.raises(BackwardError) as caught:
        way()
    message = str(caught.value)
    caught.match(words)
    for named in ("twice_back", "argument 0 of twice", "doubled (2,)"):
        assert named in message
    assert (caught.value.__cause__ is None) == ("raised" not in words)
    assert x.grad is None


def test_a_missing_backward_function_is_named_with_the_mend() -> None:
    cosh = wrap_forward_fn(np.cosh)
    x = leaf(1.0)
    with pytest.raises(
        BackwardError, match=r"cosh has no backward.*argument 0.*BACK_FUNCS.add_back_func\(cosh, 0"
    ):
        cosh(x).backward()
    hypot = wrap_forward_fn(np.hypot)
    BACK_FUNCS.add_back_func(hypot, 1, lambda grad_out, out, x, y: grad_out * y / out)
    hypot(3.0, x).backward()
    assert grad_of(x) == pytest.approx(1 / 10**0.5)
    with pytest.raises(BackwardError, match="hypot has no backward function for argument 0"):
        hypot(x, 3.0).backward()


def test_what_a_backward_function_may_return_beside_arrays() -> None:
    x = leaf(3.0)
    for back in (
        lambda grad_out, out, x: 2.0,
        lambda grad_out, out, x: 2,
        lambda grad_out, out, x: Tensor(2.0),
        lambda grad_out, out, x: np.float64(2),
    ):
        with replaced(np.log, 0, back):
            x.grad = None
            x.log().backward()
        assert bits(x.grad) == bits(np.array(2.0, np.float32))


@pytest.mark.parametrize("operation", ["add", "subtract", "multiply", "true_divide", "maximum"])
def test_shapes_that_do_not_broadcast_are_told_with_names(operation: str) -> None:
    weights, inputs = leaf(np.ones((2, 3))), Tensor(np.ones(4))
    with pytest.raises(
        ShapeError, match=rf"{operation}: weights \(2, 3\) and inputs \(4,\) do not broadcast"
    ):
        getattr(engine, operation)(weights, inputs)
    with pytest.raises(ShapeError, match=rf"{operation}: .*\(2, 3\) and .*\(5,\)"):
        getattr(engine, operation)(weights, np.ones(5))


def test_other_shape_errors_name_the_operation_and_the_tensor() -> None:
    weights = leaf(np.ones((2, 3)))
    for wrong, name in (
        (lambda: weights @ weights, r"matmul: weights \(2, 3\) and weights \(2, 3\)"),
        (lambda: weights.reshape(4, 2), r"reshape: weights \(2, 3\)"),
        (lambda: weights.permute(0, 0), r"permute: weights \(2, 3\)"),
        (lambda: weights.sum(dim=2), r"sum: weights \(2, 3\)"),
        (lambda: weights.expand(4, 2, 5), r"expand: weights \(2, 3\)"),
    ):
        with pytest.raises(ShapeError, match=name):
            wrong()


# Memory


def build_and_watch(x: Tensor) -> tuple[Tensor, list[weakref.ref[Tensor]]]:
    y = x * 2
    z = (y.exp() + y).sum()
    return z, [weakref.ref(t) for t in (y, z)]


@pytest.mark.parametrize("use", ["nothing", "backward", "stepping", "back and forth", "failing"])
def test_a_graph_goes_with_its_root_without_the_garbage_collector(use: str) -> None:
    x = leaf([1.0, 2.0])
    gc.collect()
    gc.disable()
    try:
        root, watched = build_and_watch(x)
        if use == "backward":
            root.backward()
        elif use == "stepping":
            for _step in backward_steps(root):
                pass
            del _step
        elif use == "back and forth":
            backward_pass = BackwardPass(root)
            backward_pass.step()
            backward_pass.step()
            backward_pass.step_back()
            del backward_pass
        elif use == "failing":
            handle = x.register_hook(lambda grad: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                root.backward()
            handle.remove()
        del root
        assert [ref() for ref in watched] == [None, None]
    finally:
        gc.enable()


def test_an_error_keeps_nothing_alive() -> None:
    """The search for names in the caller's frame must leave no references there."""
    x = leaf([1.0, 2.0])
    for fail in (
        lambda root: root.backward(np.ones(5)),
        lambda root: root + np.ones(5),
        lambda root: root.detach().backward(),
    ):
        root = x * 2
        with pytest.raises((ShapeError, RuntimeError)):
            fail(root)
        watched = weakref.ref(root)
        del root
        gc.collect()
        assert watched() is None


def test_two_leaves_never_share_a_gradient_array() -> None:
    for build in (
        lambda a, b: a + b,
        lambda a, b: (a + b) + (b + a),
        lambda a, b: a.reshape(2, 2) + b.T.T,
        lambda a, b: a.sum() + b.sum(),
        lambda a, b: a.expand(3, 2, 2) + b.expand(3, -1, -1),
        lambda a, b: a - (-b),
        lambda a, b: a[:] + b.permute(0, 1)[...],
    ):
        for stepped in (False, True):
            a, b = leaf(np.ones((2, 2))), leaf(np.ones((2, 2)))
            root = build(a, b)
            seed = np.ones(root.shape, np.float32)
            if stepped:
                list(backward_steps(root, seed))
            else:
                root.backward(seed)
            one, other = grad_of(a), grad_of(b)
            assert not np.shares_memory(one, other)
            assert not np.shares_memory(one, seed)
            assert one.flags.writeable
            one += 1
            np.testing.assert_array_equal(other + 1, one)


def test_a_gradient_that_somebody_holds_is_never_written_again() -> None:
    a, b = leaf(np.ones((2, 2))), leaf(np.ones((2, 2)))
    seen: list[Tensor] = []
    a.register_hook(seen.append)
    root = (a * b + a).reshape(4)
    held = []
    for _ in range(3):
        root.backward()
        held += [a.grad, b.grad, *seen]
        seen.clear()
        held += [step.grad_out for step in backward_steps(root)]
        held += [edge.accumulated for step in backward_steps(root) for edge in step.edges]
    before = [bits(array) for array in held]
    with no_grad():
        engine.SGD([a, b], lr=0.5).step()
    (a * b).backward()
    assert [bits(array) for array in held] == before


def test_what_a_backward_function_keeps_is_not_given_to_a_leaf() -> None:
    """A cache of its own, a part of a buffer, memory that is not NumPy's, a saved argument."""
    cache = np.full((2, 2), 3.0, np.float32)
    buffer = np.zeros((4, 4), np.float32)
    foreign = bytearray(16)

    def part(grad_out: Any, out: Any, x: Any) -> Any:
        buffer[:2, :2] = grad_out
        return buffer[:2, :2]

    def kept_as_view(grad_out: Any, out: Any, x: Any) -> Any:
        return cache[:]

    def lent(grad_out: Any, out: Any, x: Any) -> Any:
        return np.frombuffer(foreign, np.float32).reshape(2, 2)

    def argument(grad_out: Any, out: Any, x: Any) -> Any:
        return x

    for back in (lambda grad_out, out, x: cache, kept_as_view, part, lent, argument):
        a, b = leaf(np.ones((2, 2))), leaf(np.full((2, 2), 2.0))
        with replaced(np.negative, 0, back):
            (-a).backward()
            (-b).backward()
        for tensor in (a, b):
            for array in (cache, buffer, tensor.array, np.frombuffer(foreign, np.float32)):
                assert not np.shares_memory(grad_of(tensor), array)
        assert not np.shares_memory(grad_of(a), grad_of(b))


def test_a_gradient_that_was_not_summed_over_its_copies_says_how() -> None:
    def plus(x: Any, y: Any) -> Any:
        return x + y

    own = wrap_forward_fn(plus)
    BACK_FUNCS.add_back_func(own, 0, lambda grad_out, out, x, y: grad_out)
    BACK_FUNCS.add_back_func(own, 1, lambda grad_out, out, x, y: grad_out)
    with pytest.raises(BackwardError, match=r"\(2, 3\).*\(3,\).*unbroadcast\(gradient, argument\)"):
        own(leaf(np.ones((2, 3))), leaf(np.ones(3))).backward(np.ones((2, 3)))
    BACK_FUNCS.add_back_func(own, 1, lambda grad_out, out, x, y: grad_out[:, :2])
    with pytest.raises(BackwardError) as wrong:
        own(leaf(np.ones((2, 3))), leaf(np.ones(3))).backward(np.ones((2, 3)))
    assert "unbroadcast" not in str(wrong.value)
