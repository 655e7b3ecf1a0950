"""What windows see, laid out as the columns of a matrix (im2col), a few images at a time.

The columns of those few images stay in the processor's cache: quicker than all at once, and no
columns are held for the backward pass.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.functions.windows import Windows, padded, seen_through
from engine.registry import Array

CHUNK_BYTES = 1 << 20
"""How much memory the columns of the images that are worked on at a time may take."""

_NO_PADDING = ((0, 0), (0, 0))


def chunks(count: int, size: int) -> Iterator[slice]:
    """Slices of images whose columns, of `size` bytes each, fit into the cache together."""
    step = max(1, CHUNK_BYTES // max(1, size))
    return (slice(start, start + step) for start in range(0, count, step))


def columns(
    images: Array, windows: Windows, groups: int, ones: bool = False
) -> Iterator[tuple[slice, Array]]:
    """The columns of a few images at a time; the same memory is filled again with the next ones.

    Args:
        images: (N, C, rows, columns), without their padding.
        windows: where they lie.
        groups: into how many parts the channels are divided.
        ones: whether a row of ones comes last.

    Yields:
        Which images, and (images, groups, what a window sees, windows).
    """
    wide = padded(images, windows)
    n, channels = wide.shape[:2]
    (rows, across), windows_in_all = windows.kernel, windows.count[0] * windows.count[1]
    inputs = channels // groups * rows * across
    size = groups * (inputs + ones) * windows_in_all * wide.itemsize
    buffer: Array | None = None
    strips: Array | None = None
    for chunk in chunks(n, size):
        part = wide[chunk]
        if buffer is None:
            buffer = np.empty((len(part), groups, inputs + ones, windows_in_all), wide.dtype)
            buffer[:, :, inputs:] = 1
            strips = _strips(part, windows)
        filled = buffer[: len(part)]
        seen = seen_through(part, windows) if strips is None else _seen_in(strips, part, windows)
        shape = (len(part), groups, channels // groups, *windows.kernel, *windows.count)
        split = filled[:, :, :inputs].reshape(shape)  # a view of the same memory
        np.copyto(split, seen.reshape(shape))
        yield chunk, filled


def _strips(images: Array, windows: Windows) -> Array | None:
    """Memory for `_seen_in`; None where it would not be quicker."""
    if windows.stride[0] != 1 or windows.kernel[0] == 1:
        return None
    n, channels, height, _ = images.shape
    shape = (n, channels, windows.kernel[1], height, windows.count[1])
    return np.empty(shape, images.dtype)


def _seen_in(strips: Array, images: Array, windows: Windows) -> Array:
    """`seen_through`, for windows that move down by single rows.

    First the pixels that one column of the kernel sees are brought together, in strips as wide as
    there are windows across. There all that one pixel of the kernel sees is one run of memory,
    which is copied several times faster than many short ones.
    """
    _, channels, columns, height, across = strips.shape
    (rows, _), (down, _) = windows.kernel, windows.count
    step, (row_gap, column_gap) = windows.stride[1], windows.dilation
    sideways = Windows((1, columns), (1, step), (1, column_gap), _NO_PADDING, (height, across))
    downwards = Windows((rows, 1), (1, 1), (row_gap, 1), _NO_PADDING, (down, across))
    filled = strips[: len(images)]
    np.copyto(filled, seen_through(images, sideways)[:, :, 0])
    seen = seen_through(filled.reshape(-1, channels * columns, height, across), downwards)
    return np.swapaxes(seen.reshape(-1, channels, columns, rows, down, across), 2, 3)
