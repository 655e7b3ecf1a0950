"""A Tensor's methods are the functions of the same name."""

from __future__ import annotations

import numpy as np
import pytest
from operation_cases import ALL, Case
from operation_checks import leaves

import engine
from engine import Tensor
from engine.methods import TensorMethods

AS_METHODS = [case for case in ALL if case.name in vars(TensorMethods) and not case.listed]


@pytest.mark.parametrize("case", AS_METHODS, ids=str)
def test_as_the_function(case: Case) -> None:
    tensors = leaves(case.arrays())
    method = case.call(getattr(Tensor, case.name), tensors)
    np.testing.assert_array_equal(method.array, case.ours(tensors).array)


def test_lengths_and_dims_one_by_one_or_together() -> None:
    x = Tensor(np.arange(6.0).reshape(1, 2, 3))
    for name in ("reshape", "view"):
        for lengths in ((3, 2), ((3, 2),), ([3, 2],), (-1, 2)):
            assert getattr(x, name)(*lengths).shape == (3, 2)
    for dims in ((2, 0, 1), ((2, 0, 1),), ([2, 0, 1],)):
        assert x.permute(*dims).shape == (3, 1, 2)
    for lengths in ((4, 2, 3), ((4, -1, 3),)):
        assert x.expand(*lengths).shape == (4, 2, 3)
    assert x.T.shape == (3, 2, 1)
    assert x.reshape(6).shape == x.view(-1).shape == x.flatten().shape == (6,)
    assert x.reshape(x.size(2), 2).shape == (3, 2)


def test_split_gives_all_its_parts() -> None:
    x = Tensor(np.arange(10.0).reshape(2, 5), requires_grad=True)
    parts = x.split(2, dim=1)
    assert [part.shape for part in parts] == [(2, 2), (2, 2), (2, 1)]
    (parts[0].sum() + 3 * parts[2].sum()).backward()
    np.testing.assert_array_equal(x.grad.array, [[1, 1, 0, 0, 3]] * 2)
    np.testing.assert_array_equal(engine.cat(parts, dim=-1).array, x.array)
    assert [part.shape for part in Tensor(np.zeros(0)).split(3)] == [(0,)]


def test_views_share_memory() -> None:
    x = Tensor(np.zeros((2, 3)))
    for out in (
        x.view(6),
        x.T,
        x[0],
        x.transpose(0, 1),
        x.unsqueeze(0),
        x.flatten(),
        x.expand(2, 3),
    ):
        assert np.shares_memory(out.array, x.array)
