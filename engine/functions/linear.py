"""The affine map of a fully connected layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.functions.arithmetic import add
from engine.functions.constants import ones
from engine.functions.linear_algebra import matmul
from engine.functions.shape import permute
from engine.fusion import Fusion
from engine.registry import BACK_FUNCS, Array
from engine.tensor import FLOAT32, FLOAT64, Tensor
from engine.wrapping import fused_node, operation_of


def linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`x @ weight.T + bias`.

    One operation where nobody looks, three (permute, matmul, add) where the graph is stepped
    through.

    Args:
        x: (..., in)
        weight: (out, in)
        bias: (out,), or None for none.

    Returns:
        (..., out)

    Raises:
        ShapeError: the shapes do not belong together.
    """
    if _FUSION.allowed() and isinstance(x, Tensor):
        if bias is None:
            arrays: tuple[Array, ...] = x.array, weight.array
            inputs: tuple[Tensor, ...] = x, weight
        else:
            arrays, inputs = (x.array, weight.array, bias.array), (x, weight, bias)
        if fit(*arrays):
            return fused_node(LINEAR, affine(*arrays), arrays, inputs)
    out = x @ weight.T
    return out if bias is None else out + bias


LINEAR_PARTS = (permute, matmul, add)
"""What a fused layer stands for."""

_FUSION = Fusion(*LINEAR_PARTS)


def fit(x: Array, weight: Array, bias: Array | None = None) -> bool:
    """Whether one operation will do: matrices of one dtype, whose shapes belong together."""
    dtype = x.dtype
    return (
        (dtype is FLOAT32 or dtype is FLOAT64)
        and dtype is weight.dtype
        and x.ndim == weight.ndim == 2
        and x.shape[1] == weight.shape[1]
        and (bias is None or (dtype is bias.dtype and bias.shape == weight.shape[:1]))
    )


def affine(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """See `linear`, in an array of its own."""
    # On small matrices `dot` takes half a microsecond less than `@`.
    out: Array = x.dot(weight.T)
    return out if bias is None else np.asarray(np.add(out, bias, out))


def _joint(grad_out: Array, node: Tensor) -> list[Array | None]:
    """The gradients of all arguments of a layer, None where none is needed; see `linear_back0` and
    those after it."""
    inputs, args = node._kept_inputs, node._kept_args
    grads: list[Array | None] = [None] * len(inputs)
    if inputs[0]._requires_grad:
        grads[0] = grad_out.dot(args[1])
    if inputs[1]._requires_grad:
        grads[1] = linear_back1(grad_out, grad_out, args[0], args[1])
    if len(inputs) > 2 and inputs[2]._requires_grad:
        grads[2] = ones(len(grad_out), grad_out.dtype).dot(grad_out)
    return grads


def linear_back0(grad_out: Array, out: Array, x: Array, weight: Array, bias: Any = None) -> Array:
    """grad_out @ weight"""
    grad: Array = grad_out.dot(weight)
    return grad


def linear_back1(grad_out: Array, out: Array, x: Array, weight: Array, bias: Any = None) -> Array:
    """grad_out.T @ x"""
    # In the weight's own layout, or adding the two up would take many times as long.
    by_column = weight.strides[0] < weight.strides[1]
    grad: Array = x.T.dot(grad_out).T if by_column else grad_out.T.dot(x)
    return grad


def linear_back2(grad_out: Array, out: Array, x: Array, weight: Array, bias: Array) -> Array:
    """sum(grad_out, dim=0)"""
    grad: Array = ones(len(grad_out), grad_out.dtype).dot(grad_out)
    return grad


BACK_FUNCS.add_back_func(affine, 0, linear_back0, reads=(1,))
BACK_FUNCS.add_back_func(affine, 1, linear_back1, reads=(0,))
BACK_FUNCS.add_back_func(affine, 2, linear_back2, reads=())
LINEAR = operation_of(affine, "linear")
LINEAR.joint = _joint
