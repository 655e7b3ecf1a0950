"""The reader of one IDX file: what is sound comes back, anything else is a DataError."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios.data import DataError
from scenarios.data.digits import Bytes
from scenarios.data.idx import read_images, read_labels

Reader = Callable[[Path], Bytes]

READERS = pytest.mark.parametrize("read", [read_images, read_labels])
# A file is overwritten by each example, so that sharing the folder does no harm.
SHARED_FOLDER = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150
)


def header(*words: int) -> bytes:
    return np.array(words, ">u4").tobytes()


IMAGES = header(0x803, 2, 28, 28) + bytes(range(256)) * 6 + bytes(32)
LABELS = header(0x801, 12) + bytes(range(10)) + b"\0\1"


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gz"])
@pytest.mark.parametrize("name", ["file", "file.gz"])
def test_reads_plain_and_compressed_whatever_the_name(
    compress: Callable[[bytes], bytes], name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(compress(IMAGES))
    images = read_images(path)
    assert images.dtype == np.uint8
    assert images.shape == (2, 784)
    assert images.tobytes() == IMAGES[16:]
    path.write_bytes(compress(LABELS))
    assert read_labels(path).tolist() == [*range(10), 0, 1]


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", "ends after 0 bytes"),
        (IMAGES[:15], "ends after 15 bytes"),
        (IMAGES[:-1], "cut short: 1 of 1,568 bytes"),
        (IMAGES + b"\0", "goes on after the 1,568 bytes"),
        (LABELS + bytes(8), "magic number is 0x00000801 instead of 0x00000803"),
        (b"<html>404</html>", "magic number is 0x3c68746d"),
        (header(0x803, 2, 32, 32) + bytes(2048), "images are 32 x 32, not 28 x 28"),
        (header(0x803, 0, 28, 28), "claims 0 entries"),
        (header(0x803, 2**32 - 1, 28, 28), "claims 4,294,967,295 entries"),
        (gzip.compress(IMAGES)[:-20], "decompressing it"),
        (gzip.compress(IMAGES)[:-8] + bytes(8), "decompressing it: CRC check failed"),
        (gzip.compress(IMAGES)[:10] + b"\xff" * 40, "decompressing it"),
        (b"\x1f\x8b", "decompressing it"),
    ],
)
def test_damaged_images(content: bytes, detail: str, tmp_path: Path) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_images(path)
    message = str(caught.value)
    assert f"{path} is damaged" in message
    assert detail in message
    assert "delete it and get it again" in message
    assert "\n" not in message


def test_label_that_is_no_digit(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_bytes(header(0x801, 3) + bytes([1, 10, 3]))
    with pytest.raises(DataError, match="label 10, which is no digit"):
        read_labels(path)


@READERS
def test_file_that_cannot_be_opened(read: Reader, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "absent")
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path)


@READERS
@SHARED_FOLDER
@given(content=st.binary(max_size=200))
def test_rubbish(read: Reader, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rubbish"
    for blob in (content, gzip.compress(content), b"\x1f\x8b\x08" + content):
        path.write_bytes(blob)
        with pytest.raises(DataError):
            read(path)


@SHARED_FOLDER
@given(words=st.lists(st.integers(0, 2**32 - 1), max_size=3), rest=st.binary(max_size=200))
def test_rubbish_after_a_sound_magic_number(tmp_path: Path, words: list[int], rest: bytes) -> None:
    path = tmp_path / "rubbish"
    path.write_bytes(header(0x803, *words) + rest)
    with pytest.raises(DataError):
        read_images(path)


@READERS
@SHARED_FOLDER
@given(data=st.data())
def test_a_changed_byte_is_noticed_or_harmless(
    read: Reader, tmp_path: Path, data: st.DataObject
) -> None:
    sound = IMAGES if read is read_images else LABELS
    blob = bytearray(gzip.compress(sound, mtime=0))
    position = data.draw(st.integers(0, len(blob) - 1))
    blob[position] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "changed"
    path.write_bytes(blob)
    try:
        content = read(path).tobytes()
    except DataError:
        return
    assert sound.endswith(content)


@READERS
@SHARED_FOLDER
@given(data=st.data(), compressed=st.booleans())
def test_cut_anywhere(read: Reader, tmp_path: Path, data: st.DataObject, compressed: bool) -> None:
    sound = IMAGES if read is read_images else LABELS
    blob = gzip.compress(sound, mtime=0) if compressed else sound
    path = tmp_path / "cut"
    path.write_bytes(blob[: data.draw(st.integers(0, len(blob) - 1))])
    with pytest.raises(DataError):
        read(path)


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["plain", "gz"])
def test_a_header_alone_allocates_nothing_large(
    compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "claims"
    path.write_bytes(compress(header(0x803, 1_000_000, 28, 28) + bytes(100)))
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="cut short"):
            read_images(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20
