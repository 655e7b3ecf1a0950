"""conv2d: values, gradients, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_reference import check_differences, check_torch, normal

import engine
from engine import ShapeError, Tensor
from engine.functions import columns
from engine.functions.convolution import conv2d
from engine.registry import BACK_FUNCS

CASES: list[dict[str, Any]] = [
    {},
    {"stride": 2},
    {"stride": (2, 3), "padding": (1, 2)},
    {"padding": 2},
    {"padding": "same"},
    {"padding": "valid", "dilation": 2},
    {"padding": "same", "dilation": (1, 2)},
    {"stride": 2, "padding": 1, "dilation": (2, 1), "groups": 2},
    {"groups": 4, "padding": 1},
]


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("batch", [0, 1, 2])
def test_gradients_are_central_differences(case: dict[str, Any], batch: int) -> None:
    groups = case.get("groups", 1)
    check_differences(
        lambda x, w, b: conv2d(x, w, b, **case),
        normal(batch, 4, 5, 7),
        normal(4, 4 // groups, 3, 2),
        normal(4),
    )


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("size", [(3, 4, 9, 6), (4, 7, 8), (1, 4, 5, 5)])
def test_as_pytorch(case: dict[str, Any], size: tuple[int, ...]) -> None:
    torch = pytest.importorskip("torch")
    weight = normal(8, 4 // case.get("groups", 1), 2, 3)
    check_torch(
        lambda x, w, b: conv2d(x, w, b, **case),
        lambda x, w, b: torch.nn.functional.conv2d(x, w, b, **case),
        normal(*size),
        weight,
        normal(8),
    )


def test_1x1_without_bias_and_by_keyword() -> None:
    torch = pytest.importorskip("torch")
    check_torch(
        lambda x, w: conv2d(input=x, weight=w),
        lambda x, w: torch.nn.functional.conv2d(x, w),
        normal(2, 3, 4, 4),
        normal(5, 3, 1, 1),
    )


def test_a_bias_given_by_keyword_gets_its_gradient() -> None:
    check_differences(
        lambda x, w, b: conv2d(x, weight=w, bias=b),
        normal(1, 1, 3, 3),
        normal(2, 1, 2, 2),
        normal(2),
    )


def test_many_images_are_worked_on_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(columns, "CHUNK_BYTES", 3000)
    for stride, outputs in ((1, 4), (1, 12), (2, 4), ((1, 2), 4), ((2, 1), 4)):
        for groups in (1, 2):
            options = {"stride": stride, "padding": 1, "groups": groups}
            check_torch(
                lambda x, w, b, o=options: conv2d(x, w, b, **o),
                lambda x, w, b, o=options: torch.nn.functional.conv2d(x, w, b, **o),
                normal(7, 4, 5, 5),
                normal(outputs, 4 // groups, 3, 3),
                normal(outputs),
            )


@pytest.mark.parametrize("kernel", [(1, 3), (3, 1), (1, 1), (2, 5)], ids=str)
@pytest.mark.parametrize("padding", [0, 1, (0, 4)], ids=str)
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("outputs", [1, 2, 9])
def test_kernels_of_any_form(kernel: Any, padding: Any, dilation: int, outputs: int) -> None:
    torch = pytest.importorskip("torch")
    options = {"padding": padding, "dilation": dilation}
    check_torch(
        lambda x, w, b: conv2d(x, w, b, **options),
        lambda x, w, b: torch.nn.functional.conv2d(x, w, b, **options),
        normal(2, 2, 6, 9),
        normal(outputs, 2, *kernel),
        normal(outputs),
    )


def test_memory_order_and_dtypes_do_not_matter() -> None:
    x, w = normal(2, 3, 6, 5), normal(4, 3, 3, 3)
    plain = conv2d(Tensor(x, dtype=float), Tensor(w, dtype=float)).array
    turned = np.ascontiguousarray(x.transpose(2, 3, 1, 0)).transpose(3, 2, 0, 1)
    np.testing.assert_allclose(conv2d(Tensor(turned, dtype=float), w).array, plain)
    half = conv2d(Tensor(x, dtype=np.float16), Tensor(w, dtype=np.float16))
    assert half.dtype == np.float16
    np.testing.assert_allclose(half.array, plain, atol=0.05)


def test_one_node_whose_parts_the_registry_knows() -> None:
    x, w = Tensor(normal(1, 1, 3, 3)), Tensor(normal(1, 1, 2, 2), requires_grad=True)
    out = conv2d(x, w)
    assert out.op == "conv2d"
    assert out.recipe is not None
    assert out.recipe.parents == {0: x, 1: w}
    assert BACK_FUNCS.get_back_func(conv2d, 1) is engine.conv2d_back1
    out.backward(np.ones(out.shape))
    assert x.grad is None


@pytest.mark.parametrize(
    ("image", "weight", "options", "words"),
    [
        ((1, 3, 5, 5), (4, 2, 3, 3), {}, r"\(1, 3, 5, 5\).*\(4, 2, 3, 3\).* 2 input channels.* 3"),
        ((1, 3, 5, 5), (4, 1, 3, 3), {"groups": 2}, "groups=2 has to divide.* 3 channels.* 4"),
        ((1, 3, 5, 5), (4, 3, 3, 3), {"groups": 0}, "groups=0"),
        ((1, 3, 2, 9), (4, 3, 3, 3), {}, "sees 3 rows and 3 columns.* 2 and 9"),
        ((3, 5), (4, 3, 3, 3), {}, "images are"),
        ((1, 3, 5, 5), (4, 3, 3, 3), {"bias": np.zeros(3)}, r"bias has to be \(4,\)"),
        ((1, 3, 5, 5), (4, 3, 3, 3), {"padding": "full"}, "'valid' or 'same', not 'full'"),
        ((1, 3, 5, 5), (4, 3, 3, 3), {"padding": "same", "stride": 2}, "needs a stride of 1"),
        ((1, 3, 5, 5), (4, 3, 3, 3), {"stride": 0}, "stride counts from 1, not 0"),
        ((1, 3, 5, 5), (4, 3, 3, 3), {"dilation": 1.5}, "dilation is an integer or two"),
        ((1, 3, 5, 5), (4, 3, 3, 3), {"padding": (1, 2, 3)}, "padding is an integer or two"),
    ],
)
def test_what_is_refused(
    image: tuple[int, ...], weight: tuple[int, ...], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ShapeError, match=words):
        conv2d(Tensor(normal(*image)), Tensor(normal(*weight)), **options)
