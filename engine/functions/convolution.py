"""Convolution of images, as products of matrices.

What the windows see is laid out in columns (im2col); one product with the kernels then gives all
outputs of an image. That is done for a few images at a time, in one piece of memory that stays in
the processor's cache: quicker than all at once, and no columns are held for the backward pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
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
    places,
    seen_through,
    windows_on,
    without_padding,
)
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

__all__ = ["conv2d", "conv2d_back0", "conv2d_back1", "conv2d_back2"]

CHUNK_BYTES = 1 << 19
"""How much memory the columns of the images that are worked on at a time may take."""


def _conv2d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """Each output is the sum over one window of the input times the kernel, plus the bias."""
    _check(input, weight, bias, groups)
    windows = windows_on(input.shape, weight.shape[2:], stride, padding, dilation)
    images, kernels = batched(input), _kernels(weight, groups)
    if bias is not None:  # one more column, which meets a row of ones
        kernels = np.concatenate((kernels, bias.reshape(groups, -1, 1)), axis=2)
    out = np.empty((len(images), len(weight), *windows.count), np.result_type(input, kernels))
    rows = _rows(out, groups)
    for chunk, columns in _columns(images, windows, groups, ones=bias is not None):
        np.matmul(kernels, columns, out=rows[chunk])
    return out.reshape(*input.shape[:-3], *out.shape[1:])


def conv2d_back0(
    grad_out: Array,
    out: Array,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """grad_out times the kernel, added at each pixel that the window saw"""
    windows = windows_on(input.shape, weight.shape[2:], stride, padding, dilation)
    images = batched(input)
    kernels = np.swapaxes(_kernels(weight, groups), 1, 2)
    gradient = np.zeros(padded_shape(images, windows), np.result_type(grad_out, weight))
    # With a stride of 1, windows as wide as the padded image make each kernel pixel's part one
    # run of memory: adding it up is several times quicker. What they have too much is zeros.
    across = gradient.shape[3] if windows.stride == (1, 1) else windows.count[1]
    seen = (*windows.kernel, windows.count[0], across)
    for chunk in _chunks(len(images), images.shape[1] * math.prod(seen) * gradient.itemsize):
        rows = _widened(batched(grad_out)[chunk], across)
        parts = kernels @ _rows(rows, groups)
        parts = parts.reshape(len(rows), images.shape[1], *seen)
        if windows.stride == (1, 1):
            _add_runs(gradient[chunk], parts, windows)
        else:
            add_parts(gradient[chunk], parts, windows)
    return without_padding(gradient, windows).reshape(input.shape)


def conv2d_back1(
    grad_out: Array,
    out: Array,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Array:
    """grad_out times what the window saw, summed over all windows and images"""
    windows = windows_on(input.shape, weight.shape[2:], stride, padding, dilation)
    images, rows = batched(input), _rows(batched(grad_out), groups)
    kernels = _kernels(weight, groups)
    grad = np.zeros(kernels.shape, np.result_type(grad_out, input))
    for chunk, columns in _columns(images, windows, groups):
        grad += (rows[chunk] @ np.swapaxes(columns, 2, 3)).sum(axis=0)
    return grad.reshape(weight.shape)


def conv2d_back2(
    grad_out: Array, out: Array, input: Array, weight: Array, bias: Array, **kwargs: Any
) -> Array:
    """grad_out, summed over all windows and images"""
    n, channels, down, across = batched(grad_out).shape
    ones = np.ones(down * across, grad_out.dtype)
    sums = grad_out.reshape(n * channels, down * across) @ ones
    grad: Array = sums.reshape(n, channels).sum(axis=0)
    return grad


_conv2d_of_arrays = wrap_forward_fn(_conv2d, name="conv2d")
BACK_FUNCS.add_back_func(_conv2d, 0, conv2d_back0)
BACK_FUNCS.add_back_func(_conv2d, 1, conv2d_back1)
BACK_FUNCS.add_back_func(_conv2d, 2, conv2d_back2)


@stands_for(_conv2d_of_arrays)
def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> Tensor:
    """Slide kernels over images: each output is the sum over a window times a kernel, plus a bias.

    Args:
        input: (N, in, rows, columns), or one image without N.
        weight: (out, in / groups, kernel rows, kernel columns).
        bias: (out,), or None.
        stride: from one window to the next.
        padding: zeros around the images; "valid" for none, "same" for outputs of the input's size.
        dilation: from one pixel of a window to the next.
        groups: into how many parts the channels are divided, each with kernels of its own.

    Returns:
        (N, out, windows down, windows across).

    Raises:
        ShapeError: the shapes do not belong together, or no window fits.
        ValueError: an argument is none that it can be.
    """
    tensors = (input, weight) if bias is None else (input, weight, bias)
    return _conv2d_of_arrays(
        *tensors, stride=stride, padding=padding, dilation=dilation, groups=groups
    )


def _check(input: Array, weight: Array, bias: Array | None, groups: int) -> None:
    if input.ndim not in (3, 4) or weight.ndim != 4:
        raise ShapeError(
            "images are (N, channels, rows, columns) or without N, and the weight is "
            "(out, in / groups, rows, columns)"
        )
    outputs, inputs = weight.shape[:2]
    channels = input.shape[-3]
    if groups < 1 or channels % groups or outputs % groups:
        raise ShapeError(
            f"groups={groups} has to divide the input's {channels} channels and the weight's "
            f"{outputs} outputs"
        )
    if inputs * groups != channels:
        raise ShapeError(
            f"the weight is for {inputs * groups} input channels"
            + (f" ({inputs} in each of {groups} groups)" if groups > 1 else "")
            + f", but the images have {channels}"
        )
    if bias is not None and bias.shape != (outputs,):
        raise ShapeError(f"the bias has to be ({outputs},), one for each output")


def _kernels(weight: Array, groups: int) -> Array:
    """(groups, outputs of a group, what a window sees)."""
    outputs, inputs, rows, columns = weight.shape
    return weight.reshape(groups, outputs // groups, inputs * rows * columns)


def _chunks(count: int, size: int) -> Iterator[slice]:
    """Slices of images whose columns, of `size` bytes each, fit into the cache together."""
    step = max(1, CHUNK_BYTES // max(1, size))
    return (slice(start, start + step) for start in range(0, count, step))


def _columns(
    images: Array, windows: Windows, groups: int, ones: bool = False
) -> Iterator[tuple[slice, Array]]:
    """A few images at a time (as a slice), (images, groups, what a window sees, windows).

    The same memory is filled again with the next images. `ones` puts a row of them at the end.
    """
    seen = seen_through(padded(images, windows), windows)
    n, channels, *kernel, down, across = seen.shape
    parts = (channels // groups, *kernel, down, across)
    inputs = math.prod(parts[:3])
    shape = (groups, inputs + ones, down * across)
    buffer: Array | None = None
    for chunk in _chunks(n, math.prod(shape) * seen.itemsize):
        images_seen = seen[chunk]
        if buffer is None:
            buffer = np.empty((len(images_seen), *shape), seen.dtype)
            buffer[:, :, inputs:] = 1
        columns = buffer[: len(images_seen)]
        split = columns[:, :, :inputs].reshape(-1, groups, *parts)  # a view of the same memory
        np.copyto(split, images_seen.reshape(split.shape))
        yield chunk, columns


def _widened(grad_out: Array, across: int) -> Array:
    """With zeros to the right."""
    n, outputs, down, columns = grad_out.shape
    if columns == across:
        return grad_out
    wide = np.zeros((n, outputs, down, across), grad_out.dtype)
    wide[..., :columns] = grad_out
    return wide


def _add_runs(images: Array, parts: Array, windows: Windows) -> None:
    """`add_parts` for windows as wide as the images, a stride of 1 from one to the next."""
    n, channels, _, columns = images.shape
    flat = images.reshape(n, channels, -1)
    runs = parts.reshape(*parts.shape[:4], -1)
    row_gap, column_gap = windows.dilation
    for i, j in places(windows):
        start = i * row_gap * columns + j * column_gap
        run = flat[:, :, start : start + runs.shape[4]]
        run += runs[:, :, i, j, : run.shape[2]]


def _rows(grad_out: Array, groups: int) -> Array:
    """(N, groups, outputs of a group, windows)."""
    n, outputs, down, across = grad_out.shape
    return grad_out.reshape(n, groups, outputs // groups, down * across)
