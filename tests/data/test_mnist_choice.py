"""Choosing a source, saying which one was used, and what an import costs."""

from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.data import SOURCES, Choice, DataError, InUse, choose, in_use, mnist

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_is_in_use_before_the_first_call() -> None:
    assert in_use() is None


@pytest.mark.parametrize("kind", [DataError, ValueError])
def test_an_unknown_source_is_refused_with_the_known_ones(kind: type[Exception]) -> None:
    with pytest.raises(kind, match="'web'; use auto, embedded, torchvision"):
        choose("web")
    assert choose() == Choice("auto", None)


def test_choosing_returns_what_was_chosen_before(tmp_path: Path) -> None:
    choose("embedded", tmp_path)
    previous = choose("torchvision")
    assert previous == Choice("embedded", tmp_path)
    choose(*previous)
    assert choose() == previous
    assert set(SOURCES) == {"auto", "embedded", "torchvision"}


def test_a_failure_leaves_what_was_in_use(tmp_path: Path) -> None:
    mnist()
    used = in_use()
    choose("auto", tmp_path / "absent")
    with pytest.raises(DataError):
        mnist()
    assert in_use() is used


def test_what_is_in_use_cannot_be_changed() -> None:
    used = InUse("embedded", 4_000, 1_000, "embedded")
    with pytest.raises(dataclasses.FrozenInstanceError):
        used.train = 1  # type: ignore[misc]


def test_an_error_is_one_line_and_can_travel_between_processes() -> None:
    error = DataError("two\nlines", "mend\tit")
    assert str(error) == "two lines; mend it"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def run(code: str) -> set[str]:
    """The modules that are imported in a fresh process after `code`."""
    code += "\nimport sys\nprint(*sys.modules)"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_importing_is_cheap() -> None:
    modules = run("import scenarios.data")
    unwanted = {"platformdirs", "torch", "torchvision", "subprocess", "textual", "engine", "tui"}
    assert not modules & unwanted


def test_auto_imports_no_torch_and_opens_no_connection() -> None:
    modules = run("import scenarios.data as d; d.mnist()")
    assert "platformdirs" in modules
    assert not modules & {"torch", "torchvision", "http.client", "urllib.request", "subprocess"}
