"""Fully connected layers one after the other, with the bends between them, as one operation, for
where nobody looks between them.

Whoever looks at its node (at its operation, its recipe, its parents, its place in an order) finds
a node for each layer: what those would hold is kept, so nothing is computed anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import attrgetter, is_
from typing import Any, NamedTuple

import numpy as np

from engine.functions.constants import MANY, ZERO, ones, zeros
from engine.functions.extremes import maximum
from engine.functions.linear import LINEAR, LINEAR_PARTS, fit, linear
from engine.functions.linear_relu import LINEAR_RELU, before_relu, linear_relu
from engine.fusion import Fusion
from engine.registry import Array
from engine.state import STATE, SWITCHES
from engine.tensor import FLOAT32, Tensor, bare_tensor
from engine.wrapping import fused_node, operation_of


class LinearLayers:
    """Layers, each applied to the result of the one before; called with a Tensor.

    What has to be found out of the parameters is found out once: it costs as much as a layer on
    small batches.

    Args:
        parameters: of each layer weight and bias; see `engine.linear`.
        bends: for each layer, whether relu comes after it.
    """

    def __init__(self, parameters: Sequence[tuple[Tensor, Tensor]], bends: Sequence[bool]) -> None:
        self._parameters = parameters
        self._bends = bends
        self._tensors = [tensor for of_layer in parameters for tensor in of_layer]
        self._backwards = tuple(
            tensor for weight, bias in reversed(parameters) for tensor in (bias, weight)
        )
        self._arrays: list[Array] = []
        """Of all these, when they were last looked at."""
        self._layers: tuple[_Layer, ...] = ()
        self._goes_in: tuple[int, ...] = ()
        """The shape of what goes into the first, without its rows."""
        self._dtype: np.dtype[Any] | None = None
        """Of all of them; None where one operation will not do."""

    def __call__(self, x: Tensor) -> Tensor:
        """What the first layer takes, to what the last one (or the bend after it) gives.

        Raises:
            ShapeError: the shapes do not belong together.
        """
        if not isinstance(x, Tensor) or not _FUSION.allowed():
            return self._one_by_one(x)
        weight, bias = self._parameters[0]
        if (SWITCHES.turned and not STATE.grad_enabled) or not (
            weight._requires_grad or bias._requires_grad or x._requires_grad
        ):
            return self._after_layers_without_gradients(x)
        results = self._results_for(x.array, keeps=True)
        if results is None:
            return self._one_by_one(x)
        array = results.pop()
        # From the last one back, in the order in which gradients come to them.
        inputs = (*self._backwards, x)
        return fused_node(_LINEAR_LAYERS, array, (results, self._layers), inputs)

    def _after_layers_without_gradients(self, x: Tensor) -> Tensor:
        """Of layers that no gradient comes to nothing is kept."""
        ready = count = len(self._bends)
        if not SWITCHES.turned or STATE.grad_enabled:
            needed = [
                weight._requires_grad or bias._requires_grad for weight, bias in self._parameters
            ]
            ready = needed.index(True) if True in needed else count
        layers = LinearLayers(self._parameters[:ready], self._bends[:ready])
        results = layers._results_for(x.array, keeps=False)
        if results is None:
            return self._one_by_one(x)
        x = bare_tensor(results[-1])
        if ready == count:
            return x
        return LinearLayers(self._parameters[ready:], self._bends[ready:])(x)

    def _one_by_one(self, x: Tensor) -> Tensor:
        for (weight, bias), bend in zip(self._parameters, self._bends, strict=True):
            x = linear_relu(x, weight, bias) if bend else linear(x, weight, bias)
        return x

    def _results_for(self, x: Array, keeps: bool) -> list[Array] | None:
        """The arrays that go into each layer (where they are kept), and the one that comes out of
        the last; None where one operation will not do, or an element is exactly at the bend (see
        `linear_relu`)."""
        if x.dtype is not self._dtype or not all(
            map(is_, map(_ARRAY, self._tensors), self._arrays)
        ):
            self._look_at_parameters()
            if x.dtype is not self._dtype:
                return None
        if x.shape[1:] != self._goes_in:
            return None
        results = [x]
        dtype, add, equal = x.dtype, np.add, np.equal
        zero = ZERO if dtype is FLOAT32 else 0.0
        for _, _, transposed, bias, bends in self._layers:
            x = x.dot(transposed)
            add(x, bias, x)
            if bends:
                # The same as `np.count_nonzero`, which is a function in Python.
                if 1 in equal(x, zero).tobytes():
                    return None
                np.maximum(x, zeros(x.shape, dtype) if x.size <= MANY else zero, out=x)
            if not keeps:
                results.clear()
            results.append(x)
        return results

    def _look_at_parameters(self) -> None:
        self._arrays = [tensor.array for tensor in self._tensors]
        self._dtype = None
        if any(weight.array.ndim != 2 for weight, _ in self._parameters):
            return
        goes_in = self._arrays[0]
        self._goes_in = goes_in.shape[1:]
        layers = []
        for (weight, bias), bends in zip(self._parameters, self._bends, strict=True):
            array = weight.array
            if not fit(goes_in, array, bias.array):
                return
            by_column = array.strides[0] < array.strides[1]
            goes_in = array.T
            layers.append(_Layer(array, by_column, goes_in, bias.array, bends))
        self._layers = tuple(layers)
        self._dtype = goes_in.dtype


class _Layer(NamedTuple):
    weight: Array
    by_column: bool
    """Whether the weight lies column by column in memory."""
    transposed: Array
    bias: Array
    bends: bool


def _joint(grad_out: Array, node: Tensor) -> list[Array | None]:
    """The gradients of all arguments, None where none is needed."""
    grads, last = _gradients(grad_out, node, are_finite=True)
    # Where an infinite one was multiplied by 0, all those below it are NaN.
    if math.isfinite(last.dot(last)):
        return grads
    return _gradients(grad_out, node, are_finite=False)[0]


def _gradients(grad_out: Array, node: Tensor, are_finite: bool) -> tuple[list[Array | None], Array]:
    """The gradients of all arguments, and of the layers' results the one computed last.

    Args:
        are_finite: whether all are taken to be finite, so that a product with 0 is 0.
    """
    results, layers = node._args
    inputs, out = node._inputs, node.array
    grads: list[Array | None] = []
    dtype = grad_out.dtype
    vector, zero = ones(len(grad_out), dtype), ZERO if dtype is FLOAT32 else 0.0
    above: Array | None = None
    for (weight, by_column, _, _, bends), goes_in, bias, parameter in zip(
        layers[::-1], results[::-1], inputs[::2], inputs[1::2], strict=False
    ):
        if above is not None:
            grad_out = grad_out.dot(above)
        if bends:
            if not are_finite:
                grad_out = before_relu(grad_out, out)
            elif above is None:
                grad_out = grad_out * np.not_equal(out, zero)
            else:
                np.multiply(grad_out, np.not_equal(out, zero), grad_out)
        sums = vector.dot(grad_out)
        grads.append(sums if bias._requires_grad else None)
        if not parameter._requires_grad:
            grads.append(None)
        elif by_column:
            # In the weight's own layout, as `linear_back1`.
            grads.append(goes_in.T.dot(grad_out).T)
        else:
            grads.append(grad_out.T.dot(goes_in))
        out, above = goes_in, weight
    if above is not None and inputs[-1]._requires_grad:
        grads.append(grad_out.dot(above))
    else:
        grads.append(None)
    return grads, sums


def _take_apart(node: Tensor) -> None:
    """Let a node be that of the last layer, made from nodes of the layers before it."""
    inputs, (results, layers) = node._inputs[::-1], node._args
    x = inputs[0]
    last = len(layers) - 1
    for i, layer in enumerate(layers):
        operation = LINEAR_RELU if layer.bends else LINEAR
        args = results[i], layer.weight, layer.bias
        parents = (x, *inputs[2 * i + 1 : 2 * i + 3])
        if i == last:
            # On one line, where nothing comes between: no interrupt, no other thread.
            node._op, node._args, node._inputs = operation, args, parents
            return
        x = Tensor.__new__(Tensor)
        x.array = results[i + 1]
        x._grad = x._hooks = x._source = None
        x._made_at = node._made_at
        x._requires_grad = True
        x._op, x._args, x._inputs = operation, args, parents


_ARRAY = attrgetter("array")
_FUSION = Fusion(*LINEAR_PARTS, maximum)
_LINEAR_LAYERS = operation_of(LinearLayers, "linear")
_LINEAR_LAYERS.joint = _joint
_LINEAR_LAYERS.take_apart = _take_apart
