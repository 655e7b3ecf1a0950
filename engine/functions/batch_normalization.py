"""Giving each channel a mean of 0 and a variance of 1 over the batch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.functions.keywords import array_of, stands_for
from engine.inplace import mark_all_changed
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

__all__ = ["batch_norm", "batch_norm_back0", "batch_norm_back1", "batch_norm_back2"]


def _batch_norm(
    input: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    mean: Array | None = None,
    var: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """(input - mean) / sqrt(var + eps) * weight + bias, by channel; the batch's own mean and var
    where none are given."""
    _check_channels(input, weight=weight, bias=bias, mean=mean, var=var)
    centred, scale = _centred_and_scale(input, mean, var, eps)
    if weight is not None:
        scale = scale * weight
    out = np.multiply(centred, scale[:, None])
    if bias is not None:
        out = np.add(out, bias[:, None], out=overwritten(out, bias))
    return out.reshape(input.shape).astype(result_dtype(input, weight, bias), copy=False)


def batch_norm_back0(
    grad_out: Array,
    out: Array,
    input: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    mean: Array | None = None,
    var: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """grad_out * weight / sqrt(var + eps), less what moves the channel's mean and variance

    With given mean and variance nothing is taken off.
    """
    grad = _channels(grad_out)
    centred, scale = _centred_and_scale(input, mean, var, eps)
    if mean is None:
        count = max(1, grad.shape[0] * grad.shape[2])
        along = _dots(grad, centred) / count * scale**2
        grad = grad - (_sums(grad) / count)[:, None]
        grad -= np.multiply(centred, along[:, None], out=overwritten(centred, along))
    factor = scale if weight is None else scale * weight
    own = None if mean is not None else overwritten(grad, factor)  # grad_out is not ours
    return np.multiply(grad, factor[:, None], out=own).reshape(input.shape)


def batch_norm_back1(
    grad_out: Array,
    out: Array,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    mean: Array | None = None,
    var: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """grad_out * (input - mean) / sqrt(var + eps), summed over each channel"""
    centred, scale = _centred_and_scale(input, mean, var, eps)
    return _dots(_channels(grad_out), centred) * scale


def batch_norm_back2(
    grad_out: Array,
    out: Array,
    input: Array,
    weight: Array | None,
    bias: Array,
    *args: Any,
    **kwargs: Any,
) -> Array:
    """grad_out, summed over each channel"""
    return _sums(_channels(grad_out))


_batch_norm_of_arrays = wrap_forward_fn(_batch_norm, name="batch_norm")
BACK_FUNCS.add_back_func(_batch_norm, 0, batch_norm_back0)
BACK_FUNCS.add_back_func(_batch_norm, 1, batch_norm_back1)
BACK_FUNCS.add_back_func(_batch_norm, 2, batch_norm_back2)


@stands_for(_batch_norm_of_arrays)
def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Bring each channel to mean 0 and variance 1, then to `weight` and `bias`.

    Args:
        input: (N, C) or (N, C, ...).
        running_mean: (C,), used for evaluation and moved by training; None where training is on.
        running_var: (C,), the same for the variance.
        weight: (C,), or None for 1.
        bias: (C,), or None for 0.
        training: whether to use the batch's own mean and variance. The running ones are then
            moved towards them, in place and unrecorded.
        momentum: how far they are moved, 0 to 1.
        eps: added to the variance.

    Raises:
        ShapeError: the shapes do not belong together.
        ValueError: one value a channel has no variance to train with, or there are no running
            statistics to evaluate with.
    """
    if not training:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: evaluation (training=False) needs running statistics")
        given = array_of(running_mean), array_of(running_var)
        return _batch_norm_of_arrays(input, weight, bias, *given, eps=eps)
    values = array_of(input)
    _check_channels(values, mean=running_mean, var=running_var)
    count = values.size // max(1, values.shape[1])
    if count == 1:
        raise ValueError(
            f"batch_norm: an input of shape {values.shape} has one value a channel, whose variance "
            "is 0; train with more, or call eval() first"
        )
    out = _batch_norm_of_arrays(input, weight, bias, eps=eps)
    if running_mean is not None and running_var is not None and count:
        mean, var, _ = _statistics(_channels(values))
        _move(running_mean, running_var, mean, var * (count / (count - 1)), momentum)
    return out


def _move(running_mean: Any, running_var: Any, mean: Array, var: Array, momentum: float) -> None:
    arrays = array_of(running_mean), array_of(running_var)
    for running, new in zip(arrays, (mean, var), strict=True):
        running += (momentum * (new - running)).astype(running.dtype, copy=False)
    mark_all_changed(arrays, "batch_norm")


def result_dtype(*arrays: Array | None) -> np.dtype[Any]:
    """NumPy's promotion among the arrays that there are."""
    return np.result_type(*(a for a in arrays if a is not None))


def precise(array: Array) -> Array:
    """In float32 at least: sums of many float16 overflow."""
    return array.astype(np.result_type(array.dtype, np.float32), copy=False)


def overwritten(values: Array, other: Array) -> Array | None:
    """`values`, to take in what is computed of the two, where their dtype can; saves memory that
    would have to be got and given back."""
    return values if np.result_type(values, other) == values.dtype else None


def _check_channels(input: Array, **others: Any) -> None:
    if input.ndim < 2:
        raise ShapeError(f"batch_norm takes (N, channels, ...), not {input.shape}")
    for name, other in others.items():
        if other is not None and other.shape != (input.shape[1],):
            raise ShapeError(
                f"the input {input.shape} has {input.shape[1]} channels, but {name} has shape "
                f"{other.shape}"
            )


def _channels(input: Array) -> Array:
    """(N, channels, values)."""
    n, channels, *rest = input.shape
    return precise(input).reshape(n, channels, math.prod(rest))


def _sums(values: Array) -> Array:
    """(N, channels, values) to (channels,)."""
    n, channels, length = values.shape
    ones = np.ones(length, values.dtype)
    sums: Array = (values.reshape(n * channels, length) @ ones).reshape(n, channels).sum(axis=0)
    return sums


def _dots(values: Array, others: Array) -> Array:
    """The sums of the products, (N, channels, values) to (channels,)."""
    dots: Array = np.vecdot(values, others).sum(axis=0)
    return dots


def _statistics(values: Array) -> tuple[Array, Array, Array]:
    """Mean and variance of each channel, and the values less the mean."""
    count = max(1, values.shape[0] * values.shape[2])
    mean = _sums(values) / count
    centred = values - mean[:, None]
    return mean, _dots(centred, centred) / count, centred


def _centred_and_scale(
    input: Array, mean: Array | None, var: Array | None, eps: float
) -> tuple[Array, Array]:
    values = _channels(input)
    if mean is None or var is None:
        _, var, centred = _statistics(values)
    else:
        centred = values - mean[:, None]
    return centred, 1 / np.sqrt(var + eps)
