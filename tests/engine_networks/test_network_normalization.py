"""batch_norm and layer_norm: values, gradients, running statistics, what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_reference import check_differences, check_torch, normal

from engine import BackwardError, ShapeError, Tensor, no_grad
from engine.functions.batch_normalization import batch_norm
from engine.functions.layer_normalization import layer_norm
from engine.nn import BatchNorm1d, BatchNorm2d

SHAPES = [(4, 3), (2, 3, 4), (2, 3, 3, 2)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_gradients(shape: tuple[int, ...], training: bool) -> None:
    mean, var = normal(3), normal(3) ** 2 + 0.1

    def fresh() -> tuple[Tensor, Tensor]:
        return Tensor(mean.copy(), dtype=float), Tensor(var.copy(), dtype=float)

    check_differences(
        lambda x, w, b: batch_norm(x, *fresh(), w, b, training=training),
        normal(*shape),
        normal(3),
        normal(3),
    )
    check_differences(lambda x: batch_norm(x, *fresh(), training=training), normal(*shape))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_as_pytorch(shape: tuple[int, ...], training: bool) -> None:
    torch = pytest.importorskip("torch")
    mean, var = normal(3), normal(3) ** 2 + 0.1
    ours = Tensor(mean.copy(), dtype=float), Tensor(var.copy(), dtype=float)
    theirs = torch.tensor(mean), torch.tensor(var)
    options: dict[str, Any] = {"training": training, "momentum": 0.3, "eps": 1e-3}
    check_torch(
        lambda x, w, b: batch_norm(x, *ours, weight=w, bias=b, **options),
        lambda x, w, b: torch.nn.functional.batch_norm(x, *theirs, weight=w, bias=b, **options),
        normal(*shape) + 2,
        normal(3),
        normal(3),
    )
    for running, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(running.array, expected.numpy())


def test_a_module_used_twice_trains_and_moves_its_statistics_twice() -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = BatchNorm1d(3), torch.nn.BatchNorm1d(3)
    x = normal(5, 3).astype(np.float32)
    a, b = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    (ours(ours(a) * 2) * x).sum().backward()
    (theirs(theirs(b) * 2) * torch.tensor(x)).sum().backward()
    assert a.grad is not None
    assert ours.weight.grad is not None
    np.testing.assert_allclose(a.grad.array, b.grad.numpy(), atol=1e-5)
    np.testing.assert_allclose(ours.weight.grad.array, theirs.weight.grad.numpy(), atol=1e-4)
    for name, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[name], value.numpy(), rtol=1e-5, atol=1e-6)
    assert ours.num_batches_tracked.item() == 2


@pytest.mark.parametrize("options", [{"momentum": None}, {"track_running_stats": False}])
def test_other_ways_to_track_as_pytorch(options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = BatchNorm2d(2, **options), torch.nn.BatchNorm2d(2, **options)
    for mode in (True, True, False):
        ours.train(mode)
        theirs.train(mode)
        x = normal(3, 2, 4, 4).astype(np.float32)
        np.testing.assert_allclose(
            ours(Tensor(x)).array, theirs(torch.tensor(x)).detach().numpy(), atol=1e-5
        )
    assert list(ours.state_dict()) == list(theirs.state_dict())


def test_evaluation_statistics_changed_before_backward_are_noticed() -> None:
    norm = BatchNorm1d(2).eval()
    out = norm(Tensor(normal(4, 2), requires_grad=True)).sum()
    norm.train()
    with no_grad():
        norm(Tensor(normal(4, 2)))
    with pytest.raises(BackwardError, match="batch_norm"):
        out.backward()


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4)])
def test_layer_norm(shape: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    for last in {shape[-1:], shape[-2:]}:
        check_differences(
            lambda x, w, b, n=last: layer_norm(x, n, w, b),
            normal(*shape),
            normal(*last),
            normal(*last),
        )
        check_torch(
            lambda x, w, b, n=last: layer_norm(x, n, w, b, eps=1e-2),
            lambda x, w, b, n=last: torch.nn.functional.layer_norm(x, n, w, b, eps=1e-2),
            normal(*shape),
            normal(*last),
            normal(*last),
        )
    check_differences(lambda x: layer_norm(x, 4), normal(*shape))


def test_float16_does_not_overflow() -> None:
    x = Tensor(np.full((64, 2, 32, 32), 3.0) + normal(64, 2, 32, 32), True, np.float16)
    out = BatchNorm2d(2, affine=False)(x)
    assert out.dtype == np.float16
    assert abs(float(out.array.astype(np.float32).mean())) < 1e-2
    out.sum().backward()
    assert x.grad is not None
    assert np.isfinite(x.grad.array).all()


def test_what_is_refused() -> None:
    x = Tensor(normal(1, 3))
    with pytest.raises(ValueError, match="one value a channel"):
        batch_norm(x, None, None, training=True)
    with pytest.raises(ValueError, match="needs running statistics"):
        batch_norm(x, None, None)
    with pytest.raises(ShapeError, match=r"3 channels, but weight has shape \(2,\)"):
        batch_norm(Tensor(normal(4, 3)), None, None, Tensor(normal(2)), training=True)
    with pytest.raises(ShapeError, match=r"3 channels, but mean has shape \(4,\)"):
        batch_norm(Tensor(normal(4, 3)), Tensor(normal(4)), Tensor(normal(4)), training=True)
    with pytest.raises(ShapeError, match=r"BatchNorm2d takes \(N, C, rows, columns\)"):
        BatchNorm2d(3)(x)
    with pytest.raises(ShapeError, match=r"have to be \(4,\), not \(1, 3\)"):
        layer_norm(x, 4)
    with pytest.raises(ShapeError, match=r"the bias has to be \(3,\), not \(2,\)"):
        layer_norm(x, 3, bias=Tensor(normal(2)))
