"""Giving the last dimensions of each example a mean of 0 and a variance of 1."""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.functions.batch_normalization import overwritten, precise, result_dtype
from engine.functions.keywords import stands_for
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

__all__ = ["layer_norm", "layer_norm_back0", "layer_norm_back1", "layer_norm_back2"]


def _layer_norm(
    input: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    normalized_shape: tuple[int, ...] = (),
    eps: float = 1e-5,
) -> Array:
    """(input - mean) / sqrt(var + eps) * weight + bias, over the last dimensions."""
    _check_last(input, weight, bias, normalized_shape)
    rows, scale = _centred_rows(input, normalized_shape, eps)
    rows *= scale
    out = rows.reshape(input.shape)
    if weight is not None:
        out = np.multiply(out, weight, out=overwritten(out, weight))
    if bias is not None:
        out = np.add(out, bias, out=overwritten(out, bias))
    return out.astype(result_dtype(input, weight, bias), copy=False)


def layer_norm_back0(
    grad_out: Array,
    out: Array,
    input: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    normalized_shape: tuple[int, ...] = (),
    eps: float = 1e-5,
) -> Array:
    """grad_out * weight / sqrt(var + eps), less what moves the row's mean and variance"""
    rows, scale = _centred_rows(input, normalized_shape, eps)
    grad = (grad_out if weight is None else grad_out * weight).reshape(rows.shape)
    length = max(1, rows.shape[1])
    mean = _row_sums(grad) / length
    along = np.vecdot(grad, rows)[:, None] / length * scale**2
    own = None if weight is None else overwritten(grad, mean)  # grad_out is not ours
    result: Array = np.subtract(grad, mean, out=own)
    result -= np.multiply(rows, along, out=overwritten(rows, along))
    result *= scale
    return result.reshape(input.shape)


def layer_norm_back1(
    grad_out: Array,
    out: Array,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    normalized_shape: tuple[int, ...] = (),
    eps: float = 1e-5,
) -> Array:
    """grad_out * (input - mean) / sqrt(var + eps), summed over the rows"""
    rows, scale = _centred_rows(input, normalized_shape, eps)
    grad = grad_out.reshape(rows.shape)
    products = np.multiply(grad, rows, out=overwritten(rows, grad))
    return (scale[:, 0] @ products).reshape(weight.shape)


def layer_norm_back2(
    grad_out: Array, out: Array, input: Array, weight: Array | None, bias: Array, **kwargs: Any
) -> Array:
    """grad_out, summed over the rows"""
    rows = precise(grad_out).reshape(grad_out.size // max(1, bias.size), bias.size)
    return (np.ones(len(rows), rows.dtype) @ rows).reshape(bias.shape)


_layer_norm_of_arrays = wrap_forward_fn(_layer_norm, name="layer_norm")
BACK_FUNCS.add_back_func(_layer_norm, 0, layer_norm_back0)
BACK_FUNCS.add_back_func(_layer_norm, 1, layer_norm_back1)
BACK_FUNCS.add_back_func(_layer_norm, 2, layer_norm_back2)


@stands_for(_layer_norm_of_arrays)
def layer_norm(
    input: Any,
    normalized_shape: Any,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Tensor:
    """Bring the last dimensions of each example to mean 0 and variance 1.

    Args:
        input: (..., *normalized_shape).
        normalized_shape: the lengths of the dimensions that are normalised together; an integer
            for the last one alone.
        weight: of that shape, or None for 1.
        bias: of that shape, or None for 0.
        eps: added to the variance.

    Raises:
        ShapeError: the shapes do not belong together.
    """
    return _layer_norm_of_arrays(
        input, weight, bias, normalized_shape=lengths(normalized_shape), eps=eps
    )


def lengths(shape: Any) -> tuple[int, ...]:
    """A shape that may be given as one integer."""
    return tuple(map(index, shape)) if isinstance(shape, (tuple, list)) else (index(shape),)


def _check_last(
    input: Array, weight: Array | None, bias: Array | None, shape: tuple[int, ...]
) -> None:
    if not shape or input.shape[-len(shape) :] != shape:
        raise ShapeError(f"the input's last dimensions have to be {shape}, not {input.shape}")
    for name, other in (("weight", weight), ("bias", bias)):
        if other is not None and other.shape != shape:
            raise ShapeError(f"the {name} has to be {shape}, not {other.shape}")


def _centred_rows(input: Array, shape: tuple[int, ...], eps: float) -> tuple[Array, Array]:
    """The values less the mean of their row as (rows, length), and 1 / sqrt(var + eps) of each
    row."""
    length = math.prod(shape)
    rows = precise(input).reshape(input.size // max(1, length), length)
    centred = rows - _row_sums(rows) / max(1, length)
    scale = 1 / np.sqrt(np.vecdot(centred, centred)[:, None] / max(1, length) + eps)
    return centred, scale


def _row_sums(rows: Array) -> Array:
    return (rows @ np.ones(rows.shape[1], rows.dtype))[:, None]
