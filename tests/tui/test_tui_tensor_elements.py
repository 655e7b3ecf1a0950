"""Going through all elements of a tensor: chunks, what is found, health and its histogram."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tui.session import numbers
from tui.session.tensors import chunks as chunks_module
from tui.session.tensors import find
from tui.session.tensors.chunks import CHUNK, chunks, place_of, sample
from tui.session.tensors.health import BINS, Health, health_of
from tui.session.tensors.histogram import bar_rows, merged

arrays = npst.arrays(
    st.sampled_from([np.float32, np.float64, np.float16, np.int64, np.uint8, np.bool_]),
    npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9),
)
layouts = st.sampled_from(
    [
        lambda a: a,
        lambda a: a.T,
        lambda a: a[..., ::-1] if a.ndim else a,
        lambda a: np.broadcast_to(a, (3, *a.shape)),
    ]
)


# Walking through


@settings(max_examples=100, deadline=None)
@given(arrays, layouts, st.integers(0, 40), st.integers(0, 40), st.integers(1, 7))
def test_chunks_are_the_elements_in_their_order(
    array: Any, layout: Any, start: int, stop: int, size: int
) -> None:
    array = layout(array)
    before = chunks_module.CHUNK
    chunks_module.CHUNK = size
    try:
        found = [(first, chunk.copy()) for first, chunk in chunks(array, start, stop)]
    finally:
        chunks_module.CHUNK = before
    expected = array.reshape(-1)[start : max(start, stop)]
    together = np.concatenate([chunk for _, chunk in found]) if found else expected[:0]
    np.testing.assert_array_equal(together, expected)
    places = [first for first, _ in found]
    lengths = [len(chunk) for _, chunk in found]
    assert places == [start + sum(lengths[:i]) for i in range(len(lengths))]


@settings(max_examples=100, deadline=None)
@given(arrays, layouts, st.data())
def test_what_is_found(array: Any, layout: Any, data: st.DataObject) -> None:
    array = layout(array)
    if not array.size:
        assert find.largest(array) is None
        return
    flat = array.reshape(-1)
    after = data.draw(st.integers(0, array.size - 1))
    bad = [i for i in range(array.size) if not np.isfinite(flat[i])]
    expected = next((i for i in [*(b for b in bad if b > after), *bad]), None)
    assert find.next_not_finite(array, after) == expected

    sizes = np.where(np.isnan(flat.astype(float)), -1, np.abs(flat.astype(float)))
    order = sorted((i for i in range(array.size) if sizes[i] >= 0), key=lambda i: (-sizes[i], i))
    at = find.largest(array)
    for place in order:
        assert at == place
        at = find.largest(array, at)
    assert at is None
    telling = find.most_telling(array)
    assert telling == next((i for i in bad if np.isnan(flat[i])), order[0] if order else 0)
    assert array[place_of(array, telling)] is not None


def test_a_sample_is_spread_evenly_and_small_arrays_are_whole() -> None:
    array = np.arange(1000).reshape(10, 100)
    np.testing.assert_array_equal(sample(array, 1000), array.reshape(-1))
    some = sample(array.T, 10)
    assert len(some) == 10
    assert some[0] == 0
    assert some[-1] == 999


# Health


@settings(max_examples=150, deadline=None)
@given(arrays, layouts, st.integers(1, 30))
def test_health_is_that_of_all_elements_however_they_are_counted(
    array: Any, layout: Any, size: int
) -> None:
    array = layout(array)
    before = chunks_module.CHUNK
    chunks_module.CHUNK = size
    try:
        with np.errstate(all="ignore"):
            health = Health(array)
            shares = [health.share]
            while not health.done:
                health.go_on(0)  # one chunk
                shares.append(health.share)
    finally:
        chunks_module.CHUNK = before
    assert shares == sorted(shares)
    assert shares[-1] == 1
    values = array.astype(np.float64).reshape(-1)
    finite = values[np.isfinite(values)]
    assert health.nan == np.isnan(values).sum()
    assert health.inf == np.isinf(values).sum()
    assert health.negative == (finite < 0).sum()
    assert health.zero == (finite == 0).sum()
    assert health.positive == (finite > 0).sum()
    assert health.finite == len(finite)
    if len(finite):
        assert (health.min, health.max) == (finite.min(), finite.max())
        mean, std, norm = numbers.moments(finite)
        scale = float(np.abs(finite).max())
        assert health.mean == pytest.approx(mean, rel=1e-9, abs=1e-12 * scale)
        assert health.std == pytest.approx(std, rel=1e-6, abs=1e-7 * scale)
        assert health.norm == pytest.approx(norm, rel=1e-9, abs=1e-300)
        if 0 < np.ptp(finite / 2) < 8e307 and np.ptp(finite) / BINS > 1e-300:
            assert health.bins.sum() == len(finite)


def test_health_keeps_its_precision_over_many_chunks() -> None:
    array = (np.random.default_rng(0).normal(1000, 1, 10 * CHUNK + 77)).astype(np.float32)
    health = health_of(array)
    exact = array.astype(np.float64)
    assert health.mean == pytest.approx(exact.mean(), rel=1e-12)
    assert health.std == pytest.approx(exact.std(), rel=1e-9)
    assert health.norm == pytest.approx(np.sqrt((exact**2).sum()), rel=1e-12)


@pytest.mark.parametrize("room", [1, 4, 5, 11, 24, 95, 96, 500])
def test_bins_are_merged_evenly(room: int) -> None:
    counts = np.arange(96)
    bins = merged(counts, room)
    assert bins.sum() == counts.sum()
    assert len(bins) <= room
    assert 96 % len(bins) == 0


def test_a_histogram_of_several_rows() -> None:
    assert bar_rows(np.array([0, 1, 8, 16]), 2) == ["   █", " ▁██"]
    assert bar_rows(np.array([0, 0])) == ["  "]


def test_counting_a_hundred_million_goes_on_in_pieces() -> None:
    health = Health(np.broadcast_to(np.float32(1), (10000, 10000)))
    health.go_on(0)
    assert 0 < health.share <= CHUNK / 2e8
    assert health.positive == CHUNK
