"""Exponentials that are made to sum to one, without ever overflowing."""

from __future__ import annotations

import numpy as np

from engine.functions.dims import Dims, accumulating, axes_of, axis_of, keeping_dims
from engine.registry import BACK_FUNCS, Array
from engine.wrapping import wrap_forward_fn


def _as_float(result: Array, x: Array) -> Array:
    """A result in `x`'s dtype; in its own where `x` holds integers."""
    return result.astype(x.dtype, copy=False) if x.dtype.kind == "f" else result


def _largest(x: Array, axes: tuple[int, ...]) -> Array:
    return np.asarray(np.max(x, axis=axes, keepdims=True, initial=-np.inf))


def _logsumexp(x: Array, dim: Dims, keepdim: bool = False) -> Array:
    """log(sum(exp(x))) along `dim`; -inf where there is nothing but -inf."""
    axes, wide = axes_of(x, dim), accumulating(x)
    largest = _largest(wide, axes)
    largest = np.where(np.isfinite(largest), largest, 0).astype(wide.dtype)
    with np.errstate(divide="ignore", over="ignore"):
        total = np.log(np.sum(np.exp(wide - largest), axis=axes, keepdims=True)) + largest
    return _as_float(total if keepdim else np.squeeze(total, axes), x)


def logsumexp_back(
    grad_out: Array, out: Array, x: Array, dim: Dims, keepdim: bool = False
) -> Array:
    """grad_out * exp(x - out)

    0 where there is nothing but -inf.
    """
    total = keeping_dims(out, x, dim)
    with np.errstate(invalid="ignore"):
        share = np.exp(x - np.where(total == -np.inf, 0, total).astype(total.dtype))
    return np.asarray(keeping_dims(grad_out, x, dim) * share)


logsumexp = wrap_forward_fn(_logsumexp, name="logsumexp")
BACK_FUNCS.add_back_func(_logsumexp, 0, logsumexp_back)


def _softmax(x: Array, dim: int) -> Array:
    """exp(x) / sum(exp(x)) along `dim`: positive numbers that sum to one."""
    axes, wide = axes_of(x, axis_of(x, dim)), accumulating(x)
    with np.errstate(invalid="ignore"):
        powers = np.exp(wide - _largest(wide, axes))
    return _as_float(np.asarray(powers / np.sum(powers, axis=axes, keepdims=True)), x)


def softmax_back(grad_out: Array, out: Array, x: Array, dim: int) -> Array:
    """out * (grad_out - sum(grad_out * out))

    The sum is along dim: a row's elements share what they sum to.
    """
    pull = np.sum(grad_out * out, axis=axes_of(x, dim), keepdims=True)
    return np.asarray(out * (grad_out - pull))


softmax = wrap_forward_fn(_softmax, name="softmax")
BACK_FUNCS.add_back_func(_softmax, 0, softmax_back)


def _log_softmax(x: Array, dim: int) -> Array:
    """log(softmax(x)) along `dim`."""
    axes, wide = axes_of(x, axis_of(x, dim)), accumulating(x)
    with np.errstate(invalid="ignore", divide="ignore"):
        below = wide - _largest(wide, axes)
        logs = below - np.log(np.sum(np.exp(below), axis=axes, keepdims=True))
    return _as_float(np.asarray(logs), x)


def log_softmax_back(grad_out: Array, out: Array, x: Array, dim: int) -> Array:
    """grad_out - exp(out) * sum(grad_out)

    The sum is along dim.
    """
    total = np.sum(grad_out, axis=axes_of(x, dim), keepdims=True)
    return np.asarray(grad_out - np.exp(out) * total)


log_softmax = wrap_forward_fn(_log_softmax, name="log_softmax")
BACK_FUNCS.add_back_func(_log_softmax, 0, log_softmax_back)
