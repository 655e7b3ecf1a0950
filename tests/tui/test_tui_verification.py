"""Verifying a graph's backward functions: mistakes are named, right ones and kinks are not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tui_graphs import all_grads, graph_of, session_of
from tui_support import BUNDLED, TRAINED, load, write
from verify_support import MISTAKES, Mistake

import engine
from engine import BACK_FUNCS, Tensor, wrap_forward_fn
from tui.session.labels import Labels
from tui.session.opening import open_graph
from tui.session.verifying import verdicts
from tui.session.verifying.probing import argument_count, cases
from tui.session.verifying.verification import Finding, Verifier


@pytest.fixture(autouse=True)
def nothing_registered() -> Iterator[None]:
    """What other tests have registered is not taken for a scenario's."""
    before = BACK_FUNCS._own
    BACK_FUNCS.mark_as_own()
    yield
    BACK_FUNCS._own = before


def findings_on(graph: Any) -> list[Finding]:
    verifier = Verifier(graph)
    return [verifier.verify(target) for target in verifier.targets()]


def found_in(folder: Path, body: str) -> list[Finding]:
    return findings_on(open_graph(load(write(folder, body))))


def only_one(findings: list[Finding], function: str = "mine") -> Finding:
    (finding,) = [f for f in findings if f.function == function]
    return finding


# Mistakes


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_the_only_one_that_is_named(tmp_path: Path, mistake: Mistake) -> None:
    findings = found_in(tmp_path, mistake.body)
    (wrong,) = [finding for finding in findings if not finding.ok]
    assert (wrong.function, wrong.op, wrong.arg) == ("mine", mistake.op, mistake.arg)
    assert wrong.yours
    assert wrong.node is not None
    assert (wrong.check is not None and not wrong.check.ok) == mistake.numbers
    assert verdicts.verdict(wrong).startswith("WRONG")
    assert all(finding.tested for finding in findings)


def test_a_wrong_one_has_its_worst_element(tmp_path: Path) -> None:
    body = (
        "def mine(grad_out, out, x):\n"
        "    grad = grad_out * out\n"
        "    grad[1] += 0.25\n"
        "    grad[2] += 0.5\n"
        "    return grad\n"
        "BACK_FUNCS.add_back_func(np.exp, 0, mine)\n"
        "loss = exp(Tensor([0.0, 0.5, 1.0], requires_grad=True))\n"
    )
    check = only_one(found_in(tmp_path, body)).check
    assert check is not None
    assert check.index == (2,)
    assert check.got - check.expected == pytest.approx(0.5, rel=1e-6)
    assert check.max_error == pytest.approx(0.5, rel=1e-6)
    assert (check.tested, check.elements) == (3, 3)


def test_a_missing_one_is_named(tmp_path: Path) -> None:
    body = "half = wrap_forward_fn(lambda x: x / 2, name='half')\nloss = half(Tensor(1.0, True))\n"
    (finding,) = found_in(tmp_path, body)
    assert not finding.ok
    assert "half has no backward function for argument 0" in finding.problem


@pytest.mark.parametrize(
    ("result", "part"),
    [
        ("grad_out[0]", "mine returned a gradient of shape (); its argument has shape (2,)"),
        ("None", "mine returned None instead of a gradient"),
        ("grad_out * 1j", "mine returned complex128, not numbers"),
        ("np.array(['a', 'b'])", "mine returned <U1, not numbers"),
        ("1 / 0", "mine raised ZeroDivisionError: division by zero"),
        ("np.multiply(x, 2, out=x)", "mine changes argument 0 in place"),
        ("np.multiply(out, 2, out=out)", "mine changes out in place"),
    ],
)
def test_what_is_no_gradient_is_told(tmp_path: Path, result: str, part: str) -> None:
    body = (
        f"def mine(grad_out, out, x):\n    return {result}\n"
        "BACK_FUNCS.add_back_func(np.negative, 0, mine)\n"
        "loss = -Tensor([1.0, 2.0], requires_grad=True)\n"
    )
    finding = only_one(found_in(tmp_path, body))
    assert not finding.ok
    assert finding.check is None
    assert part in finding.problem


# Right ones


def assert_all_right(findings: list[Finding]) -> None:
    assert findings
    assert all(finding.ok and finding.tested and not finding.yours for finding in findings)


# Of the trained ones, which take long, the tests of --check tell the same.
@pytest.mark.parametrize("scenario", [name for name in BUNDLED if name not in TRAINED])
def test_the_bundled_scenarios_are_right(scenario: str) -> None:
    assert_all_right(findings_on(open_graph(load(scenario))))


def test_of_large_arguments_a_sample_and_directions_are_tested() -> None:
    findings = findings_on(open_graph(load("mlp")))
    assert_all_right(findings)
    large = [f.check for f in findings if f.check and f.check.elements > 2000]
    assert max(check.elements for check in large) == 784 * 64
    assert all((check.tested, check.directions) == (2000, 8) for check in large)
    assert (
        verdicts.extent(findings[-1]) == "tested: 2,000 of 50,176 elements and 8 random directions"
    )


def test_one_wrong_element_among_many_is_found() -> None:
    matrix = Tensor(np.random.default_rng(0).normal(size=(784, 64)), requires_grad=True)
    images = Tensor(np.random.default_rng(1).normal(size=(16, 784)))

    def mine(grad_out: Any, out: Any, x: Any, y: Any) -> Any:
        grad = engine.matmul_back1(grad_out, out, x, y)  # type: ignore[attr-defined]
        grad[701, 13] *= 1.01
        return grad

    BACK_FUNCS.add_back_func(np.matmul, 1, mine)
    (finding,) = findings_on(graph_of(images @ matrix))
    assert finding.check is not None
    assert (finding.ok, finding.check.index) == (False, (701, 13))


def test_a_network_with_dropout_and_batch_norm_is_right_and_stays_as_it_is() -> None:
    engine.manual_seed(4)
    model = engine.Sequential(
        engine.Conv2d(1, 2, 3), engine.BatchNorm2d(2), engine.ReLU(), engine.MaxPool2d(2),
        engine.Flatten(), engine.Dropout(0.4), engine.Linear(18, 3),
    )  # fmt: skip
    images = Tensor(np.random.default_rng(2).normal(size=(4, 1, 8, 8)))
    loss = engine.cross_entropy(model(images), np.array([0, 2, 1, 1]))
    loss.backward()
    before = {name: array.copy() for name, array in _state(model).items()}
    drawn = np.random.get_state()[1].copy()  # type: ignore[index,union-attr]
    steps: list[Any] = []
    graph = graph_of(loss)
    with engine.add_step_hook(steps.append):
        findings = findings_on(graph)
    assert all(finding.ok for finding in findings)
    assert {f.op for f in findings if f.tested} >= {"dropout", "batch_norm", "conv2d"}
    assert steps == []
    assert graph.position == 0
    for name, array in _state(model).items():
        np.testing.assert_array_equal(array, before[name])
    np.testing.assert_array_equal(np.random.get_state()[1], drawn)  # type: ignore[index]
    numbers = engine.get_rng_state()
    findings_on(graph)
    assert repr(engine.get_rng_state()) == repr(numbers)


def _state(model: Any) -> dict[str, Any]:
    grads = {f"{name}.grad": p.grad.array for name, p in model.named_parameters()}
    return {name: np.asarray(array) for name, array in model.state_dict().items()} | grads


def test_a_session_is_not_disturbed(tmp_path: Path) -> None:
    a = Tensor([1.0, -2.0], requires_grad=True)
    session = session_of(graph_of((a * a).sum()))
    session.next()
    session.into()
    before = all_grads(session), session.graph.position, session.revealed, session.cursor
    findings_on(session.graph)
    assert (all_grads(session), session.graph.position, session.revealed, session.cursor) == before


# Kinks, and what cannot be checked


def test_a_kink_is_left_out_and_said(tmp_path: Path) -> None:
    (finding,) = findings_on(graph_of(engine.relu(Tensor([0.0, 1.0, -1.0, 0.0], True))))
    assert finding.ok
    assert verdicts.extent(finding) == "tested: 2 of 4 elements; 2 elements at a kink: left out"


def test_where_all_is_at_a_kink_nothing_is_said_to_be_right() -> None:
    (finding,) = findings_on(graph_of(engine.relu(Tensor([0.0], True))))
    assert (finding.ok, finding.tested) == (True, False)
    assert verdicts.verdict(finding) == "not checked: no element could be tested"
    assert verdicts.summary([finding]) == "0 checked, nothing found out, 1 could not be checked"


def test_ties_are_no_errors() -> None:
    x = Tensor(np.zeros((2, 4)), requires_grad=True)
    for made in (engine.max(x, dim=1)[0], engine.sort(x, dim=1)[0], engine.maximum(x, x)):
        assert all(finding.ok for finding in findings_on(graph_of(made)))


@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_not_finite_is_not_checked() -> None:
    t = Tensor([1.0, -1.0, 2.0], requires_grad=True)
    total, logs = findings_on(graph_of(engine.log(t).sum()))
    assert total.skipped == "1 of 3 elements of argument 0 is not finite"
    assert logs.skipped == "1 of 3 elements of its result is not finite"
    assert (logs.ok, logs.tested) == (True, False)


def test_what_is_drawn_anew_at_each_call_is_not_checked() -> None:
    noisy = wrap_forward_fn(lambda x: x * np.random.random(x.shape), name="noisy")
    BACK_FUNCS.add_back_func(noisy, 0, lambda grad_out, out, x: grad_out * out / x)
    (finding,) = findings_on(graph_of(noisy(Tensor([1.0, 2.0], requires_grad=True))))
    assert "gives something else when it is called again" in finding.skipped


def test_the_edge_of_where_a_function_is_defined_is_left_out() -> None:
    (finding,) = findings_on(graph_of(engine.sqrt(Tensor([0.0, 4.0], requires_grad=True))))
    assert finding.ok
    assert "1 element where the function ends, or rounding hides it: left out" in verdicts.extent(
        finding
    )


def test_a_function_that_computes_in_float32_is_checked_as_exactly_as_that_goes() -> None:
    for factor, ok in ((3.0, True), (3.2, False)):
        single = wrap_forward_fn(lambda x: (x * x * x).astype(np.float32), name="single")
        BACK_FUNCS.add_back_func(single, 0, lambda g, out, x, factor=factor: factor * x * x * g)
        (finding, *_) = findings_on(graph_of(single(Tensor([0.5, -2.0, 30.0], True))))
        assert finding.ok is ok


# Yours


def test_one_that_replaces_the_engine_s_is_yours_with_the_first_difference(tmp_path: Path) -> None:
    finding = only_one(found_in(tmp_path, MISTAKES["negative returns +grad_out"].body))
    assert finding.beside == "for a grad_out of ones yours gives 1 at [0, 0], the engine's -1"


def test_what_differs_only_where_grad_out_is_not_1_is_found(tmp_path: Path) -> None:
    finding = only_one(found_in(tmp_path, MISTAKES["log drops grad_out"].body))
    assert finding.beside.startswith("for the same grad_out yours gives 0.5 at [0], the engine's ")


def test_at_a_kink_yours_may_differ_and_be_right(tmp_path: Path) -> None:
    body = (
        "def mine(grad_out, out, x, y):\n    return grad_out * (x > y)\n"
        "BACK_FUNCS.add_back_func(np.maximum, 0, mine)\n"
        "loss = relu(Tensor([-1.0, 0.0, 1.0], requires_grad=True))\n"
    )
    (finding,) = found_in(tmp_path, body)
    assert finding.ok
    assert finding.yours
    assert finding.beside == "for a grad_out of ones yours gives 0 at [1], the engine's 0.5"


def test_one_that_is_the_same_as_the_engine_s_needs_no_word(tmp_path: Path) -> None:
    body = (
        "def mine(grad_out, out, x):\n    return -1 * grad_out\n"
        "BACK_FUNCS.add_back_func(np.negative, 0, mine)\n"
        "loss = -Tensor([1.0, 2.0], requires_grad=True)\n"
    )
    (finding,) = found_in(tmp_path, body)
    assert (finding.ok, finding.yours, finding.beside) == (True, True, "")
    assert not verdicts.needs_a_word(finding)


# Registered and not used

UNUSED = (
    "def mine(grad_out, out, {parameters}):\n"
    "    return {result}\n"
    "unused = wrap_forward_fn(lambda {parameters}: {forward}, name='unused')\n"
    "BACK_FUNCS.add_back_func(unused, {arg}, mine)\n"
    "loss = Tensor(1.0, requires_grad=True) * 2.0\n"
)


def unused(
    folder: Path, parameters: str, forward: str, result: str, arg: int = 0
) -> tuple[Finding, list[Finding]]:
    body = UNUSED.format(parameters=parameters, forward=forward, result=result, arg=arg)
    findings = found_in(folder, body)
    return only_one(findings), findings


def test_an_unused_right_one_is_listed_and_probed(tmp_path: Path) -> None:
    finding, findings = unused(tmp_path, "x", "x * x", "2 * x * grad_out")
    assert (finding.node, finding.op, finding.ok, finding.yours) == (None, "unused", True, True)
    assert finding.probed == "(3,), (2,3), (), (3,3)"
    assert verdicts.needs_a_word(finding)
    assert findings[-1] is finding
    assert verdicts.summary(findings) == "2 checked, all right"


@pytest.mark.parametrize(
    ("parameters", "forward", "result", "arg"),
    [
        ("x", "x * x", "x * grad_out", 0),
        ("x", "np.log(x)", "1 / x", 0),
        ("x", "np.maximum(x, 0)", "grad_out", 0),
        ("x, y", "x * y", "grad_out * x", 1),
        ("x, y", "x @ y", "grad_out @ y", 0),
        ("x", "np.exp(x)", "grad_uot", 0),
    ],
)
def test_an_unused_wrong_one_is_wrong(
    tmp_path: Path, parameters: str, forward: str, result: str, arg: int
) -> None:
    finding, _ = unused(tmp_path, parameters, forward, result, arg)
    assert not finding.ok
    assert finding.probed.startswith("(")


def test_one_for_matrices_alone_is_right(tmp_path: Path) -> None:
    finding, _ = unused(
        tmp_path, "x", "x.sum(axis=-1)", "grad_out[:, None].repeat(x.shape[1], axis=1)"
    )
    assert finding.ok
    assert finding.probed == "(2,3), (3,3)"


def test_one_that_cannot_be_probed_is_said_not_to_be_checked(tmp_path: Path) -> None:
    finding, _ = unused(tmp_path, "x, index", "x[index]", "grad_out")
    assert (finding.ok, finding.tested) == (True, False)
    assert finding.skipped.startswith("could not be probed: ")
    assert "IndexError" in finding.skipped


def test_the_other_argument_of_a_function_that_is_used_is_probed(tmp_path: Path) -> None:
    body = (
        "def mine(grad_out, out, x, y):\n    return unbroadcast(grad_out * y, y)\n"
        "BACK_FUNCS.add_back_func(np.multiply, 1, mine)\n"
        "loss = Tensor(2.0, requires_grad=True) * 3.0\n"
    )
    finding = only_one(found_in(tmp_path, body))
    assert (finding.node, finding.arg, finding.ok) == (None, 1, False)
    assert "yours gives" in finding.beside


@pytest.mark.parametrize(
    ("func", "arg", "count"),
    [
        (np.exp, 0, 1),
        (np.multiply, 0, 2),
        (lambda x, y, z=1: x, 0, 2),
        (lambda x, *others: x, 0, 1),
        (lambda *several: several[0], 1, 2),
    ],
)
def test_the_number_of_arguments(func: Any, arg: int, count: int) -> None:
    assert argument_count(func, lambda grad_out, out, *args: grad_out, arg) == count
    shapes = [args for _, args in cases(func, func, arg)]
    assert all(len(args) == count for args in shapes)


# In words


def test_the_place_and_the_argument_are_named_as_the_scenario_does(tmp_path: Path) -> None:
    graph = open_graph(load("first_graph"))
    labels = Labels(graph)
    verifier = Verifier(graph)
    findings = [verifier.verify(target) for target in verifier.of_node(3)]
    assert [verdicts.argument(f, labels) for f in findings] == [
        "to a, argument 0",
        "to b, argument 1",
    ]
    assert verdicts.place(findings[0], labels) == f"node 3, d = a * b, line {graph.nodes[3].line}"
    assert verdicts.verdict(findings[0]).startswith("right, largest error ")
    assert verifier.of_node(graph.step_count - 1) == []


def test_what_is_printed_in_the_calls_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = (
        "def mine(grad_out, out, x):\n    print('called')\n    return grad_out * 2 * x\n"
        "square = wrap_forward_fn(lambda x: x * x, name='square')\n"
        "BACK_FUNCS.add_back_func(square, 0, mine)\n"
        "loss = square(Tensor(1.0, requires_grad=True))\n"
    )
    assert only_one(found_in(tmp_path, body)).ok
    assert capsys.readouterr().out == ""
