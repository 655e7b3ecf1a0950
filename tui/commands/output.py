"""Writing to standard output, which is ours alone while a scenario runs."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO


@contextlib.contextmanager
def own_output() -> Iterator[TextIO]:
    """Standard output for ourselves: in this block the scenario's own, however it writes to it,
    goes to standard error, and its standard input is empty."""
    stdout = sys.stdout
    kept_in, kept_out = os.dup(0), os.dup(1)
    out = os.fdopen(
        kept_out, "w", encoding=stdout.encoding, errors="backslashreplace", closefd=False
    )
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(1, "w", buffering=1, errors="backslashreplace", closefd=False)
    try:
        yield out
        out.flush()
    finally:
        for stream in (out, sys.stdout, stdout):
            # After an error there may be something left that cannot be written.
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        with contextlib.suppress(OSError):
            out.close()
        sys.stdout = stdout
        for kept, number in ((kept_in, 0), (kept_out, 1)):
            os.dup2(kept, number)
            os.close(kept)


def json_line(event: dict[str, Any], out: TextIO) -> None:
    """One JSON object on a line of its own, sent at once."""
    out.write(json.dumps(event, allow_nan=False) + "\n")
    out.flush()


class FetchProgress:
    """How far a download is, on standard error: a line a tenth of it."""

    def __init__(self) -> None:
        self._told: tuple[str, int] | None = None

    def __call__(self, doing: str, done: int, total: int) -> None:
        """Told what is being done, and how many bytes of how many are there."""
        tenth = done * 10 // total if total else 0
        if (doing, tenth) != self._told:
            self._told = (doing, tenth)
            print(f"bp-tui: {doing}, {done / 1e6:.1f} of {total / 1e6:.1f} MB", file=sys.stderr)
