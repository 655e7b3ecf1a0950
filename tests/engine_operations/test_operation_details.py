"""What the table cannot say: corners, ties, zeros, infinities, types."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from operation_cases import ALL
from operation_checks import check_torch, leaves

import engine
from engine import BACK_FUNCS, Tensor

INF, NAN = np.inf, np.nan

INTO_FLOAT = ("mean", "var", "std", "sqrt", "exp", "log", "sin", "cos", "tanh", "sigmoid")
NORMALISED = ("logsumexp", "softmax", "log_softmax")


def gradient(out: Tensor, x: Tensor) -> np.ndarray:
    out.backward(np.ones(out.shape))
    assert x.grad is not None
    return x.grad.array


def leaf(values: Any) -> Tensor:
    return Tensor(values, requires_grad=True)


@settings(deadline=None)
@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3))
def test_broadcasting_as_pytorch(shapes: hnp.BroadcastableShapes) -> None:
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(0)
    x, y = (random.uniform(0.5, 2, shape) for shape in shapes.input_shapes)

    def mixed(module: Any) -> Any:
        def function(tensors: list[Any]) -> Any:
            a, b = tensors
            wide = a * b + a / b - module.maximum(a, b) * module.minimum(a, b) ** 2
            return module.where(wide > 1, a - b, a**b)

        return function

    check_torch(mixed(engine), mixed(torch), [x, y])


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, 0.5])
def test_powers_at_zero_and_below(exponent: float) -> None:
    torch = pytest.importorskip("torch")
    values = [0.0, -2.0, 2.0] if exponent != 0.5 else [0.0, 2.0]
    x, theirs = leaf(values), torch.tensor(values, requires_grad=True)
    with np.errstate(divide="ignore"):
        got = gradient(x**exponent, x)
    (theirs**exponent).sum().backward()
    np.testing.assert_allclose(got, theirs.grad.numpy())


def test_powers_of_tensors_at_zero_and_below() -> None:
    torch = pytest.importorskip("torch")
    bases, exponents = [0.0, 0.0, 0.0, -2.0, 2.0], [0.0, 2.0, -1.0, 2.0, 3.0]
    x, y = leaf(bases), leaf(exponents)
    tx, ty = torch.tensor(bases, requires_grad=True), torch.tensor(exponents, requires_grad=True)
    with np.errstate(divide="ignore"):
        (x**y).backward(np.ones(5))
    (tx**ty).sum().backward()
    np.testing.assert_allclose(x.grad.array, tx.grad.numpy())
    np.testing.assert_allclose(y.grad.array, ty.grad.numpy())


def test_powers_with_numbers_on_the_left() -> None:
    y = leaf([0.0, 1.0, 2.0])
    np.testing.assert_allclose(gradient(2**y, y), np.log(2) * np.array([1, 2, 4]), rtol=1e-6)
    assert (2**y).recipe.parents == {1: y}
    assert (2.5 ** Tensor([1, 2])).dtype == np.float32
    assert (Tensor([1, 2]) ** 2).dtype == np.int64
    with pytest.raises(ValueError, match=r"pow: .*negative power"):
        Tensor([1, 2]) ** -1


def test_integers_with_gradients() -> None:
    x = Tensor([0, 1, 2], requires_grad=True)
    np.testing.assert_array_equal(gradient(x**0 + x**3, x), [0, 3, 12])
    assert x.grad.dtype == np.float32


def test_a_corner_has_slope_zero() -> None:
    x = leaf([0.0, -0.0])
    np.testing.assert_array_equal(gradient(abs(x), x), [0, 0])


@pytest.mark.parametrize("name", ["max", "min", "amax", "amin"])
@pytest.mark.parametrize("values", [[1.0, 3, 3, 1], [2.0, 2, 2, 2], [1.0, NAN, 2, NAN]])
def test_ties_over_all_elements(name: str, values: list[float]) -> None:
    torch = pytest.importorskip("torch")
    x, theirs = leaf(values), torch.tensor(values, requires_grad=True)
    got = gradient(getattr(x, name)(), x)
    # amax and amin of PyTorch make the whole gradient NaN, its max and min only what is NaN.
    getattr(theirs, name.removeprefix("a") if NAN in values else name)().backward()
    np.testing.assert_array_equal(got, theirs.grad.numpy())


@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_along_a_dimension_go_to_the_first(name: str) -> None:
    torch = pytest.importorskip("torch")
    values = [[1.0, 3, 3], [2, 2, 2], [NAN, 5, NAN]]
    x, theirs = leaf(values), torch.tensor(values, requires_grad=True)
    out, reference = getattr(x, name)(1), getattr(theirs, name)(1)
    np.testing.assert_array_equal(out.values.array, reference.values.detach().numpy())
    np.testing.assert_array_equal(out.indices.array, reference.indices.numpy())
    assert not out.indices.requires_grad
    reference.values.sum().backward()
    np.testing.assert_array_equal(gradient(out.values, x), theirs.grad.numpy())


@pytest.mark.parametrize("descending", [False, True])
def test_sorting_keeps_the_order_of_equals(descending: bool) -> None:
    torch = pytest.importorskip("torch")
    values = [2.0, 1, NAN, 2, -INF, 1, INF]
    out = Tensor(values).sort(descending=descending)
    reference = torch.sort(torch.tensor(values), stable=True, descending=descending)
    np.testing.assert_array_equal(out.values.array, reference.values.numpy())
    np.testing.assert_array_equal(out.indices.array, reference.indices.numpy())
    assert Tensor([3, 1, 2]).sort(descending=True).values.tolist() == [3, 2, 1]


def test_minimum_shares_a_tie() -> None:
    x, y = leaf([1.0, 2.0, NAN]), leaf([1.0, 3.0, 1.0])
    engine.minimum(x, y).backward()
    np.testing.assert_array_equal(x.grad.array, [0.5, 1, 1])
    np.testing.assert_array_equal(y.grad.array, [0.5, 0, 0])


@pytest.mark.parametrize("value", [INF, -INF, NAN])
def test_where_the_other_wins_not_even_an_infinite_gradient_comes_through(value: float) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, lesser in (("maximum", [1.0, 3.0, 2.0]), ("minimum", [3.0, 1.0, 2.0])):
            x, y = leaf(lesser), leaf([2.0, 2.0, 2.0])
            getattr(engine, name)(x, y).backward([value, value, 4.0])
            np.testing.assert_array_equal(x.grad.array, [0, value, 2])
            np.testing.assert_array_equal(y.grad.array, [value, 0, 2])
        x, high = leaf([1.0, 5.0]), leaf(3.0)
        x.clamp(max=high).backward([value, value])
        np.testing.assert_array_equal(x.grad.array, [value, 0])
        np.testing.assert_array_equal(high.grad.array, value)
        x = leaf([1.0, 2.0, 2.0])
        x.amax().backward(value)
        np.testing.assert_array_equal(x.grad.array, [0, value, value])
        x = leaf([[value, 1.0]])
        engine.where(x > 2, x, 0.0).backward([[1.0, value]])
        assert x.grad.array[0, 1] == 0


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (2.0, 1.0), (1.0, 1.0)])
def test_clamp_at_its_limits(low: float, high: float) -> None:
    torch = pytest.importorskip("torch")
    arrays = [np.array([-1.0, 0, 0.5, 1, 2, 3]), np.array([low]), np.array(high)]
    check_torch(lambda t: engine.clamp(*t), lambda t: torch.clamp(*t), arrays)
    check_torch(lambda t: t[0].clamp(min=t[1]), lambda t: t[0].clamp(min=t[1]), arrays[:2])
    check_torch(lambda t: t[0].clamp(max=t[1]), lambda t: t[0].clamp(max=t[1]), arrays[:2])


def test_clamp_wants_a_limit() -> None:
    with pytest.raises(ValueError, match="clamp: give min or max"):
        leaf([1.0]).clamp()


@pytest.mark.parametrize("zeros", [[], [0], [0, 2], [0, 1, 2, 3]])
def test_prod_with_zeros(zeros: list[int]) -> None:
    torch = pytest.importorskip("torch")
    values = np.array([2.0, -3.0, 0.5, 4.0])
    values[zeros] = 0
    check_torch(lambda t: t[0].prod(), lambda t: torch.prod(t[0]), [values])
    square = values.reshape(2, 2)
    check_torch(lambda t: t[0].prod(1), lambda t: torch.prod(t[0], 1), [square])
    check_torch(lambda t: t[0].prod((0, 1)), lambda t: torch.prod(t[0]), [square])


def test_std_of_equal_elements_has_slope_zero() -> None:
    x = leaf([1.0, 1.0, 1.0])
    np.testing.assert_array_equal(gradient(x.std(), x), [0, 0, 0])


def test_variance_of_too_few_is_nan_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(Tensor([1.0]).var().item())
        assert np.isnan(Tensor(np.zeros(0)).mean().item())
        assert Tensor([1.0]).var(correction=0).item() == 0


def test_variance_far_from_zero_is_exact() -> None:
    x = Tensor(1e4 + np.array([0.0, 1.0, 2.0]))
    assert x.var().item() == pytest.approx(1)


def test_exponentials_neither_overflow_nor_warn() -> None:
    values = [[1000.0, 0, -1000], [-INF, -INF, 1], [-1000, -1000, -1000]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for out in (
            Tensor(values).logsumexp(1),
            Tensor(values).softmax(1),
            Tensor(values).sigmoid(),
        ):
            assert np.isfinite(out.array).all()
        assert Tensor([-INF, -INF]).logsumexp(0).item() == -INF
        assert Tensor([INF, 1]).logsumexp(0).item() == INF
        assert Tensor(np.zeros(0)).logsumexp(0).item() == -INF
        x = leaf([-INF, 0.0, 0.0])
        np.testing.assert_array_equal(gradient(x.logsumexp(0), x), [0, 0.5, 0.5])
        x = leaf([-INF, -INF])
        np.testing.assert_array_equal(gradient(x.logsumexp(0), x), [0, 0])
    np.testing.assert_allclose(Tensor([-80.0]).sigmoid().item(), np.exp(-80), rtol=1e-5)


@pytest.mark.parametrize("name", [*INTO_FLOAT, *NORMALISED])
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.int16])
def test_integers_give_float32(name: str, dtype: type) -> None:
    args = (0,) if name in NORMALISED else ()
    x = Tensor(np.array([1, 2, 3], dtype), requires_grad=True)
    out = getattr(engine, name)(x, *args)
    assert out.dtype == np.float32
    assert gradient(out, x).dtype == np.float32


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.bool_])
@pytest.mark.parametrize("name", ["sigmoid", "mean", "std", "logsumexp", "softmax", "log_softmax"])
def test_the_smallest_integers_are_not_wrapped_around(name: str, dtype: type) -> None:
    args = (0,) if name in NORMALISED else ()
    values = np.array([0, 1, 100]).astype(dtype)
    out = getattr(engine, name)(Tensor(values), *args)
    wanted = getattr(engine, name)(Tensor(values.astype(np.float32)), *args)
    np.testing.assert_allclose(out.array, wanted.array, rtol=1e-6)
    assert out.dtype == np.float32


def test_integers_stay_integers_where_they_can() -> None:
    x = Tensor([3, 1, 2])
    kept = (abs(x), x.max(), x.amin(), x.sort().values, x.cumsum(0), x.sum(), x.prod(), x.clamp(1))
    for out in kept:
        assert out.dtype == np.int64


def test_numbers_never_raise_the_dtype() -> None:
    x = Tensor(np.ones(3, np.float16), dtype=np.float16)
    for out in (
        x ** np.float64(2),
        x.clamp(np.float64(0), 2.0),
        engine.where(x > 0, x, 0.0),
        engine.where(x > 0, np.float64(3), x),
        engine.pad(x, (1, 1), value=2.0),
        engine.minimum(np.float64(1), x),
    ):
        assert out.dtype == np.float16


def test_half_precision_sums_do_not_overflow() -> None:
    x = Tensor(np.full(5000, 200, np.float16), dtype=np.float16)
    assert x.mean().item() == 200
    assert Tensor(np.array([200, -200] * 500, np.float16)).std(correction=0).item() == 200


def test_where_sends_each_element_its_own_gradient() -> None:
    x, y = leaf([1.0, 2.0]), leaf([[10.0], [20.0]])
    out = engine.where(Tensor([True, False]), x, y)
    np.testing.assert_array_equal(out.array, [[1, 10], [1, 20]])
    assert list(out.recipe.parents) == [0, 1, 2]
    out.backward()
    np.testing.assert_array_equal(x.grad.array, [2, 0])
    np.testing.assert_array_equal(y.grad.array, [[1], [1]])
    np.testing.assert_array_equal(x.where(x > 1, 0).array, [0, 2])
    with pytest.raises(TypeError, match="where: the condition holds int64"):
        engine.where(Tensor([1, 0]), x, x)


def test_the_recipe_holds_numpys_own_function() -> None:
    x = leaf([1.0, 2.0])
    for out, function in ((x.sin(), np.sin), (x.sqrt(), np.sqrt), (x.tanh(), np.tanh)):
        assert out.recipe.func is function
    assert engine.cat([x, x]).recipe.parents == {0: x, 1: x}
    assert x.sum(dim=0).recipe.kwargs == {"dim": 0, "keepdim": False}
    assert engine.einsum("i,i->", x, x).recipe.parents == {1: x, 2: x}
    assert abs(x).op == "abs"
    assert engine.cat([x]).op == "cat"


@pytest.mark.parametrize("name", sorted({case.name for case in ALL} - {"split", "chunk"}))
def test_every_backward_function_says_what_it_does(name: str) -> None:
    back = BACK_FUNCS.get_back_func(getattr(engine, name), 1 if name == "einsum" else 0)
    assert back.__doc__
    assert len(back.__doc__.splitlines()[0]) < 60


def test_a_replaced_backward_function_is_used_under_every_public_name() -> None:
    x = leaf([1.0, 2.0])
    for function, call in ((engine.var, x.var), (engine.getitem, lambda: x[0])):
        before = BACK_FUNCS.get_back_func(function, 0)
        BACK_FUNCS.add_back_func(function, 0, lambda grad_out, out, x, *a, **k: 7 * np.ones(2))
        try:
            x.grad = None
            np.testing.assert_array_equal(gradient(call(), x), [7, 7])
        finally:
            BACK_FUNCS.add_back_func(function, 0, before)


def test_matmul_of_a_stack_with_one_matrix_is_one_product() -> None:
    x, w = leaves([np.ones((5, 2, 3)), np.ones((3, 4))])
    np.testing.assert_array_equal(gradient(x @ w, w), np.full((3, 4), 10))


@pytest.mark.parametrize("rows", [1, 63, 64, 65, 1024])
def test_relu_of_few_elements_and_many(rows: int) -> None:
    x = np.random.default_rng(rows).standard_normal((rows, 64)).astype(np.float32)
    x[0, 0] = np.nan
    for array in (x, x.T, x[:, ::2], np.asfortranarray(x)):
        out = engine.relu(Tensor(array)).array
        np.testing.assert_array_equal(out, np.where(array < 0, 0, array))
        assert out.dtype == np.float32
