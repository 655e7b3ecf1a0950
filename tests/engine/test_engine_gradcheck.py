"""Checking gradients against central differences: right ones pass, wrong ones are named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine import Tensor
from engine.gradcheck import GradcheckError, check_backward_func, gradcheck


def normal(*shape: int, seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


def test_a_network_passes() -> None:
    weight, bias, x = normal(3, 4), normal(3), normal(5, 4)
    labels = np.array([0, 2, 1, 1, 0])
    assert gradcheck(
        lambda x, w, b: engine.cross_entropy(engine.relu(x @ w.T + b), labels), (x, weight, bias)
    )


def test_float32_inputs_are_checked_in_float64_and_stay_as_they_are() -> None:
    x = normal(3)
    before = x.array.copy()
    seen = []

    def function(x: Tensor) -> Tensor:
        seen.append(x.dtype)
        return x * x

    assert gradcheck(function, x)
    assert set(seen) == {np.dtype(np.float64)}
    np.testing.assert_array_equal(x.array, before)
    assert x.grad is None


def test_a_wrong_backward_function_is_named_with_its_worst_element() -> None:
    cube = engine.wrap_forward_fn(lambda x: x**3, name="cube")

    def wrong(grad_out, out, x):  # type: ignore[no-untyped-def]
        gradient = 3 * x * x * grad_out
        gradient[1] += 0.25
        return gradient

    engine.BACK_FUNCS.add_back_func(cube, 0, wrong)
    x = normal(3)
    with pytest.raises(
        GradcheckError, match=r"argument 0: at \[1\] the gradient is .* differences"
    ):
        gradcheck(cube, x)
    assert not gradcheck(cube, x, raise_exception=False)
    check = check_backward_func(cube.numpy_fn, wrong, 0, [x.array])  # type: ignore[attr-defined]
    assert (check.ok, check.index, check.tested, check.elements) == (False, (1,), 3, 3)
    assert check.max_error == pytest.approx(0.25, rel=1e-4)


def test_a_kink_within_reach_is_no_error() -> None:
    def slope_of_the_right_side(grad_out, out, x):  # type: ignore[no-untyped-def]
        return grad_out * (x >= 0)

    check = check_backward_func(
        lambda x: np.maximum(x, 0), slope_of_the_right_side, 0, [np.array([-1.0, 0.0, 2.0])]
    )
    assert (check.ok, check.kinks, check.tested) == (True, 1, 2)


def test_nan_is_not_taken_for_right() -> None:
    check = check_backward_func(
        np.exp, lambda grad_out, out, x: np.full_like(x, np.nan), 0, [np.zeros(2)]
    )
    assert not check.ok


def test_a_gradient_of_another_shape_is_told() -> None:
    with pytest.raises(GradcheckError, match=r"returned a gradient of shape \(\).*\(2,\)"):
        check_backward_func(np.exp, lambda grad_out, out, x: grad_out.sum(), 0, [np.zeros(2)])


def test_nothing_to_check_is_told() -> None:
    with pytest.raises(ValueError, match="no input requires grad"):
        gradcheck(engine.exp, Tensor([1.0]))
    with pytest.raises(GradcheckError, match="does not require grad"):
        gradcheck(lambda x: x.detach(), normal(2))


def test_second_derivatives_are_refused() -> None:
    x = normal(2)
    with pytest.raises(NotImplementedError, match="second derivatives"):
        (x * x).sum().backward(create_graph=True)


@given(size=st.integers(0, 30), at_most=st.integers(1, 40))
@settings(deadline=None, max_examples=30)
def test_no_more_than_asked_for_is_tested(size: int, at_most: int) -> None:
    x = np.linspace(0.5, 1.5, size)
    check = check_backward_func(np.log, engine.log_back, 0, [x], at_most=at_most)
    assert check.ok
    assert check.tested == min(size, at_most)
