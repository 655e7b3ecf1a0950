"""The command line: exit codes, one message for each mistake, what goes to which stream."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tui_support import (
    BODY_LINE,
    BROKEN,
    BUNDLED,
    REGRESSION,
    SQUARE,
    assert_refused,
    command,
    environment,
    json_lines,
    run,
    write,
)

from tui import __version__, cli


def mistake(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    """What is said about a command line that cannot be used."""
    try:
        code = cli.main(args)
    except SystemExit as ended:
        code = ended.code
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert said.err.startswith("bp-tui: ")
    assert said.err.count("\n") == 1
    return said.err


# Mistakes on the command line


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["--batch-size", "0"], "'0'"),
        (["--batch-size", "x"], "'x'"),
        (["--batch-size", "2.5"], "'2.5'"),
        (["--epochs", "-1"], "-1"),
        (["--seed", "-1"], "-1"),
        (["--seed", "one"], "'one'"),
        (["--lr", "fast"], "'fast'"),
        (["--lr", "nan"], "'nan'"),
        (["--lr", "inf"], "'inf'"),
        (["--lr", "-0.1"], "-0.1"),
        (["--data", "mnist"], "'mnist'"),
        (["--lr"], "--lr"),
        (["--no-such-option"], "--no-such-option"),
        (["--trac"], "--trac"),
        (["another.py"], "another.py"),
        (["--trace", "--train"], "--train"),
        (["--full"], "--full"),
        (["--trace", "--full"], "--full"),
        (["--json"], "--json"),
        (["--plain", "--json"], "--json"),
        (["--plain", "--trace"], "--plain"),
    ],
)
def test_an_option_that_cannot_be(
    capsys: pytest.CaptureFixture[str], args: list[str], part: str
) -> None:
    assert part in mistake(capsys, "mlp", *args)


@pytest.mark.parametrize("args", [["--trace"], ["--train"], ["--list", "mlp"], ["--json"]])
def test_what_does_not_go_together(capsys: pytest.CaptureFixture[str], args: list[str]) -> None:
    mistake(capsys, *args)


@pytest.mark.parametrize("mode", [[], ["--trace"], ["--train"], ["--trace", "--json"]])
def test_an_unknown_name_brings_the_nearest(
    capsys: pytest.CaptureFixture[str], mode: list[str]
) -> None:
    try:
        assert cli.main(["first_grpah", *mode]) == 2
    finally:
        said = capsys.readouterr()
    assert "first_graph" in said.err
    assert said.out == ""


@pytest.mark.parametrize("seed", ["0", str(10**30)])
def test_any_whole_number_is_a_seed(seed: str, tmp_path: Path) -> None:
    assert run(write(tmp_path, SQUARE), "--trace", "--seed", seed).returncode == 0


# Messages and exit codes


def test_a_traceback_is_none_of_the_user_s_business(tmp_path: Path) -> None:
    done = run(write(tmp_path, "a = 1\n1 / 0\n"), "--trace")
    assert_refused(done, f"line {BODY_LINE + 1}", "ZeroDivisionError", "1 / 0", lines=2)
    assert done.stdout == ""


@pytest.mark.parametrize("mode", [["--trace"], ["--trace", "--json"]])
@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("return no_such_name", "no_such_name"),
        ("return grad_out[0]", "shape ()"),
        ("return None", "returned None"),
        ("return 'text'", "cube_back"),
        ("raise SystemExit(0)", "SystemExit"),
        ("import sys; sys.exit('done')", "SystemExit"),
        ("return cube_back(grad_out, out, x)", "cube_back"),
    ],
)
def test_a_broken_backward_function(tmp_path: Path, mode: list[str], body: str, part: str) -> None:
    assert_refused(run(write(tmp_path, BROKEN.format(body=body)), *mode), part)


def test_an_exception_in_a_backward_function_names_its_line(tmp_path: Path) -> None:
    done = run(write(tmp_path, BROKEN.format(body="return no_such_name")), "--trace")
    assert_refused(done, f"line {BODY_LINE + 4}")


@pytest.mark.parametrize(
    "hook", ["a.register_hook(lambda g: 1 / 0)", "handle = add_step_hook(lambda step: 1 / 0)"]
)
@pytest.mark.parametrize("mode", [["--trace"], ["--trace", "--json"]])
def test_a_hook_that_fails(tmp_path: Path, mode: list[str], hook: str) -> None:
    done = run(write(tmp_path, f"{SQUARE}{hook}\n"), *mode)
    assert_refused(done, "ZeroDivisionError")


def test_a_missing_backward_function(tmp_path: Path) -> None:
    body = "f = wrap_forward_fn(np.sinh)\na = Tensor(1.0, requires_grad=True)\nloss = f(a)\n"
    assert_refused(run(write(tmp_path, body), "--trace"), "sinh", "no backward function")


@pytest.mark.parametrize(
    "body",
    [
        "a = Tensor([[1.0, 2.0]], requires_grad=True)\nloss = permute(a, dims=(1, 0)).sum()\n",
        "a = Tensor([[1.0, 2.0]], requires_grad=True)\nloss = sum(a, dim=1, keepdim=True)\n",
        "a = Tensor([1.0, 2.0], requires_grad=True)\nloss = a[1:] * a[np.array([0])]\n",
        "a = Tensor(np.zeros((0, 3)), requires_grad=True)\nloss = (a * a).sum()\n",
        "a = Tensor(np.zeros((2, 0)), requires_grad=True)\nloss = a + a\n",
        "a = Tensor(1.0, requires_grad=True)\nloss = a\n",
        "a = Tensor(2, requires_grad=True)\nloss = a * a\n",
        "a = Tensor(np.float16(2), requires_grad=True)\nloss = a * a\n",
        "a = Tensor([1e200, 1e200], dtype=np.float64, requires_grad=True)\nloss = a * 1.0\n",
        "np.seterr(all='raise')\na = Tensor([1e-30, 1e30], requires_grad=True)\nloss = a + a\n",
        "import warnings\nwarnings.simplefilter('error')\n"
        "a = Tensor([1e200, 1.0], dtype=np.float64, requires_grad=True)\nloss = a + a\n",
    ],
    ids=[
        "dims by keyword",
        "sum by keyword",
        "indices",
        "no rows",
        "no columns",
        "a leaf alone",
        "whole numbers",
        "float16",
        "huge",
        "seterr raise",
        "warnings as errors",
    ],
)
def test_graphs_of_all_kinds_can_be_printed(tmp_path: Path, body: str) -> None:
    path = write(tmp_path, body)
    for mode in (["--trace"], ["--trace", "--json"]):
        done = run(path, *mode)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_a_title_that_cannot_be_printed(tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_text(f'"""Half a pair: \\ud800"""\nfrom engine import *\n{SQUARE}')
    done = run(path, "--trace")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("mode", [["--trace"], ["--trace", "--json"]])
def test_a_file_name_that_is_no_utf8(tmp_path: Path, mode: list[str]) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.py")
    path.write_text(f"from engine import *\n{SQUARE}")
    done = run(path, *mode)
    assert (done.returncode, done.stderr) == (0, "")
    path.write_text("1 / 0\n")
    assert_refused(run(path, *mode), "division by zero")


def test_greek_names_where_the_output_is_not_unicode(tmp_path: Path) -> None:
    path = write(tmp_path, "λ = Tensor(3.0, requires_grad=True)\nloss = λ * λ\n")
    for mode in (["--trace"], ["--trace", "--json"]):
        done = run(path, *mode, env=environment(PYTHONIOENCODING="ascii"))
        assert (done.returncode, done.stderr) == (0, "")
    nodes = json_lines(done.stdout)[0]["nodes"]
    assert nodes[1]["name"] == "λ"


def test_a_training_that_fails_midway_names_the_line(tmp_path: Path) -> None:
    body = (
        REGRESSION
        + "count = []\n"
        + (
            "def failing(out, y):\n    count.append(1)\n    if len(count) == 3:\n"
            "        raise OverflowError('too much')\n    return mean_square(out, y)\n"
            "training.loss_fn = failing\n"
        )
    )
    path = write(tmp_path, body)
    done = run(path, "--train", "--json")
    assert_refused(done, "OverflowError: too much", "line ")
    assert [event["batch"] for event in json_lines(done.stdout)] == [1, 2]


def test_no_training_to_run() -> None:
    assert_refused(run("first_graph", "--train"), "nothing to train", "mlp", lines=1)


def test_a_data_folder_without_data(tmp_path: Path) -> None:
    assert_refused(run("mlp", "--trace", "--data-dir", tmp_path), str(tmp_path))


def test_an_interrupt_while_a_class_is_imported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Interrupts:
        def __set_name__(self, owner: type, name: str) -> None:
            raise KeyboardInterrupt

    def imports(_: list[str]) -> int:
        type("Imported", (), {"part": Interrupts()})
        return 0

    monkeypatch.setattr(cli, "_run", imports)
    assert cli.main(["mlp"]) == cli.INTERRUPTED
    assert "interrupted" in capsys.readouterr().err

    def fails(_: list[str]) -> int:
        raise RuntimeError("another one")

    monkeypatch.setattr(cli, "_run", fails)
    with pytest.raises(RuntimeError, match="another one"):
        cli.main(["mlp"])


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for option, part in (("--version", __version__), ("--help", "--trace")):
        with pytest.raises(SystemExit) as ended:
            cli.main([option])
        assert not ended.value.code
        assert part in capsys.readouterr().out


# Standard output, and where it is no terminal


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert set(BUNDLED) <= {line.split()[0] for line in lines}
    assert all(len(line.split()) > 2 for line in lines)


def test_the_list_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--list", "--json"]) == 0
    listed = json_lines(capsys.readouterr().out)
    assert {entry["name"] for entry in listed} >= set(BUNDLED)
    assert all(entry["event"] == "scenario" and entry["title"] for entry in listed)


def test_a_pipe_gets_the_trace_and_is_told_so() -> None:
    done = run("first_graph")
    assert done.returncode == 0
    assert done.stdout == run("first_graph", "--trace").stdout
    assert "terminal" in done.stderr
    assert "--trace" in done.stderr


def test_a_dumb_terminal_gets_the_trace_and_is_told_so() -> None:
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            command("first_graph"),
            env=environment(TERM="dumb"),
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
            timeout=20,
            text=True,
        )
        shown = os.read(ours, 65536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 0
    assert "TERM is dumb" in done.stderr
    assert "multiply_back1" in shown
    assert "\x1b" not in shown


def test_nothing_to_show_in_a_pipe() -> None:
    assert_refused(run(), "name a scenario", lines=1)


NOISE = (
    "import os, subprocess, sys\n"
    "print('printed')\n"
    "sys.__stdout__.write('to the original\\n')\n"
    "os.write(1, b'to the descriptor\\n')\n"
    "os.system('echo from a child')\n"
)


@pytest.mark.parametrize("mode", ["--trace", "--train"])
def test_what_a_scenario_prints_is_no_json(tmp_path: Path, mode: str) -> None:
    body = (
        NOISE
        + REGRESSION
        + (
            "def loud(out, y):\n    print('in the forward pass')\n"
            "    os.write(1, b'junk \\xff\\n')\n"
            "    return mean_square(out, y)\ntraining.loss_fn = loud\n"
        )
    )
    done = run(write(tmp_path, body), mode, "--json")
    assert done.returncode == 0
    events = [event["event"] for event in json_lines(done.stdout)]
    assert set(events) <= {"graph", "step", "batch", "epoch", "end"}
    for part in ("printed", "original", "descriptor", "child", "forward"):
        assert part in done.stderr


def test_a_backward_function_that_prints_is_no_json(tmp_path: Path) -> None:
    body = BROKEN.format(body="print('here'); return grad_out")
    done = run(write(tmp_path, body), "--trace", "--json")
    assert len(json_lines(done.stdout)) == 4
    assert "here" in done.stderr


@pytest.mark.parametrize(
    "trick",
    [
        "sys.stdout.close()",
        "sys.stdout = None",
        "sys.stdout = open(os.devnull, 'w')",
        "sys.stdout = io.StringIO()",
    ],
)
def test_a_scenario_that_takes_standard_output_away(tmp_path: Path, trick: str) -> None:
    path = write(tmp_path, f"import io, os, sys\n{trick}\n{SQUARE}")
    for mode in (["--trace"], ["--trace", "--json"]):
        done = run(path, *mode)
        assert (done.returncode, done.stderr) == (0, "")
        assert "multiply_back1" in done.stdout


# Readers that go away


@pytest.mark.parametrize(
    "args",
    [["first_graph", "--trace"], ["mlp", "--trace", "--json"], ["mlp", "--train", "--json"]],
)
def test_a_reader_that_has_enough(args: list[str]) -> None:
    with subprocess.Popen(
        command(*args), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read().decode()
        code = process.wait(20)
    assert said.replace("\n", "") == ""
    assert code in (0, 141, -signal.SIGPIPE)


@pytest.mark.parametrize(
    "args", [["first_graph", "--trace"], ["first_graph", "--trace", "--json"], ["--list"]]
)
def test_a_reader_that_was_never_there(args: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            command(*args), env=environment(), stdout=writing, stderr=subprocess.PIPE, timeout=20
        )
    finally:
        os.close(writing)
    assert done.stderr == b""
    assert done.returncode in (0, 141)


@pytest.mark.parametrize("scenario", ["print('x' * 100)\n1 / 0\n", BROKEN])
def test_a_reader_that_was_never_there_of_a_scenario_that_fails(
    tmp_path: Path, scenario: str
) -> None:
    path = write(tmp_path, scenario.replace("{body}", "return no_such_name"))
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            command(path, "--trace"),
            env=environment(),
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=20,
        )
    finally:
        os.close(writing)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_a_full_disk_is_one_message(more: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command("first_graph", "--trace", *more),
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=20,
        )
    assert_refused(done, "No space left")


@pytest.mark.parametrize("args", [["first_graph"], ["first_graph", "--trace", "--json"]])
def test_standard_output_that_is_closed(args: list[str]) -> None:
    line = " ".join(command(*args)) + " >&-"
    done = subprocess.run(
        ["sh", "-c", line], env=environment(), capture_output=True, text=True, timeout=20
    )
    assert "Traceback" not in done.stderr


def test_the_module_and_the_command_are_one() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from tui.cli import main; raise SystemExit(main())", "--version"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.stdout == run("--version").stdout == f"bp-tui {__version__}\n"


@pytest.mark.parametrize("number", ["0", "-1", "two"])
def test_a_number_of_threads_that_there_is_not(
    number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"'{number}' is no whole number from 1" in mistake(capsys, "mlp", "--threads", number)


@pytest.mark.parametrize("option", ["--mouse", "--fast"])
@pytest.mark.parametrize("mode", [["first_graph", "--trace"], ["--list"]])
def test_options_of_the_screen_go_with_it(
    mode: list[str], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"{option} goes with the screen" in mistake(capsys, *mode, option)
