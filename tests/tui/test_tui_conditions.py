"""The language of conditions: what it reads, what it refuses and where, what holds and why."""

from __future__ import annotations

import dataclasses
import itertools
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_graphs import graph_of
from tui_support import session_on

import engine
from tui.session.breaking.condition import Condition
from tui.session.breaking.entries import parse_stop, parse_watch
from tui.session.breaking.evaluation import EvaluationError, evaluate, holds
from tui.session.breaking.holding import why
from tui.session.breaking.reasons import reason
from tui.session.breaking.syntax import FUNCTIONS, LONGEST, NAMES, ExpressionError, parse
from tui.session.breaking.targets import Called, Operation
from tui.session.labels import Labels
from tui.session.protocol import StepFacts


class Given:
    """Values of a step that never was."""

    def __init__(self, **values: Any) -> None:
        self.values: dict[str, Any] = {
            "grad_out": np.array([[1.0, -2.0, 0.0], [4.0, 5.5, 12.25]], np.float32),
            "contribution": np.array([0.5, np.nan, np.inf], np.float32),
            "accumulated": np.zeros(3, np.float32),
            "value": np.float32(0.1) * np.ones((2, 1), np.float32),
            "op": "matmul",
            "name": "linear1.weight",
            "shape": (64, 10),
            "dtype": "float32",
            "step": 5,
            "nan": False,
            "inf": False,
            "zero": True,
            "mismatch": False,
            "changed": False,
            **values,
        }

    def get(self, name: str) -> Any:
        return self.values[name]

    def why(self, name: str) -> str | None:
        return f"{name} is so" if self.values[name] else None


def outcome(text: str, **values: Any) -> bool:
    return holds(evaluate(parse(text), Given(**values)))


def error_in(text: str) -> ExpressionError | None:
    """What is wrong with a text; None where it is a condition."""
    try:
        parse(text)
    except ExpressionError as error:
        return error
    return None


def assert_computed_or_said_not_to_be(text: str, values: Given) -> None:
    tree = parse(text)
    try:
        value = evaluate(tree, values)
    except EvaluationError as error:
        value, said = None, str(error)
    else:
        said = ""
    if value is None:
        assert "cannot be computed" in said
    elif holds(value):
        assert isinstance(reason(tree, values), str)


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


# Of real steps


def steps_of(scenario: str) -> tuple[Any, Labels, list[StepFacts]]:
    graph = session_on(scenario).graph
    return graph, Labels(graph), [graph.step() for _ in range(graph.step_count)]


def where(scenario: str, text: str) -> list[int]:
    graph, labels, steps = steps_of(scenario)
    condition = Condition(text)
    return [step.index for step in steps if why(condition, graph, labels, step) is not None]


def test_an_edge_s_name_holds_where_any_edge_does() -> None:
    graph, labels, steps = steps_of("first_graph")
    assert why(Condition("contribution == 6"), graph, labels, steps[3]) == (
        "contribution == 6 holds to b"
    )
    assert where("first_graph", "accumulated == 7") == [3]
    # The whole condition is asked of one edge: no edge has both.
    assert where("first_graph", "contribution == 2 and contribution == 6") == []
    assert where("first_graph", "contribution == 2 or contribution == 6") == [3]


def test_at_a_leaf_nothing_holds_of_an_edge() -> None:
    graph, _, steps = steps_of("first_graph")
    inner = [step.index for step in steps if not graph.nodes[step.node].leaf]
    assert where("first_graph", "contribution == contribution") == inner
    assert where("first_graph", "not isnan(accumulated)") == inner
    assert where("first_graph", 'op == "leaf"') == [s.index for s in steps if s.index not in inner]


def test_names_are_those_of_the_rail() -> None:
    assert where("first_graph", 'name in ("b", "d")') == [3, 4]
    graph, labels, _ = steps_of("mlp")
    biases = [i for i in range(graph.step_count) if labels.short(i).endswith(".bias")]
    assert len(biases) == 3
    assert where("mlp", 'name == "*.bias"') == biases
    transposed = where("mlp", 'shape == (784, 64) and dtype == "float32"')
    assert [labels.short(i) for i in transposed] == ["linear1.weight.T"]


def facts_of(root: engine.Tensor) -> tuple[Any, Labels, list[StepFacts]]:
    graph = graph_of(root)
    return graph, Labels(graph), [graph.step() for _ in range(graph.step_count)]


@pytest.mark.parametrize(
    ("make", "flag", "said"),
    [
        (lambda x: engine.log(x).sum(), "inf", "the contribution to leaf 2 has 1 Inf"),
        (lambda x: (engine.log(x) * 0).sum(), "nan", "the contribution to leaf 3 has 1 NaN"),
        (lambda x: (x * 0).sum(), "zero", "the contribution to leaf 2 is 0 throughout"),
    ],
)
def test_flags(make: Any, flag: str, said: str) -> None:
    x = engine.Tensor([0.0, 1.0], requires_grad=True)
    with np.errstate(all="ignore"):
        graph, labels, steps = facts_of(make(x))
    told = [why(Condition(flag), graph, labels, step) for step in steps]
    first = next(filter(None, told))
    assert first == f"{flag} holds: {said}"
    for other in ("mismatch", "changed"):
        assert all(why(Condition(other), graph, labels, step) is None for step in steps)


def test_a_gradient_of_another_dtype_or_shape_than_its_tensor() -> None:
    graph, labels, steps = steps_of("log_chain")
    step = steps[1]
    edge = step.edges[1]
    assert why(Condition("mismatch"), graph, labels, step) is None

    def with_edge(**changes: Any) -> StepFacts:
        return dataclasses.replace(step, edges=(dataclasses.replace(edge, **changes),))

    wrong = with_edge(contribution=edge.contribution.astype(np.float64))
    assert why(Condition("mismatch"), graph, labels, wrong) == (
        "mismatch holds: the contribution to e is float64, its tensor float32"
    )
    wrong = with_edge(accumulated=np.ones((3,), np.float32))
    assert why(Condition("mismatch"), graph, labels, wrong) == (
        "mismatch holds: what e has now is (3,), its tensor (1,)"
    )


def test_a_tensor_of_integers_has_no_mismatch() -> None:
    x = engine.Tensor([1, 2], requires_grad=True)
    graph, labels, steps = facts_of((x * 2.5).sum())
    assert all(why(Condition("mismatch"), graph, labels, step) is None for step in steps)


def test_a_value_that_was_changed_in_place() -> None:
    x = engine.Tensor([1.0, 2.0], requires_grad=True)
    x.grad = None
    with engine.no_grad():
        x.uniform_()  # before the forward pass: nothing is wrong
    loss = (x + 1.0).sum()
    graph, labels, steps = facts_of(loss)
    assert all(why(Condition("changed"), graph, labels, step) is None for step in steps)
    with engine.no_grad():
        x.fill_(3.0)
    said = [why(Condition("changed"), graph, labels, step) for step in steps]
    assert said[0] is None
    assert "fill_" in (said[1] or "")
    assert "fill_" in (said[-1] or "")


# What is typed


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
