"""What is typed to say which elements of a tensor are meant."""

from __future__ import annotations

import ast
import math
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.errors import Refused
from tui.session.tensors.slices import parse, parse_index, parse_interval, whole

SIMPLE = re.compile(r"\s*(\.\.\.|([+-]?\d+)?\s*(:\s*([+-]?\d+)?\s*){0,2})\s*", re.ASCII)
"""A part of a slice."""

SHAPES = [(), (0,), (1,), (5,), (64, 64), (3, 4, 5), (2, 0, 3), (1, 1, 1, 7)]

parts = st.one_of(
    st.integers(-8, 80).map(str),
    st.just("..."),
    st.just(":"),
    st.builds(
        lambda a, b, c: f"{a}:{b}{c}",
        st.one_of(st.just(""), st.integers(-9, 70).map(str)),
        st.one_of(st.just(""), st.integers(-9, 70).map(str)),
        st.one_of(st.just(""), st.just(":"), st.integers(-3, 3).map(lambda n: f":{n}")),
    ),
)
"""What a slice is made of, fitting or not."""

typed = st.one_of(
    st.lists(parts, max_size=5).map(", ".join),
    st.text(st.sampled_from("0123456789:,.-+[] ax_"), max_size=12),
    st.text(max_size=12),
)


def numbered(shape: tuple[int, ...]) -> Any:
    return np.arange(math.prod(shape)).reshape(shape)


def split(text: str) -> list[str]:
    return text.strip().removeprefix("[").removesuffix("]").split(",")


def numpys_own(text: str, shape: tuple[int, ...]) -> Any:
    """What NumPy takes for the same text between brackets; None where that is no Python or does
    not fit."""
    inner = text.strip()
    inner = inner[1:-1] if inner.startswith("[") and inner.endswith("]") else inner
    inner = re.sub(r"\b0+(?=\d)", "", inner.strip()) or "..."  # Python has no 007
    try:
        tree = ast.parse(f"x[{inner}]", mode="eval")
        return eval(compile(tree, "", "eval"), {"x": numbered(shape)})
    except Exception:
        return None


@settings(max_examples=300, deadline=None)
@given(typed, st.sampled_from(SHAPES))
def test_any_text_is_read_as_numpy_reads_it_or_told_what_is_wrong(
    text: str, shape: tuple[int, ...]
) -> None:
    try:
        found = parse(text, shape)
    except Refused as refusal:
        message = str(refusal)
    else:
        message = ""
    if message:
        own = numpys_own(text, shape)
        # Of what NumPy takes only that is refused here which takes nothing, and what is more than
        # numbers, ranges and dots.
        assert own is None or not own.size or not all(map(SIMPLE.fullmatch, split(text)))
        return
    taken = numbered(shape)[found.index]
    expected = numpys_own(text, shape)
    assert expected is not None
    np.testing.assert_array_equal(taken, expected)
    assert parse(found.text, shape) == found  # as it is shown it can be typed again


@settings(max_examples=200, deadline=None)
@given(st.lists(parts, max_size=4).map(", ".join), st.sampled_from(SHAPES[3:6]), st.data())
def test_places_in_a_slice_are_those_in_the_tensor(
    text: str, shape: tuple[int, ...], data: st.DataObject
) -> None:
    try:
        found = parse(text, shape)
    except Refused:
        return
    array = numbered(shape)
    taken = array[found.index]
    inner = tuple(data.draw(st.integers(0, n - 1)) for n in taken.shape)
    place = found.place(inner)
    assert array[place] == taken[inner]
    assert found.inner(place) == inner
    for other in np.ndindex(shape):
        assert (found.inner(other) is None) == (array[other] not in np.atleast_1d(taken))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[0, :, 3:7]", "[0, :, 3:7]"),
        ("0,:,3:7", "[0, :, 3:7]"),
        ("", "[:, :, :]"),
        ("...", "[:, :, :]"),
        ("..., 2", "[:, :, 2]"),
        ("1, ..., -1", "[1, :, 9]"),
        ("-1", "[1, :, :]"),
        (":, ::2", "[:, ::2, :]"),
        (":, :, ::-1", "[:, :, ::-1]"),
        (":, :, 7:2:-2", "[:, :, 7:2:-2]"),
        (":, :, 3:99", "[:, :, 3:]"),
    ],
)
def test_slices_by_hand(text: str, shown: str) -> None:
    assert parse(text, (2, 4, 10)).text == shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0, 70", "dimension 1 has 64 elements, 0 to 63: 70 is beyond"),
        ("-65", "dimension 0 has 64 elements, 0 to 63: -65 is beyond"),
        ("70:80", "dimension 0 has 64 elements, 70:80 takes none of them"),
        ("1, 2, 3", "3 parts, but (64,64) has 2 dimensions"),
        ("..., ...", "only one ... can stand for the dimensions left out"),
        ("a", "'a' for dimension 0: a place, a range as 3:7, or :"),
        ("1,,2", "3 parts, but (64,64) has 2 dimensions"),
        (",", "nothing for dimension 0: a place, a range as 3:7, or :"),
        ("::0", "'::0' for dimension 0: a step of 0 leads nowhere"),
        ("[1", "a bracket is missing"),
        ("1]", "a bracket is missing"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(text, (64, 64))
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "place"),
    [("3, 17", (3, 17)), ("[3,17]", (3, 17)), ("3 17", (3, 17)), ("-1,0", (63, 0))],
)
def test_an_element(text: str, place: tuple[int, ...]) -> None:
    assert parse_index(text, (64, 64)) == place


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        ("3", (64, 64), "(64,64) has 2 dimensions: type as many numbers, as 0, 0"),
        ("3, 64", (64, 64), "dimension 1 has 64 elements, 0 to 63: 64 is beyond"),
        ("3, x", (64, 64), "'x' is no whole number"),
        ("3, :", (64, 64), "':' is no whole number"),
        ("0", (), "this tensor is one number: there is nowhere to go"),
        ("0", (0,), "dimension 0 has 0 elements: 0 is beyond"),
    ],
)
def test_an_element_that_is_not_there(text: str, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_index(text, shape)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("", None),
        ("0.1 to 0.5", (0.1, 0.5)),
        ("0.1..0.5", (0.1, 0.5)),
        ("-1:1", (-1.0, 1.0)),
        ("[-1, 1]", (-1.0, 1.0)),
        ("1e-3 1e3", (1e-3, 1e3)),
        (":0", (-math.inf, 0.0)),
        ("2:", (2.0, math.inf)),
        ("7", (7.0, 7.0)),
        (">= 2", (2.0, math.inf)),
        ("<= 2", (-math.inf, 2.0)),
    ],
)
def test_a_range_of_values(text: str, interval: tuple[float, float] | None) -> None:
    assert parse_interval(text) == interval


def test_a_range_of_values_without_its_bound() -> None:
    more, less = parse_interval("> 2"), parse_interval("< 2")
    assert more is not None
    assert less is not None
    assert more[0] > 2
    assert less[1] < 2


@pytest.mark.parametrize("text", ["a", "1 to", "2 to 1", "nan", "1 2 3", "to", ">", "::"])
def test_what_is_no_range_of_values(text: str) -> None:
    if text == "1 to":
        assert parse_interval(text) == (1.0, math.inf)
        return
    with pytest.raises(Refused):
        parse_interval(text)


@given(st.text(max_size=20))
def test_any_text_is_a_range_of_values_or_refused(text: str) -> None:
    try:
        found = parse_interval(text)
    except Refused:
        return
    assert found is None or found[0] <= found[1]


def test_a_whole_tensor_leaves_nothing_out() -> None:
    assert whole((3, 4)).is_all
    assert not parse("1:", (3, 4)).is_all
    assert parse("...", (3, 4)).is_all
