"""Convolution of images, as products of matrices.

What the windows see is laid out in columns; one product with the kernels then gives all outputs of
an image.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.errors import ShapeError
from engine.functions.columns import chunks, columns
from engine.functions.keywords import stands_for
from engine.functions.windows import (
    Pair,
    Windows,
    add_parts,
    batched,
    padded_shape,
    places,
    windows_on,
    without_padding,
)
from engine.registry import BACK_FUNCS, Array
from engine.tensor import Tensor
from engine.wrapping import wrap_forward_fn

__all__ = ["conv2d", "conv2d_back0", "conv2d_back1", "conv2d_back2"]


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
    out = _slide(images, kernels, windows, groups, ones=bias is not None)
    return out.reshape(*input.shape[:-3], *out.shape[1:])


def _slide(
    images: Array, kernels: Array, windows: Windows, groups: int, ones: bool = False
) -> Array:
    """The kernels (groups, outputs of a group, what a window sees) times what each window sees."""
    outputs = groups * kernels.shape[1]
    out = np.empty((len(images), outputs, *windows.count), np.result_type(images, kernels))
    rows = _rows(out, groups)
    for chunk, seen in columns(images, windows, groups, ones):
        np.matmul(kernels, seen, out=rows[chunk])
    return out


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
    images, rows = batched(input), batched(grad_out)
    backwards = _windows_on_grad(images, rows, windows)
    if backwards is None:
        gradient = _added_up(images, rows, weight, windows, groups)
    else:
        gradient = _slide(rows, _turned_kernels(weight, groups), backwards, groups)
    return gradient.reshape(input.shape)


def _windows_on_grad(images: Array, grad_out: Array, windows: Windows) -> Windows | None:
    """The windows that show each pixel the gradients of the outputs that saw it: with a stride of
    1 the gradient of the images is a convolution too. None where that is not to be done.

    It is slower where outputs are so many that their columns take more than twice the memory of
    the parts that `_added_up` adds.
    """
    reach = [gap * (k - 1) for gap, k in zip(windows.dilation, windows.kernel, strict=True)]
    around = [(r - a, r - b) for r, (a, b) in zip(reach, windows.padding, strict=True)]
    _, channels, rows, columns = images.shape
    if (
        windows.stride != (1, 1)
        or windows.kernel == (1, 1)
        or min(map(min, around)) < 0
        or grad_out.shape[1] * rows * columns > 2 * channels * math.prod(windows.count)
    ):
        return None
    padding = (around[0], around[1])
    return Windows(windows.kernel, (1, 1), windows.dilation, padding, (rows, columns))


def _turned_kernels(weight: Array, groups: int) -> Array:
    """The kernels upside down and from right to left, with inputs and outputs exchanged."""
    outputs, inputs, *size = weight.shape
    turned = weight.reshape(groups, outputs // groups, inputs, *size)[..., ::-1, ::-1]
    return np.swapaxes(turned, 1, 2).reshape(groups, inputs, -1)


def _added_up(
    images: Array, grad_out: Array, weight: Array, windows: Windows, groups: int
) -> Array:
    """The part that each window gives to each pixel that it saw, added up there."""
    kernels = np.swapaxes(_kernels(weight, groups), 1, 2)
    gradient = np.zeros(padded_shape(images, windows), np.result_type(grad_out, weight))
    # With a stride of 1, windows as wide as the padded image make each kernel pixel's part one
    # run of memory: adding it up is several times quicker. What they have too much is zeros.
    across = gradient.shape[3] if windows.stride == (1, 1) else windows.count[1]
    seen = (*windows.kernel, windows.count[0], across)
    for chunk in chunks(len(images), images.shape[1] * math.prod(seen) * gradient.itemsize):
        rows = _widened(grad_out[chunk], across)
        parts = kernels @ _rows(rows, groups)
        parts = parts.reshape(len(rows), images.shape[1], *seen)
        if windows.stride == (1, 1):
            _add_runs(gradient[chunk], parts, windows)
        else:
            add_parts(gradient[chunk], parts, windows)
    return without_padding(gradient, windows)


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
    _, outputs, inputs = _kernels(weight, groups).shape
    grad = np.zeros((groups, inputs, outputs), np.result_type(grad_out, input))
    for chunk, seen in columns(images, windows, groups):
        products = seen @ np.swapaxes(rows[chunk], 2, 3)  # quicker so than the other way round
        grad += products[0] if len(products) == 1 else products.sum(axis=0)
    return np.swapaxes(grad, 1, 2).reshape(weight.shape)


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
