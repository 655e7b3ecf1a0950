"""One element of a contribution, worked through: every sentence is right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tui_graphs import graph_of, session_of, tensors
from tui_support import session_on, view_of, write

from tui.session import numbers
from tui.session.session import Session
from tui.session.worked import WorkedElements
from tui.session.worked.terms import sum_text

RESULT = re.compile(r".* [=≈] (\S+)$", re.S)


def edges(session: Session) -> Iterator[tuple[Any, Any]]:
    session.start()
    for index in range(session.graph.step_count):
        session.go_to(index + 1)
        step = session.graph.taken(index)
        for edge in step.edges:
            yield step, edge


def check(sentence: str, edge: Any, place: tuple[int, ...]) -> None:
    """The result is the contribution's element, and the sum that is written down comes to it."""
    worked, _, total = sentence.partition("; ")
    found = RESULT.fullmatch(worked)
    assert found, sentence
    assert found[1] == numbers.number(edge.contribution[place]), sentence
    assert bool(total) == (edge.before is not None)
    if total:
        before, after = (numbers.number(a[place]) for a in (edge.before, edge.accumulated))
        assert total == f"{before} was there, now {after}"


def test_every_step_of_the_mlp_has_a_right_sentence() -> None:
    session = session_on("mlp")
    worked = WorkedElements(session.graph, {})
    count = 0
    for step, edge in edges(session):
        sentence = worked.sentence(step, edge)
        assert sentence is not None, (step.node, edge.arg)
        place = worked.place(step, edge)
        assert abs(edge.contribution[place]) == np.abs(edge.contribution).max()
        check(sentence, edge, place)
        count += 1
    assert count >= 20


def test_any_element_of_the_mlp_can_be_chosen() -> None:
    session = session_on("mlp")
    rng = np.random.default_rng(0)
    for step, edge in edges(session):
        for _ in range(20):
            place = tuple(int(rng.integers(n)) for n in edge.contribution.shape)
            worked = WorkedElements(session.graph, {edge.parent: place})
            assert worked.place(step, edge) == place
            sentence = worked.sentence(step, edge)
            assert sentence is not None, (step.node, edge.arg, place)
            check_or_zero(sentence, edge, place)


def check_or_zero(sentence: str, edge: Any, place: tuple[int, ...]) -> None:
    if edge.contribution[place] == 0 and "no element" in sentence:
        return
    if not RESULT.fullmatch(sentence.partition("; ")[0]):
        assert edge.contribution[place] == 0, sentence
        return
    check(sentence, edge, place)


def test_the_row_and_the_column_that_meet() -> None:
    session = session_on("mlp")
    graph = session.graph
    matmul = max(n.id for n in graph.nodes if n.op == "matmul")
    session.go_to(matmul + 1)
    step = graph.taken(matmul)
    (edge,) = step.edges
    sentence = WorkedElements(graph, {edge.parent: (435, 13)}).sentence(step, edge)
    assert sentence is not None
    start = "row 435 of (784,64) * column 13 of (64,64) = "
    assert sentence.startswith(start)
    row, column = graph.arguments(matmul)[0].T[435], step.grad_out[:, 13]
    products = row.astype(float) * column
    largest = np.argsort(-np.abs(products))[:2]
    first = f"{numbers.number(row[largest[0]])} * "
    assert sentence.removeprefix(start).startswith(first)
    zeros, smaller = int((products == 0).sum()), int((products != 0).sum()) - 2
    assert f" + ({smaller} more) + ({zeros} zeros) = " in sentence
    assert sentence.endswith(f"= {numbers.number(products.sum())}")


BODIES = {
    "sum of a dimension": ("x.sum(dim=1)", "grad_out[2] = 1"),
    "sum, kept": ("x.sum(dim=0, keepdim=True)", "grad_out[0, 3] = 1"),
    "mean": ("x.mean(dim=1)", "grad_out[2] / 9 = 1 / 9 = 0.1111"),
    "permute": ("x.permute(1, 0)", "grad_out[3, 2] = 1"),
    "transpose": ("x.transpose(0, 1)", "grad_out[3, 2] = 1"),
    "reshape": ("x.reshape(9, 7)", "grad_out[3, 0] = 1"),
    "flatten": ("x.flatten()", "grad_out[21] = 1"),
    "one row": ("x[2]", "grad_out[3] = 1"),
    "rows, twice": ("x[[2, 0, 2]]", "grad_out[0, 3] + grad_out[2, 3] = 1 + 1 = 2"),
    "another row": ("x[1]", "no element of grad_out goes there: 0"),
    "a mask": ("x[x.array > 20]", "grad_out[0] = 1"),
    "many times": (
        "x[[2] * 5]",
        "grad_out[0, 3] + grad_out[1, 3] + (3 more) = 1 + 1 + (3 more) = 5",
    ),
    "cat": ("cat([x * 2, x], dim=1)", None),
    "cat, the second": ("cat([y, x], dim=1)", "grad_out[2, 12] = 1"),
    "stack": ("stack([y, x], dim=1)", "grad_out[2, 1, 3] = 1"),
    "pad": ("pad(x, (1, 2, 3, 4))", "grad_out[5, 4] = 1"),
    "cumsum": ("x.cumsum(0)", "grad_out[2, 3] + grad_out[3, 3] + (3 more) = 1 + 1 + (3 more) = 5"),
    "amax": ("x.max(dim=1)[0]", None),
    "product": ("x * y", "1 * 5 = 5"),
    "tanh": ("tanh(x / 63)", None),
    "expand": ("x.reshape(1, 7, 9).expand((4, 7, 9))", None),
    "copied numbers": ("y + x.sum()", None),
    "a column that was broadcast": ("y * x[:, 3:4]", None),
    "matrix and vector": ("x @ v", "1 * 2 = 2"),
    "vector and matrix": ("Tensor(np.ones(7)) @ x", "1 * 1 = 1"),
    "einsum": ("einsum('ij,ij->j', x, y)", None),
    "stack of matrices": (
        "Tensor(np.ones((2, 3, 7))) @ x.reshape(1, 7, 9).expand((2, 7, 9))",
        None,
    ),
    "softmax": ("softmax(x, dim=1)", None),
    "where": ("where(Tensor(x.array > 9), x, y)", None),
    "relu": ("relu(x - 20)", None),
    "clamp": ("clamp(x, 3, 50)", None),
    "embedding": ("embedding(Tensor(np.array([[2, 1], [2, 2]])), x)", None),
}


def session_with(expression: str, folder: Path) -> Session:
    body = (
        "x = Tensor(np.arange(63.0).reshape(7, 9), requires_grad=True)\n"
        "y = Tensor(np.full((7, 9), 5.0))\nv = Tensor(np.full(9, 2.0))\n"
        f"out = {expression}\nloss = out.sum()\n"
    )
    return session_on(write(folder, body))


@pytest.mark.parametrize("what", sorted(BODIES))
def test_operations(what: str, tmp_path: Path) -> None:
    """A right sentence at each element of each contribution, or none."""
    expression, expected = BODIES[what]
    session = session_with(expression, tmp_path)
    x = next(n.id for n in session.graph.nodes if n.name == "x")
    seen = []
    for step, edge in edges(session):
        for place in np.ndindex(edge.contribution.shape):
            worked = WorkedElements(session.graph, {edge.parent: place})
            sentence = worked.sentence(step, edge)
            if edge.parent == x and place == (2, 3):
                seen.append(sentence)
            if sentence is not None:
                check_or_zero(sentence, edge, place)
    if expected is not None:
        assert seen == [f"at [2, 3]: {expected}"]


KERNELS = (
    "Tensor(np.arange({size}.0).reshape({shape}) - 7, requires_grad=True)",
    "Tensor(np.ones({outputs}), requires_grad=True)",
)


def conv2d(image: str, shape: tuple[int, ...], options: str = "", bias: bool = True) -> str:
    """A convolution of x, with kernels of this shape."""
    size = int(np.prod(shape))
    arguments = [k.format(size=size, shape=shape, outputs=shape[0]) for k in KERNELS]
    return f"conv2d(x.reshape({image}), {', '.join(arguments[: 1 + bias])}{options})"


WINDOWS = {
    "conv2d": conv2d("(1, 1, 7, 9)", (2, 1, 3, 2)),
    "channels": conv2d("(1, 3, 3, 7)", (2, 3, 2, 3)),
    "images": conv2d("(3, 1, 3, 7)", (2, 1, 2, 3), bias=False),
    "one image": conv2d("(1, 7, 9)", (2, 1, 3, 2)),
    "stride": conv2d("(1, 1, 7, 9)", (2, 1, 3, 2), ", stride=(2, 3)"),
    "padding": conv2d("(1, 1, 7, 9)", (2, 1, 3, 3), ", stride=2, padding=(2, 1)"),
    "same": conv2d("(1, 1, 7, 9)", (1, 1, 4, 2), ", padding='same'"),
    "dilation": conv2d("(1, 1, 7, 9)", (1, 1, 2, 3), ", dilation=(3, 2), padding='same'"),
    "groups": conv2d("(1, 3, 3, 7)", (6, 1, 2, 2), ", groups=3"),
    "max_pool2d": "max_pool2d(x.reshape((1, 7, 9)), 2)",
    "windows that overlap": "max_pool2d(x.reshape((1, 1, 7, 9)), (3, 2), stride=1, padding=1)",
    "apart": "max_pool2d(x.reshape((1, 1, 7, 9)), 2, stride=4, dilation=(2, 1), ceil_mode=True)",
    "ties": "max_pool2d(relu(x - 30).reshape((1, 1, 7, 9)), 3, ceil_mode=True)",
}


@pytest.mark.parametrize("what", sorted(WINDOWS))
def test_windows(what: str, tmp_path: Path) -> None:
    """A right sentence at each element of each contribution."""
    session = session_with(f"({WINDOWS[what]}) ** 2", tmp_path)
    told = 0
    for step, edge in edges(session):
        if session.graph.nodes[step.node].op not in ("conv2d", "max_pool2d"):
            continue
        for place in np.ndindex(edge.contribution.shape):
            sentence = WorkedElements(session.graph, {edge.parent: place}).sentence(step, edge)
            assert sentence is not None, (edge.arg, place)
            check_or_zero(sentence, edge, place)
            told += edge.contribution[place] != 0
    assert told > 3


def test_a_window_that_sees_nan_hands_its_gradient_to_the_first(tmp_path: Path) -> None:
    body = (
        "x = Tensor(np.arange(36.0).reshape(1, 6, 6), requires_grad=True)\n"
        "x.array[0, 2, 4] = x.array[0, 3, 5] = np.nan\nloss = max_pool2d(x, 2).sum()\n"
    )
    session = session_on(write(tmp_path, body))
    step, edge = list(edges(session))[-1]
    told = [
        WorkedElements(session.graph, {edge.parent: place}).sentence(step, edge)
        for place in ((0, 2, 4), (0, 3, 5), (0, 3, 3))
    ]
    assert told == [
        "at [0, 2, 4]: grad_out[0, 1, 2] = 1",
        "at [0, 3, 5]: no element of grad_out goes there: 0",
        "at [0, 3, 3]: grad_out[0, 1, 1] = 1",
    ]


def test_the_windows_of_the_cnn_are_counted() -> None:
    session = session_on("cnn")
    graph = session.graph
    conv2 = next(n.id for n in graph.nodes if n.name is None and n.path == "conv2")
    session.go_to(conv2 + 1)
    step = graph.taken(conv2)
    chosen = {edge.parent: (0,) * edge.contribution.ndim for edge in step.edges}
    told = [WorkedElements(graph, chosen).sentence(step, edge) for edge in step.edges]
    starts = [
        "at [0, 0, 0, 0]: seen in 1 window by 16 kernels: ",
        "at [0, 0, 0, 0]: in 64 windows of 32 images: ",
        "at [0]: the sum of grad_out[:, 0, :, :] = ",
    ]
    assert all(map(str.startswith, map(str, told), starts)), told


def test_sums_over_what_was_broadcast(tmp_path: Path) -> None:
    session = session_with("y * x[:, 3:4]", tmp_path)
    told = [
        WorkedElements(session.graph, {edge.parent: (2, 0)}).sentence(step, edge)
        for step, edge in edges(session)
        if edge.raw is not None
    ]
    assert told == ["at [2, 0]: the sum of [2, :] of (7,9) = 5 + 5 + (7 more) = 45"]


@settings(max_examples=60, deadline=None)
@given(tensors(), st.integers(0, 99))
def test_sentences_on_random_graphs(root: Any, seed: int) -> None:
    session = session_of(graph_of(root))
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        for step, edge in edges(session):
            place = tuple(int(rng.integers(n)) for n in edge.contribution.shape)
            sentence = WorkedElements(session.graph, {edge.parent: place}).sentence(step, edge)
            if sentence is not None:
                check_or_zero(sentence, edge, place)


LIAR = """
def twice(x):
    return x * 2
def twice_back(grad_out, out, x):
    "{docstring}"
    return 2 * grad_out
BACK_FUNCS.add_back_func(doubled := wrap_forward_fn(twice), 0, twice_back)
x = Tensor(np.ones((7, 9)), requires_grad=True)
loss = doubled(x).sum()
"""


@pytest.mark.parametrize(
    "docstring",
    ["3 * grad_out", "grad_out @ x", "grad_out, its dimensions put back", "grad_out[0]", "quit()"],
)
def test_nothing_is_said_where_the_formula_is_not_what_was_computed(
    docstring: str, tmp_path: Path
) -> None:
    body = LIAR.format(docstring=docstring).replace(
        "BACK_FUNCS.add_back_func(doubled := wrap_forward_fn(twice), 0, twice_back)",
        "doubled = wrap_forward_fn(twice)\nBACK_FUNCS.add_back_func(doubled, 0, twice_back)",
    )
    session = session_on(write(tmp_path, body))
    last_step, last_edge = list(edges(session))[-1]
    assert WorkedElements(session.graph, {}).sentence(last_step, last_edge) is None


def test_the_first_nan_is_worked_through(tmp_path: Path) -> None:
    body = (
        "x = Tensor(np.full((3, 9), 4.0), requires_grad=True)\n"
        "y = Tensor(np.where(np.arange(27).reshape(3, 9) == 13, np.nan, 1e9))\n"
        "loss = (x * y).sum()\n"
    )
    session = session_on(write(tmp_path, body))
    step, edge = list(edges(session))[-1]
    sentence = WorkedElements(session.graph, {}).sentence(step, edge)
    assert sentence == "at [1, 4]: 1 * NaN = NaN"


@pytest.mark.parametrize(
    ("terms", "result", "text"),
    [
        ([(1.0, 2.0)], 2.0, "1 * 2 = 2"),
        ([(0.0, 2.0)], 0.0, "1 zero = 0"),
        ([(3.0,), (-1.0,)], 2.0, "3 - 1 = 2"),
        ([(2.0, -1.0), (-3.0, 2.0)], -8.0, "-3 * 2 + 2 * (-1) = -8"),
        ([(1.0,)] * 9 + [(0.0,)] * 2, 9.0, "1 + 1 + (7 more) + (2 zeros) = 9"),
        ([(0.33333,), (0.33333,)], 0.66666, "0.3333 + 0.3333 ≈ 0.6667"),
        ([(5.0,)], 5.0, "5"),
        ([(float("nan"),), (9.0,), (1.0,), (2.0,)], float("nan"), "NaN + 9 + (2 more) = NaN"),
    ],
)
def test_sums_as_they_are_written(terms: Any, result: float, text: str) -> None:
    assert sum_text(terms, result) == text


def test_small_tensors_are_printed_whole_and_not_worked_through() -> None:
    session = session_on("first_graph")
    while session.next():
        items = view_of(session)["step"]
        assert not [item for item in items if item[0] == "worked"]


def test_the_chosen_element_stands_in_the_explanation() -> None:
    session = session_on("mlp")
    weight = next(n.id for n in session.graph.nodes if n.name == "linear1.weight")
    session.chosen[weight] = (3, 400)
    session.go_to(weight)
    items = view_of(session)["step"]
    worked = [left for kind, left, _ in items if kind == "worked"]
    assert len(worked) == 1
    assert worked[0].startswith("  at [3, 400]: grad_out[400, 3] = ")


def test_a_result_that_is_not_shown_yet_is_not_told_by_its_element() -> None:
    session = session_on("mlp")
    session.go_to(10)
    session.into()
    assert not [i for i in view_of(session)["step"] if i[0] == "worked"]
    session.into()
    assert [i for i in view_of(session)["step"] if i[0] == "worked"]
