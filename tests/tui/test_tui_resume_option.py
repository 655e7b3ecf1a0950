"""--out and --resume on the command line, as they are used and misused."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tui_support import REGRESSION, assert_refused, command, environment, json_lines, run, write

from tui import cli
from tui.session.training import checkpoint, checkpoint_file

SLOW = REGRESSION + (
    "import time\n"
    "def slow(out, y):\n"
    "    time.sleep(0.01)\n"
    "    return mean_square(out, y)\n"
    "training.loss_fn = slow\n"
    "training.epochs = 100\n"
)
"""300 batches of a hundredth of a second."""

STUCK = REGRESSION + (
    "import time\n"
    "def stuck(out, y):\n"
    "    if training.position == 4:\n"
    "        print('stuck', flush=True)\n"
    "        time.sleep(60)\n"
    "    return mean_square(out, y)\n"
    "training.loss_fn = stuck\n"
)


def in_a_process(arguments: list[str]) -> subprocess.Popen[str]:
    """A command that is under way, with what it prints to be read."""
    return subprocess.Popen(
        arguments,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    return write(tmp_path, REGRESSION)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def kept(scenario: Path, out: Path) -> Path:
    """A folder with a training that is over: six batches."""
    assert cli.main([str(scenario), "--train", "--json", "--out", str(out), "--lr", "0.05"]) == 0
    return out


def without_seconds(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**event, "seconds": 0} for event in events]


def metrics(out: Path) -> list[dict[str, Any]]:
    return without_seconds(json_lines((out / "metrics.jsonl").read_text()))


def weights(out: Path) -> dict[str, bytes]:
    with np.load(out / "checkpoint.npz") as file:
        return {k: v.tobytes() for k, v in file.items() if k.startswith("model.")}


# As it is used


def test_the_metrics_are_what_json_prints(scenario: Path, out: Path) -> None:
    done = run(scenario, "--train", "--json", "--out", out)
    assert done.returncode == 0
    assert done.stdout == (out / "metrics.jsonl").read_text()
    assert done.stderr == f"bp-tui: the training is kept in {out}\n"
    plain = run(scenario, "--train", "--json")
    assert without_seconds(json_lines(plain.stdout)) == metrics(out)


def test_a_finished_training_prints_its_end_alone(kept: Path) -> None:
    before = (kept / "metrics.jsonl").read_bytes()
    done = run("--resume", kept, "--train", "--json")
    assert done.returncode == 0
    (end,) = json_lines(done.stdout)
    assert end == json.loads(before.splitlines()[-1])
    assert (kept / "metrics.jsonl").read_bytes() == before


def test_with_more_epochs_it_goes_on(kept: Path, scenario: Path, tmp_path: Path) -> None:
    done = run("--resume", kept, "--train", "--json", "--epochs", 4)
    assert [e["event"] for e in json_lines(done.stdout)][-2:] == ["epoch", "end"]
    straight = tmp_path / "straight"
    run(scenario, "--train", "--epochs", 4, "--lr", 0.05, "--out", straight)
    assert metrics(kept) == metrics(straight)
    assert weights(kept) == weights(straight)


def test_the_table_has_the_epochs_before_too(kept: Path) -> None:
    done = run("--resume", kept, "--train", "--epochs", 3)
    rows = done.stdout.splitlines()
    assert rows[0].startswith("9 batches in 3 epochs, batch size 4, SGD with learning rate 0.05")
    assert [row.split()[0] for row in rows[1:]] == ["epoch", "1", "2", "3"]


def test_what_was_given_may_be_given_again(kept: Path, scenario: Path) -> None:
    given = ["--seed", "0", "--batch-size", "4", "--epochs", "2", "--lr", "0.05"]
    done = run(scenario, "--resume", kept, "--train", "--json", *given)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)


def test_a_scenario_that_lies_elsewhere_now_can_be_named(
    kept: Path, scenario: Path, tmp_path: Path
) -> None:
    (tmp_path / "new").mkdir()
    moved = tmp_path / "new" / scenario.name
    scenario.rename(moved)
    assert_refused(
        run("--resume", kept, "--train"), str(scenario), "is not where it was", "name it"
    )
    assert run(moved, "--resume", kept, "--train", "--json").returncode == 0
    assert run("--resume", kept, "--train", "--json").returncode == 0  # and it is known then


def test_from_another_folder_and_with_a_relative_name(scenario: Path, tmp_path: Path) -> None:
    run(scenario.name, "--train", "--out", "deep/er", cwd=tmp_path)
    (tmp_path / "else").mkdir()
    done = run("--resume", "../deep/er", "--train", "--json", cwd=tmp_path / "else")
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)


def test_a_bundled_scenario_is_known_by_its_name(out: Path) -> None:
    given = ["--data", "embedded", "--epochs", "1", "--batch-size", "500"]
    assert run("mlp", "--train", *given, "--out", out).returncode == 0
    header = checkpoint_file.read_header(out / "checkpoint.npz")
    assert (header["run"]["scenario"], header["run"]["data"]) == ("mlp", "embedded")
    done = run("--resume", out, "--train", "--json", "--epochs", "2")
    assert len(json_lines(done.stdout)) == 8 + 2


def test_the_embedded_images_stay_in_use_where_all_have_come_meanwhile(out: Path) -> None:
    assert run("mlp", "--train", "--epochs", "1", "--batch-size", "500", "--out", out)
    assert checkpoint_file.read_header(out / "checkpoint.npz")["run"]["data"] == "embedded"


def test_a_folder_that_is_there_and_one_where_nothing_was_trained(
    scenario: Path, out: Path
) -> None:
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    stuck = write(scenario.parent, REGRESSION.replace("def mean_square(out, y):", BREAKS), "x.py")
    assert_refused(run(stuck, "--train", "--out", out), "ValueError")
    assert checkpoint_file.read_header(out / "checkpoint.npz")["position"] == 0
    assert run(scenario, "--train", "--out", out).returncode == 0
    assert (out / "notes.txt").read_text() == "mine"


BREAKS = "def mean_square(out, y):\n    raise ValueError('no')"


def test_what_fails_in_the_scenario_is_told_and_the_batches_before_are_kept(
    tmp_path: Path, out: Path
) -> None:
    body = REGRESSION + (
        "def fails(out, y):\n"
        "    if training.position == 4:\n"
        "        raise ValueError('no')\n"
        "    return mean_square(out, y)\n"
        "training.loss_fn = fails\n"
    )
    path = write(tmp_path, body)
    done = run(path, "--train", "--json", "--out", out, "--checkpoint-every", "2")
    assert done.returncode == 2
    assert "ValueError: no" in done.stderr
    assert f"the training is kept at batch 4 of 6; go on with: bp-tui --resume {out}" in done.stderr
    write(tmp_path, REGRESSION)
    again = run("--resume", out, "--train", "--json")
    assert again.returncode == 0
    assert "has changed" in again.stderr
    assert len(metrics(out)) == 9


def test_a_reader_that_has_enough_loses_nothing(tmp_path: Path, out: Path) -> None:
    path = write(tmp_path, SLOW)
    with in_a_process(command(path, "--train", "--json", "--out", out)) as process:
        assert process.stdout is not None
        for _ in range(3):
            process.stdout.readline()
        process.stdout.close()
        assert process.wait(20) == 0
    position = checkpoint_file.read_header(out / "checkpoint.npz")["position"]
    assert position >= 3
    assert sum(e["event"] == "batch" for e in metrics(out)) == position


# Signals


@pytest.fixture
def started(tmp_path: Path, out: Path) -> Iterator[subprocess.Popen[str]]:
    """A training under way."""
    path = write(tmp_path, SLOW)
    with in_a_process(command(path, "--train", "--json", "--out", out)) as process:
        assert process.stdout is not None
        for _ in range(5):  # four batches and an epoch
            process.stdout.readline()
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_it_in_order(
    started: subprocess.Popen[str], out: Path, number: int, code: int
) -> None:
    started.send_signal(number)
    printed, said = started.communicate(timeout=20)
    assert started.returncode == code
    position = checkpoint_file.read_header(out / "checkpoint.npz")["position"]
    assert position >= 4
    assert said == (
        f"bp-tui: the training is kept at batch {position} of 300; go on with: bp-tui --resume "
        f"{out} --train\n"
    )
    assert not printed or json_lines(printed)[-1].get("batch", position) == position
    assert sum(e["event"] == "batch" for e in metrics(out)) == position


def test_the_second_one_ends_it_at_once(tmp_path: Path, out: Path) -> None:
    path = write(tmp_path, STUCK)
    with in_a_process(
        command(path, "--train", "--json", "--out", out, "--checkpoint-every", 1)
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while "stuck" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        reminded = process.stderr.readline()
        assert "once more, and it ends at once" in reminded
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=20)[1]
        assert time.monotonic() - started < 10
        assert process.returncode == 130
    assert "the training is kept at batch 4 of 6" in said
    assert checkpoint_file.read_header(out / "checkpoint.npz")["position"] == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_batch_under_way_has_all_the_time_that_it_takes(
    tmp_path: Path, out: Path, number: int
) -> None:
    # One call, in which Python hears of no signal, and longer than is waited for elsewhere.
    body = STUCK.replace("time.sleep(60)", "sum(range(25_000_000))")
    with in_a_process(command(write(tmp_path, body), "--train", "--json", "--out", out)) as process:
        assert process.stderr is not None
        while "stuck" not in process.stderr.readline():
            pass
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 128 + number
    assert "the training is kept at batch 5 of 6" in said
    assert checkpoint_file.read_header(out / "checkpoint.npz")["position"] == 5


def test_what_nohup_ignores_stays_ignored(tmp_path: Path, out: Path) -> None:
    path = write(tmp_path, SLOW.replace("100", "4"))
    with in_a_process(
        ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *command(path, "--train", "--out", out)]
    ) as process:
        while not (out / "checkpoint.npz").exists():
            time.sleep(0.01)
        process.send_signal(signal.SIGHUP)
        process.communicate(timeout=20)
        assert process.returncode == 0
    assert metrics(out)[-1]["event"] == "end"


# As it is misused


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["mlp", "--out", "a", "--resume", "b", "--train"], "give one of them"),
        (["mlp", "--trace", "--out", "a"], "--out goes with the screen, with --plain or with"),
        (["--check", "--resume", "a"], "--resume goes with the screen, with --plain"),
        (["--list", "--out", "a"], "--out goes with the screen"),
        (["--out", "a"], "--out needs a scenario"),
        (["mlp", "--train", "--checkpoint-every", "3"], "--checkpoint-every goes with --out"),
        (["mlp", "--train", "--out", "a", "--checkpoint-every", "0"], "no whole number from 1"),
        (["mlp", "--out", "a"], "standard output is no terminal, so --out and --resume need --tr"),
        (["first_graph", "--train", "--out", "a"], "there is nothing to train"),
        (["--resume", "a", "--train"], "there is no training in this folder to go on from"),
        (["--resume", "pyproject.toml", "--train"], "there is no training in this folder"),
    ],
)
def test_combinations_that_cannot_be(tmp_path: Path, args: list[str], told: str) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    assert_refused(run(*args, cwd=tmp_path), told, lines=1)
    assert not (tmp_path / "a").exists()


def test_a_folder_that_holds_a_training_is_not_overwritten(kept: Path, scenario: Path) -> None:
    before = {p.name: p.read_bytes() for p in kept.iterdir()}
    done = run(scenario, "--train", "--out", kept)
    assert_refused(done, str(kept), "holds a training already", "--resume", "another folder")
    assert {p.name: p.read_bytes() for p in kept.iterdir()} == before
    (kept / "checkpoint.npz").write_bytes(b"damaged")
    assert_refused(run(scenario, "--train", "--out", kept), "holds a training already")
    (kept / "checkpoint.npz").unlink()
    assert_refused(run(scenario, "--train", "--out", kept), "holds a training already")


def test_a_file_is_no_folder(scenario: Path, tmp_path: Path) -> None:
    assert_refused(run(scenario, "--train", "--out", scenario), str(scenario), "this is no folder")
    (tmp_path / "loose").symlink_to(tmp_path / "gone")
    assert_refused(run(scenario, "--train", "--out", tmp_path / "loose"), "this is no folder")


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--seed", "3"], "it was started with --seed 0, not 3"),
        (["--batch-size", "5"], "--batch-size 4, not 5"),
        (["--lr", "0.1"], "--lr 0.05, not 0.1"),
        (["--epochs", "1"], "has 2 epochs; --epochs can make them more, not fewer"),
        (["mlp"], "it is one of wrong.py, not of mlp"),
    ],
)
def test_another_training_is_refused(kept: Path, args: list[str], told: str) -> None:
    before = {p.name: p.read_bytes() for p in kept.iterdir()}
    done = run("--resume", kept, "--train", *args)
    assert_refused(done, str(kept), told, lines=1)
    assert {p.name: p.read_bytes() for p in kept.iterdir()} == before


def test_other_data_are_refused(out: Path, tmp_path: Path) -> None:
    run("mlp", "--train", "--epochs", "1", "--batch-size", "500", "--out", out)
    header, state = checkpoint.load(out / "checkpoint.npz")
    header["run"]["examples"]["train"] = 60000
    checkpoint.save(out / "checkpoint.npz", header, state)
    done = run("--resume", out, "--train")
    assert_refused(done, "were 60,000 (and 1,000 to test on), here are 4,000", "--data chooses")


RUBBISH = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@given(st.data())
@RUBBISH
def test_a_damaged_checkpoint_is_one_message(
    kept: Path, capsys: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    path = kept / "checkpoint.npz"
    whole = path.read_bytes()
    kind = data.draw(st.sampled_from(["cut", "flip", "rubbish", "header"]))
    where = data.draw(st.integers(0, len(whole) - 1))
    try:
        if kind == "cut":
            path.write_bytes(whole[:where])
        elif kind == "flip":
            path.write_bytes(whole[:where] + bytes([whole[where] ^ 4]) + whole[where + 1 :])
        elif kind == "rubbish":
            path.write_bytes(data.draw(st.binary()))
        else:
            header, state = checkpoint.load(path)
            damage_something(data, header, state)
            checkpoint.save(path, header, state)
        capsys.readouterr()
        code = cli.main(["--resume", str(kept), "--train", "--json"])
        said = capsys.readouterr().err
        if kind == "header" and code == 0:
            return  # what was changed says nothing of the training
        assert code == 2
        assert said.count("\n") == 1, said
        assert said.startswith(f"bp-tui: {kept}")
    finally:
        path.write_bytes(whole)


def damage_something(data: st.DataObject, header: dict[str, Any], state: dict[str, Any]) -> None:
    """Replace or remove one thing, somewhere; the checksum is right."""
    tree: Any = data.draw(st.sampled_from([header, header["run"], state, state["optimizer"]]))
    key = data.draw(st.sampled_from(sorted(set(tree) - {"program", "format", "checksum"})))
    rubbish = st.none() | st.integers(-5, 5) | st.text() | st.lists(st.integers(), max_size=2)
    if data.draw(st.booleans()):
        del tree[key]
    else:
        tree[key] = data.draw(rubbish | st.just(np.zeros(3)) | st.just({}))
    if tree is header or tree is header["run"]:
        for name, value in tree.items():
            if isinstance(value, np.ndarray):
                tree[name] = "array"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to(scenario: Path, out: Path) -> None:
    out.mkdir()
    out.chmod(0o500)
    assert_refused(run(scenario, "--train", "--out", out), str(out), "Permission denied", lines=1)


def test_a_full_disk_ends_it(tmp_path: Path, out: Path) -> None:
    full = (
        "import os\n"
        "replace = os.replace\n"
        "def replace_where_there_is_room(a, b):\n"
        "    if training.position >= 4:\n"
        "        raise OSError(28, os.strerror(28))\n"
        "    replace(a, b)\n"
        "os.replace = replace_where_there_is_room\n"
    )
    done = run(write(tmp_path, REGRESSION + full), "--train", "--json", "--out", out)
    assert_refused(
        done,
        "the training is not kept: No space left on device",
        "is of batch 3",
        f"bp-tui --resume {out}",
        lines=1,
    )
    write(tmp_path, REGRESSION)
    assert run("--resume", out, "--train").returncode == 0
    assert metrics(out)[-1]["event"] == "end"


def test_a_folder_that_vanishes_ends_it(tmp_path: Path, out: Path) -> None:
    vanish = (
        "import shutil\n"
        "def vanishing(out, y):\n"
        "    if training.position == 4:\n"
        f"        shutil.rmtree({str(out)!r})\n"
        "    return mean_square(out, y)\n"
        "training.loss_fn = vanishing\n"
    )
    done = run(write(tmp_path, REGRESSION + vanish), "--train", "--json", "--out", out)
    assert_refused(done, "the training is not kept: No such file or directory", lines=1)
    shutil.rmtree(out, ignore_errors=True)
