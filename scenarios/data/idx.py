"""Reading IDX files, the format that MNIST is distributed in.

A header of big-endian 32-bit words (a magic number that tells the type and the number of
dimensions, then each dimension's size), and after it the elements, row by row.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from .digits import CLASSES, PIXELS, SIDE, Bytes
from .errors import DataError

MEND = "delete it and get it again, by hand or with --data torchvision"

_UNSIGNED_BYTES = 0x0800
_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
# Several times the largest set in this format; a header that claims more is rubbish.
_MOST = 1_000_000


def read_images(path: Path) -> Bytes:
    """The images in an IDX file, plain or compressed with gzip.

    Returns:
        uint8 (N, 784), read-only.

    Raises:
        DataError: The file cannot be read, is damaged, or does not hold images of 28 x 28 pixels.
    """
    with _opened(path) as stream:
        count, height, width = _header(path, stream, dimensions=3)
        if (height, width) != (SIDE, SIDE):
            raise _damaged(path, f"its images are {height} x {width}, not {SIDE} x {SIDE}")
        return _elements(path, stream, count * PIXELS).reshape(count, PIXELS)


def read_labels(path: Path) -> Bytes:
    """The labels in an IDX file, plain or compressed with gzip.

    Returns:
        uint8 (N,), each 0 to 9, read-only.

    Raises:
        DataError: The file cannot be read, is damaged, or has other labels than digits.
    """
    with _opened(path) as stream:
        (count,) = _header(path, stream, dimensions=1)
        labels = _elements(path, stream, count)
    if labels.max() >= CLASSES:
        raise _damaged(path, f"it has the label {labels.max()}, which is no digit")
    return labels


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """The file's content, decompressed where it starts as gzip does, whatever its name says."""
    try:
        with path.open("rb") as plain:
            compressed = plain.read(len(_GZIP)) == _GZIP
            plain.seek(0)
            if not compressed:
                yield plain
                return
            with gzip.GzipFile(fileobj=plain) as stream:
                yield cast(BinaryIO, stream)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, f"decompressing it: {error}") from error
    except OSError as error:
        problem = f"{path} cannot be read ({error.strerror or error})"
        raise DataError(problem, "make it readable, or get it again") from error


def _header(path: Path, stream: BinaryIO, dimensions: int) -> tuple[int, ...]:
    header = _read(stream, 4 * (1 + dimensions))
    if len(header) < 4 * (1 + dimensions):
        raise _damaged(path, f"it ends after {len(header)} bytes, within its header")
    magic, *shape = (int(word) for word in np.frombuffer(header, ">u4"))
    if magic != _UNSIGNED_BYTES + dimensions:
        wanted = _UNSIGNED_BYTES + dimensions
        raise _damaged(path, f"its magic number is 0x{magic:08x} instead of 0x{wanted:08x}")
    if not 0 < shape[0] <= _MOST:
        raise _damaged(path, f"its header claims {shape[0]:,} entries")
    return tuple(shape)


def _elements(path: Path, stream: BinaryIO, count: int) -> Bytes:
    content = _read(stream, count)
    if len(content) < count:
        missing = count - len(content)
        raise _damaged(path, f"it is cut short: {missing:,} of {count:,} bytes are missing")
    # Also makes gzip compare its checksum, which it does at the end only.
    if stream.read(1):
        raise _damaged(path, f"it goes on after the {count:,} bytes that its header announces")
    return np.frombuffer(content, np.uint8)


def _read(stream: BinaryIO, count: int) -> bytes:
    """Up to `count` bytes; memory grows with what is there, not with what a header claims."""
    chunks: list[bytes] = []
    while count and (chunk := stream.read(min(count, _CHUNK))):
        chunks.append(chunk)
        count -= len(chunk)
    return b"".join(chunks)


def _damaged(path: Path, detail: str) -> DataError:
    return DataError(f"{path} is damaged ({detail})", MEND)
