"""Fully connected layers one after the other, with the bends between them, as one operation, for
where nobody looks between them.

Whoever looks at its node (at its operation, its recipe, its parents, its place in an order) finds
a node for each layer: what those would hold is kept, so nothing is computed anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

import numpy as np

from engine.functions.extremes import maximum, zero_for
from engine.functions.linear import (
    LINEAR,
    LINEAR_PARTS,
    fit,
    linear,
    linear_back1,
    ones,
)
from engine.functions.linear_relu import LINEAR_RELU, before_relu, linear_relu
from engine.fusion import Fusion
from engine.registry import Array
from engine.state import STATE, SWITCHES
from engine.tensor import Tensor, bare_tensor
from engine.wrapping import fused_node, operation_of


def linear_layers(inputs: Sequence[Tensor], bends: Sequence[bool]) -> Tensor:
    """Each layer applied to the result of the one before.

    Args:
        inputs: x, and then weight and bias of each layer; see `engine.linear`.
        bends: for each layer, whether relu comes after it.

    Raises:
        ShapeError: the shapes do not belong together.
    """
    if not isinstance(inputs[0], Tensor) or not _FUSION.allowed():
        return _one_by_one(inputs, bends)
    needed = list(map(_REQUIRES_GRAD, inputs))
    is_recorded = not SWITCHES.turned or STATE.grad_enabled
    first = needed.index(True) if is_recorded and True in needed else len(inputs)
    if first > 2:
        # Of layers that no gradient comes to nothing is kept.
        ready = min((first - 1) // 2, len(bends))
        found = _computed(inputs[: 2 * ready + 1], bends[:ready], keeps=False)
        if found is None:
            return _one_by_one(inputs, bends)
        x = bare_tensor(found[0])
        if ready == len(bends):
            return x
        return linear_layers([x, *inputs[2 * ready + 1 :]], bends[ready:])
    found = _computed(inputs, bends, keeps=True)
    if found is None:
        return _one_by_one(inputs, bends)
    out, results = found
    # From the last one back, in the order in which gradients come to them.
    return fused_node(_LINEAR_LAYERS, out, (results, bends, first), tuple(inputs[::-1]))


def _one_by_one(inputs: Sequence[Tensor], bends: Sequence[bool]) -> Tensor:
    x = inputs[0]
    for i, bend in enumerate(bends):
        weight, bias = inputs[2 * i + 1], inputs[2 * i + 2]
        x = linear_relu(x, weight, bias) if bend else linear(x, weight, bias)
    return x


def _computed(
    inputs: Sequence[Tensor], bends: Sequence[bool], keeps: bool
) -> tuple[Array, list[Array]] | None:
    """The result, and, where they are kept, the arrays that went into each layer followed by its
    weight; None where one operation will not do, or an element is exactly at the bend (see
    `linear_relu`)."""
    x = inputs[0].array
    zero = zero_for(x)
    results: list[Array] = []
    place = 1
    for bend in bends:
        weight, bias = inputs[place].array, inputs[place + 1].array
        if not fit(x, weight, bias):
            return None
        if keeps:
            results.append(x)
            results.append(weight)
        x = x.dot(weight.T)
        np.add(x, bias, x)
        if bend:
            if np.count_nonzero(np.equal(x, zero)):
                return None
            np.maximum(x, zero, out=x)
        place += 2
    return x, results


def _joint(grad_out: Array, node: Tensor) -> list[Array | None]:
    """The gradients of all arguments, None where none is needed."""
    inputs = node._inputs[::-1]
    results, bends, first = node._args
    grads: list[Array | None] = [None] * len(inputs)
    needed = list(map(_REQUIRES_GRAD, inputs))
    place = len(inputs) - 1
    out = node.array
    for bend in reversed(bends):
        if bend:
            grad_out = before_relu(grad_out, out)
        out, weight = results[place - 2], results[place - 1]
        if needed[place - 1]:
            grads[place - 1] = linear_back1(grad_out, out, out, weight)
        if needed[place]:
            grads[place] = ones(len(grad_out), grad_out.dtype).dot(grad_out)
        place -= 2
        if place < first:
            break
        grad_out = grad_out.dot(weight)
    else:
        if needed[0]:
            grads[0] = grad_out
    grads.reverse()
    return grads


def _take_apart(node: Tensor) -> None:
    """Let a node be that of the last layer, made from nodes of the layers before it."""
    inputs, (results, bends, _) = node._inputs[::-1], node._args
    x = inputs[0]
    last = len(bends) - 1
    for i, bend in enumerate(bends):
        weight, bias = inputs[2 * i + 1 : 2 * i + 3]
        operation = LINEAR_RELU if bend else LINEAR
        args, parents = (results[2 * i], results[2 * i + 1], bias.array), (x, weight, bias)
        if i == last:
            # On one line, where nothing comes between: no interrupt, no other thread.
            node._op, node._args, node._inputs = operation, args, parents
            return
        x = Tensor.__new__(Tensor)
        x.array = results[2 * i + 2]
        x._grad = x._hooks = x._source = None
        x._made_at = node._made_at
        x._requires_grad = True
        x._op, x._args, x._inputs = operation, args, parents


_REQUIRES_GRAD = attrgetter("_requires_grad")
_FUSION = Fusion(*LINEAR_PARTS, maximum)
_LINEAR_LAYERS = operation_of(linear_layers, "linear")
_LINEAR_LAYERS.joint = _joint
_LINEAR_LAYERS.take_apart = _take_apart
