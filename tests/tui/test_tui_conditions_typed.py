"""Conditions, stops and watches as they are typed: what is read, what is refused and where."""

from __future__ import annotations

import itertools
import time
from typing import Any

import pytest
from condition_support import Given, assert_computed_or_said_not_to_be, error_in
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.session.breaking.condition import Condition
from tui.session.breaking.entries import parse_stop, parse_watch
from tui.session.breaking.evaluation import evaluate
from tui.session.breaking.syntax import FUNCTIONS, LONGEST, NAMES, ExpressionError, parse
from tui.session.breaking.targets import Called, Operation

# What is read


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("12", 12),
        (" node 12 ", 12),
        ("op matmul", Operation("matmul")),
        ("op mat*", Operation("mat*")),
        ("name linear*.weight", Called("linear*.weight")),
        ("name *.weight", Called("*.weight")),
        ("name linear (2).add", Called("linear (2).add")),
        ("name in*", Called("in*")),
        ('op == "matmul"', Condition('op == "matmul"')),
        ('op=="matmul"', Condition('op=="matmul"')),
        ('op in ("add", "matmul")', Condition('op in ("add", "matmul")')),
        ('op not in("add", "matmul")', Condition('op not in("add", "matmul")')),
        ('name != "b"', Condition('name != "b"')),
        (" nan ", Condition("nan")),
    ],
)
def test_where_to_stop_as_it_is_typed(text: str, meant: Any) -> None:
    assert parse_stop(text) == meant


def test_a_node_by_its_name() -> None:
    with pytest.raises(ExpressionError, match="a node is given by its number") as raised:
        parse_stop("node linear2")
    assert raised.value.pointer == "     ^^^^^^^"


def test_what_to_watch_as_it_is_typed() -> None:
    assert parse_watch("b") == Called("b")
    assert parse_watch(" linear*.weight ") == Called("linear*.weight")
    assert parse_watch("op matmul") == Operation("matmul")
    assert parse_watch("3") == 3
    with pytest.raises(ExpressionError):
        parse_watch(" ")


def test_every_name_has_a_meaning() -> None:
    for name, function in itertools.product(NAMES, FUNCTIONS):
        kind, meaning = NAMES[name]
        assert meaning
        text = f"{function}({name}) != 7"
        if kind == "number":
            evaluate(parse(text), Given())
        else:
            with pytest.raises(ExpressionError):
                parse(text)


# What is refused, and where


@pytest.mark.parametrize(
    ("text", "message", "wrong"),
    [
        ("norm(gradout) > 1", "there is no name gradout; did you mean grad_out?", "gradout"),
        ("  nrm(grad_out) > 1", "there is no function nrm; did you mean norm?", "nrm"),
        ("foo > 1", "there is no name foo; there are grad_out, contribution,", "foo"),
        ("norm(op) > 1", "op is a text; here numbers are needed", "op"),
        ("norm > 1", "norm is a function: norm(grad_out)", "norm"),
        ("op(grad_out) > 1", "op is a name, no function", "op"),
        ("norm(grad_out, 2) > 1", "norm takes one argument", "norm(grad_out, 2)"),
        ("norm() > 1", "norm takes one argument", "norm()"),
        ("norm(*grad_out) > 1", "norm takes one argument", "norm(*grad_out)"),
        ("norm(x=grad_out) > 1", "norm takes one argument", "norm(x=grad_out)"),
        ("op == matmul", 'a text stands in quotes: op == "matmul"', "matmul"),
        ("op > 'a'", "a text is compared with == or !=", "op > 'a'"),
        ("shape < (3,)", "a shape is compared with == or !=", "shape < (3,)"),
        ("shape == 3", "a shape is written (64, 10), (3,) or ()", "shape == 3"),
        ("shape == (64, x)", "a shape has whole numbers", "(64, x)"),
        ("step == 'five'", "they cannot be compared", "step == 'five'"),
        ("op in 'add'", "in takes several to choose from", "'add'"),
        ("op", "op is a text; a condition compares", "op"),
        ("shape", "shape is a shape; a condition compares", "shape"),
        ("grad_out & value", "write and for &", "grad_out & value"),
        ("grad_out is value", "write ==", "grad_out is value"),
        ("grad_out > 1 && value > 1", "write and for &&", "&"),
        ("grad_out > 1 || value > 1", "write or for ||", "|"),
        ("!grad_out", "write not for !", "!"),
        ("step = 5", "write == to compare", None),
        ("grad_out.T > 1", "and nothing else", "grad_out.T"),
        ("grad_out[0] > 1", "and nothing else", "grad_out[0]"),
        ("(lambda: 1)() > step", "this is no function's name", "lambda: 1"),
        ("[x for x in grad_out]", "and nothing else", "[x for x in grad_out]"),
        ("grad_out if step else 1", "and nothing else", "grad_out if step else 1"),
        ("f'{step}' == op", "and nothing else", "f'{step}'"),
        ("b'a' == op", "neither a number nor a text", "b'a'"),
        ("1j == step", "neither a number nor a text", "1j"),
        ("... == step", "neither a number nor a text", "..."),
        ("__import__('os') == step", "there is no function __import__", "__import__"),
        ("norm(grad_out) >", "something is missing at the end", None),
        ("nan and", "something is missing at the end", None),
        ("norm(grad_out", "this cannot be read as a condition", None),
        ("1 > 0", "mentions nothing of a step", None),
        ("", "a condition is missing", None),
        ("   ", "a condition is missing", None),
        ("step == 'é' + ü", "here numbers are needed", "'é'"),
        ("step == 1" + "0" * 400, "this number is too large", "1" + "0" * 400),
        ("step > " + "9" * 5000, f"at most {LONGEST} characters", None),
        ("not " * 100 + "nan", "nested more than 40 levels deep", None),
        ("step > " + "(" * 150 + "1" + ")" * 150, None, None),
        ("step > " + "-" * 300 + "1", "nested more than 40 levels deep", None),
        ("step\0", None, None),
    ],
)
def test_what_is_refused(text: str, message: str | None, wrong: str | None) -> None:
    if message is None:
        with pytest.raises(ExpressionError):
            parse(text + "*")
        return
    with pytest.raises(ExpressionError) as raised:
        parse(text)
    error = raised.value
    assert message in str(error)
    assert "\n" not in str(error)
    assert error.text == text
    if wrong is not None:
        assert text[error.start : error.end] == wrong
        assert error.pointer == " " * error.start + "^" * len(wrong)


PIECES = st.sampled_from(
    [
        *NAMES,
        *(f"{function}(" for function in FUNCTIONS),
        *("(", ")", ",", "[", "]", "{", "}", ":", ".", "=", "!", "#", "\\", "\n", "\t", "\0", "é"),
        *("and", "or", "not", "in", "is", "if", "else", "lambda", "for", "await", "yield", "None"),
        *("+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "&", "|", "~"),
        *("0", "1", "64", "1e308", "9**9**9", "0x1F", "1j", '"matmul"', "'*'", "f'{step}'", '"'),
        *('"a" * 10**9', "(64, 10)", "()", "True", ":=", "@", "...", "\ud800", "１", "²"),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=14).map(" ".join) | st.text(max_size=60))
def test_any_text_is_a_condition_or_a_clear_error_and_soon(text: str) -> None:
    before = time.perf_counter()
    error = error_in(text)
    if error is None:
        assert_computed_or_said_not_to_be(text, Given())
    else:
        assert str(error)
        assert "\n" not in str(error)
        assert 0 <= error.start < error.end <= len(text) + 1
    assert time.perf_counter() - before < 5
