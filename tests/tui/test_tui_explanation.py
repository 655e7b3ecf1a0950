"""The explanation of a step: which formula, which numbers, and whether they can be followed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from tui_graphs import graph_of, session_of, tensors
from tui_support import session_on, text_of, view_of, write

from tui.session import numbers
from tui.session.session import Session

SMALL = ("broadcasting", "first_graph", "log_chain", "shared_parent")


def explained(session: Session, node: int) -> str:
    """The step of a node, just done."""
    session.go_to(node + 1)
    return text_of(view_of(session)["step"])


def node_called(session: Session, name: str) -> int:
    return next(n.id for n in session.graph.nodes if n.name == name)


def evaluated(text: str) -> Any:
    """What comes out of an expression of printed numbers and arrays."""
    python = ""
    depth = 0
    for char in text.replace("NaN", "np.nan").replace("Inf", "np.inf"):
        if char == "]":
            depth -= 1
        closing = ")" if char == "]" and not depth else ""
        opening = "np.array(" if char == "[" and not depth else ""
        python += opening + (", " if char == " " and depth else char) + closing
        if char == "[":
            depth += 1
    if ">" in python or "<" in python:  # truths are numbers there, which NumPy's are not
        python = python.replace("((", "(1.0 * (").replace("+ (", "+ 1.0 * (")
    with np.errstate(all="ignore"):
        return np.asarray(eval(python, {"np": np}), dtype=float)


def claims(items: list[Any]) -> list[tuple[str, str, str]]:
    """(expression of printed numbers, sign, printed result) of each line that computes."""
    found = []
    lines = [(left, right) for kind, left, right in items if kind == "line"]
    for i, (left, right) in enumerate(lines):
        one_line = re.fullmatch(r"  .+?  =  (.+)  ([=≈])", left)
        if one_line:
            found.append((*one_line.groups(), right))
        elif (
            left.startswith("  = ")
            and i + 1 < len(lines)
            and lines[i + 1][0][:4]
            in (
                "  = ",
                "  ≈ ",
            )
        ):
            found.append((left[4:], lines[i + 1][0][2], lines[i + 1][0][4:]))
    return found


def check_claims(session: Session, exact_too: bool = False) -> int:
    """Each printed product equals its printed result, or says that it does not quite."""
    count = 0
    while session.next():
        for expression, sign, result in claims(view_of(session)["step"]):
            count += 1
            got, printed = evaluated(expression), evaluated(result)
            same = numbers.inline(np.broadcast_to(got, printed.shape)) == result
            if sign == "=":
                assert same, f"{expression} = {result}"
            elif exact_too:
                assert not same, f"{expression} ≈ {result}, where it is ="
            scale = np.max(np.abs(printed), initial=1e-9)
            np.testing.assert_allclose(got, printed, atol=0.02 * scale + 1e-3)
    return count


@pytest.mark.parametrize("name", SMALL)
def test_every_number_can_be_followed(name: str) -> None:
    assert check_claims(session_on(name)) or name == "broadcasting"


@pytest.mark.parametrize("name", ["first_graph", "shared_parent", "log_chain"])
def test_what_is_exact_is_not_called_approximate(name: str) -> None:
    check_claims(session_on(name), exact_too=True)


@pytest.mark.parametrize(
    ("name", "node", "result"),
    [("relu_kink", 2, "= [0 1 1]"), ("relu_kink", 4, "= [0 0 1]"), ("nan", 1, "= [1 0 1]")],
)
def test_what_where_chooses_is_exact(name: str, node: int, result: str) -> None:
    assert f"\n  {result}\n" in explained(session_on(name), node)


def test_what_cannot_be_computed_again_is_called_neither_exact_nor_approximate(
    tmp_path: Path,
) -> None:
    body = "x = Tensor([1.0, 2.0], requires_grad=True)\nloss = softmax(x, dim=0)\n"
    text = explained(session_on(write(tmp_path, body)), 0)
    assert re.search(r"\n  gives \[.* .*\]\n", text)
    assert "≈" not in text


@settings(max_examples=50, deadline=None)
@given(tensors())
def test_every_number_of_random_graphs_can_be_followed(root: Any) -> None:
    check_claims(session_of(graph_of(root)))


def test_an_exact_product_is_exact_also_before_it_is_summed(tmp_path: Path) -> None:
    body = (
        "a = Tensor([1.0, 2.0, 3.0], requires_grad=True)\nb = Tensor([2.0], requires_grad=True)\n"
        "loss = a * b\n"
    )
    session = session_on(write(tmp_path, body))
    text = explained(session, 0)
    assert "= [1 1 1] * [1 2 3]\n  = [1 2 3]\n" in text
    assert "unbroadcast (3,) → (1,)  6" in text


OWN = """
def double(x):
    return x * 2
def double_back(grad_out, out, x):
    {docstring}
    return 2 * grad_out
doubled = wrap_forward_fn(double)
BACK_FUNCS.add_back_func(doubled, 0, double_back)
a = Tensor(3.0, requires_grad=True)
loss = doubled(a)
"""


def test_an_exact_product_of_a_student_s_own_function_is_exact(tmp_path: Path) -> None:
    body = OWN.format(docstring='"2 * grad_out"')
    assert "2 * grad_out  =  2 * 1  =  2" in explained(session_on(write(tmp_path, body)), 0)


@pytest.mark.parametrize(
    ("docstring", "line"),
    [
        ("pass", "double_back(...)  2"),
        ('"Twice what comes."', "Twice what comes.  2"),
        ('"Backward"', "Backward  2"),
        ('""', "double_back(...)  2"),
        ('"2 * grad_out\\n\\nMore on it."', "2 * grad_out"),
    ],
)
def test_functions_with_other_docstrings(tmp_path: Path, docstring: str, line: str) -> None:
    session = session_on(write(tmp_path, OWN.format(docstring=docstring)))
    assert f"  {line}" in explained(session, 0)


@pytest.mark.parametrize(
    "back",
    [
        "lambda grad_out, out, x: 2 * grad_out",
        "__import__('functools').partial(lambda k, g, out, x: k * g, 2)",
        "type('Back', (), {'__call__': lambda self, g, out, x: 2 * g})()",
        "lambda *args: 2 * args[0]",
        "np.multiply",
    ],
    ids=["lambda", "partial", "object", "stars", "ufunc"],
)
def test_functions_of_all_kinds(tmp_path: Path, back: str) -> None:
    body = OWN.format(docstring="pass").replace("0, double_back", f"0, {back}")
    if back == "np.multiply":  # takes (grad_out, out, x) for (x1, x2, out): of the right shape
        body = body.replace(back, "lambda g, out, x: np.multiply(g, 2)")
    session = session_on(write(tmp_path, body))
    for key in (session.into, session.into, session.next):
        key()
        assert view_of(session)["step"]
        view_of(session)["called"]


def test_log_chain_as_it_is_told() -> None:
    """The example of the debugger's issue."""
    session = session_on("log_chain")
    text = explained(session, 1)
    assert text.startswith("f = d * e  node 1")
    assert "grad_out = dg/df = [0.2171 0.0724 0.1448]  complete" in text
    to_e = text[text.index("to e, argument 1  multiply_back1") :]
    assert to_e.splitlines()[1:7] == [
        "  grad_out * d",
        "  = [0.2171 0.0724 0.1448] * [2 6 3]",
        "  ≈ [0.4343 0.4343 0.4343]",
        "  unbroadcast (3,) → (1,)  1.303",
        "  e so far  nothing",
        "  -------",
    ]
    assert to_e.splitlines()[7] == "  e now, complete  1.303"


def test_a_third_has_the_same_digits_beside_1_and_beside_almost_1() -> None:
    """a gets a 1 that is 0.99999994, b an exact one."""
    session = session_on("log_chain")
    session.go_to(session.graph.step_count)
    grads = [session.graph.stored_grad(node_called(session, name)) for name in "ab"]
    assert all(grad is not None for grad in grads)
    told = [numbers.inline(grad) for grad in grads if grad is not None]
    assert told == ["[1 0.5 0.333]", "[0.5 0.333 1]"]


def test_first_graph_as_it_is_drawn() -> None:
    """The second picture of screens.txt."""
    text = explained(session_on("first_graph"), 3)
    for line in (
        "d = a * b  node 3, just done",
        "grad_out = dL/dd = 1  complete",
        "to b, argument 1  multiply_back1",
        "  grad_out * a  =  1 * 6  =  6",
        "  b so far, from e (node 1)  1",
        "  b now, complete  7",
    ):
        assert line in text.splitlines()


def test_formulas_are_the_functions_own(tmp_path: Path) -> None:
    body = (
        "a = Tensor(2.0, requires_grad=True)\nb = Tensor(4.0, requires_grad=True)\n"
        "p = a / b\nq = exp(p)\nr = log(q)\nt = r - a\nu = -t\nloss = u * 3.0\n"
    )
    session = session_on(write(tmp_path, body))
    formulas = {
        "loss": "grad_out * 3  =  1 * 3  =  3",
        "u": "-grad_out  =  -3  =  -3",
        "t": "-grad_out  =  -(-3)  =  3",
        "r": "grad_out / q",
        "q": "grad_out * q",
        "p": "grad_out / b",
    }
    for name, formula in formulas.items():
        assert formula in explained(session, node_called(session, name)), name


def test_negative_numbers_stand_in_parentheses(tmp_path: Path) -> None:
    body = (
        "a = Tensor(-2.0, requires_grad=True)\nb = Tensor(-3.0, requires_grad=True)\nloss = a * b\n"
    )
    text = explained(session_on(write(tmp_path, body)), 0)
    assert "grad_out * b  =  1 * (-3)  =  -3" in text


def test_unbroadcast_says_from_what_to_what() -> None:
    session = session_on("broadcasting")
    seen = "\n".join(explained(session, i) for i in range(session.graph.step_count))
    for shapes in ("(3,4) → ()", "(3,4) → (3,1)", "(3,4) → (4,)"):
        assert seen.count(f"unbroadcast {shapes}") == 1
    assert seen.count("unbroadcast") == 3


def test_a_leaf_that_had_a_gradient(tmp_path: Path) -> None:
    body = "a = Tensor(3.0, requires_grad=True)\nloss = a * 2.0\nloss.backward()\n"
    text = explained(session_on(write(tmp_path, body)), 1)
    assert "a.grad before  2" in text
    assert "a.grad now  4" in text


def test_where_the_gradient_so_far_came_from(tmp_path: Path) -> None:
    """x got something from loss, and from this very node's first argument: from two ways."""
    body = "x = Tensor(3.0, requires_grad=True)\nsquare = x * x\nloss = square + x\n"
    text = explained(session_on(write(tmp_path, body)), 1)
    first, second = text.split("to x, argument 1")
    assert "x so far, from loss (node 0)  1" in first
    assert "x so far  4" in second


def test_one_tensor_as_both_arguments(tmp_path: Path) -> None:
    body = "x = Tensor(3.0, requires_grad=True)\nloss = x * x\n"
    text = explained(session_on(write(tmp_path, body)), 0)
    assert "x now, 1 to come  3" in text
    assert "x now, complete  6" in text


def test_large_tensors_are_told_by_shape_and_norm() -> None:
    session = session_on("mlp")
    text = explained(session, node_called(session, "loss") + 1)
    assert "(64,) norm 0.125" in text
    matmul = next(n.id for n in session.graph.nodes if n.op == "matmul")
    told = explained(session, matmul)
    assert re.search(r"\(64,10\) @ \(10,64\)|\(64,10\) @ ", told), told


@pytest.mark.parametrize("value", ["float('nan')", "float('inf')", "0.0", "1e-30", "1e30"])
def test_odd_numbers_are_told(tmp_path: Path, value: str) -> None:
    body = f"a = Tensor([{value}, 1.0], requires_grad=True)\nb = log(a)\nloss = (b * a / b).sum()\n"
    session = session_on(write(tmp_path, body))
    with np.errstate(all="ignore"):
        while session.into():
            assert text_of(view_of(session)["step"])
            assert text_of(view_of(session)["tensors"])


UNNAMED = """
x = Tensor(np.ones((4, 2)))
w = Tensor(np.ones((2, 2)), requires_grad=True)
b = Tensor(np.ones(2), requires_grad=True)
loss = (exp(x @ w + b) * (x @ w)).sum()
"""


def test_a_node_without_a_name_is_called_by_its_number_everywhere(tmp_path: Path) -> None:
    session = session_on(write(tmp_path, UNNAMED))
    add = next(n.id for n in session.graph.nodes if n.op == "add")
    exp = next(n.id for n in session.graph.nodes if n.op == "exp")
    rail = next(row for row in view_of(session)["rail"] if row["id"] == add)
    text = explained(session, exp)
    assert text.splitlines()[2] == "grad_out  (4,2) norm 5.657"
    assert f"to node {add}, argument 0  exp_back\n  node {add} = {rail['label']}\n" in text
    assert "  grad_out * out  " in text
    assert f"  node {add} so far  nothing\n" in text
    assert f"  node {add} now, complete  " in text
    session.go_to(exp)
    assert view_of(session)["next"].endswith(f"it hands its gradient to node {add}.")
    session.into()
    session.into()
    assert f"node {add} = " in text_of(view_of(session)["step"])


def test_a_long_expression_is_left_to_the_rail(tmp_path: Path) -> None:
    body = (
        "first_of_two = Tensor([1.0], requires_grad=True)\nsecond_of_two = Tensor([2.0])\n"
        "loss = exp(maximum(first_of_two, second_of_two))\n"
    )
    text = explained(session_on(write(tmp_path, body)), 0)
    assert "to node 1, argument 0  exp_back\n  grad_out * loss" in text
