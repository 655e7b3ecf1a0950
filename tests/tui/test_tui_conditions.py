"""What a condition says of values: what holds and why, and what cannot be computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from condition_support import Given, assert_computed_or_said_not_to_be, error_in
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.session.breaking.evaluation import EvaluationError, evaluate, holds
from tui.session.breaking.reasons import reason
from tui.session.breaking.syntax import FUNCTIONS, parse


def outcome(text: str, **values: Any) -> bool:
    return holds(evaluate(parse(text), Given(**values)))


def because(text: str, **values: Any) -> str:
    assert outcome(text, **values)
    return reason(parse(text), Given(**values))


# What holds


@pytest.mark.parametrize(
    "text",
    [
        "norm(grad_out) > 10",
        "norm(contribution) > 10 or isnan(norm(contribution))",
        'op == "matmul" and step == 5',
        "grad_out > 12",
        "grad_out > 12 and grad_out < -1",
        "any(grad_out > 12)",
        "not all(grad_out > 12)",
        "not (grad_out > 13)",
        "grad_out",
        "not accumulated",
        "all(accumulated == 0)",
        "max(grad_out) == 12.25",
        "min(grad_out) == -2",
        "abs(mean(grad_out) - 3.4583) < 1e-3",
        "max(abs(grad_out)) == max(grad_out)",
        "isnan(contribution)",
        "isinf(contribution) and not isinf(grad_out)",
        "value == 0.1",
        "shape == (64, 10)",
        "shape != (64,)",
        "(64, 10) == shape",
        "shape in ((3,), (64, 10))",
        'op in ("add", "mat*")',
        'op not in ["add", "sub?ract"]',
        'name == "linear*.weight"',
        'name != "linear*.bias"',
        '"LINEAR*" != name',
        'dtype != "float16"',
        "0 < norm(grad_out) < 1e6",
        "1 < grad_out < 5",
        "not 5.5 < grad_out < 12",
        "3 <= step <= 5 != 4",
        "step % 2 == 1 and step // 2 == 2",
        "-grad_out > 1 or +grad_out < -5",
        "2 ** step == 32",
        "isnan(grad_out) - isnan(grad_out) == 0",
        "-isnan(contribution) < 0",
        "zero",
        "zero == True",
        "step / 0 == step * 9**9**9",
        "isnan((0 - step) ** 0.5)",
        "zero or nan",
    ],
)
def test_it_holds(text: str) -> None:
    assert outcome(text)


@pytest.mark.parametrize(
    "text",
    [
        "norm(contribution) > 10",
        "grad_out > 13",
        "not grad_out",
        "isnan(grad_out)",
        "accumulated",
        "nan or inf",
        "5.5 < grad_out < 12",
        "all(grad_out > 0)",
        'name == "weight"',
        'name == "linear1"',
        'op == "MATMUL"',
        "shape == (10, 64)",
        "shape in ()",
        "step in (1, 2)",
        "not zero",
    ],
)
def test_it_does_not_hold(text: str) -> None:
    assert not outcome(text)


def test_a_bracket_in_a_name_is_a_bracket() -> None:
    assert outcome('name == "x[*"', name="x[0]")
    assert not outcome('name == "x[0]"', name="x0")


# Why


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("norm(grad_out) > 10", "14.19 > 10"),
        ("grad_out > 5", "5.5 > 5 at [1, 1], the first of 2"),
        ("0 < grad_out - 1 < 4", "0 < 3 < 4 at [1, 0]"),
        ('norm(grad_out) > 10 and op == "matmul"', "14.19 > 10"),
        ('name == "linear*"', "name is linear1.weight"),
        ('dtype != "float16"', "dtype is float32"),
        ("shape != ()", "shape is (64,10)"),
        ('op in ("matmul", "add")', "op is matmul"),
        ("shape == (64, 10)", ""),
        ("step == 5", ""),
        ("isnan(contribution)", "NaN at [1]"),
        ("nan or step > 4", "5 > 4"),
        ("not nan", "nan does not hold"),
        ("zero", "zero is so"),
        ("any(grad_out < 0)", "-2 < 0 at [0, 1]"),
        ("all(accumulated == 0)", "accumulated == 0 in all of its elements"),
        ("grad_out", "grad_out is 1 at [0, 0], the first of 5"),
        ("norm(grad_out)", "norm(grad_out) is 14.19"),
        ("step + 0.00001 > 5", "5.00001 > 5.0"),
    ],
)
def test_why_it_holds(text: str, said: str) -> None:
    assert because(text) == said


# What cannot be computed


def test_an_array_without_elements_has_no_least_element() -> None:
    for name in ("min", "max", "mean"):
        with pytest.raises(EvaluationError, match=f"there is no {name} of an array without"):
            evaluate(parse(f"{name}(grad_out) > 1"), Given(grad_out=np.ones((0, 3))))
    assert not outcome("grad_out == grad_out", grad_out=np.ones((0, 3)))
    assert outcome("norm(grad_out) == 0", grad_out=np.ones((0, 3)))


def test_the_shapes_that_do_not_fit_are_named() -> None:
    with pytest.raises(EvaluationError) as raised:
        evaluate(parse("grad_out > contribution"), Given(contribution=np.ones(4)))
    assert str(raised.value) == (
        "grad_out > contribution cannot be computed: grad_out (2,3) and contribution (4,) do not "
        "broadcast"
    )


def test_two_arrays_are_not_stretched_beyond_reason() -> None:
    column, row = np.ones((100_000, 1)), np.ones((1, 100_000))
    for text in ("grad_out + value > 1", "grad_out > value"):
        with pytest.raises(EvaluationError, match="10,000,000,000 elements"):
            evaluate(parse(text), Given(grad_out=column, value=row))


NUMERIC = st.sampled_from(
    ["grad_out", "contribution", "accumulated", "value", "step", "0", "1", "-2.5", "norm(grad_out)"]
)


def combined(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "<", ">=", "==", "and", "or"])
    functions = st.sampled_from([*FUNCTIONS, "not ", "-"])
    return st.tuples(parts, operators, parts).map(lambda p: f"({p[0]} {p[1]} {p[2]})") | st.tuples(
        functions, parts
    ).map(lambda p: f"({p[0]}({p[1]}))")


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(NUMERIC, combined, max_leaves=8),
    st.lists(st.sampled_from([(), (1,), (3,), (2, 3), (0,), (2, 1)]), min_size=4, max_size=4),
    st.sampled_from([np.float16, np.float32, np.float64, np.int64, np.bool_]),
)
def test_what_is_read_gives_a_value_with_a_reason_or_is_said_not_to(
    text: str, shapes: list[tuple[int, ...]], dtype: type
) -> None:
    names = ("grad_out", "contribution", "accumulated", "value")
    values = {
        name: np.random.default_rng(i).integers(-3, 9, shape).astype(dtype)
        for i, (name, shape) in enumerate(zip(names, shapes, strict=True))
    }
    error = error_in(text)
    if error is None:
        assert_computed_or_said_not_to_be(text, Given(**values))
    else:
        assert "mentions nothing" in str(error)
