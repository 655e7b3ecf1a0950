"""Where the program itself lies, as the frames of its code call it."""

from __future__ import annotations

import os

TUI = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(TUI)
"""What `engine`, `scenarios` and `tui` lie in."""
ENGINE = os.path.join(ROOT, "engine")
