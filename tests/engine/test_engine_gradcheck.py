"""Checking gradients against central differences: right ones pass, wrong ones are named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engine
from engine import Tensor
from engine.central_differences import Differences, Verdict
from engine.gradcheck import (
    CannotCheck,
    GradcheckError,
    check_backward_func,
    first_difference,
    gradcheck,
)


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


def test_what_rounding_hides_is_left_out_not_called_wrong() -> None:
    x = np.array([0.01, 0.02])
    large = Differences(lambda x: x + 1e13, x, np.ones(2), 1e-6, 1e-5, 1e-3)
    assert large.judge((0,), 1.0)[0] is Verdict.UNDEFINED
    not_read = Differences(lambda x: np.full((1, 2), 3.0), x, np.ones((1, 2)), 1e-6, 1e-5, 1e-3)
    assert not_read.judge((0,), 1.0)[0] is Verdict.WRONG
    assert not_read.judge((0,), 0.0)[0] is Verdict.RIGHT


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


@pytest.mark.parametrize("slope", [0.0, 0.25, 0.5, 1.0])
def test_at_a_kink_every_slope_between_is_possible(slope: float) -> None:
    check = check_backward_func(
        lambda x: np.maximum(x, 0), lambda grad_out, out, x: grad_out * slope, 0, [np.zeros(1)]
    )
    assert (check.ok, check.kinks, check.tested) == (True, 1, 0)


@pytest.mark.parametrize("slope", [-5.0, 5.0])
def test_at_a_kink_no_other_slope_is(slope: float) -> None:
    check = check_backward_func(
        lambda x: np.maximum(x, 0), lambda grad_out, out, x: grad_out * slope, 0, [np.zeros(1)]
    )
    assert not check.ok


@pytest.mark.parametrize("near", [1e-7, -1e-7, 3e-9])
def test_near_a_kink_the_gradient_has_to_be_right(near: float) -> None:
    for factor, ok in ((1.0, True), (0.7, False)):
        check = check_backward_func(
            np.abs, lambda g, out, x, f=factor: f * g * np.sign(x), 0, [np.array([near])]
        )
        assert check.ok is ok


def test_where_a_slope_changes_its_sign_is_no_kink() -> None:
    for off, ok in ((0.0, True), (0.5, False)):
        check = check_backward_func(
            np.square, lambda g, out, x, off=off: 2 * x * g + off, 0, [np.zeros(3)]
        )
        assert (check.ok, check.kinks) == (ok, 0)


@pytest.mark.parametrize("x", [1e-5, 1e-3, 1.0, 1e4])
def test_steep_functions_are_checked(x: float) -> None:
    for factor, ok in ((1.0, True), (1.01, False)):
        check = check_backward_func(
            lambda x: 1 / x, lambda g, out, x, f=factor: -f * g / x**2, 0, [np.array([x])]
        )
        assert check.ok is ok


def test_a_mean_of_many_is_checked_as_exactly_as_one_of_few() -> None:
    for factor, ok in ((1.0, True), (0.99, False)):
        check = check_backward_func(
            np.mean, lambda g, out, x, f=factor: np.full(x.shape, f * g / x.size), 0,
            [np.linspace(-1, 1, 50_000)],
        )  # fmt: skip
        assert check.ok is ok


@given(place=st.tuples(st.integers(0, 89), st.integers(0, 79)), part=st.floats(0.02, 2))
@settings(deadline=None, max_examples=20)
def test_one_wrong_element_among_many_is_found(place: tuple[int, int], part: float) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 90, 80))

    def off_by_a_part(grad_out, out, x, y):  # type: ignore[no-untyped-def]
        grad = grad_out * y
        grad[place] += part
        return grad

    check = check_backward_func(np.multiply, off_by_a_part, 0, [x, y], at_most=100)
    assert (check.ok, check.index) == (False, place)
    assert check.max_error == pytest.approx(part, rel=1e-4)


def test_kinks_among_many_elements_leave_directions_that_say_something() -> None:
    x = np.zeros(5000)
    x[::2] = np.linspace(0.5, 1.5, 2500)

    def wrong_in_one_place(grad_out, out, x):  # type: ignore[no-untyped-def]
        grad = grad_out * (x > 0)
        grad[4444] *= 1.1
        return grad

    check = check_backward_func(lambda x: np.maximum(x, 0), wrong_in_one_place, 0, [x], at_most=50)
    assert (check.ok, check.index) == (False, (4444,))


def test_indices_masks_and_keywords_stay_what_they_are() -> None:
    seen = set()

    def taken(x, places, scale, dims=(), label=""):  # type: ignore[no-untyped-def]
        seen.add((places.dtype, type(scale), dims, label))
        return x[places] * scale

    def back(grad_out, out, x, places, scale, dims, label):  # type: ignore[no-untyped-def]
        grad = np.zeros_like(x)
        np.add.at(grad, places, grad_out * scale)
        return grad

    check = check_backward_func(
        taken, back, 0, [np.ones(4, np.float32), np.array([1, 1, 3]), 2],
        {"dims": (1, 0), "label": "x"},
    )  # fmt: skip
    assert check.ok
    assert seen == {(np.dtype(np.int64), int, (1, 0), "x")}


def test_arguments_are_not_changed() -> None:
    x = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    before = x.copy()
    assert check_backward_func(np.transpose, lambda g, out, x: g.T, 0, [x]).ok
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(
    ("func", "args", "part"),
    [
        (lambda x: 1 / 0, [np.ones(2)], "raised ZeroDivisionError"),
        (np.log, [np.array([-1.0, 2.0])], "1 of 2 elements of its result is not finite"),
        (np.exp, [np.array([np.nan, np.inf, 1.0])], "2 of 3 elements of argument 0 are not finite"),
        (np.exp, [np.array(np.inf)], "argument 0 is not finite"),
        (lambda x: np.multiply(x, 2, out=x), [np.ones(2)], "changes its argument 0 in place"),
        (lambda x: x * np.random.random(), [np.ones(2)], "gives something else"),
        (lambda x: x * 1j, [np.ones(2)], "complex128"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_gives_nothing_to_compare_with_is_told(func, args, part: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CannotCheck, match=part):
        check_backward_func(func, lambda grad_out, out, x: grad_out, 0, args)


def test_a_pulse_can_end_the_check() -> None:
    def pulse() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_backward_func(np.exp, engine.exp_back, 0, [np.ones(2)], pulse=pulse)  # type: ignore[attr-defined]


def test_when_the_time_is_over_directions_are_left() -> None:
    x = np.linspace(0.5, 1.5, 30)
    check = check_backward_func(np.log, engine.log_back, 0, [x], seconds=0.0)  # type: ignore[attr-defined]
    assert (check.ok, check.tested, check.directions) == (True, 0, 8)
    check = check_backward_func(np.log, lambda g, out, x: g * x, 0, [x], seconds=0.0)
    assert (check.ok, check.tested) == (False, 1)


def test_the_first_difference_of_two_backward_functions() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    same = first_difference(np.log, lambda g, out, x: g * (1 / x), engine.log_back, 0, [x])  # type: ignore[attr-defined]
    assert same is None
    found = first_difference(np.log, lambda g, out, x: g / x * (x < 2), engine.log_back, 0, [x])  # type: ignore[attr-defined]
    assert found is not None
    assert (found.index, found.got, found.other) == ((0, 1), 0.0, 0.5)
    np.testing.assert_array_equal(found.grad_out, np.ones((2, 2)))
