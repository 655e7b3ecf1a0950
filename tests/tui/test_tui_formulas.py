"""Formulas with names and numbers put in; sources; labels and constants."""

from __future__ import annotations

import functools
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tui_support import BUNDLED, session_on, view_of, write

from tui.session import formulas
from tui.session.labels import constant
from tui.session.session import Session


@pytest.mark.parametrize(
    ("formula", "replacements", "result"),
    [
        ("grad_out * y", {"grad_out": "1", "y": "2"}, "1 * 2"),
        ("grad_out * out", {"out": "e"}, "grad_out * e"),
        ("grad_out * out", {"grad_out": "g", "out": "grad_out"}, "g * grad_out"),
        ("x * x2 - x", {"x": "a", "x2": "b"}, "a * b - a"),
        ("x / y", {"x": "y", "y": "x"}, "y / x"),
        ("grad_out @ y.T", {"y": "weight"}, "grad_out @ weight.T"),
        ("grad_out @ y.T", {"y": "linear.weight.T"}, "grad_out @ linear.weight"),
        ("np.cos(x) * grad_out", {"x": "t", "cos": "no"}, "np.cos(t) * grad_out"),
        ("-grad_out * out / y", {"grad_out": "(-1)", "out": "3", "y": "2"}, "-(-1) * 3 / 2"),
        ("grad_out * (x > y)", {"x": "0", "y": "1"}, "grad_out * (0 > 1)"),
        ("grad_out * exp(x)", {"x": "(-2.5e-3)"}, "grad_out * exp(-2.5e-3)"),
        ("", {"x": "a"}, ""),
    ],
)
def test_putting_in(formula: str, replacements: dict[str, str], result: str) -> None:
    assert formulas.put_in(formula, replacements) == result


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("grad_out * y", True),
        ("grad_out", True),
        ("-grad_out", True),
        ("grad_out @ y.T", True),
        ("grad_out * (x > y)", True),
        ("np.where(x > 0, grad_out, 0)", True),
        ("grad_out, copied to each element", False),
        ("Backward", False),
        ("The gradient of log.", False),
        ("See the notes", False),
        ("", False),
        ("grad_out * (", False),
        ("x = 3", False),
        ("\x00", False),
    ],
)
def test_expressions_and_sentences(formula: str, expected: bool) -> None:
    assert formulas.is_expression(formula) is expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("x <= y", [1, 0, 0]),
        ("1 <= x < 3", [1, 1, 0]),
        ("y < x < 9", [0, 1, 1]),
        ("y * ((x > 2) | (x < 2))", [1, 0, 1]),
        ("where(x > 1, y, 0)", [0, 1, 1]),
    ],
)
def test_comparisons_and_choices_are_evaluated(formula: str, expected: list[float]) -> None:
    values = {"x": np.array([1.0, 2.0, 3.0]), "y": np.ones(3)}
    np.testing.assert_array_equal(formulas.evaluate(formula, values), expected)


def with_docstring(grad_out: Any, out: Any, x: Any, *, keep: bool = False) -> Any:
    """
    grad_out * x

    More on it.
    """
    return grad_out * x


def test_the_formula_is_the_docstring_s_first_line() -> None:
    assert formulas.formula_of(with_docstring) == "grad_out * x"
    assert formulas.formula_of(lambda g: g) is None
    assert formulas.parameter_names(with_docstring) == ["grad_out", "out", "x"]


@pytest.mark.parametrize(
    "function", [np.add, len, max, functools.partial(with_docstring, 1), object(), dict.get]
)
def test_functions_without_python_source(function: Any) -> None:
    assert formulas.source_of(function) is None
    formulas.parameter_names(function)
    formulas.formula_of(function)


def plain(grad_out: Any, out: Any, x: Any) -> None: ...
def with_default(grad_out: Any, out: Any, x: Any = 3) -> None: ...
def only_by_place(grad_out: Any, /, out: Any, x: Any) -> None: ...
def only_by_name(grad_out: Any, out: Any, *, x: Any) -> None: ...
def any_number(grad_out: Any, *others: Any) -> None: ...
def any_name(grad_out: Any, out: Any, **others: Any) -> None: ...


@functools.wraps(with_default)
def wrapped(*args: Any, **kwargs: Any) -> None: ...


CALLED = (plain, with_default, only_by_place, only_by_name, any_number, any_name, wrapped)


@pytest.mark.parametrize("keywords", [{}, {"x": 5}, {"out": 5}, {"other": 5}])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("function", [*CALLED, functools.partial(plain, 1)])
def test_a_call_is_bound_as_python_does(
    function: Any, count: int, keywords: dict[str, Any]
) -> None:
    positional = tuple(range(count))
    try:
        expected = inspect.signature(function).bind(*positional, **keywords)
    except TypeError:
        with pytest.raises(TypeError):
            formulas.bound(function, positional, keywords)
        return
    expected.apply_defaults()
    assert formulas.bound(function, positional, keywords) == expected.arguments


@pytest.mark.parametrize("function", CALLED)
def test_parameters_are_those_that_python_tells(function: Any) -> None:
    by_place = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    told = inspect.signature(function).parameters.values()
    assert formulas.parameter_names(function) == [p.name for p in told if p.kind in by_place]


def test_a_docstring_that_is_replaced_is_read_anew() -> None:
    def back(grad_out: Any) -> Any:
        """grad_out * 2"""

    assert formulas.formula_of(back) == "grad_out * 2"
    back.__doc__ = "\n   grad_out * 3\n   and more"
    assert formulas.formula_of(back) == "grad_out * 3"
    back.__doc__ = None
    assert formulas.formula_of(back) is None


def test_the_source_without_its_docstring() -> None:
    assert formulas.source_of(with_docstring) == [
        "with_docstring(grad_out, out, x):",
        "  return grad_out * x",
    ]


def test_the_source_of_a_lambda_is_its_line() -> None:
    square = lambda g, out, x: 2 * g * x  # noqa: E731
    lines = formulas.source_of(square)
    assert lines is not None
    assert "lambda g, out, x: 2 * g * x" in lines[0]


class Deep:
    def method(
        self,
        grad_out: Any,
        out: Any,
    ) -> Any:
        if out is None:
            return grad_out

        return out


def test_the_source_of_a_method_is_dedented() -> None:
    assert formulas.source_of(Deep().method) == [
        "method(grad_out, out):",
        "  if out is None:",
        "      return grad_out",
        "",
        "  return out",
    ] or formulas.source_of(Deep().method) == [
        "method(grad_out, out):",
        "  if out is None:",
        "      return grad_out",
        "  ",
        "  return out",
    ]


def test_a_decorated_function_has_its_own_source(tmp_path: Path) -> None:
    body = (
        "import functools\ndef logged(f):\n    @functools.wraps(f)\n    def inner(*args):\n"
        "        return f(*args)\n    return inner\n"
        "@logged\ndef own_back(grad_out, out, x):\n    'grad_out * x'\n    return grad_out * x\n"
        "def sq(x):\n    return x * x / 2\nhalf_square = wrap_forward_fn(sq)\n"
        "BACK_FUNCS.add_back_func(half_square, 0, own_back)\n"
        "a = Tensor(3.0, requires_grad=True)\nloss = half_square(a)\n"
    )
    session = session_on(write(tmp_path, body))
    session.next()
    called = view_of(session)["called"]
    assert called["owner"] == "yours"
    assert called["lines"] == ["own_back(grad_out, out, x):", "  return grad_out * x"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2, "2"),
        (0.1, "0.1"),
        (True, "True"),
        (None, "None"),
        ((1, 0), "(1, 0)"),
        ((1,), "(1,)"),
        ((), "()"),
        (np.float32(0.5), "0.5"),
        (np.array([1.0, 2.0]), "[1 2]"),
        (np.zeros((3, 4)), "array (3,4)"),
        ("a long text that goes on and on", "a long text that ..."),
    ],
)
def test_arguments_that_are_no_tensors(value: Any, text: str) -> None:
    assert constant(value) == text


# Labels


def labels_of(session: Session) -> list[str]:
    return [session.labels.full(node.id) for node in session.graph.nodes]


def test_labels_of_first_graph() -> None:
    session = session_on("first_graph")
    assert labels_of(session) == ["L = d + e", "e = b + c", "c", "d = a * b", "b", "a"]
    rail = view_of(session)["rail"]
    assert [row["label"] for row in rail[:3]] == ["L = d + e = 17", "e = b + c = 5", "c = 3"]
    assert [row["brief"] for row in rail[:3]] == ["L = 17", "e = 5", "c = 3"]


def test_a_leaf_without_a_name_is_no_constant(tmp_path: Path) -> None:
    body = (
        "weights = [Tensor(float(i), requires_grad=True) for i in (1, 2)]\n"
        "loss = weights[0] * weights[1] * Tensor(3.0)\n"
    )
    session = session_on(write(tmp_path, body))
    for node in session.graph.nodes:
        if node.leaf:
            assert ("constant" in session.labels.short(node.id)) == (not node.requires_grad)


def test_labels_inside_modules() -> None:
    labels = labels_of(session_on("mlp"))
    for label in ("output.add", "output.bias", "output.weight.T", "relu2", "linear1.weight"):
        assert label in labels
    assert labels[0].startswith("loss")


@pytest.mark.parametrize("name", BUNDLED)
def test_labels_tell_nodes_apart(name: str) -> None:
    session = session_on(name)
    shorts = [session.labels.short(node.id) for node in session.graph.nodes]
    assert all(shorts)
    assert len(set(shorts)) == len(shorts)


def test_labels_of_operations_of_all_kinds(tmp_path: Path) -> None:
    body = (
        "a = Tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)\n"
        "minus = -a\nflat = a.reshape(4)\nturned = a.permute(1, 0)\nprod = a @ a.T\n"
        "part = a[0]\nscaled = 2.0 * a\nroot = exp(a)\n"
        "loss = (minus + turned + prod + part + scaled + root).sum() + flat.sum()\n"
    )
    session = session_on(write(tmp_path, body))
    labels = dict(zip([n.name for n in session.graph.nodes], labels_of(session), strict=True))
    assert labels["minus"] == "minus = -a"
    assert labels["scaled"] == "scaled = 2 * a"
    assert labels["root"] == "root = exp(a)"
    assert labels["part"].startswith("part = a[")
    assert labels["flat"].startswith("flat = reshape(a")
    assert labels["prod"] == "prod = a @ a.T"
    assert "turned" in labels["turned"]


@pytest.mark.parametrize(
    "loss",
    [
        "permute(a, dims=(1, 0))",
        "permute(a, (-1, -2))",
        "transpose(a)",
        "wrap_forward_fn(transpose_it, name='permute')(a)",
    ],
)
def test_every_way_to_turn_a_tensor_has_a_label(tmp_path: Path, loss: str) -> None:
    body = (
        "def transpose_it(x):\n    return x.T\ndef transpose(x):\n    return x.T\n"
        "BACK_FUNCS.add_back_func(transpose_it, 0, lambda g, out, x: g.T)\n"
        f"a = Tensor([[1.0, 2.0]], requires_grad=True)\nloss = {loss}.sum()\n"
    )
    session = session_on(write(tmp_path, body))
    while session.into():
        assert view_of(session)["rail"]


def test_a_module_that_is_called_twice_is_told_apart(tmp_path: Path) -> None:
    body = "layer = Linear(2, 2)\nloss = layer(layer(Tensor(np.ones((1, 2))))).sum()\n"
    session = session_on(write(tmp_path, body))
    computed = [n.id for n in session.graph.nodes if n.op and n.op != "permute"]
    shorts = [session.labels.short(i) for i in computed]
    assert len(set(shorts)) == len(shorts), shorts
