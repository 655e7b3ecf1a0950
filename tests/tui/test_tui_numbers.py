"""Numbers as they are printed, and the facts of arrays."""

from __future__ import annotations

import json
import math
import re
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from tui.session import facts, numbers
from tui.session.numbers import number
from tui.session.tensors import chunks

PRINTED = re.compile(r"-?(\d+|\d+\.\d+)(e-?\d+)?|NaN|-?Inf")

any_float = (
    st.floats(-1.79e308, 1.79e308)
    | st.sampled_from([math.nan, math.inf, -math.inf])
    | st.floats(-10, 10)
    | st.floats(1, 1e7).map(lambda x: float(np.float32(x)))
)


@settings(max_examples=250)
@given(any_float)
def test_a_number_reads_back(value: float) -> None:
    text = number(value)
    assert PRINTED.fullmatch(text), text
    if not math.isfinite(value):
        assert text == {math.inf: "Inf", -math.inf: "-Inf"}.get(value, "NaN")
        return
    assert float(text) == pytest.approx(value, rel=5.0001e-4, abs=0)
    assert not text.startswith((".", "-.", "+"))
    assert not text.endswith(".0")
    assert (text == "0") == (value == 0)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-3.0, "-3"),
        (0.1, "0.1"),
        (np.float32(0.1), "0.1"),
        (0.5, "0.5"),
        (2 / 3, "0.6667"),
        (-0.06666, "-0.06666"),
        (np.float32(1 / 3), "0.3333"),
        (2.302585, "2.303"),
        (17.0, "17"),
        (123.456, "123.5"),
        (1234.5678, "1235"),
        (12345.678, "12346"),
        (1234567.0, "1234567"),
        (9999999.0, "9999999"),
        (1e7, "1e7"),
        (1.2345e8, "1.234e8"),
        (99999.9, "100000"),
        (0.0001, "0.0001"),
        (1.2345e-5, "1.234e-5"),
        (1e-30, "1e-30"),
        (5e-324, "4.941e-324"),
        (1.7e308, "1.7e308"),
        (math.nan, "NaN"),
        (math.inf, "Inf"),
        (-math.inf, "-Inf"),
        (np.float16(0.1), "0.09998"),
        (7, "7"),
        (-12, "-12"),
        (1234567, "1234567"),
        (np.int64(42), "42"),
        (np.uint8(255), "255"),
        (10**9, "1e9"),
        (True, "True"),
        (np.bool_(False), "False"),
    ],
)
def test_numbers_by_hand(value: Any, text: str) -> None:
    assert number(value) == text


small_arrays = npst.arrays(
    st.sampled_from([np.float32, np.float64]),
    npst.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=3),
    elements={"allow_subnormal": False},
)


@settings(max_examples=150)
@given(small_arrays)
def test_an_array_in_a_line_hides_nothing(array: Any) -> None:
    if array.size > numbers.INLINE:
        assert not numbers.is_inline(array)
        return
    words = re.sub(r"[\[\]]", " ", numbers.inline(array)).split()
    assert len(words) == array.size
    for word, value in zip(words, array.reshape(-1).tolist(), strict=True):
        assert PRINTED.fullmatch(word), word
        assert word != "-0"
        if not math.isfinite(value):
            assert word == number(value)
        elif value != 0:
            assert float(word) != 0, f"{value} is printed as {word}"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (np.float32([0.21714, 0.072382, 0.144764]), "[0.2171 0.0724 0.1448]"),
        (np.float32([2, 6, 3]), "[2 6 3]"),
        (np.float32([1, 0.5, -1]), "[1 0.5 -1]"),
        (np.float32([[15], [31], [47]]), "[[15] [31] [47]]"),
        (np.float32([[1, 2], [3, 4]]), "[[1 2] [3 4]]"),
        (np.float32([]), "[]"),
        (np.zeros((2, 0)), "[[] []]"),
        (np.float32([1.3029]), "1.303"),
        (np.float32([[0.5]]), "0.5"),
        (np.float32(7), "7"),
        (np.array([1, 2, 3]), "[1 2 3]"),
        (np.array([True, False]), "[True False]"),
        (np.array([np.nan, np.inf, -np.inf, 1]), "[NaN Inf -Inf 1]"),
        (np.array([np.nan, 0.25]), "[NaN 0.25]"),
    ],
)
def test_arrays_in_a_line_by_hand(values: Any, text: str) -> None:
    assert numbers.inline(values) == text


@pytest.mark.parametrize(
    "values",
    [[1.0, -1e-5], [1000.4, 0.2], [1.5, 1e-4, 1e-8], [-0.00001, 0.25], [30000.5, -0.25]],
)
def test_a_small_number_beside_a_large_one_is_not_called_zero(values: list[float]) -> None:
    words = numbers.inline(np.array(values)).strip("[]").split()
    assert "0" not in words
    assert "-0" not in words
    for word, value in zip(words, values, strict=True):
        assert float(word) == pytest.approx(value, rel=0.5)


@pytest.mark.parametrize(
    ("dims", "text"), [((), "()"), ((3,), "(3,)"), ((64, 10), "(64,10)"), ((0, 3), "(0,3)")]
)
def test_shapes(dims: tuple[int, ...], text: str) -> None:
    assert numbers.shape(dims) == text


def test_measures() -> None:
    assert numbers.measure(np.float32(-2)) == "-2"
    assert numbers.measure(np.float32([3, 4])) == "5"
    assert numbers.measure(np.float32([])) == "0"
    assert numbers.measure(np.float32([1, np.nan])) == "NaN"
    assert numbers.measure(np.float32([1, np.inf])) == "Inf"
    assert numbers.measure(np.float32([np.inf, np.nan])) == "NaN"
    assert numbers.measure(np.array([True, True, True, True])) == "2"
    assert numbers.measure(np.full(4, 1e30, np.float32)) == "2e30"


# The facts of an array


everything = npst.arrays(
    npst.floating_dtypes(endianness="=", sizes=(16, 32, 64))
    | npst.integer_dtypes(endianness="=")
    | npst.boolean_dtypes(),
    npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@settings(max_examples=150, deadline=None)
@given(everything, st.booleans())
def test_the_facts_of_any_array(array: Any, full: bool) -> None:
    with np.errstate(over="ignore"):
        told = facts.array_facts(array, full)
    told = json.loads(json.dumps(told, allow_nan=False))
    assert told["shape"] == list(array.shape)
    assert told["dtype"] == str(array.dtype)
    values = [float(v) for v in array.reshape(-1).tolist()]
    finite = [v for v in values if math.isfinite(v)]
    assert told["nan"] == sum(map(math.isnan, values))
    assert told["inf"] == sum(map(math.isinf, values))
    assert told["zero"] == values.count(0)
    if finite:
        assert (told["min"], told["max"]) == (min(finite), max(finite))
        if max(map(abs, finite)) < 1e150:
            mean = math.fsum(finite) / len(finite)
            std = math.hypot(*(v - mean for v in finite)) / math.sqrt(len(finite))
            largest = max(map(abs, finite))
            assert told["norm"] == pytest.approx(math.hypot(*finite))
            assert told["mean"] == pytest.approx(mean, abs=1e-12 * largest)
            assert told["std"] == pytest.approx(std, abs=1e-7 * largest)
    else:
        assert [told[key] for key in ("min", "max", "mean", "std", "norm")] == [None] * 5
    assert ("data" in told) == (full or array.size <= 64)


def test_no_array_has_no_facts() -> None:
    assert facts.array_facts(None) is None


@pytest.mark.parametrize("value", [1e200, 1.7e308 / 2, 1e-200])
def test_squares_that_overflow_float64(value: float) -> None:
    """Finite numbers have a finite norm, and no warning goes to the user."""
    array = np.full(4, value)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        told = facts.array_facts(array)
        assert told is not None
        assert told["norm"] == pytest.approx(2 * value, abs=0)
        assert numbers.measure(array) == number(2 * value)


@pytest.mark.parametrize("value", [1e30, 3e38, 1e-30])
def test_squares_that_overflow_float32(value: float) -> None:
    told = facts.array_facts(np.full(4, value, np.float32))
    assert told is not None
    assert told["norm"] == pytest.approx(2 * float(np.float32(value)))
    assert told["mean"] == pytest.approx(float(np.float32(value)))
    assert told["std"] == pytest.approx(0, abs=value * 1e-6)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1.0, [math.nan, -math.inf]], [1.0, ["NaN", "-Infinity"]]),
        (math.inf, "Infinity"),
        (0.5, 0.5),
        ([], []),
        (None, None),
        (True, True),
    ],
)
def test_what_is_not_finite_becomes_a_string(value: Any, text: Any) -> None:
    assert facts.plain(value) == text


@settings(max_examples=150)
@given(
    npst.arrays(
        st.sampled_from([np.float16, np.float32]),
        npst.array_shapes(max_dims=3, max_side=40),
        elements=st.floats(-1000, 1000, width=16) | st.just(0.0),
    ),
    st.booleans(),
)
def test_the_norm_of_float32_is_that_of_float64_to_the_bit(array: Any, turned: bool) -> None:
    array = array.T if turned else array
    wide = array.astype(np.float64)
    assert numbers.norm(array) == numbers.norm(wide)
    assert numbers.measure(array) == numbers.measure(wide)


@pytest.mark.parametrize("size", [chunks.CHUNK, chunks.CHUNK + 1, 3 * chunks.CHUNK + 7])
@pytest.mark.parametrize("bad", [None, math.nan, math.inf])
def test_the_norm_of_large_arrays(size: int, bad: float | None) -> None:
    array = np.linspace(-1, 2, size, dtype=np.float32)
    if bad is not None:
        array[-1] = bad
    whole = np.sqrt(np.square(array[np.isfinite(array)].astype(np.float64)).sum())
    assert numbers.norm(array) == pytest.approx(whole)
    assert numbers.measure(array) == (number(whole) if bad is None else number(bad))


def test_numbers_side_by_side_have_as_many_decimals() -> None:
    gradient = np.float32([0.0016919, -0.0140, 0.0016002, 0.00156, 0.001646, 0.001155])
    assert numbers.aligned(gradient, gradient, strip=False) == [
        "0.00169",
        "-0.01400",
        "0.00160",
        "0.00156",
        "0.00165",
        "0.00115",
    ]
    weights = np.random.default_rng(0).normal(0, 0.07, 200).astype(np.float32)
    texts = numbers.aligned(weights, weights, strip=False)
    usual = [text for text in texts if len(text.partition(".")[2]) == 4]
    assert len(usual) > 190  # the smallest have digits of their own


def test_equal_elements_of_a_small_matrix_are_printed_alike() -> None:
    assert numbers.inline(np.float32([[0.5 / 3, 0.25, 0.5 / 6], [0.5 / 6, 1.0, 0.25]])) == (
        "[[0.167 0.25 0.083] [0.083 1 0.25]]"
    )
