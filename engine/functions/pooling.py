"""Making images smaller: the largest or the mean of each window."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.functions.keywords import stands_for
from engine.functions.windows import (
    Pair,
    Windows,
    add_parts,
    batched,
    padded,
    padded_shape,
    pair,
    places,
    seen_through,
    spans,
    windows_on,
    without_padding,
)
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

__all__ = [
    "adaptive_avg_pool2d",
    "adaptive_avg_pool2d_back",
    "avg_pool2d",
    "avg_pool2d_back",
    "max_pool2d",
    "max_pool2d_back",
]


def _max_pool2d(
    input: Array,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> Array:
    """The largest that each window sees."""
    windows = _windows(input, kernel_size, stride, padding, dilation, ceil_mode)
    seen = _seen(input, windows, _lowest(input))
    out = seen[:, :, 0, 0].copy()
    for i, j in places(windows):
        np.maximum(out, seen[:, :, i, j], out=out)
    return out.reshape(*input.shape[:-2], *windows.count)


def max_pool2d_back(
    grad_out: Array,
    out: Array,
    input: Array,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> Array:
    """grad_out where input was the largest of the window

    Of equals the first gets it all; a window that saw NaN gives it to the first NaN.
    """
    windows = _windows(input, kernel_size, stride, padding, dilation, ceil_mode)
    seen = _seen(input, windows, _lowest(input))
    largest, grad = batched(out), batched(grad_out)
    has_nan = largest.dtype.kind == "f" and bool(np.isnan(largest).any())
    finite = bool(np.isfinite(grad).all())
    wide = np.zeros(padded_shape(batched(input), windows), grad.dtype)
    pixels = seen_through(wide, windows)
    waiting = np.ones(largest.shape, bool)
    apart = all(step >= size for step, size in zip(windows.stride, spans(windows), strict=True))
    for i, j in places(windows):
        found = seen[:, :, i, j] == largest
        if has_nan:
            found |= np.isnan(seen[:, :, i, j])
        found &= waiting
        waiting ^= found
        # The product is quicker, but of infinity and 0 it would be NaN.
        if not finite:
            pixels[:, :, i, j] += np.where(found, grad, 0)
        elif apart:
            np.multiply(grad, found, out=pixels[:, :, i, j])
        else:
            pixels[:, :, i, j] += grad * found
    return without_padding(wide, windows).reshape(input.shape)


_max_pool2d_of_arrays = wrap_forward_fn(_max_pool2d, name="max_pool2d")
BACK_FUNCS.add_back_func(_max_pool2d, 0, max_pool2d_back)


@stands_for(_max_pool2d_of_arrays)
def max_pool2d(
    input: Any,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest value of each window.

    Args:
        input: (N, C, rows, columns), or one image without N.
        kernel_size: how many rows and columns a window sees.
        stride: from one window to the next; the kernel size where it is None.
        padding: how far windows reach over the edge, at most half the kernel; nothing is there.
        dilation: from one pixel of a window to the next.
        ceil_mode: whether the last window may reach further over the edge.

    Raises:
        ShapeError: the input is no image, or no window fits.
        ValueError: an argument is none that it can be.
    """
    return _max_pool2d_of_arrays(
        input,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        ceil_mode=ceil_mode,
    )


def _avg_pool2d(
    input: Array,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """The mean of what each window sees."""
    windows = _windows(input, kernel_size, stride, padding, 1, ceil_mode)
    seen = _seen(input, windows, 0)
    total = seen[:, :, 0, 0].copy()
    for i, j in places(windows):
        if (i, j) != (0, 0):
            total += seen[:, :, i, j]
    divisor = divisor_override or _counts(input, windows, padding, count_include_pad)
    return np.true_divide(total, divisor).reshape(*input.shape[:-2], *windows.count)


def avg_pool2d_back(
    grad_out: Array,
    out: Array,
    input: Array,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Array:
    """grad_out / pixels in the window, added at each of them"""
    windows = _windows(input, kernel_size, stride, padding, 1, ceil_mode)
    divisor = divisor_override or _counts(input, windows, padding, count_include_pad)
    share = np.true_divide(batched(grad_out), divisor)
    wide = np.zeros(padded_shape(batched(input), windows), share.dtype)
    add_parts(wide, share[:, :, None, None], windows)
    return without_padding(wide, windows).reshape(input.shape)


_avg_pool2d_of_arrays = wrap_forward_fn(_avg_pool2d, name="avg_pool2d")
BACK_FUNCS.add_back_func(_avg_pool2d, 0, avg_pool2d_back)


@stands_for(_avg_pool2d_of_arrays)
def avg_pool2d(
    input: Any,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window.

    Args:
        input: (N, C, rows, columns), or one image without N.
        kernel_size: how many rows and columns a window sees.
        stride: from one window to the next; the kernel size where it is None.
        padding: zeros around the images, at most half the kernel.
        ceil_mode: whether the last window may reach beyond the padding.
        count_include_pad: whether those zeros count in the mean.
        divisor_override: what to divide each window's sum by instead.

    Raises:
        ShapeError: the input is no image, or no window fits.
        ValueError: an argument is none that it can be.
    """
    return _avg_pool2d_of_arrays(
        input,
        kernel_size=kernel_size,
        stride=stride,
        padding=padding,
        ceil_mode=ceil_mode,
        count_include_pad=count_include_pad,
        divisor_override=divisor_override,
    )


def _adaptive_avg_pool2d(input: Array, output_size: Any) -> Array:
    """rows_to_means @ input @ columns_to_means.T"""
    down, across = _means(input, output_size)
    return down @ input @ across.T


def adaptive_avg_pool2d_back(grad_out: Array, out: Array, input: Array, output_size: Any) -> Array:
    """grad_out / pixels in the window, added at each of them"""
    down, across = _means(input, output_size)
    return down.T @ grad_out @ across


_adaptive_avg_pool2d_of_arrays = wrap_forward_fn(_adaptive_avg_pool2d, name="adaptive_avg_pool2d")
BACK_FUNCS.add_back_func(_adaptive_avg_pool2d, 0, adaptive_avg_pool2d_back)


@stands_for(_adaptive_avg_pool2d_of_arrays)
def adaptive_avg_pool2d(input: Any, output_size: Any) -> Tensor:
    """The means of as many windows as wanted, which share the image as evenly as whole pixels can.

    Args:
        input: (N, C, rows, columns), or one image without N.
        output_size: the windows down and across, or one number for both; None in a direction
            keeps its size. 1 is the mean of the whole image.

    Raises:
        ShapeError: the input is no image.
        ValueError: there is no such output size.
    """
    return _adaptive_avg_pool2d_of_arrays(input, output_size=output_size)


def _windows(
    input: Array,
    kernel_size: Pair,
    stride: Pair | None,
    padding: Pair,
    dilation: Pair,
    ceil_mode: bool,
) -> Windows:
    _check_image(input)
    kernel, around = pair("kernel_size", kernel_size, 1), pair("padding", padding)
    if any(2 * p > k for p, k in zip(around, kernel, strict=True)):
        raise ValueError(f"padding {around} is more than half of the kernel {kernel}")
    step = kernel if stride is None else stride
    return windows_on(input.shape, kernel, step, around, dilation, ceil_mode)


def _check_image(input: Array) -> None:
    if input.ndim not in (3, 4):
        raise ShapeError("images are (N, channels, rows, columns) or without N")


def _seen(input: Array, windows: Windows, fill: float) -> Array:
    return seen_through(padded(batched(input), windows, fill), windows)


def _lowest(input: Array) -> float:
    return -np.inf if input.dtype.kind == "f" else int(np.iinfo(input.dtype).min)


def _counts(input: Array, windows: Windows, padding: Pair, with_padding: bool) -> Array | int:
    """How many pixels each window sees; where it goes beyond the padding, nothing is."""
    rows, columns = windows.kernel
    if not any(before or after for before, after in windows.padding):
        return rows * columns
    lengths = []
    for axis, around in enumerate(pair("padding", padding)):
        size = input.shape[axis - 2]
        start = np.arange(windows.count[axis]) * windows.stride[axis] - around
        end = np.minimum(start + windows.kernel[axis], size + around)
        if not with_padding:
            start, end = np.maximum(start, 0), np.minimum(end, size)
        lengths.append(end - start)
    counts: Array = np.outer(lengths[0], lengths[1]).astype(input.dtype)
    return counts


def _means(input: Array, output_size: Any) -> tuple[Array, Array]:
    """For the rows and for the columns: (windows, pixels), 1 / pixels of a window where it sees."""
    _check_image(input)
    wanted = output_size if isinstance(output_size, (tuple, list)) else (output_size, output_size)
    size = input.shape[-2:]
    counts = [s if w is None else w for s, w in zip(size, wanted, strict=True)]
    matrices = []
    for length, count in zip(size, pair("output_size", counts, 1), strict=True):
        matrix = np.zeros((count, length), input.dtype if input.dtype.kind == "f" else np.float32)
        for i in range(count):
            start, end = i * length // count, -(-(i + 1) * length // count)
            matrix[i, start:end] = 1 / (end - start)
        matrices.append(matrix)
    return matrices[0], matrices[1]
