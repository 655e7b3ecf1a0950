"""How many threads NumPy's BLAS gets."""

from __future__ import annotations

from pathlib import Path

import pytest
from tui_support import SQUARE, debugged, environment, run, wait_until, write

from tui.process import BLAS_THREADS

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

TELLS_ITS_THREADS = "import os\n" + SQUARE + f"print([os.environ.get(v) for v in {THREADS!r}])\n"


@pytest.mark.parametrize(
    ("options", "variables", "told"),
    [
        ((), {}, ["1", "1", "1"]),
        (("--threads", "3"), {}, ["3", "3", "3"]),
        ((), {"OPENBLAS_NUM_THREADS": "2"}, ["1", "2", "1"]),
        ((), {"OMP_NUM_THREADS": "2"}, ["2", None, None]),
        (("--threads", "3"), {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "4"}, ["3", "3", "3"]),
        ((), {"OMP_NUM_THREADS": ""}, ["1", "1", "1"]),
    ],
)
def test_threads_of_blas(
    options: tuple[str, ...],
    variables: dict[str, str],
    told: list[str | None],
    tmp_path: Path,
) -> None:
    """One, unless the user says otherwise: on the command line before in the environment."""
    path = write(tmp_path, TELLS_ITS_THREADS)
    env = environment(**{**dict.fromkeys(BLAS_THREADS), **variables})
    done = run(path, "--trace", *options, env=env)
    assert str(told) in done.stdout + done.stderr


def test_threads_of_a_debugged_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = write(tmp_path, TELLS_ITS_THREADS)
    for name in BLAS_THREADS:
        monkeypatch.delenv(name, raising=False)
    with debugged(path) as process:
        process.wait_for("stepping")
        assert wait_until(lambda: list(process.client.log) == ["['1', '1', '1']"], 8)
