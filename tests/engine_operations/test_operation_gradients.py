"""Every function of the table against central differences and against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from operation_cases import ALL, ELEMENTWISE, Case
from operation_checks import check_central, check_torch, leaves, seed_for


@pytest.mark.parametrize("case", ALL, ids=str)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_gradients_are_those_of_central_differences(case: Case) -> None:
    check_central(case.ours, case.arrays())


@pytest.mark.parametrize("case", ALL, ids=str)
def test_value_and_gradients_are_those_of_pytorch(case: Case) -> None:
    pytest.importorskip("torch")
    check_torch(case.ours, case.theirs, case.arrays())


@pytest.mark.parametrize("case", [c for c in ALL if c.name != "view"], ids=str)
def test_read_only_and_scattered_memory_make_no_difference(case: Case) -> None:
    whole, scattered = leaves(case.arrays()), leaves(case.arrays())
    for tensor in scattered:
        tensor.array = np.asfortranarray(np.repeat(tensor.array[..., None], 2, axis=-1))[..., 0]
        tensor.array.flags.writeable = False
    for tensors in (whole, scattered):
        out = case.ours(tensors)
        out.backward(seed_for(out.shape))
    for mine, wanted in zip(scattered, whole, strict=True):
        np.testing.assert_allclose(mine.grad.array, wanted.grad.array, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("case", ALL, ids=str)
def test_float_types_are_kept(case: Case, dtype: type) -> None:
    tensors = leaves(case.arrays(), dtype)
    with np.errstate(all="ignore"):
        out = case.ours(tensors)
        assert out.dtype == dtype
        out.backward()
    assert all(t.grad.dtype == dtype for t in tensors)


@pytest.mark.parametrize("case", [c for c in ELEMENTWISE if len(c.shapes) == 1], ids=str)
def test_the_wider_of_two_types_wins_and_a_gradient_has_its_own(case: Case) -> None:
    x = leaves(case.arrays(), np.float32)
    y = leaves(case.arrays(), np.float64)
    out = case.ours(x) + case.ours(y)
    assert out.dtype == np.float64
    out.backward()
    assert x[0].grad.dtype == np.float32
