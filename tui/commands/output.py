"""Writing lines of JSON, and ending quietly when nobody reads them any more."""

from __future__ import annotations

import json
import sys
from typing import Any


def json_line(event: dict[str, Any]) -> None:
    """One JSON object on a line of standard output, sent at once."""
    sys.stdout.write(json.dumps(event, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def note(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)
