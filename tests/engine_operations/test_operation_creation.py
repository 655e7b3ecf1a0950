"""Making tensors."""

from __future__ import annotations

import numpy as np
import pytest

import engine
from engine import Tensor


def test_constants() -> None:
    assert engine.full((2, 2), 3).dtype == np.int64
    assert engine.full((2,), 0.5).dtype == np.float32
    assert engine.full((), True).dtype == np.bool_
    assert engine.full(2, 1.0).tolist() == [1.0, 1.0]
    assert engine.eye(2, 3).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert engine.eye(2).shape == (2, 2)
    assert engine.linspace(0, 1, 5).tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert engine.zeros(np.int64(2), 3).shape == engine.zeros([2, 3]).shape == (2, 3)
    assert engine.zeros(np.int64(2)).shape == (2,)
    assert engine.ones(()).shape == engine.ones().shape == ()


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int64, np.bool_])
def test_likeness_keeps_shape_and_dtype(dtype: type) -> None:
    x = Tensor(np.zeros((2, 3)), dtype=dtype)
    for out in (engine.zeros_like(x), engine.ones_like(x), engine.full_like(x, 1)):
        assert (out.shape, out.dtype) == ((2, 3), dtype)
    assert engine.ones_like(x, dtype=np.float32).dtype == np.float32
    assert engine.zeros_like(Tensor([1.0], requires_grad=True), requires_grad=True).requires_grad


def test_random_numbers_follow_the_seed() -> None:
    def drawn() -> list[Tensor]:
        engine.manual_seed(5)
        return [engine.rand(4), engine.randn(2, 3), engine.randint(10, (5,))]

    for first, second in zip(drawn(), drawn(), strict=True):
        np.testing.assert_array_equal(first.array, second.array)
    assert engine.rand(2, 3).dtype == engine.randn(3).dtype == np.float32
    assert engine.randn().shape == ()
    dice = engine.randint(1, 7, (1000,))
    assert dice.dtype == np.int64
    assert set(dice.tolist()) == {1, 2, 3, 4, 5, 6}
    with pytest.raises(TypeError, match="randint takes"):
        engine.randint(3)


def test_every_public_name_is_there() -> None:
    assert len(set(engine.__all__)) == len(engine.__all__)
    for name in engine.__all__:
        assert hasattr(engine, name)
    for name in ("pow_back0", "cat", "einsum", "std_back", "log_softmax_back", "split", "randint"):
        assert name in engine.__all__
