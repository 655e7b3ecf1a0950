"""Errors say which operation, which shapes, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import engine
from engine import ShapeError, Tensor

WRONG: list[tuple[Callable[[Tensor], Any], str]] = [
    (lambda x: x.sum(2), r"sum: x \(2, 3\): there is no dim 2: dims go from -2 to 1"),
    (lambda x: x.mean((0, 0)), r"mean: x \(2, 3\): dim \(0, 0\) names a dimension twice"),
    (lambda x: x.softmax(-3), r"softmax: .* there is no dim -3"),
    (lambda x: x.max(5), r"max: .* there is no dim 5"),
    (lambda x: x.argmax(5), r"argmax: .* there is no dim 5"),
    (lambda x: x.sort(5), r"sort: .* there is no dim 5"),
    (lambda x: x.cumsum(2), r"cumsum: .* there is no dim 2"),
    (lambda x: x.unsqueeze(4), r"unsqueeze: .* there is no dim 4: dims go from -3 to 2"),
    (lambda x: x.reshape(4, 2), r"reshape: x \(2, 3\): 6 elements do not fit the shape \(4, 2\)"),
    (lambda x: x.view(-1, 4), r"view: .* 6 elements do not fit"),
    (lambda x: x.T.view(6), r"view: .* without a copy: use reshape"),
    (lambda x: x.permute(0, 2), r"permute: .* there is no dim 2"),
    (lambda x: x.permute(0), r"permute: .* have to name each of the 2 dimensions once"),
    (lambda x: x.permute(0, 0), r"permute: .* twice"),
    (lambda x: x.expand(4, 3), r"expand: .* only a length of 1 can be made longer, to be \(4, 3\)"),
    (lambda x: x.expand(3), r"expand: .* has to keep the 2 dimensions"),
    (lambda x: x.flatten(1, 0), r"flatten: .* start_dim 1 comes after end_dim 0"),
    (lambda x: engine.cat([]), r"cat: there has to be at least one tensor"),
    (
        lambda x: engine.cat([x, x.T]),
        r"cat: .*\(3, 2\): tensor 1 differs from tensor 0 not only along",
    ),
    (lambda x: engine.cat([x, x[0]]), r"cat: .*tensor 1 differs"),
    (lambda x: engine.cat([Tensor(1.0)]), r"cat: .*0-d tensor has no dimension.*stack"),
    (lambda x: engine.cat([x, x], dim=2), r"cat: .*there is no dim 2"),
    (
        lambda x: engine.stack([x, x.T]),
        r"stack: x \(2, 3\) and \(3, 2\): tensor 1 has not the shape",
    ),
    (lambda x: engine.stack([x, x], dim=3), r"stack: .*there is no dim 3: dims go from -3 to 2"),
    (lambda x: x.split([1, 3]), r"split: the lengths \[1, 3\] do not add up to 2, that of dim 0"),
    (lambda x: x.split(0), r"split: the parts have at least length 1, not 0"),
    (lambda x: x.split(1, 2), r"split: .*there is no dim 2"),
    (lambda x: engine.pad(x, (1,)), r"pad: .* two widths \(before, after\)"),
    (lambda x: engine.pad(x, (-2, -2)), r"pad: .* cuts off more than there is"),
    (lambda x: x.dot(x), r"dot: two vectors of one length are wanted, not \(2, 3\) and \(2, 3\)"),
    (lambda x: x.outer(x[0]), r"outer: two vectors are wanted"),
    (lambda x: x @ x, r"matmul: x \(2, 3\) and x \(2, 3\) do not go together: .* 3 .* 2$"),
    (lambda x: x @ Tensor(2.0), r"matmul: .* a number is multiplied with \*"),
    (lambda x: x**x.T, r"pow: .*do not broadcast"),
    (lambda x: engine.where(x > 0, x, x.T), r"where: .*do not broadcast"),
    (lambda x: Tensor(np.zeros((0, 2))).max(), r"max: .*there are no elements to choose from"),
    (lambda x: Tensor(np.zeros((0, 2))).amin(0), r"amin: .*there are no elements"),
    (lambda x: Tensor(np.zeros(0)).argmax(), r"argmax: .*there are no elements"),
]


@pytest.mark.parametrize(("call", "message"), WRONG, ids=[message for _, message in WRONG])
def test_message(call: Callable[[Tensor], Any], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        call(Tensor(np.zeros((2, 3)), requires_grad=True))


@pytest.mark.parametrize(
    ("widths", "options", "error", "words"),
    [
        ((1, 1), {"mode": "mirror"}, ValueError, "mode is one of .*, not 'mirror'"),
        ((1, 1), {"mode": "reflect", "value": 1.0}, ValueError, "takes no value, and 1.0"),
        ((3, 0), {"mode": "reflect"}, ShapeError, "dim 1, which has length 3, is at most 2 wide"),
        ((0, 4), {"mode": "circular"}, ShapeError, "dim 1, which has length 3, is at most 3 wide"),
        ((-2, -2), {"mode": "replicate"}, ShapeError, "cuts off more than there is"),
        ((-2, -2), {}, ShapeError, "cuts off more than there is"),
        ((1,), {"mode": "circular"}, ShapeError, "two widths"),
        ((1, 1, 1, 1, 1, 1), {"mode": "circular"}, ShapeError, "for at most 2"),
    ],
)
def test_what_pad_refuses(
    widths: tuple[int, ...], options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=f"^pad: .*{words}"):
        engine.pad(Tensor(np.ones((2, 3))), widths, **options)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
def test_nothing_fills_no_border(mode: str) -> None:
    with pytest.raises(ShapeError, match="has length 0, is at most 0 wide"):
        engine.pad(Tensor(np.ones((2, 0))), (1, 0), mode=mode)


def test_a_keyword_tensor_still_gets_its_gradient() -> None:
    low = Tensor([0.0], requires_grad=True)
    Tensor([-1.0, 1.0]).clamp(min=low).sum().backward()
    assert low.grad.tolist() == [1.0]
