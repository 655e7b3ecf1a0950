"""Single numbers are calculated with as scalars, where that gives the same to the bit."""

from __future__ import annotations

import copy
import gc
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from engine_reference import bits
from hypothesis import given
from hypothesis import strategies as st

import engine
from engine import BACK_FUNCS, BackwardPass, Tensor
from engine.registry import Array
from engine.wrapping import operation_of

EXTREMES = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 3.4e38, 16777217.0]
FLOATS = st.floats(width=32) | st.sampled_from(EXTREMES)
NUMBERS = (
    st.integers(-(2**80), 2**80)
    | st.floats()
    | st.sampled_from([0, -0.0, 2**24 + 1, 10**39, 10**400, 1e-50, 1e39])
)
ON_SCALARS = {
    function.numpy_fn.__name__: function
    for function in vars(engine).values()
    if hasattr(function, "numpy_fn") and operation_of(function.numpy_fn).on_scalars
}
BINARY = {
    name: ON_SCALARS[name] for name in ("add", "subtract", "multiply", np.true_divide.__name__)
}
UNARY = {name: function for name, function in ON_SCALARS.items() if name not in BINARY}


def same(array: Array) -> tuple[Any, ...] | None:
    """Its bits, whatever the sign of a NaN."""
    return bits(np.where(np.isnan(array), array.dtype.type(np.nan), array))


def outcome(compute: Callable[[], Any]) -> tuple[Any, ...]:
    """The bits and the warnings, or the error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = same(compute())
        except ArithmeticError as error:
            return (type(error).__name__,)
    told = sorted(str(warning.message).replace("scalar ", "") for warning in caught)
    return result, *told


@given(name=st.sampled_from(sorted(BINARY)), value=FLOATS, number=NUMBERS, swapped=st.booleans())
def test_a_number_and_a_tensor_of_one_element(
    name: str, value: float, number: float, swapped: bool
) -> None:
    array = np.array(value, np.float32)
    with_arrays = (number, array) if swapped else (array, number)
    tensor = Tensor(array, requires_grad=True)
    with_tensors = (number, tensor) if swapped else (tensor, number)
    expected = outcome(lambda: BINARY[name].numpy_fn(*with_arrays))
    assert outcome(lambda: BINARY[name](*with_tensors).array) == expected


@given(
    leaves=st.lists(FLOATS, min_size=3, max_size=3),
    steps=st.lists(
        st.tuples(st.sampled_from(sorted(UNARY)), st.none(), st.booleans())
        | st.tuples(
            st.sampled_from(sorted(BINARY)), st.integers(0, 2) | st.floats(-9, 9), st.booleans()
        ),
        min_size=1,
        max_size=8,
    ),
    seed=FLOATS,
)
def test_gradients_are_those_of_the_steps_to_the_bit(
    leaves: list[float], steps: list[tuple[str, float | None, bool]], seed: float
) -> None:
    tensors = [Tensor(leaf, requires_grad=True) for leaf in leaves]
    with np.errstate(all="ignore"):
        root = tensors[0]
        for name, operand, swapped in steps:
            if operand is None:
                root = UNARY[name](root)
                continue
            # A leaf (by its place), or a number.
            other = tensors[operand] if isinstance(operand, int) else operand
            root = BINARY[name](other, root) if swapped else BINARY[name](root, other)
        found = []
        for way in (Tensor.backward, lambda root, seed: BackwardPass(root, seed).run()):
            for tensor in tensors:
                tensor.grad = None
            way(root, np.float32(seed))
            found.append([None if t.grad is None else same(t.grad.array) for t in tensors])
    assert found[0] == found[1]


@pytest.mark.parametrize("arg", [0, 1])
def test_a_backward_function_of_ones_own_is_given_arrays(arg: int) -> None:
    given_it: list[Array] = []

    def own(grad_out: Array, out: Array, x: Array, y: Array) -> Array:
        given_it.append(grad_out)
        grad = np.empty_like(grad_out)
        grad[...] = grad_out * (x, y)[1 - arg]
        return grad

    BACK_FUNCS.add_back_func(engine.multiply, arg, own)
    x, y = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    ((x * y) * (y * x) * 1.5).backward()
    assert given_it
    assert all(type(grad_out) is np.ndarray for grad_out in given_it)
    assert x.grad is not None
    assert x.grad.item() == 1.5 * 2 * 2 * 9


def test_integers_and_other_floats_are_what_they_are_everywhere() -> None:
    assert (Tensor(np.array(250, np.uint8)) + 3).array.tobytes() == b"\xfd"
    assert (Tensor(np.array(3)) / 2).dtype == np.float32
    assert (Tensor(np.array(1.0), dtype=np.float64) * 0.1).dtype == np.float64
    assert (Tensor(np.array(1.0), dtype=np.float16) * 0.1).dtype == np.float16
    assert isinstance((Tensor(1.0) * 2).array, np.ndarray)


# A node of two single numbers keeps them in slots of its own


def test_the_history_of_a_node_of_two_numbers_is_as_any_other() -> None:
    x, y = Tensor(2.0, requires_grad=True), Tensor(3.0)
    for out, args, parents in (
        (x * y, [2.0, 3.0], {0: x, 1: y}),
        (x * 3.0, [2.0, 3.0], {0: x}),
        (3 * x, [3.0, 2.0], {1: x}),
        (x * x, [2.0, 2.0], {0: x, 1: x}),
    ):
        recipe = out.recipe
        assert recipe is not None
        assert recipe.func is np.multiply
        assert [float(arg) for arg in recipe.args] == args
        assert {i: id(parent) for i, parent in recipe.parents.items()} == {
            i: id(parent) for i, parent in parents.items()
        }
        assert [id(parent) for parent in out.parents()] == [id(p) for p in parents.values()]
        assert [id(t) for t in engine.sorted_computational_graph(out)] == [
            id(out),
            *dict.fromkeys(id(p) for p in reversed(parents.values())),
        ]
    assert (y * 3.0).recipe is None


def test_a_recipe_set_by_hand_takes_the_place_of_two_numbers() -> None:
    x, y = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    out, other = x * y, x + y
    out.recipe = other.recipe
    out.backward()
    assert x.grad is not None
    assert x.grad.item() == 1
    out.recipe = None
    assert out.parents() == []


def test_a_copy_of_a_node_of_two_numbers_has_a_graph_of_its_own() -> None:
    x = Tensor(2.0, requires_grad=True)
    out = copy.deepcopy(x * 3.0)
    out.backward()
    (parent,) = out.parents()
    assert x.grad is None
    assert parent.grad is not None
    assert parent.grad.item() == 3


@pytest.mark.parametrize("stepped", [False, True])
def test_a_change_in_place_between_numbers_is_a_step_as_any_other(stepped: bool) -> None:
    x, y = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)
    total = x * y
    doubled = total + total
    total += x * 5.0
    total *= y
    root = doubled * 2.0 + total
    if stepped:
        for _ in engine.backward_steps(root):
            pass
    else:
        root.backward()
    # 4xy + (xy + 5x)y
    assert x.grad is not None
    assert y.grad is not None
    assert x.grad.item() == 4 * 3 + 3 * 3 + 5 * 3
    assert y.grad.item() == 4 * 2 + 2 * 2 * 3 + 5 * 2


def test_a_number_that_was_changed_after_its_use_is_not_taken_for_the_one_before() -> None:
    x = Tensor(2.0, requires_grad=True)
    y = x * 3.0
    square = y * y
    y += 1.0
    with pytest.raises(engine.BackwardError, match=r"multiply saved argument 0.* y.*add_"):
        square.backward()


@pytest.mark.parametrize("wrong", [None, np.ones(2, np.float32), "text"])
def test_what_a_backward_function_gives_for_a_number_is_checked(wrong: Any) -> None:
    BACK_FUNCS.add_back_func(engine.multiply, 1, lambda grad_out, out, x, y: wrong)
    x = Tensor(2.0, requires_grad=True)
    with pytest.raises(engine.BackwardError, match="argument 1 of multiply"):
        (3.0 * x).backward()
    assert x.grad is None


def test_a_tensor_whose_array_is_another_by_now_gets_no_gradient_of_one_number() -> None:
    x = Tensor(2.0, requires_grad=True)
    out = x * 3.0
    x.array = np.ones(4, np.float32)
    with pytest.raises(engine.BackwardError, match=r"shape \(\).*shape \(4,\)"):
        out.backward()


def test_a_long_graph_of_numbers_is_short_work_for_the_garbage_collector() -> None:
    """It looks at all that refers to something, again and again: one object for each node."""
    out = leaf = Tensor(1.0, requires_grad=True)
    gc.collect()
    before, count = len(gc.get_objects()), 1000
    for _ in range(count):
        out = out * 0.5 + leaf
    gc.collect()
    assert len(gc.get_objects()) - before < 2 * count + 50
    # Two lines of a processor's cache, with the sixteen bytes in front of it.
    assert Tensor.__basicsize__ + 16 <= 128


def test_a_graph_of_numbers_goes_with_its_root_without_the_garbage_collector() -> None:
    x = Tensor(2.0, requires_grad=True)
    gc.collect()
    gc.disable()
    try:
        y = x * 3.0
        root = y * y + 1.0
        watched = [weakref.ref(y), weakref.ref(root)]
        root.backward()
        list(engine.backward_steps(root))
        del y, root
        assert [ref() for ref in watched] == [None, None]
    finally:
        gc.enable()


def test_a_history_that_changes_between_two_backward_functions_is_not_mixed() -> None:
    x, y = Tensor(2.0, requires_grad=True), Tensor(3.0, requires_grad=True)

    def back0(grad_out: Array, out: Array, x: Array, y: Array) -> Array:
        product.recipe = None
        return grad_out * y

    BACK_FUNCS.add_back_func(engine.multiply, 0, back0)
    product = x * y
    product.backward()
    assert x.grad is not None
    assert y.grad is not None
    assert (x.grad.item(), y.grad.item()) == (3, 2)


def test_the_other_arguments_of_numpy_s_function_are_handed_on() -> None:
    x = Tensor(2.0, requires_grad=True)
    assert engine.multiply(x, 3.0, dtype=np.float16).dtype == np.float16
    with engine.no_grad():
        engine.subtract(x, 0.5, out=x.array)
    assert x.item() == 1.5
    with pytest.raises(TypeError):
        engine.multiply(x)
