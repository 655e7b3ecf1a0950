"""The affine map of a fully connected layer."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from engine.functions.arithmetic import add
from engine.functions.linear_algebra import matmul
from engine.functions.shape import permute
from engine.fusion import Fusion
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn


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
    if _FUSION.allowed() and x.ndim == 2:
        return _linear_without_bias(x, weight) if bias is None else _linear(x, weight, bias)
    out = x @ weight.T
    return out if bias is None else out + bias


_FUSION = Fusion(permute, matmul, add)


def _affine(x: Array, weight: Array, bias: Array) -> Array:
    out: Array = x @ weight.T
    if out.dtype == np.result_type(out, bias):
        return np.add(out, bias, out=out)
    return out + bias


def _product(x: Array, weight: Array) -> Array:
    return x @ weight.T


def linear_back0(grad_out: Array, out: Array, x: Array, weight: Array, bias: Any = None) -> Array:
    """grad_out @ weight"""
    return grad_out @ weight


def linear_back1(grad_out: Array, out: Array, x: Array, weight: Array, bias: Any = None) -> Array:
    """grad_out.T @ x"""
    # In the weight's own layout, or adding the two up would take many times as long.
    if weight.strides[0] < weight.strides[1]:
        return (x.T @ grad_out).T
    return grad_out.T @ x


def linear_back2(grad_out: Array, out: Array, x: Array, weight: Array, bias: Array) -> Array:
    """sum(grad_out, dim=0)"""
    # A product with ones sums the rows several times faster than NumPy's sum along dimension 0.
    return _ones(len(grad_out), grad_out.dtype) @ grad_out


@functools.lru_cache(maxsize=8)
def _ones(length: int, dtype: np.dtype[Any]) -> Array:
    ones = np.ones(length, dtype)
    ones.flags.writeable = False
    return ones


_linear = wrap_forward_fn(_affine, name="linear")
_linear_without_bias = wrap_forward_fn(_product, name="linear")
for _function in (_affine, _product):
    BACK_FUNCS.add_back_func(_function, 0, linear_back0)
    BACK_FUNCS.add_back_func(_function, 1, linear_back1)
BACK_FUNCS.add_back_func(_affine, 2, linear_back2)
