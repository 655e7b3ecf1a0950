"""IDX files in a folder that the user names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scenarios.data import DataError, choose, in_use, mnist
from scenarios.data.digits import Digits

WriteIdx = Callable[..., list[Path]]


@pytest.mark.parametrize("place", ["MNIST/raw", "raw", ""])
@pytest.mark.parametrize("compressed", [False, True])
def test_the_embedded_images_come_back(
    place: str, compressed: bool, digits: Digits, tmp_path: Path, write_idx: WriteIdx
) -> None:
    expected = mnist()
    write_idx(tmp_path / "data" / place, digits, compressed)
    choose("auto", tmp_path / "data")
    for (images, labels), (expected_images, expected_labels) in zip(mnist(), expected, strict=True):
        np.testing.assert_array_equal(images, expected_images)
        np.testing.assert_array_equal(labels, expected_labels)
        assert labels.flags.writeable
    used = in_use()
    assert used is not None
    assert (used.source, used.train, used.test) == ("idx", 4_000, 1_000)
    assert used.text == f"4,000 to train, 1,000 to test, from {tmp_path / 'data'}"
    assert used.hint


def test_the_full_set_needs_no_hint(full_folder: Path) -> None:
    choose("auto", full_folder)
    (images, _), (test_images, _) = mnist()
    assert (len(images), len(test_images)) == (60_000, 10_000)
    used = in_use()
    assert used is not None
    assert used.hint == ""


def test_a_folder_given_as_text(few: Digits, tmp_path: Path, write_idx: WriteIdx) -> None:
    write_idx(tmp_path / "home" / "digits", few)
    choose("auto", "~/digits")
    assert len(mnist()[0][0]) == 10


def test_files_may_be_partly_compressed(few: Digits, tmp_path: Path, write_idx: WriteIdx) -> None:
    write_idx(tmp_path, few, True)
    plain = write_idx(tmp_path, few)
    plain[0].unlink()
    plain[3].unlink()
    choose("auto", tmp_path)
    assert len(mnist()[1][0]) == 5


def test_the_place_with_all_files_is_preferred(
    few: Digits, tmp_path: Path, write_idx: WriteIdx
) -> None:
    write_idx(tmp_path, few)
    write_idx(tmp_path / "MNIST" / "raw", few)[0].unlink()
    choose("auto", tmp_path)
    assert len(mnist()[0][0]) == 10


def message(folder: Path) -> str:
    choose("auto", folder)
    with pytest.raises(DataError) as caught:
        mnist()
    assert in_use() is None
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_such_folder(tmp_path: Path) -> None:
    folder = tmp_path / "absent"
    assert message(folder) == f"there is no folder {folder}; give another with --data-dir"


def test_a_folder_without_files(tmp_path: Path) -> None:
    text = message(tmp_path)
    assert f"{tmp_path} has no MNIST files" in text
    assert "put the four files there, or let --data torchvision fetch them" in text


def test_missing_files_are_named(few: Digits, tmp_path: Path, write_idx: WriteIdx) -> None:
    paths = write_idx(tmp_path / "raw", few, True)
    paths[1].unlink()
    paths[2].unlink()
    text = message(tmp_path)
    assert f"{tmp_path / 'raw'} lacks train-labels-idx1-ubyte and t10k-images-idx3-ubyte" in text


def test_a_damaged_file_is_named(few: Digits, tmp_path: Path, write_idx: WriteIdx) -> None:
    damaged = write_idx(tmp_path, few, True)[2]
    damaged.write_bytes(damaged.read_bytes()[:-9])
    text = message(tmp_path)
    assert f"{damaged} is damaged" in text
    assert "delete it and get it again" in text


def test_counts_that_differ(few: Digits, tmp_path: Path, write_idx: WriteIdx) -> None:
    write_idx(tmp_path, few._replace(test_labels=few.test_labels[:4]))
    text = message(tmp_path)
    assert f"{tmp_path / 't10k-images-idx3-ubyte'} has 5 images" in text
    assert "t10k-labels-idx1-ubyte beside it 4 labels" in text
