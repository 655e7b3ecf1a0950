"""The converted file in the cache: whole or not there, and never in the way when damaged."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scenarios.data import DataError, cache, choose, in_use, mnist, packed
from scenarios.data.digits import Digits


def same(digits: Digits, expected: Digits) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(digits, expected, strict=True))


def test_it_lies_in_the_users_cache_directory(cache_home: Path) -> None:
    assert cache.file() == cache_home / "mnist.npz"


def test_nothing_there() -> None:
    assert cache.read() is None


@pytest.mark.parametrize("source", ["auto", "torchvision"])
def test_the_full_set_comes_from_the_cache(source: str, full: Digits) -> None:
    cache.write(full)
    choose(source)
    (images, labels), (test_images, test_labels) = mnist()
    assert images.shape == (60_000, 784)
    assert test_images.shape == (10_000, 784)
    np.testing.assert_array_equal(labels, full.train_labels)
    np.testing.assert_array_equal(test_labels, full.test_labels)
    used = in_use()
    assert used is not None
    assert (used.source, used.hint, used.note) == ("cache", "", "")
    assert used.text == "60,000 to train, 10,000 to test, from the cache"


def test_embedded_ignores_it(few: Digits) -> None:
    cache.write(few)
    choose("embedded")
    assert len(mnist()[0][0]) == 4_000


def blob(digits: Digits) -> bytes:
    file = io.BytesIO()
    packed.write(file, digits, compressed=False)
    return file.getvalue()


def npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def damages(few: Digits) -> dict[str, bytes]:
    sound = blob(few)
    image = few.train_images[0].tobytes()
    fields = few._asdict()
    return {
        "empty": b"",
        "cut": sound[: len(sound) // 2],
        "zeros": bytes(len(sound)),
        "changed pixels": sound.replace(image, image[::-1][1:] + b"\7", 1),
        "an array": sound[sound.index(b"\x93NUMPY") :],
        "no labels": npz(train_images=few.train_images),
        "floats": npz(**(fields | {"test_images": few.test_images.astype(float)})),
        "objects": npz(**(fields | {"test_labels": np.array([None] * 5)})),
        "shape": npz(**(fields | {"train_images": few.train_images[:, 1:]})),
        "counts": npz(**(fields | {"train_labels": few.train_labels[1:]})),
        "label": npz(**(fields | {"test_labels": few.test_labels + np.uint8(10)})),
        "none": npz(**(fields | {"test_images": few[2][:0], "test_labels": few[3][:0]})),
    }


@pytest.mark.parametrize(
    "kind",
    [
        "empty",
        "cut",
        "zeros",
        "changed pixels",
        "an array",
        "no labels",
        "floats",
        "objects",
        "shape",
        "counts",
        "label",
        "none",
    ],
)
def test_a_damaged_file_leads_to_the_embedded_images_and_a_note(kind: str, few: Digits) -> None:
    path = cache.write(few)
    path.write_bytes(damages(few)[kind])
    with pytest.raises(DataError, match="is damaged"):
        cache.read()
    assert len(mnist()[0][0]) == 4_000
    used = in_use()
    assert used is not None
    assert used.source == "embedded"
    assert f"{path} is damaged" in used.note
    assert "delete it, or replace it with --data torchvision" in used.note
    assert "\n" not in used.note


def test_an_unreadable_file_leads_to_a_note() -> None:
    cache.file().mkdir(parents=True)
    mnist()
    used = in_use()
    assert used is not None
    assert f"{cache.file()} cannot be read (Is a directory)" in used.note


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300
)
@given(data=st.data())
def test_a_changed_byte_is_noticed_or_harmless(
    few: Digits, tmp_path: Path, data: st.DataObject
) -> None:
    one = Digits(*(part[:1] for part in few))
    content = bytearray(blob(one))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    path = tmp_path / "changed.npz"
    path.write_bytes(content)
    try:
        digits = packed.read(path, "mend it")
    except DataError:
        return
    assert same(digits, one)


def test_writing_replaces_what_was_there(few: Digits, cache_home: Path) -> None:
    cache.write(few)
    fewer = Digits(*(part[:3] for part in few))
    cache.write(fewer)
    read = cache.read()
    assert read is not None
    assert same(read, fewer)
    assert os.listdir(cache_home) == ["mnist.npz"]


@pytest.mark.parametrize("where", ["scenarios.data.cache.packed.write", "os.fsync", "os.replace"])
@pytest.mark.parametrize(
    ("failure", "raised"),
    [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(errno.ENOSPC, "No space"), DataError)],
)
def test_a_failed_write_leaves_what_was_there_and_nothing_else(
    where: str,
    failure: BaseException,
    raised: type[BaseException],
    few: Digits,
    cache_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise failure

    cache.write(few)
    with monkeypatch.context() as patch:
        patch.setattr(where, fail)
        with pytest.raises(raised):
            cache.write(Digits(*(part[:3] for part in few)))
    assert os.listdir(cache_home) == ["mnist.npz"]
    read = cache.read()
    assert read is not None
    assert same(read, few)


def test_a_full_disk_is_one_line(few: Digits, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(DataError) as caught:
        cache.write(few)
    assert str(caught.value) == (
        f"cannot write to {cache.directory()} (No space left on device); free about 150 MB there"
    )


def test_a_directory_that_cannot_be_made(few: Digits, cache_home: Path) -> None:
    cache_home.parent.write_text("a file in the way")
    with pytest.raises(DataError, match=r"cannot write to .*bp-tui.*may write to"):
        cache.write(few)
