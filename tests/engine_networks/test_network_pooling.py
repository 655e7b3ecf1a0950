"""max_pool2d, avg_pool2d, adaptive_avg_pool2d: values, gradients, ties, what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_reference import apart, check_differences, check_torch, leaves, normal

from engine import ShapeError, Tensor
from engine.functions.pooling import adaptive_avg_pool2d, avg_pool2d, max_pool2d

CASES: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": (3, 2), "stride": 1},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 2, "stride": 3},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "stride": 2, "padding": 1, "ceil_mode": True},
]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("batch", [0, 1, 2])
def test_gradients_are_central_differences(case: dict[str, Any], batch: int) -> None:
    check_differences(lambda x: max_pool2d(x, **case), apart(batch, 2, 5, 6))
    check_differences(lambda x: avg_pool2d(x, **case), normal(batch, 2, 5, 6))
    without = {**case, "count_include_pad": False}
    check_differences(lambda x: avg_pool2d(x, **without), normal(batch, 2, 5, 6))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_as_pytorch(case: dict[str, Any]) -> None:
    functional = pytest.importorskip("torch").nn.functional
    ties = np.round(normal(3, 2, 7, 6))
    check_torch(lambda x: max_pool2d(x, **case), lambda x: functional.max_pool2d(x, **case), ties)
    for extra in ({}, {"count_include_pad": False}, {"divisor_override": 3}):
        both = {**case, **extra}
        check_torch(
            lambda x, o=both: avg_pool2d(x, **o),
            lambda x, o=both: functional.avg_pool2d(x, **o),
            normal(2, 7, 6),
        )


@pytest.mark.parametrize("size", [1, (1, 1), 3, (2, 5), (None, 4), (7, 6)])
def test_adaptive_as_pytorch(size: Any) -> None:
    functional = pytest.importorskip("torch").nn.functional
    check_torch(
        lambda x: adaptive_avg_pool2d(x, size),
        lambda x: functional.adaptive_avg_pool2d(x, size),
        normal(2, 3, 7, 6),
    )
    check_differences(lambda x: adaptive_avg_pool2d(x, size), normal(1, 1, 7, 6))


def test_dilated_as_pytorch() -> None:
    functional = pytest.importorskip("torch").nn.functional
    check_torch(
        lambda x: max_pool2d(x, 2, 1, dilation=(2, 3)),
        lambda x: functional.max_pool2d(x, 2, 1, dilation=(2, 3)),
        apart(2, 2, 6, 7),
    )


def test_of_equals_the_first_gets_the_gradient() -> None:
    (x,) = leaves(np.zeros((1, 1, 2, 4)))
    max_pool2d(x, 2).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[[1, 0, 1, 0], [0, 0, 0, 0]]]]


def test_nan_and_infinite_gradients_stay_where_they_belong() -> None:
    (x,) = leaves(np.array([[[[1.0, np.nan, 3.0, 4.0]]]]))
    out = max_pool2d(x, (1, 2))
    assert np.isnan(out.array[0, 0, 0, 0])
    out.backward(np.array([[[[5.0, np.inf]]]]))
    assert x.grad is not None
    assert x.grad.tolist() == [[[[0, 5, 0, np.inf]]]]


@pytest.mark.parametrize(
    ("shape", "options", "words"),
    [
        ((1, 1, 4, 4), {"kernel_size": 2, "padding": 2}, "more than half of the kernel"),
        ((1, 1, 4, 4), {"kernel_size": 5}, "sees 5 rows and 5 columns.* 4 and 4"),
        ((4, 4), {"kernel_size": 2}, "images are"),
        ((1, 1, 4, 4), {"kernel_size": 0}, "kernel_size counts from 1"),
        ((1, 1, 4, 4), {"kernel_size": 2, "stride": 0}, "stride counts from 1"),
    ],
)
def test_what_is_refused(shape: tuple[int, ...], options: dict[str, Any], words: str) -> None:
    for function in (max_pool2d, avg_pool2d):
        with pytest.raises(ShapeError, match=words):
            function(Tensor(normal(*shape)), **options)


def test_what_adaptive_pooling_refuses() -> None:
    with pytest.raises(ShapeError, match="output_size counts from 1"):
        adaptive_avg_pool2d(Tensor(normal(1, 1, 4, 4)), 0)
    with pytest.raises(ShapeError, match="images are"):
        adaptive_avg_pool2d(Tensor(normal(4, 4)), 1)
