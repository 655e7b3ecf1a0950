"""The two processes: the screen's, and the one that is debugged."""

from __future__ import annotations

from collections.abc import Mapping

COMMON = "OMP_NUM_THREADS"
"""What the libraries below follow where their own variable is not set."""

BLAS_THREADS = (
    COMMON,
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""How many threads the libraries start that NumPy may be built on; each reads its own variable when
it is loaded."""


def blas_threads(environment: Mapping[str, str], wanted: int | None = None) -> dict[str, str]:
    """The variables to set before NumPy is imported.

    Without a wish there is one thread, but what the user has set stays: on two busy cores two
    threads are several times slower than one on small matrices.

    Args:
        environment: what is set.
        wanted: how many threads the user asks for.
    """
    if wanted is not None:
        return dict.fromkeys(BLAS_THREADS, str(wanted))
    if environment.get(COMMON):
        return {}
    return {name: "1" for name in BLAS_THREADS if not environment.get(name)}
