"""What has gone wrong in a training, in a line."""

from __future__ import annotations

import traceback
from pathlib import Path

from tui.errors import ScenarioError
from tui.loading.error_places import code_of
from tui.places import OURS


def in_words(what: str, error: BaseException) -> str:
    """What was raised, and in which line, as far as that is the user's.

    Args:
        what: what could not be done: `batch 3`.
        error: what was raised.
    """
    if isinstance(error, ScenarioError):
        return f"{what}: {error.notice}"
    return f"{what}{_line_of(error)}: {type(error).__name__}: {error}"


def _line_of(error: BaseException) -> str:
    """Where it was raised: ` (file.py, line 3)`."""
    cause = error.__cause__ or error
    frames = [
        f for f in traceback.extract_tb(cause.__traceback__) if not f.filename.startswith(OURS)
    ]
    if frames:
        return f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"
    code = code_of(getattr(error, "function", None))
    if code is None or code.co_filename.startswith(OURS):
        return ""
    return f" ({Path(code.co_filename).name}, line {code.co_firstlineno})"
