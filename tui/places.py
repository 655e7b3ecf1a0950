"""Where the program itself lies, as the frames of its code call it."""

from __future__ import annotations

import os

TUI = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(TUI)
"""What `engine`, `scenarios` and `tui` lie in."""
ENGINE = os.path.join(ROOT, "engine")
OURS = ENGINE + os.sep, TUI + os.sep
"""How the files begin whose code is the program's, and not the user's."""


def is_ours(function: object) -> bool:
    """Whether a function's code is the program's, or is nowhere to be seen."""
    code = getattr(function, "__code__", None)
    filename = getattr(code, "co_filename", None)
    return filename is None or filename.startswith(OURS)
