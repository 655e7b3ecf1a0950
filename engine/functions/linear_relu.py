"""A fully connected layer and the bend after it as one operation, for where nobody looks between
them."""

from __future__ import annotations

from math import isfinite

import numpy as np

from engine.functions.constants import ones, zero_for, zeros_for
from engine.functions.extremes import maximum, relu
from engine.functions.linear import (
    LINEAR_PARTS,
    affine,
    fit,
    linear,
    linear_back0,
    linear_back1,
    linear_back2,
)
from engine.fusion import Fusion
from engine.registry import BACK_FUNCS, OUT, Array
from engine.tensor import Tensor
from engine.wrapping import fused_node, operation_of


def linear_relu(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`relu(linear(x, weight, bias))`; arguments, result and errors are those of `engine.linear`.

    One operation where nobody looks, and no element is exactly at the bend.
    """
    if _FUSION.allowed() and bias is not None and isinstance(x, Tensor):
        rows, weights, biases = x.array, weight.array, bias.array
        if fit(rows, weights, biases):
            out = affine(rows, weights, biases)
            # Exactly at 0 half of the gradient comes through, and which zeros of the result were
            # zeros before can be seen only here.
            zero = zero_for(out)
            if not np.count_nonzero(np.equal(out, zero)):
                np.maximum(out, zeros_for(out), out=out)
                arrays = rows, weights, biases
                return fused_node(LINEAR_RELU, out, arrays, (x, weight, bias))
    return relu(linear(x, weight, bias))


def _linear_relu(x: Array, weight: Array, bias: Array) -> Array:
    return np.asarray(np.maximum(affine(x, weight, bias), 0))


def _joint(grad_out: Array, node: Tensor) -> list[Array | None]:
    inputs, (x, weight, _) = node._kept_inputs, node._kept_args
    # What `before_relu` gives, and quicker: the result is 0 or more.
    grad = np.sign(node.array)
    np.multiply(grad_out, grad, grad)
    vector = ones(len(grad), grad.dtype)
    sums = vector.dot(grad)
    # Where an infinite one was multiplied by 0, or the result is NaN, its sum is NaN.
    if not isfinite(sums.dot(sums)):
        grad = before_relu(grad_out, node.array)
        sums = vector.dot(grad)
    return [
        grad.dot(weight) if inputs[0]._requires_grad else None,
        linear_back1(grad, grad, x, weight) if inputs[1]._requires_grad else None,
        sums if inputs[2]._requires_grad else None,
    ]


def before_relu(grad_out: Array, out: Array) -> Array:
    """The gradient of what went into relu, none of which was 0."""
    comes_through = np.not_equal(out, zero_for(out))  # also where the result is NaN
    return np.where(comes_through, grad_out, 0).astype(grad_out.dtype, copy=False)


def linear_relu_back0(grad_out: Array, out: Array, x: Array, weight: Array, bias: Array) -> Array:
    """(grad_out * (out > 0)) @ weight"""
    return linear_back0(before_relu(grad_out, out), out, x, weight)


def linear_relu_back1(grad_out: Array, out: Array, x: Array, weight: Array, bias: Array) -> Array:
    """(grad_out * (out > 0)).T @ x"""
    return linear_back1(before_relu(grad_out, out), out, x, weight)


def linear_relu_back2(grad_out: Array, out: Array, x: Array, weight: Array, bias: Array) -> Array:
    """sum(grad_out * (out > 0), dim=0)"""
    return linear_back2(before_relu(grad_out, out), out, x, weight, bias)


_FUSION = Fusion(*LINEAR_PARTS, maximum)
BACK_FUNCS.add_back_func(_linear_relu, 0, linear_relu_back0, reads=(OUT, 1))
BACK_FUNCS.add_back_func(_linear_relu, 1, linear_relu_back1, reads=(OUT, 0))
BACK_FUNCS.add_back_func(_linear_relu, 2, linear_relu_back2, reads=(OUT,))
LINEAR_RELU = operation_of(_linear_relu, "linear_relu")
LINEAR_RELU.joint = _joint
