"""What holds for all tests."""

from __future__ import annotations

import os

# Before NumPy is imported: on small matrices a second BLAS thread costs more than it gives.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# Most users have it not, and with it each program that a test starts would compile all of its
# modules again, which doubles the time of a start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import itertools  # noqa: E402
from collections.abc import Iterator  # noqa: E402

import pytest  # noqa: E402

from engine import BACK_FUNCS  # noqa: E402

_states = itertools.count()


@pytest.fixture(autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered between runs starts empty, and is never the user's own."""
    folder = tmp_path_factory.getbasetemp() / f"state-{next(_states)}"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))


@pytest.fixture(autouse=True)
def own_backward_functions() -> Iterator[None]:
    """Backward functions that a test (or a scenario that it loads) registers go with it."""
    added = {func: dict(by_position) for func, by_position in BACK_FUNCS._added.items()}
    replaced = dict(BACK_FUNCS._replaced)
    version = BACK_FUNCS.version
    yield
    if BACK_FUNCS.version != version:
        BACK_FUNCS._added = added
        BACK_FUNCS._replaced = replaced
        BACK_FUNCS.version += 1
