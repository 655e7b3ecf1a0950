"""The elements of convolution and pooling: which windows saw a pixel, and what they saw, by the
first line of the backward function's docstring."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from tui.session.protocol import Array
from tui.session.tensors.slices import Index
from tui.session.worked.terms import Term

Arguments = dict[str, Any]
"""By name, what the backward function was called with."""

Sum = tuple[str, list[Term]]
"""What is added up, in words up to the sum, and its terms."""


class _Axis(NamedTuple):
    """How windows lie on an image, for its rows or for its columns."""

    length: int
    kernel: int
    stride: int
    dilation: int
    before: int
    """How many pixels are put before the image."""
    windows: int

    def seen_in(self, pixel: int) -> Iterator[tuple[int, int]]:
        """Each window that saw a pixel, and where in the window."""
        for offset in range(self.kernel):
            start = pixel + self.before - offset * self.dilation
            window, between = divmod(start, self.stride)
            if not between and 0 <= window < self.windows:
                yield window, offset

    def pixel(self, window: int, offset: int) -> int | None:
        """What a window sees there; None for the padding."""
        pixel = window * self.stride + offset * self.dilation - self.before
        return pixel if 0 <= pixel < self.length else None


def kernels_over_pixel(grad_out: Array, args: Arguments, at: Index) -> Sum:
    """Of the images of a convolution: every kernel in every window that saw the pixel."""
    weight = args["weight"]
    down, across = _axes(grad_out, args, weight.shape[2:])
    groups, (outputs, inputs) = args["groups"], weight.shape[:2]
    *image, channel, row, column = at
    group = channel // inputs
    kernels = range(group * (outputs // groups), (group + 1) * (outputs // groups))
    windows = list(itertools.product(down.seen_in(row), across.seen_in(column)))
    terms: list[Term] = [
        (float(grad_out[(*image, k, y, x)]), float(weight[k, channel % inputs, i, j]))
        for k in kernels
        for (y, i), (x, j) in windows
    ]
    seen = f"seen in {_counted(len(windows), 'window')} by {_counted(len(kernels), 'kernel')}:"
    return seen, terms


def pixels_under_kernel(grad_out: Array, args: Arguments, at: Index) -> Sum:
    """Of the kernels of a convolution: what a weight met in every window of every image."""
    images, weight = args["input"], args["weight"]
    down, across = _axes(grad_out, args, weight.shape[2:])
    kernel, inner, i, j = at
    channel = kernel // (len(weight) // args["groups"]) * weight.shape[1] + inner
    seen = np.zeros((*grad_out.shape[:-3], *grad_out.shape[-2:]))
    for y, x in itertools.product(range(down.windows), range(across.windows)):
        row, column = down.pixel(y, i), across.pixel(x, j)
        if row is not None and column is not None:
            seen[..., y, x] = images[..., channel, row, column]
    grads = grad_out[..., kernel, :, :].astype(float)
    terms: list[Term] = list(zip(grads.ravel().tolist(), seen.ravel().tolist(), strict=True))
    windows = _counted(down.windows * across.windows, "window")
    return f"in {windows} of {_counted(_images(grad_out), 'image')}:", terms


def everywhere(grad_out: Array, args: Arguments, at: Index) -> Sum:
    """Of the biases of a convolution: every element of its channel."""
    (channel,) = at
    index = f"[{':, ' * (grad_out.ndim - 3)}{channel}, :, :]"
    grads = grad_out[..., channel, :, :].astype(float).ravel().tolist()
    return f"the sum of grad_out{index} =", [(grad,) for grad in grads]


SUMS: dict[str, Callable[[Array, Arguments, Index], Sum]] = {
    "grad_out times the kernel, added at each pixel that the window saw": kernels_over_pixel,
    "grad_out times what the window saw, summed over all windows and images": pixels_under_kernel,
    "grad_out, summed over all windows and images": everywhere,
}


def where_largest(grad_out: Array, args: Arguments, at: Index) -> list[Index]:
    """Of what was pooled: the windows of which this pixel was the first largest one."""
    size = args["kernel_size"]
    down, across = _axes(grad_out, args, size if np.ndim(size) else (size, size))
    *lead, row, column = at
    image = args["input"][tuple(lead)]
    windows = itertools.product(down.seen_in(row), across.seen_in(column))
    return [
        (*lead, y, x)
        for (y, _), (x, _) in windows
        if _largest_in(image, down, across, y, x) == (row, column)
    ]


def _largest_in(image: Array, down: _Axis, across: _Axis, y: int, x: int) -> Index:
    """The pixel that a window hands its gradient to: the first NaN, or the first largest."""
    rows = [p for i in range(down.kernel) if (p := down.pixel(y, i)) is not None]
    columns = [p for j in range(across.kernel) if (p := across.pixel(x, j)) is not None]
    seen = image[np.ix_(rows, columns)]
    i, j = np.unravel_index(int(np.argmax(seen)), seen.shape)
    return rows[int(i)], columns[int(j)]


def _axes(grad_out: Array, args: Arguments, kernel: Index) -> tuple[_Axis, _Axis]:
    strides = args["stride"] if args["stride"] is not None else kernel
    down, across = (
        _Axis(length, size, stride, dilation, _before(padding, size, dilation), windows)
        for length, size, stride, dilation, padding, windows in zip(
            args["input"].shape[-2:],
            kernel,
            _pair(strides),
            _pair(args["dilation"]),
            _pair(args["padding"]),
            grad_out.shape[-2:],
            strict=True,
        )
    )
    return down, across


def _before(padding: int | str, kernel: int, dilation: int) -> int:
    if isinstance(padding, str):
        return dilation * (kernel - 1) // 2 if padding == "same" else 0
    return padding


def _pair(value: Any) -> tuple[Any, Any]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def _images(grad_out: Array) -> int:
    return len(grad_out) if grad_out.ndim == 4 else 1


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("s" if count != 1 else "")
