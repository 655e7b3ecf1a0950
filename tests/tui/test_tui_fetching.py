"""The command line gets all of MNIST with torchvision's own class, from the loopback."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from real_torchvision import DISCARD, NEEDED, broken, redirect, serving_mnist
from tui_support import ROOT, assert_refused, command, environment, json_lines, run, wait_until

FETCH = ("mlp", "--data", "torchvision", "--train", "--epochs", "1", "--batch-size", "2000")
STEPS = ["starting torchvision", "downloading MNIST", "unpacking MNIST", "writing the cache"]

Environment = dict[str, str]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with as many images as MNIST has, and the address it is served from."""
    with serving_mnist(tmp_path_factory.mktemp("served")) as there:
        yield there


@pytest.fixture
def home(tmp_path: Path) -> Environment:
    """An environment with an empty cache, in which nothing reaches a network."""
    folder = tmp_path / "home"
    folder.mkdir()
    return environment(HOME=str(folder), XDG_CACHE_HOME=str(folder / "cache"))


@pytest.fixture
def fetching(
    served: tuple[Path, str], home: Environment, tmp_path: Path
) -> Callable[[str], Environment]:
    """fetching(how) gives an environment in which torchvision asks the server: for whole/, cut/
    or slow/ files, or at another address."""

    def use(how: str) -> Environment:
        address = how if how.startswith("http") else served[1] + how
        redirect(tmp_path / "startup", served[0], address)
        return home | {"PYTHONPATH": os.pathsep.join([str(tmp_path / "startup"), str(ROOT)])}

    return use


@pytest.fixture(scope="module")
def fetched(
    served: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[subprocess.CompletedProcess[str], Environment]:
    """What the first training on all of MNIST has said; and an environment with the cache that it
    has left, in which torch and torchvision cannot be imported."""
    folder = tmp_path_factory.mktemp("fetched")
    redirect(folder / "startup", served[0], f"{served[1]}whole/")
    env = environment(HOME=str(folder), XDG_CACHE_HOME=str(folder / "cache"))
    startup = {"PYTHONPATH": os.pathsep.join([str(folder / "startup"), str(ROOT)])}
    done = run(*FETCH, "--json", env=env | startup, timeout=120)
    absent = folder / "absent"
    absent.mkdir()
    for name in ("torch", "torchvision"):
        (absent / f"{name}.py").write_text(f"raise AssertionError('{name} is not needed')\n")
    return done, env | {"PYTHONPATH": os.pathsep.join([str(absent), str(ROOT)])}


def cached(env: Environment) -> list[str]:
    """The files in the program's cache."""
    folder = Path(env["XDG_CACHE_HOME"]) / "bp-tui"
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def losses(stdout: str) -> list[float]:
    return [event["loss"] for event in json_lines(stdout) if event["event"] == "batch"]


@NEEDED
def test_it_is_fetched_with_progress_and_trained_on(
    fetched: tuple[subprocess.CompletedProcess[str], Environment],
) -> None:
    done, env = fetched
    assert (done.returncode, cached(env)) == (0, ["mnist.npz"]), done.stderr
    assert len(losses(done.stdout)) == 60_000 // 2_000
    events = json_lines(done.stdout)
    assert [event["event"] for event in events[-2:]] == ["epoch", "end"]
    assert events[-1]["test_accuracy"] > 0.5
    lines = done.stderr.splitlines()
    assert all(line.startswith("bp-tui: ") for line in lines), done.stderr
    said = dict.fromkeys(line.removeprefix("bp-tui: ").split(",")[0] for line in lines)
    assert [doing for doing in said if doing != STEPS[1]] == [STEPS[0], *STEPS[2:]]
    assert len(lines) < 20


@NEEDED
@pytest.mark.parametrize("source", ["auto", "torchvision"])
def test_after_that_neither_torch_nor_a_network_is_needed(
    source: str, fetched: tuple[subprocess.CompletedProcess[str], Environment]
) -> None:
    first, env = fetched
    again = run(*FETCH, "--json", "--data", source, env=env)
    assert (again.returncode, again.stderr) == (0, "")
    assert losses(again.stdout) == losses(first.stdout)


@NEEDED
def test_two_at_once_both_get_it(fetching: Callable[[str], Environment]) -> None:
    env = fetching("whole/")
    both = [
        subprocess.Popen(command(*FETCH, "--json"), env=env, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=180)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len(losses(said[0])) == 30
    assert losses(said[0]) == losses(said[1])
    assert cached(env) == ["mnist.npz"]


def refused(env: Environment, *parts: str, more: tuple[str, ...] = ("--json",)) -> None:
    """It ends with 2 and one message, has put out nothing, and left nothing in the cache; what
    there is without a network can be used."""
    done = run(*FETCH, *more, env=env, timeout=120)
    told = [line for line in done.stderr.splitlines() if not line.endswith(" MB")]
    assert len(told) == 1, done.stderr
    assert told[0].startswith("bp-tui: ")
    for part in parts:
        assert part in told[0]
    assert (done.returncode, done.stdout, cached(env)) == (2, "", [])
    embedded_still = run("mlp", "--train", "--epochs", "1", "--json", env=env)
    assert (embedded_still.returncode, embedded_still.stderr) == (0, "")
    assert len(losses(embedded_still.stdout)) == 63


@NEEDED
@pytest.mark.parametrize(
    ("how", "parts"),
    [
        (DISCARD, ("could not be downloaded", "Connection refused", "when there is a network")),
        ("absent/", ("could not be downloaded", "HTTP Error 404")),
        ("cut/", ("arrived damaged or half", "corrupted", "try again, or copy the four")),
    ],
)
def test_what_cannot_be_fetched(
    how: str, parts: tuple[str, ...], fetching: Callable[[str], Environment]
) -> None:
    refused(fetching(how), "MNIST", "--data-dir", *parts)


@NEEDED
def test_builds_that_do_not_match(home: Environment) -> None:
    if not broken():
        pytest.skip("torch and torchvision match here")
    refused(home, broken(), "builds that do not match", "reinstall the two together", more=())


@pytest.mark.parametrize("name", ["torch", "torchvision"])
def test_not_installed(name: str, home: Environment, tmp_path: Path) -> None:
    package = tmp_path / "none"
    package.mkdir()
    code = f"raise ModuleNotFoundError('No module named {name}', name='{name}')\n"
    (package / "torchvision.py").write_text(code)
    env = home | {"PYTHONPATH": os.pathsep.join([str(package), str(ROOT)])}
    refused(env, f"{name} is not installed; pip install 'bp-tui[mnist]'")


@NEEDED
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_download_that_is_stopped_leaves_nothing(
    number: signal.Signals, fetching: Callable[[str], Environment], tmp_path: Path
) -> None:
    env = fetching("slow/")
    process = subprocess.Popen(
        command(*FETCH, "--data-dir", tmp_path / "data"),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "downloading MNIST" in line:
            break
    assert any((tmp_path / "data").rglob("*.gz"))
    process.send_signal(number)
    out, rest = process.communicate(timeout=30)
    assert out == ""
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert rest.splitlines()[-1] == "bp-tui: interrupted"
    assert wait_until(lambda: not any((tmp_path / "data").iterdir()), 30)
    assert cached(env) == []


def in_a_small_place(options: str, place: Path) -> list[str]:
    """What is to be put before a command so that a folder is a file system of its own."""
    place.mkdir()
    size, _, kind = options.partition(",")
    mount = f"mount -t tmpfs -o {size} tmpfs '{place}'"
    if kind == "ro":
        mount += f" && mount -o remount,ro '{place}'"
    return ["unshare", "--mount", "sh", "-c", f'{mount} && exec "$@"', "sh"]


@pytest.fixture
def may_mount(tmp_path: Path) -> None:
    place = tmp_path / "tried"
    if sys.platform != "linux" or not shutil.which("unshare"):
        pytest.skip("there is no unshare")
    tried = subprocess.run([*in_a_small_place("size=1m", place), "true"], capture_output=True)
    if tried.returncode:
        pytest.skip("nothing may be mounted here")


def run_there(
    options: str, place: Path, env: Environment, *args: Any
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*in_a_small_place(options, place), *command(*args)],
        env=env | {"XDG_CACHE_HOME": str(place)},
        capture_output=True,
        text=True,
        timeout=120,
    )


@NEEDED
@pytest.mark.usefixtures("may_mount")
def test_a_folder_that_can_only_be_read(
    fetching: Callable[[str], Environment], tmp_path: Path
) -> None:
    env, place = fetching("whole/"), tmp_path / "small"
    done = run_there("size=1m,ro", place, env, *FETCH, "--json")
    said = f"cannot write to {place / 'bp-tui'} (Read-only file system); make it a folder"
    assert_refused(done, said, lines=1)
    assert done.stdout == ""


@NEEDED
@pytest.mark.usefixtures("may_mount")
@pytest.mark.parametrize("megabytes", [6, 40])
def test_a_disk_that_is_full(
    megabytes: int, fetching: Callable[[str], Environment], tmp_path: Path
) -> None:
    """While it is downloaded, and while it is unpacked."""
    env, place = fetching("whole/"), tmp_path / "small"
    done = run_there(f"size={megabytes}m", place, env, *FETCH, "--json")
    told = [line for line in done.stderr.splitlines() if not line.endswith(" MB")]
    said = f"cannot write to {place / 'bp-tui'} (No space left on device); free about 150 MB there"
    assert told == [f"bp-tui: {said}"]
    assert (done.returncode, done.stdout) == (2, "")


@NEEDED
@pytest.mark.usefixtures("may_mount")
def test_what_has_arrived_is_kept_where_it_only_cannot_be_converted(
    fetching: Callable[[str], Environment], tmp_path: Path
) -> None:
    env, place, folder = fetching("whole/"), tmp_path / "small", tmp_path / "data"
    done = run_there("size=40m", place, env, *FETCH, "--json", "--data-dir", folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "No space left on device" in done.stderr
    there = sorted(path.name for path in (folder / "MNIST" / "raw").iterdir())
    assert len(there) == 8
    assert os.listdir(folder) == ["MNIST"]
    used = run(*FETCH[:1], "--train", "--epochs", "1", "--data-dir", folder, "--json", env=env)
    assert (used.returncode, used.stderr) == (0, "")
    assert len(losses(used.stdout)) == 938
