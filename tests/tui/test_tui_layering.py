"""Which part imports which: read from the sources, and seen in fresh processes."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tui_support import ROOT, environment

SCREEN_ONLY = {"textual", "rich"}


def imported_by(folder: str) -> dict[str, set[str]]:
    """The modules that each file of a folder names in its imports, wherever they stand."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        names: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
        found[str(path.relative_to(ROOT))] = names
    assert found
    return found


def roots(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    ("folder", "never"),
    [
        ("engine", {"tui", "scenarios", "textual", "rich", "platformdirs"}),
        ("scenarios", {"tui", "textual", "rich"}),
        ("tui/session", {"textual", "rich"}),
        ("tui/process", {"textual", "rich"}),
        ("tui/screens", {"engine", "scenarios", "numpy"}),
        ("tui/widgets", {"engine", "scenarios", "numpy"}),
    ],
)
def test_imports_go_one_way(folder: str, never: set[str]) -> None:
    for path, names in imported_by(folder).items():
        assert not roots(names) & never, path


def test_commands_need_no_textual() -> None:
    for path, names in imported_by("tui/commands").items():
        assert "textual" not in roots(names), path


def test_the_session_knows_no_screen() -> None:
    for path, names in imported_by("tui/session").items():
        assert not any(n.startswith(("tui.screens", "tui.widgets", "tui.app")) for n in names), path


def test_only_the_data_package_imports_torchvision() -> None:
    for folder in ("engine", "scenarios", "tui"):
        for path, names in imported_by(folder).items():
            if not path.startswith("scenarios/data/"):
                assert not roots(names) & {"torch", "torchvision"}, path


def modules_after(code: str) -> set[str]:
    """The modules that are there after running code in a fresh process."""
    report = "\nimport json, sys\nprint(); print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code + report],
        env=environment(),
        cwd=Path("/"),
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_import_next_to_nothing(option: str) -> None:
    code = f"from tui.cli import main\ntry:\n    main([{option!r}])\nexcept SystemExit:\n    pass\n"
    assert not roots(modules_after(code)) & {"numpy", "rich", "textual", "engine", "scenarios"}


def test_a_mistake_on_the_command_line_imports_next_to_nothing() -> None:
    code = (
        "from tui.cli import main\ntry:\n    main(['--nonsense'])\nexcept SystemExit:\n    pass\n"
    )
    assert not roots(modules_after(code)) & {"numpy", "rich", "textual"}


@pytest.mark.parametrize(
    "modules", ["tui.launch, tui.app, tui.process.client", "tui.launch, tui.loading.catalog"]
)
def test_the_screen_s_process_has_no_numpy(modules: str) -> None:
    there = roots(modules_after(f"import {modules}"))
    assert not there & {"numpy", "engine", "torch", "torchvision"}


def test_opening_a_scenario_leaves_the_screen_s_process_without_numpy() -> None:
    code = (
        "import threading\nfrom tui.process.client import Client\nfrom tui.options import Options\n"
        "from tui.loading import catalog\n"
        "catalog.find('first_graph'); catalog.bundled()\n"
        "came = threading.Event()\nclient = Client(Options('first_graph'))\n"
        "client.listen(lambda message: came.set())\nassert came.wait(10)\nclient.close()\n"
    )
    assert not roots(modules_after(code)) & {"numpy", "engine"}


@pytest.mark.parametrize(
    "args", [["first_graph", "--trace", "--json"], ["first_graph", "--trace"], ["--list"]]
)
def test_commands_without_a_screen_import_no_textual(args: list[str]) -> None:
    code = f"from tui.cli import main\nassert main({args!r}) == 0\n"
    assert not roots(modules_after(code)) & {"textual", "rich", "torch", "torchvision"}


def test_the_debugged_process_imports_no_textual() -> None:
    there = roots(modules_after("import tui.process.debuggee"))
    assert not there & {"textual", "rich", "torch", "torchvision"}
