"""What the engine imports, and what it says about where a tensor comes from."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from engine_reference import leaf

import engine
from engine import Linear, Sequential, Tensor, cross_entropy, record_origins

FOLDER = Path(engine.__file__).parent


def test_importing_the_engine_imports_numpy_only(tmp_path: Path) -> None:
    script = (
        "import engine, sys\n"
        "for name in ('tui', 'scenarios', 'textual', 'rich', 'torch', 'torchvision', 'asyncio'):\n"
        "    assert name not in sys.modules, name\n"
        "print(engine.Tensor([1.0]) + 1)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(FOLDER.parent), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Tensor(array([2.], dtype=float32))\n"


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda p: p.name)
def test_no_module_of_it_names_anything_else(path: Path) -> None:
    """Also where the import stands inside a function."""
    allowed = {"engine", "numpy", *sys.stdlib_module_names}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module or ""]
        else:
            continue
        for name in names:
            assert name.partition(".")[0] in allowed, f"{path.name} imports {name}"


def test_every_public_name_can_be_imported_from_engine() -> None:
    assert [name for name in engine.__all__ if not hasattr(engine, name)] == []
    assert len(set(engine.__all__)) == len(engine.__all__)
    for name in (
        *("Tensor", "Recipe", "Module", "Linear", "Sequential", "ReLU", "Parameter", "SGD"),
        *("log", "multiply", "unbroadcast", "wrap_forward_fn", "BACK_FUNCS", "Training"),
        *("cross_entropy", "no_grad", "NoGrad", "topological_sort", "coerce_index"),
        *("log_back", "multiply_back0", "multiply_back1", "sorted_computational_graph"),
        *("empty", "zeros", "arange", "tensor", "backward_steps", "add_step_hook"),
    ):
        assert name in engine.__all__


# Where a tensor comes from


def test_origins_are_recorded_only_where_asked_for() -> None:
    x = leaf([1.0])
    assert (x * 2).origin is None
    with record_origins():
        y = x * 2  # the line
        with record_origins(False):
            assert (x * 2).origin is None
        with engine.no_grad():
            z = x * 2
    assert (x * 2).origin is None
    assert y.origin is not None
    assert z.origin is not None
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    assert y.origin.line == 1 + next(
        i for i, line in enumerate(lines) if line.endswith("# the line")
    )
    assert (y.origin.op, y.origin.filename, y.origin.call) == ("multiply", __file__, None)
    assert (y.origin.grad_enabled, z.origin.grad_enabled) == (True, False)


def test_origins_know_the_modules_and_composites_around() -> None:
    inner = Linear(2, 3)
    model = Sequential(inner)
    x = Tensor(np.ones((4, 2)))
    with record_origins():
        logits = model(x)
        loss = cross_entropy(logits, [0, 1, 2, 0])
    assert logits.origin is not None
    assert logits.origin.call is not None
    assert logits.origin.call.owner is inner
    assert logits.origin.call.caller is not None
    assert logits.origin.call.caller.owner is model
    assert logits.origin.call.caller.caller is None
    assert loss.origin is not None
    assert loss.origin.call is not None
    assert getattr(loss.origin.call.owner, "__name__", "") == "cross_entropy"
    assert {node.op for node in engine.sorted_computational_graph(loss)} >= {
        *("permute", "matmul", "add", "exp", "log", "getitem"),
    }


def test_a_failing_module_leaves_no_call_behind() -> None:
    with record_origins():
        with pytest.raises(engine.ShapeError):
            Linear(2, 3)(Tensor(np.ones((4, 5))))
        after = leaf([1.0]) * 2
    assert after.origin is not None
    assert after.origin.call is None
