"""wrap_forward_fn: Recipe, registry, dtypes, operands of every kind."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from engine_reference import bits, grad_of, leaf

import engine
from engine import BACK_FUNCS, BackwardError, BackwardFuncLookup, Recipe, Tensor, no_grad


def test_recipe_of_a_product() -> None:
    a, b = leaf([2.0]), leaf([5.0])
    out = a * b
    recipe = out.recipe
    assert isinstance(recipe, Recipe)
    assert recipe.func is np.multiply
    assert recipe.args[0] is a.array
    assert recipe.args[1] is b.array
    assert recipe.kwargs == {}
    assert list(recipe.parents) == [0, 1]
    assert recipe.parents[0] is a
    assert recipe.parents[1] is b
    assert (out.is_leaf, out.op, out.requires_grad) == (False, "multiply", True)
    with pytest.raises(FrozenInstanceError):
        recipe.func = np.add  # type: ignore[misc]


def test_recipe_has_only_tensors_as_parents_and_keeps_keywords() -> None:
    a = leaf([[2.0, 3.0]])
    product = 3 * a
    assert product.recipe is not None
    assert product.recipe.parents == {1: a}
    assert product.recipe.parents[1] is a
    assert product.recipe.args[0] == 3
    total = a.sum(dim=1, keepdim=True)
    assert total.recipe is not None
    assert total.recipe.kwargs == {"dim": 1, "keepdim": True}
    constant = Tensor([1.0, 1.0])
    mixed = (a + constant).recipe
    assert mixed is not None
    assert mixed.parents[1] is constant
    assert engine.log.numpy_fn is np.log  # type: ignore[attr-defined]


def test_no_recipe_without_tracking() -> None:
    a = leaf([1.0, 2.0])
    with no_grad():
        untracked = a * a
    plain = Tensor([1.0]) * 2
    compared = a > 1
    for out in (untracked, plain, compared, a.argmax()):
        assert out.recipe is None
        assert out.is_leaf
        assert not out.requires_grad


def test_a_recipe_can_be_set_by_hand() -> None:
    a = leaf([2.0, 3.0])
    out = Tensor(np.log(a.array), requires_grad=True)
    out.recipe = Recipe(np.log, (a.array,), {}, {0: a})
    assert not out.is_leaf
    out.backward()
    np.testing.assert_allclose(grad_of(a), [1 / 2, 1 / 3], rtol=1e-6)


def _cube(x: np.ndarray[Any, Any], scale: float = 1.0) -> np.ndarray[Any, Any]:
    """x cubed."""
    return scale * x**3


def _cube_back(grad_out: Any, out: Any, x: Any, scale: float = 1.0) -> Any:
    return grad_out * 3 * scale * x**2


def test_a_function_of_ones_own() -> None:
    lookup_before = BACK_FUNCS.version
    cube = engine.wrap_forward_fn(_cube, name="cube")
    BACK_FUNCS.add_back_func(cube, 0, _cube_back)
    assert BACK_FUNCS.version > lookup_before
    assert BACK_FUNCS.get_back_func(_cube, 0) is _cube_back
    assert (cube.__name__, cube.__doc__) == ("cube", "x cubed.")
    x = leaf([1.0, 2.0])
    out = cube(x, scale=2.0)
    assert out.op == "cube"
    assert out.recipe is not None
    assert out.recipe.func is _cube
    out.backward()
    np.testing.assert_array_equal(grad_of(x), [6.0, 24.0])
    frozen = engine.wrap_forward_fn(_cube, is_differentiable=False)
    assert not frozen(x).requires_grad


def test_wrapping_a_function_again_under_a_name_renames_no_other() -> None:
    again = engine.wrap_forward_fn(np.exp, name="my_exp")
    try:
        assert again.__name__ == "my_exp"
        assert again(leaf(1.0)).op == "my_exp"
        assert engine.exp(leaf(1.0)).op == "exp"
    finally:
        engine.wrap_forward_fn(np.exp, name="exp")


# The registry


@pytest.fixture
def original() -> Iterator[Callable[..., Any]]:
    back = BACK_FUNCS.get_back_func(np.log, 0)
    yield back
    BACK_FUNCS.add_back_func(np.log, 0, back)


def _wrong_log_back(grad_out: Any, out: Any, x: Any) -> Any:
    return 100 * grad_out


@pytest.mark.parametrize("name", [np.log, engine.log])
def test_replacing_holds_for_graphs_built_afterwards(name: Any, original: Any) -> None:
    x = leaf([2.0])
    before = x.log()
    BACK_FUNCS.add_back_func(name, 0, _wrong_log_back)
    after = x.log()
    before.backward()
    assert grad_of(x) == [0.5]
    x.grad = None
    after.backward()
    assert grad_of(x) == [100]
    assert BACK_FUNCS.get_back_func(np.log, 0) is _wrong_log_back
    assert BACK_FUNCS.replaced(np.log, 0) is engine.log_back
    BACK_FUNCS.add_back_func(np.log, 0, original)
    x.grad = None
    after.backward()
    assert grad_of(x) == [100]


def test_getitem_can_be_replaced_by_its_public_name() -> None:
    """The checklist's "getitem's backward by assignment (repeated indices lost)"."""

    def by_assignment(grad_out: Any, out: Any, x: Any, index: Any) -> Any:
        grad = np.zeros_like(x)
        grad[index] = grad_out
        return grad

    try:
        BACK_FUNCS.add_back_func(engine.getitem, 0, by_assignment)
        x = leaf([1.0, 2.0])
        x[[0, 0]].sum().backward()
        assert grad_of(x).tolist() == [1, 0]
    finally:
        BACK_FUNCS.add_back_func(engine.getitem, 0, engine.getitem_back)


def test_a_lookup_of_ones_own() -> None:
    lookup = BackwardFuncLookup()
    lookup.add_back_func(np.add, 1, engine.add_back1)
    assert lookup.get_back_func(np.add, 1) is engine.add_back1
    assert lookup.get_back_func(engine.add, 1) is engine.add_back1
    with pytest.raises(KeyError, match=r"add has no backward function for argument 0.*add_back"):
        lookup.get_back_func(np.add, 0)
    with pytest.raises(TypeError):
        lookup.add_back_func(np.add, 0, "not a function")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="count from 0"):
        lookup.add_back_func(np.add, -1, engine.add_back0)


# Operands

SCALARS = [2, 2.0, True, np.float32(2), np.float64(2), np.int64(2), np.array(2.0)]
ARRAYS = [np.array([2.0, 4.0]), np.array([2, 4]), np.ones((3, 1)), [2.0, 4.0]]
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv]


@pytest.mark.parametrize("other", [*SCALARS, *ARRAYS], ids=repr)
@pytest.mark.parametrize("operation", OPERATORS)
def test_any_operand_on_either_side(operation: Callable[..., Any], other: Any) -> None:
    values = np.array([1.0, 2.0], np.float32)
    for swapped in (False, True):
        x, y = leaf(values), leaf(values)
        constant = Tensor(np.asarray(other, np.float32))
        got = operation(other, x) if swapped else operation(x, other)
        wanted = operation(constant, y) if swapped else operation(y, constant)
        assert isinstance(got, Tensor)
        assert bits(got) == bits(wanted)
        assert got.recipe is not None
        assert list(got.recipe.parents) == [int(swapped)]
        got.sum().backward()
        wanted.sum().backward()
        assert bits(x.grad) == bits(y.grad)


@pytest.mark.parametrize("other", [2.0, np.float64(2), np.array([2.0, 0.0]), Tensor([2.0, 0.0])])
@pytest.mark.parametrize("name", ["eq", "ne", "lt", "le", "gt", "ge"])
def test_comparisons_on_either_side_give_no_gradient(name: str, other: Any) -> None:
    values = np.array([1.0, 2.0], np.float32)
    compare = getattr(operator, name)
    plain = other.array if isinstance(other, Tensor) else other
    for out, wanted in (
        (compare(leaf(values), other), compare(values, plain)),
        (compare(other, leaf(values)), compare(plain, values)),
    ):
        assert isinstance(out, Tensor)
        assert out.dtype == np.bool_
        np.testing.assert_array_equal(out.array, wanted)
        assert not out.requires_grad


@pytest.mark.parametrize("kind", [np.array, list])
def test_matmul_with_bare_matrices(kind: Callable[..., Any]) -> None:
    x = leaf([[1.0, 2.0]])
    right, left = kind([[3.0], [4.0]]), kind([[5.0], [6.0]])
    (x @ right).backward()
    assert grad_of(x).tolist() == [[3, 4]]
    x.grad = None
    (left @ x).sum().backward()
    assert grad_of(x).tolist() == [[11, 11]]


F16, F32, F64, INT = (np.dtype(name) for name in ("f2", "f4", "f8", "i8"))


@pytest.mark.parametrize(
    ("dtype", "other", "expected"),
    [
        (F32, 1.5, F32),
        (F32, np.float64(1.5), F32),
        (F32, np.longdouble(1.5), F32),
        (F32, np.ones(2, F64), F32),
        (F32, np.ones(2, INT), F32),
        (F32, np.float16(1), F32),
        (F32, Tensor([1, 2]), F32),
        (F32, Tensor([1.0, 2.0], dtype=F64), F64),
        (F64, 1.5, F64),
        (F64, np.ones(2, F32), F64),
        (F64, Tensor([1.0, 2.0]), F64),
        (F16, 1.5, F16),
        (F16, np.float64(1.5), F16),
        (F16, np.ones(2, F64), F16),
        (F16, np.ones(2, INT), F16),
        (F16, Tensor([1.0, 2.0]), F32),
        (INT, 1.5, F32),
        (INT, np.float64(1.5), F32),
        (INT, np.ones(2, F64), F32),
        (INT, 3, INT),
        (INT, Tensor([1.0, 2.0], dtype=F16), F16),
    ],
    ids=lambda value: str(value).replace("\n", ""),
)
def test_only_tensors_raise_the_dtype(dtype: Any, other: Any, expected: Any) -> None:
    x = leaf([1, 2], dtype)
    for out in (x + other, other * x):
        assert out.dtype == expected
    out.sum().backward()
    assert grad_of(x).dtype == (F32 if dtype == INT else dtype)


@pytest.mark.parametrize("dtype", [F16, F32, F64])
def test_every_operation_keeps_a_float_dtype(dtype: Any) -> None:
    x = leaf([[1.0, 2.0], [3.0, 4.0]], dtype)
    outs = [
        *(-x, x.exp(), x.log(), x.relu(), x.maximum(2.0), x.sum(), x.sum(0), x.T, x[0], x[0, 0]),
        *(x + 1, 1 - x, x * 2.5, 1 / x, x / 3, x @ x, x @ np.ones(2), x.reshape(4)),
        *(x.expand(2, -1, -1), engine.cross_entropy(x, [0, 1])),
    ]
    for out in outs:
        assert out.dtype == dtype, out.op
        out.backward(np.ones(out.shape))
    assert grad_of(x).dtype == dtype


def test_int_divided_by_int_is_float32() -> None:
    x = leaf([1, 2])
    for out in (x / 2, x / Tensor([2, 4]), x.exp(), x.log()):
        assert out.dtype == F32


# Gradients flow to positional arguments only, and never get lost in silence


def test_a_keyword_that_needs_grad_is_refused() -> None:
    shift = engine.wrap_forward_fn(lambda x, by=0.0: x + by, name="shift")
    by = leaf(2.0)
    with pytest.raises(TypeError, match=r"shift.*keyword argument by.*position"):
        shift(Tensor(1.0), by=by)
    assert shift(Tensor(1.0), by=by.detach()).item() == 3
    with no_grad():
        assert shift(Tensor(1.0), by=by).item() == 3


def test_tensors_inside_a_list_do_not_lose_their_gradient_in_silence() -> None:
    """Either a gradient flows, or the call is refused."""
    a = leaf(2.0)
    summed = engine.wrap_forward_fn(lambda xs, ws=(1.0,): xs[0] * ws[0], name="summed")
    with pytest.raises(TypeError, match=r"requires? grad"):
        summed([a, a])
    with pytest.raises(TypeError, match=r"requires? grad"):
        summed([1.0], ws=[a])


def test_complex_operands_do_not_make_a_complex_tensor_with_a_gradient() -> None:
    with pytest.raises(TypeError):
        leaf([1.0]) * 1j


def test_a_missing_backward_function_is_told_when_it_is_needed() -> None:
    sinh = engine.wrap_forward_fn(np.sinh)
    assert not sinh(Tensor(1.0)).requires_grad
    out = sinh(leaf(1.0))
    with pytest.raises(BackwardError, match=r"sinh has no backward function for argument 0"):
        out.backward()
