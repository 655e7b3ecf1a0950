"""Single numbers are calculated with as scalars, where that gives the same to the bit."""

from __future__ import annotations

import warnings
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
from engine.single_numbers import BACKWARD_ON_NUMBERS, ON_NUMBERS

EXTREMES = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 3.4e38, 16777217.0]
FLOATS = st.floats(width=32) | st.sampled_from(EXTREMES)
NUMBERS = (
    st.integers(-(2**80), 2**80)
    | st.floats()
    | st.sampled_from([0, -0.0, 2**24 + 1, 10**39, 10**400, 1e-50, 1e39])
)
TENSOR_FUNCTIONS = {
    function.numpy_fn: function
    for function in vars(engine).values()
    if getattr(function, "numpy_fn", None) in BACKWARD_ON_NUMBERS
}
BINARY = {func.__name__: TENSOR_FUNCTIONS[func] for func in ON_NUMBERS}
UNARY = {func.__name__: TENSOR_FUNCTIONS[func] for func in BACKWARD_ON_NUMBERS - set(ON_NUMBERS)}


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
    with_tensors = (number, Tensor(array)) if swapped else (Tensor(array), number)
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
