"""What a backward function is said not to read makes no difference to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from operation_cases import ALL, Case

import engine
from engine import BACK_FUNCS, Tensor, sorted_computational_graph
from engine.registry import OUT


def spoilt(value: Any) -> Any:
    """An array of the same shape, dtype and layout, full of something else."""
    if not isinstance(value, np.ndarray):
        return value
    other = np.empty_like(value)
    other[...] = np.nan if value.dtype.kind == "f" else 1
    return other


def check_reads(node: Tensor) -> set[tuple[Any, int]]:
    """The backward functions of a node whose reads are declared; they were checked."""
    recipe = node.recipe
    assert recipe is not None
    declared = BACK_FUNCS.reads_of(recipe.func)
    checked = set()
    for position in recipe.parents:
        reads = declared.get(position)
        if reads is None:
            continue
        back = BACK_FUNCS.get_back_func(recipe.func, position)
        args = [arg if i in reads else spoilt(arg) for i, arg in enumerate(recipe.args)]
        out = node.array if OUT in reads else spoilt(node.array)
        grad = np.random.default_rng(0).standard_normal(node.shape).astype(node.dtype)
        wanted = back(grad, node.array, *recipe.args, **recipe.kwargs)
        got = back(grad, out, *args, **recipe.kwargs)
        np.testing.assert_array_equal(got, wanted)
        checked.add((recipe.func, position))
    return checked


def checked_in(case: Case) -> set[tuple[Any, int]]:
    root = case.ours([Tensor(array, requires_grad=True) for array in case.arrays()])
    nodes = [node for node in sorted_computational_graph(root) if not node.is_leaf]
    return set().union(*map(check_reads, nodes))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_is_not_read_makes_no_difference() -> None:
    checked = set().union(*map(checked_in, ALL))
    x, w, b = (Tensor(np.ones(shape), requires_grad=True) for shape in ((4, 3), (2, 3), (2,)))
    layer = engine.Linear(3, 2)
    for made in (
        engine.linear(x, w, b),
        engine.Sequential(layer, engine.ReLU())(Tensor(np.ones((4, 3)), requires_grad=True)),
        engine.cross_entropy(x, np.array([0, 2, 1, 0])),
        x.to(float),
        x[1:, [0, 2]],
        x.T,
        engine.where(x > 0.5, x, w[0]),
    ):
        checked |= check_reads(made)
    declared = {
        (func, position)
        for func, backs in BACK_FUNCS._added.items()
        for position in backs
        if BACK_FUNCS.reads_of(func).get(position) is not None
    }
    assert {f"{func.__name__} {position}" for func, position in declared - checked} == set()
    assert len(declared) > 30
