"""`--check`: exit codes, what is said of wrong and of right backward functions, the JSON."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from tui_support import BUNDLED, SQUARE, assert_refused, json_lines, run, write
from verify_support import MISTAKES

FIELDS = {
    "event", "node", "op", "arg", "backward", "ok", "max_error", "index", "got", "expected",
    "tested", "elements",
}  # fmt: skip

KINK = """
def mine(grad_out, out, x, y):
    return grad_out * (x > y)
BACK_FUNCS.add_back_func(np.maximum, 0, mine)
loss = relu(Tensor([-1.0, 0.0, 1.0], requires_grad=True)).sum()
"""

OWN = """
def cube_back(grad_out, out, x):
    return grad_out * {factor} * x * x
cube = wrap_forward_fn(lambda x: x * x * x, name="cube")
BACK_FUNCS.add_back_func(cube, 0, cube_back)
"""

Checked = tuple[list[dict[str, Any]], dict[str, Any], subprocess.CompletedProcess[str]]
"""The check events, the end event, and the process."""

NOT_FINITE = "loss = log(Tensor([1.0, 0.0], requires_grad=True)).sum()\n"


def checked(scenario: str | Path, *more: str, code: int = 0) -> Checked:
    """Check a scenario, with the exit code that is expected."""
    done = run(scenario, "--check", "--json", *more, timeout=60)
    assert done.returncode == code, (done.stdout, done.stderr)
    *events, end = json_lines(done.stdout)
    assert all(event["event"] == "check" and set(event) == FIELDS for event in events)
    failed = sum(not event["ok"] for event in events)
    assert end == {"event": "end", "checked": len(events), "failed": failed}
    return events, end, done


# Right ones


@pytest.mark.parametrize("scenario", BUNDLED)
def test_of_right_ones_there_is_one_line(scenario: str) -> None:
    done = run(scenario, "--check", timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith(f"{scenario}: ")
    assert done.stdout.endswith(" checked, all right\n")


def test_the_events_of_a_small_graph() -> None:
    events, _, done = checked("first_graph")
    assert done.stderr == ""
    assert [(e["node"], e["op"], e["arg"], e["backward"]) for e in events] == [
        (0, "add", 0, "add_back0"),
        (0, "add", 1, "add_back1"),
        (1, "add", 0, "add_back0"),
        (1, "add", 1, "add_back1"),
        (3, "multiply", 0, "multiply_back0"),
        (3, "multiply", 1, "multiply_back1"),
    ]
    for event in events:
        assert event["ok"]
        assert (event["tested"], event["elements"], event["index"]) == (1, 1, [])
        assert 0 <= event["max_error"] < 1e-8
        assert event["got"] == pytest.approx(event["expected"])


@pytest.fixture(scope="module")
def network() -> Checked:
    """The MLP as it is checked once."""
    return checked("mlp")


def test_the_network_is_checked_by_samples(network: Checked) -> None:
    events, end, _ = network
    assert end["failed"] == 0
    large = [event for event in events if event["elements"] > 2000]
    assert {event["elements"] for event in large} == {64 * 64, 784 * 64}
    assert all(event["tested"] == 2000 for event in large)
    assert all(e["tested"] == e["elements"] for e in events if e["elements"] <= 2000)


def test_the_same_seed_gives_the_same_events(network: Checked) -> None:
    assert checked("mlp")[2].stdout == network[2].stdout


# Wrong ones


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_fails(tmp_path: Path, name: str) -> None:
    mistake = MISTAKES[name]
    events, end, done = checked(write(tmp_path, mistake.body), code=1)
    assert end["failed"] == 1
    (wrong,) = [event for event in events if not event["ok"]]
    assert (wrong["op"], wrong["arg"], wrong["backward"]) == (mistake.op, mistake.arg, "mine")
    if mistake.numbers:
        assert wrong["max_error"] == pytest.approx(abs(wrong["got"] - wrong["expected"]))
        assert wrong["tested"] == wrong["elements"]
    else:
        assert wrong["max_error"] is wrong["index"] is wrong["got"] is wrong["expected"] is None
        assert wrong["tested"] == 0
        assert "mine, yours: WRONG: mine " in done.stderr


def test_a_wrong_one_in_words(tmp_path: Path) -> None:
    done = run(write(tmp_path, MISTAKES["negative returns +grad_out"].body), "--check")
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "node 1, -a, line 8"
    assert lines[1] == "  to a, argument 0: mine, yours"
    assert lines[2].startswith("  WRONG at [")
    assert "]: got " in lines[2]
    assert ", central differences say " in lines[2]
    assert lines[3].startswith("  largest error ")
    assert lines[3].endswith("; tested: 9 elements")
    assert lines[4] == "  for a grad_out of ones yours gives 1 at [0, 0], the engine's -1"
    assert lines[-1] == "wrong: 2 checked, 1 wrong"


def test_one_that_raises_in_words(tmp_path: Path) -> None:
    done = run(write(tmp_path, MISTAKES["it raises"].body), "--check")
    assert done.returncode == 1
    assert "  WRONG: mine raised NameError: name 'grad_uot' is not defined\n" in done.stdout


def test_a_nan_is_a_string(tmp_path: Path) -> None:
    body = (
        "def mine(grad_out, out, x):\n    return np.full_like(x, np.nan)\n"
        "BACK_FUNCS.add_back_func(np.negative, 0, mine)\nloss = -Tensor([1.0], True)\n"
    )
    events, _, _ = checked(write(tmp_path, body), code=1)
    assert events[0]["got"] == events[0]["max_error"] == "NaN"


# What is yours, what is not used, what cannot be checked


def test_what_differs_at_a_kink_is_said_and_right(tmp_path: Path) -> None:
    done = run(write(tmp_path, KINK), "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "mine, yours\n  right" in done.stdout
    assert "tested: 2 of 3 elements; 1 element at a kink: left out" in done.stdout
    assert "for a grad_out of ones yours gives 0 at [1], the engine's 0.5" in done.stdout
    assert done.stdout.endswith("wrong: 2 checked, all right\n")


@pytest.mark.parametrize(("factor", "code"), [(3, 0), (2, 1)])
def test_a_function_of_one_s_own_is_checked_like_the_engine_s(
    tmp_path: Path, factor: int, code: int
) -> None:
    body = OWN.format(factor=factor) + "loss = cube(Tensor([1.0, 2.0], requires_grad=True))\n"
    events, _, _ = checked(write(tmp_path, body), code=code)
    (event,) = events
    assert (event["node"], event["op"], event["backward"]) == (0, "cube", "cube_back")


@pytest.mark.parametrize(("factor", "code"), [(3, 0), (2, 1)])
def test_one_that_the_graph_does_not_use_is_listed_and_probed(
    tmp_path: Path, factor: int, code: int
) -> None:
    path = write(tmp_path, OWN.format(factor=factor) + SQUARE)
    events, _, done = checked(path, code=code)
    assert [event["node"] for event in events] == [0, 0, None]
    assert (events[-1]["op"], events[-1]["backward"]) == ("cube", "cube_back")
    assert "cube, not used by the graph" in done.stderr
    done = run(path, "--check")
    assert done.returncode == code
    assert "cube, not used by the graph\n  argument 0: cube_back, yours\n" in done.stdout
    assert "probed with random arguments of shape (3,)" in done.stdout


def test_what_is_not_finite_is_no_error(tmp_path: Path) -> None:
    path = write(tmp_path, NOT_FINITE)
    events, _, done = checked(path)
    assert [(e["ok"], e["tested"], e["max_error"], e["elements"]) for e in events] == [
        (True, 0, None, 2),
        (True, 0, None, 2),
    ]
    assert "log_back: not checked: 1 of 2 elements of its result is not finite" in done.stderr
    done = run(path, "--check")
    assert done.returncode == 0
    assert done.stdout.endswith("0 checked, nothing found out, 2 could not be checked\n")


def test_a_graph_without_functions_has_nothing_to_check(tmp_path: Path) -> None:
    done = run(write(tmp_path, "loss = Tensor(1.0, requires_grad=True)\n"), "--check")
    assert (done.returncode, done.stdout) == (0, "wrong: there is no backward function to check\n")


def test_what_the_scenario_prints_stays_out_of_the_output(tmp_path: Path) -> None:
    body = (
        "print('hello')\n"
        "def mine(grad_out, out, x):\n    print('called')\n    return -grad_out\n"
        "BACK_FUNCS.add_back_func(np.negative, 0, mine)\nloss = -Tensor(1.0, requires_grad=True)\n"
    )
    _, _, done = checked(write(tmp_path, body))
    assert done.stderr == "hello\n"


# Mistakes on the command line


def test_a_scenario_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    assert_refused(run(write(tmp_path, "loss = 1 / 0\n"), "--check"), "ZeroDivisionError")
    body = (
        "def mine(grad_out, out, x):\n    raise SystemExit(7)\n"
        "BACK_FUNCS.add_back_func(np.negative, 0, mine)\nloss = -Tensor(1.0, requires_grad=True)\n"
    )
    assert_refused(run(write(tmp_path, body), "--check"), "the scenario ended itself in mine()")


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["--check"], "--check needs a scenario"),
        (["first_graph", "--check", "--trace"], "--trace and --check do not go together"),
        (["first_graph", "--check", "--train"], "--check and --train do not go together"),
        (["first_graph", "--check", "--full"], "--full goes with --trace --json"),
    ],
)
def test_what_does_not_go_together_is_refused(args: list[str], part: str) -> None:
    assert_refused(run(*args), part, lines=1)
