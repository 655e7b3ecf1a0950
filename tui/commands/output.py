"""Writing lines of JSON, and ending quietly when nobody reads them any more."""

from __future__ import annotations

import json
import sys
from typing import Any


def json_line(event: dict[str, Any]) -> None:
    """One JSON object on a line of standard output, sent at once."""
    sys.stdout.write(json.dumps(event, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


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
