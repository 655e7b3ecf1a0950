"""The windows through which convolution and pooling see an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from engine.errors import ShapeError
from engine.registry import Array

Pair = int | Sequence[int]
"""One number for both directions, or one for the rows and one for the columns."""
Two = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Windows:
    """Where the windows lie on an image; each field for the rows and for the columns."""

    kernel: Two
    """How many pixels a window sees."""
    stride: Two
    """How far it is from one window to the next."""
    dilation: Two
    """How far it is from one seen pixel to the next."""
    padding: tuple[Two, Two]
    """How many pixels are put before and after the image."""
    count: Two
    """How many windows there are."""


def pair(name: str, value: Any, least: int = 0) -> Two:
    """`value` for the rows and for the columns.

    Raises:
        ValueError: it is neither an integer nor two of them, or one is less than `least`.
    """
    try:
        both = (value, value) if np.ndim(value) == 0 else tuple(value)
        first, second = (index(v) for v in both)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is an integer or two of them, not {value!r}") from None
    if min(first, second) < least:
        raise ValueError(f"{name} counts from {least}, not {value!r}")
    return first, second


def windows_on(
    image: tuple[int, ...],
    kernel: Two,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    ceil_mode: bool = False,
) -> Windows:
    """The windows on images of shape (..., rows, columns).

    Args:
        image: the images' shape.
        kernel: the pixels that a window sees.
        stride: from one window to the next.
        padding: pixels around the image; "valid" for none, "same" for as many windows as pixels.
        dilation: from one seen pixel to the next.
        ceil_mode: whether a last window may reach beyond the padding.

    Raises:
        ShapeError: not one window fits.
        ValueError: an argument is none that it can be.
    """
    steps, gaps = pair("stride", stride, 1), pair("dilation", dilation, 1)
    spans = [gap * (k - 1) + 1 for gap, k in zip(gaps, kernel, strict=True)]
    around = _around(padding, steps, spans)
    size = image[-2:]
    counts, ends = [], []
    for length, span, step, (before, after) in zip(size, spans, steps, around, strict=True):
        free = length + before + after - span
        count = free // step + 1
        if ceil_mode and free % step and count * step < length + before:
            count += 1
        counts.append(count)
        ends.append((before, after + max(0, (count - 1) * step - free)))
    if min(counts) < 1:
        room = tuple(length + a + b for length, (a, b) in zip(size, around, strict=True))
        raise ShapeError(
            f"the kernel sees {spans[0]} rows and {spans[1]} columns, but the image with its "
            f"padding has {room[0]} and {room[1]}"
        )
    return Windows(kernel, steps, gaps, (ends[0], ends[1]), (counts[0], counts[1]))


def _around(padding: Pair | str, steps: Two, spans: list[int]) -> list[Two]:
    if not isinstance(padding, str):
        return [(p, p) for p in pair("padding", padding)]
    if padding == "valid":
        return [(0, 0), (0, 0)]
    if padding != "same":
        raise ValueError(f"padding is an integer, two of them, 'valid' or 'same', not {padding!r}")
    if steps != (1, 1):
        raise ValueError(f"padding='same' needs a stride of 1, not {steps}")
    return [((span - 1) // 2, span // 2) for span in spans]


def places(windows: Windows) -> list[Two]:
    """Row and column, within the kernel, of each pixel that a window sees."""
    rows, columns = windows.kernel
    return [(i, j) for i in range(rows) for j in range(columns)]


def spans(windows: Windows) -> Two:
    """How many rows and columns there are from the first to the last pixel that a window sees."""
    (rows, columns), (row_gap, column_gap) = windows.kernel, windows.dilation
    return row_gap * (rows - 1) + 1, column_gap * (columns - 1) + 1


def batched(image: Array) -> Array:
    """An image without N as a batch of one; a batch as it is."""
    return image if image.ndim == 4 else image[None]


def padded(images: Array, windows: Windows, fill: float = 0.0) -> Array:
    """The images (N, C, rows, columns) with the padding around them."""
    if windows.padding == ((0, 0), (0, 0)):
        return images
    wide = np.full(padded_shape(images, windows), fill, images.dtype)
    without_padding(wide, windows)[...] = images
    return wide


def padded_shape(images: Array, windows: Windows) -> tuple[int, ...]:
    """The shape of the images with their padding."""
    n, channels, rows, columns = images.shape
    (top, bottom), (left, right) = windows.padding
    return n, channels, top + rows + bottom, left + columns + right


def without_padding(wide: Array, windows: Windows) -> Array:
    """The images inside their padding, a view."""
    (top, bottom), (left, right) = windows.padding
    return wide[:, :, top : wide.shape[2] - bottom, left : wide.shape[3] - right]


def seen_through(images: Array, windows: Windows) -> Array:
    """The padded images as (N, C, kernel rows, kernel columns, windows down, windows across).

    A view: no pixel is copied.
    """
    n, channels, down, across = images.strides
    (row_step, column_step), (row_gap, column_gap) = windows.stride, windows.dilation
    return as_strided(
        images,
        (*images.shape[:2], *windows.kernel, *windows.count),
        (n, channels, down * row_gap, across * column_gap, down * row_step, across * column_step),
    )


def add_parts(wide: Array, parts: Array, windows: Windows) -> None:
    """The adjoint of seeing: add each part to the pixel that was seen.

    Args:
        wide: the padded images.
        parts: in the shape of `seen_through`; lengths of 1 stand for all.
        windows: as the images were seen through.
    """
    pixels = seen_through(wide, windows)
    parts = np.broadcast_to(parts, pixels.shape)
    for i, j in places(windows):
        pixels[:, :, i, j] += parts[:, :, i, j]
