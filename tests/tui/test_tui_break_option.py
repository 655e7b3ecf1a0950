"""`--break` and `--watch` on the command line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tui_support import REGRESSION, assert_refused, environment, json_lines, run, session_on, write

from tui import cli
from tui.options import Options
from tui.session.remembered import Memory
from tui.session.training.breaks import Breaks


def trace(*args: str | Path) -> tuple[int, str, str]:
    done = run(*args, "--trace")
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("stop", "said", "last"),
    [
        ("contribution > 5", "after node 3, d: contribution > 5 holds to b: 6 > 5", "d = a * b"),
        ("op multiply", "after node 3, d: op multiply", "d = a * b"),
        ("name ?", "after node 0, L: name ?", "L = d + e"),
        ("node 4", "after node 4, b: node b", "b  "),
        ('name == "b"', 'after node 4, b: name == "b" holds', "b  "),
    ],
)
def test_a_trace_ends_after_the_first_step_where_it_holds(stop: str, said: str, last: str) -> None:
    code, out, err = trace("first_graph", "--break", stop)
    assert code == 1
    assert err == f"bp-tui: stopped {said}\n"
    table = out.partition("\n\n")[2].partition("\n\n")[0]
    assert last in [line for line in table.splitlines() if line[:5].strip()][-1]
    assert "Gradients of the leaves so far" in out


def test_where_nothing_holds_the_trace_is_whole() -> None:
    code, out, err = trace("first_graph", "--break", "isnan(grad_out)")
    assert (code, err) == (0, "")
    assert out == trace("first_graph")[1]


def test_what_the_graph_has_not_is_said() -> None:
    code, out, err = trace("first_graph", "--break", "op matmull", "--break", "name [ac]")
    assert code == 0
    assert err == (
        "bp-tui: --break: op matmull is not in this graph\n"
        "bp-tui: --break: name [ac] is not in this graph\n"
    )
    assert out == trace("first_graph")[1]


def test_with_several_the_first_that_holds_ends_it() -> None:
    code, _, err = trace("first_graph", "--break", "contribution > 5", "--break", "op add")
    assert code == 1
    assert err == "bp-tui: stopped after node 0, L: op add\n"


def test_with_json_the_events_up_to_there_and_the_end(tmp_path: Path) -> None:
    done = run("first_graph", "--trace", "--json", "--break", "contribution > 5")
    assert done.returncode == 1
    events = json_lines(done.stdout)
    assert [event["event"] for event in events] == ["graph", *["step"] * 4, "end"]
    assert events[-1]["steps"] == 4
    grads = {leaf["name"]: leaf["grad"] for leaf in events[-1]["leaves"]}
    assert grads["c"]["data"] == 1
    assert grads["a"] is None
    whole = json_lines(run("first_graph", "--trace", "--json").stdout)
    assert events[:-1] == whole[:5]


def test_a_change_in_place_ends_it_before_the_step_that_fails(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "x = Tensor([1.0, 2.0], requires_grad=True)\ny = x * x\nloss = y.sum()\n"
        "with no_grad():\n    x.fill_(5.0)\n",
    )
    code, _, err = trace(path, "--break", "changed")
    assert code == 1
    assert err.startswith("bp-tui: stopped before node 1, y: changed holds: its argument 0: fill_")
    assert_refused(run(path, "--trace"), "changed it in place")


def test_a_condition_that_cannot_be_computed_is_a_mistake() -> None:
    done = run("mlp", "--trace", "--data", "embedded", "--break", "grad_out + contribution > 1000")
    assert_refused(done, "--break: ", "do not broadcast (node 3)", lines=1)
    assert "cross_entropy.getitem" in done.stdout


def test_a_node_that_the_graph_has_not() -> None:
    done = run("first_graph", "--trace", "--break", "node 12")
    assert_refused(done, "--break: there is no node 12; the last one is 5", lines=1)


def test_a_mistake_is_pointed_at(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["first_graph", "--trace", "--break", "nan", "--break", "norm(gradout) > 1"])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "bp-tui: --break: there is no name gradout; did you mean grad_out?\n"
        "    norm(gradout) > 1\n"
        "         ^^^^^^^\n"
    )


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["first_graph", "--train", "--break", "nan"], "--break goes with the screen, "),
        (["first_graph", "--check", "--break", "nan"], "--break goes with the screen, "),
        (["--list", "--break", "nan"], "--break goes with the screen, "),
        (["first_graph", "--trace", "--watch", "b"], "--watch goes with the screen"),
        (["first_graph", "--break"], "--break"),
        (["first_graph", "--break", ""], "a condition is missing"),
        (["first_graph", "--watch", " "], "a name is missing"),
        (["first_graph", "--break", "a\x1b[31m > 1"], "this cannot be read"),
        (["first_graph", "--watch", "node b"], "a node is given by its number"),
    ],
)
def test_what_cannot_be_is_refused(args: list[str], part: str) -> None:
    done = run(*args)
    assert_refused(done, part)
    assert "\x1b" not in done.stderr


def test_where_there_is_no_screen_it_counts_too(tmp_path: Path) -> None:
    done = run("first_graph", "--break", "step == 2", "--watch", "b")
    assert done.returncode == 1
    assert "stopped after node 2, c: step == 2 holds" in done.stderr


def test_a_trace_neither_knows_nor_keeps_what_is_remembered(tmp_path: Path) -> None:
    path = write(tmp_path, "a = Tensor(3.0, requires_grad=True)\nloss = a * a\n")
    session = session_on(path)
    session.breakpoints.toggle_stop(1)
    memory = Memory(path)
    memory.keep(session.breakpoints, Breaks())
    before = memory.file.read_bytes()
    code, _, err = trace(path, "--break", "contribution > 100")
    assert (code, err) == (0, "")
    assert memory.file.read_bytes() == before


def test_a_trace_works_where_there_is_no_home() -> None:
    env = environment(HOME="/nonexistent", XDG_STATE_HOME=None)
    done = run("first_graph", "--trace", "--break", "nan", env=env)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_options_travel() -> None:
    options = Options("a.py", breaks=('op == "é"', "nan"), watches=("b",))
    assert Options.from_json(options.to_json()) == options
    assert Options.from_json(Options("a.py").to_json()) == Options("a.py")


def test_a_training_s_batch_is_traced_up_to_there_too(tmp_path: Path) -> None:
    path = write(tmp_path, REGRESSION)
    code, out, err = trace(path, "--break", "name weigh?")
    assert code == 1
    assert "weight: name weigh?" in err
    assert "weight" in out


def test_tests_never_touch_the_user_s_own_state() -> None:
    assert "state-" in os.environ["XDG_STATE_HOME"]
    assert not Memory(Path("a.py")).file.parent.is_relative_to(Path.home() / ".local")
