"""Fully connected layers one after the other, with the bends between them, as one operation, for
where nobody looks between them.

Whoever looks at its node (at its operation, its recipe, its parents, its place in an order) finds
a node for each layer: what those would hold is kept, so nothing is computed anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

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
        self._arrays: list[Array]
        """Of all these, when they were last looked at."""
        self._layers: tuple[_Layer, ...] = ()
        self._goes_in: tuple[int, ...] = ()
        """The shape of what goes into the first, without its rows."""
        self._dtype: np.dtype[Any] | None = None
        """Of all of them; None where one operation will not do."""
        self._look_at_parameters()

    def __call__(self, x: Tensor) -> Tensor:
        """What the first layer takes, to what the last one (or the bend after it) gives.

        Raises:
            ShapeError: the shapes do not belong together.
        """
        if not isinstance(x, Tensor):
            return self._one_by_one(x)
        weight, bias = self._parameters[0]
        recorded = not SWITCHES.turned or STATE.grad_enabled
        keeps = recorded and (weight._requires_grad or bias._requires_grad or x._requires_grad)
        if x._requires_grad and any(tensor is x for tensor in self._tensors):
            return self._one_by_one(x)
        if recorded and not keeps:
            later = self._first_with_gradients()
            if later is not None:
                first = LinearLayers(self._parameters[:later], self._bends[:later])
                return LinearLayers(self._parameters[later:], self._bends[later:])(first(x))
        result = x.array
        dtype = result.dtype
        for tensor, array in zip(self._tensors, self._arrays, strict=True):
            if tensor.array is not array:
                self._look_at_parameters()
                break
        if dtype is not self._dtype or result.shape[1:] != self._goes_in:
            return self._one_by_one(x)
        goes_in: list[Array] = []
        add, equal = np.add, np.equal
        zero = ZERO if dtype is FLOAT32 else 0.0
        for _, _, transposed, biases, bends in self._layers:
            if keeps:
                goes_in.append(result)
            result = result.dot(transposed)
            add(result, biases, result)
            if bends:
                # An element exactly at the bend lets half of its gradient through (see
                # `linear_relu`). The same as `np.count_nonzero`, which is a function in Python.
                if 1 in equal(result, zero).tobytes():
                    return self._one_by_one(x)
                few = result.size <= MANY
                np.maximum(result, zeros(result.shape, dtype) if few else zero, out=result)
        if not keeps:
            return bare_tensor(result)
        # From the last one back, in the order in which gradients come to them.
        return fused_node(_LINEAR_LAYERS, result, (goes_in, self._layers), (*self._backwards, x))

    def _first_with_gradients(self) -> int | None:
        """The first layer with a parameter that requires grad."""
        for i, (weight, bias) in enumerate(self._parameters):
            if weight._requires_grad or bias._requires_grad:
                return i
        return None

    def _one_by_one(self, x: Tensor) -> Tensor:
        for (weight, bias), bend in zip(self._parameters, self._bends, strict=True):
            x = linear_relu(x, weight, bias) if bend else linear(x, weight, bias)
        return x

    def _look_at_parameters(self) -> None:
        self._arrays = [tensor.array for tensor in self._tensors]
        self._dtype = None
        if any(weight.array.ndim != 2 for weight, _ in self._parameters):
            return
        if len({*self._tensors}) < len(self._tensors):
            return  # what comes to a layer that is used twice is added up first
        goes_in = self._arrays[0]
        self._goes_in = goes_in.shape[1:]
        layers = []
        for (weight, bias), bends in zip(self._parameters, self._bends, strict=True):
            array = weight.array
            if not fit(goes_in, array, bias.array):
                return
            by_column = array.strides[0] < array.strides[1]
            goes_in = array.T
            layers.append((array, by_column, goes_in, bias.array, bends))
        self._layers = tuple(layers)
        self._dtype = goes_in.dtype


_Layer = tuple[Array, bool, Array, Array, bool]
"""The weight, whether it lies column by column in memory, the weight transposed, the bias, and
whether relu comes after them."""


def _joint(grad_out: Array, node: Tensor, are_finite: bool = True) -> list[Array | None]:
    """The gradients of all arguments, None where none is needed.

    Args:
        grad_out: the gradient of the result.
        node: made by `LinearLayers`.
        are_finite: whether all are taken to be finite, so that a product with 0 is 0.
    """
    handed_down = grad_out
    results, layers = node._kept_args
    inputs, out = node._kept_inputs, node.array
    grads: list[Array | None] = []
    vector = ones(len(grad_out), grad_out.dtype)
    above: Array | None = None
    leaves = iter(inputs)
    for (weight, by_column, _, _, bends), goes_in, bias, parameter in zip(
        reversed(layers), reversed(results), leaves, leaves, strict=False
    ):
        if above is not None:
            grad_out = grad_out.dot(above)
        if bends:
            if not are_finite:
                grad_out = before_relu(grad_out, out)
            elif above is None:
                grad_out = grad_out * np.sign(out)
            else:
                np.multiply(grad_out, np.sign(out), grad_out)
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
    # Where an infinite one was multiplied by 0, all those below it are NaN.
    if are_finite and not isfinite(sums.dot(sums)):
        return _joint(handed_down, node, are_finite=False)
    return grads


def _take_apart(node: Tensor) -> None:
    """Let a node be that of the last layer, made from nodes of the layers before it."""
    inputs, (results, layers) = node._kept_inputs[::-1], node._kept_args
    x = inputs[0]
    last = len(layers) - 1
    for i, (weight, _, _, bias, bends) in enumerate(layers):
        operation = LINEAR_RELU if bends else LINEAR
        args = results[i], weight, bias
        parents = (x, *inputs[2 * i + 1 : 2 * i + 3])
        if i == last:
            node.set_history(operation, args, parents)
            return
        x = Tensor.__new__(Tensor)
        x.array = results[i + 1]
        x._grad = x._hooks = x._source = None
        x._made_at = node._made_at
        x._requires_grad = True
        x.set_history(operation, args, parents)


FUSION = Fusion(*LINEAR_PARTS, maximum)
_LINEAR_LAYERS = operation_of(LinearLayers, "linear")
_LINEAR_LAYERS.joint = _joint
_LINEAR_LAYERS.take_apart = _take_apart
