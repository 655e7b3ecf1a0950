"""einsum with subscripts of every kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operation_checks import check_central, check_torch, gradients

import engine
from engine import ShapeError, Tensor

LENGTHS = {"a": 2, "b": 3, "c": 1, "d": 4, "e": 0}
STACK = (2, 3)
"""What an ellipsis stands for."""


@st.composite
def subscripts(draw: st.DrawFn, with_ones: bool = True) -> tuple[str, list[tuple[int, ...]]]:
    """An equation and the shapes of its operands: repeated, summed, missing and stacked indices,
    lengths of 1 where another operand has more, an arrow or none."""
    operands, shapes = [], []
    letters = draw(st.sampled_from(["ab", "abc", "abcd", "abcde"]))
    for _ in range(draw(st.integers(1, 3))):
        indices = draw(st.text(letters, max_size=3))
        lengths = {}
        for index in set(indices):
            one = with_ones and draw(st.integers(0, 5)) == 0
            lengths[index] = 1 if one else LENGTHS[index]
        dots, stack = "", ()
        if draw(st.integers(0, 3)) == 0:
            dots = "..."
            stack = STACK[draw(st.integers(0, 2)) :]
            if with_ones and draw(st.booleans()):
                stack = tuple(1 for _ in stack)
        place = draw(st.integers(0, len(indices)))
        operands.append(indices[:place] + dots + indices[place:])
        head = tuple(lengths[i] for i in indices[:place])
        shapes.append(head + stack + tuple(lengths[i] for i in indices[place:]))
    equation = ",".join(operands)
    if draw(st.booleans()):
        used = sorted(set(equation) - set(",."))
        kept = draw(st.lists(st.sampled_from(used), unique=True)) if used else []
        result = "".join(kept)
        if "..." in equation:
            place = draw(st.integers(0, len(result)))
            result = result[:place] + "..." + result[place:]
        equation += f"->{result}"
    return equation, shapes


def arrays_of(shapes: list[tuple[int, ...]]) -> list[np.ndarray]:
    return [np.random.default_rng(i).uniform(-1, 1, shape) for i, shape in enumerate(shapes)]


def function(equation: str) -> Any:
    return lambda tensors: engine.einsum(equation, *tensors)


@settings(deadline=None, max_examples=150)
@given(subscripts())
def test_gradients_are_those_of_central_differences(drawn: tuple[str, list[Any]]) -> None:
    equation, shapes = drawn
    if sum(int(np.prod(shape)) for shape in shapes) < 60:
        check_central(function(equation), arrays_of(shapes))


@settings(deadline=None, max_examples=250)
@given(subscripts())
def test_value_and_gradients_are_those_of_pytorch(drawn: tuple[str, list[Any]]) -> None:
    torch = pytest.importorskip("torch")
    equation, shapes = drawn

    def reference(tensors: list[Any]) -> Any:
        # Multiplied by a sum that is 1, because PyTorch gives None where an operand has no say.
        return torch.einsum(equation, *tensors) + 0 * sum(t.sum() for t in tensors)

    check_torch(function(equation), reference, arrays_of(shapes), rtol=1e-7)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 2)]),
        ("ij , jk", [(2, 3), (3, 2)]),
        ("ii->i", [(3, 3)]),
        ("ii", [(3, 3)]),
        ("iji->j", [(2, 3, 2)]),
        ("iii->", [(2, 2, 2)]),
        ("ij->", [(2, 3)]),
        ("ij->ji", [(2, 3)]),
        ("ba", [(2, 3)]),
        ("bij,bjk->bik", [(2, 2, 3), (2, 3, 2)]),
        ("...ij,...jk->...ik", [(2, 2, 3), (3, 2)]),
        ("i,j->ij", [(2,), (3,)]),
        ("i,i,i->i", [(3,), (3,), (3,)]),
        ("a,b,c,d->dcba", [(2,), (1,), (3,), (2,)]),
        (",i->i", [(), (3,)]),
        ("->", [()]),
        ("ij,kl->", [(2, 3), (2, 2)]),
        ("iij,jk->ik", [(2, 2, 3), (3, 2)]),
        ("i...->...", [(2, 3)]),
        ("Ab,bA->A", [(2, 3), (3, 2)]),
    ],
)
def test_the_usual_ones(equation: str, shapes: list[tuple[int, ...]]) -> None:
    arrays = arrays_of(shapes)
    value, _ = gradients(function(equation), arrays)
    np.testing.assert_allclose(value, np.einsum(equation, *arrays))
    check_central(function(equation), arrays)


def test_the_same_tensor_twice_gets_both_gradients() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    engine.einsum("ij,ij->", x, x).backward()
    np.testing.assert_array_equal(x.grad.array, 2 * x.array)


def test_operands_may_come_in_a_list() -> None:
    out = engine.einsum("i,i->", [Tensor([1.0, 2.0]), Tensor([3.0, 4.0])])
    assert out.item() == 11


def test_the_result_is_no_view_of_an_operand() -> None:
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert not np.shares_memory(engine.einsum("ii->i", x).array, x.array)


def test_errors_name_the_operation() -> None:
    with pytest.raises(ShapeError, match=r"einsum: 'ij,jk->ik' is for 2 operands, and 1 were"):
        engine.einsum("ij,jk->ik", Tensor([[1.0]]))
    with pytest.raises(TypeError, match=r"einsum: the equation comes first, .*, not Tensor"):
        engine.einsum(Tensor([[1.0]]), "ij->ji")
    for equation, words in (
        ("ij,jk->ik", "j has length 3, and in operand 1 2"),
        ("ijk,jk->ik", "operand 0 has 2 dimensions and 3 indices"),
        ("...ijk,jk->ik", "operand 0 has 2 dimensions and 3 indices"),
        ("ij,ij->z", "'ij,ij->z' does not fit$"),
        ("i;,ij", "does not fit"),
    ):
        with pytest.raises(ShapeError, match=rf"einsum: \(2, 3\) and \(2, 3\): .*{words}"):
            engine.einsum(equation, engine.ones(2, 3), engine.ones(2, 3))
