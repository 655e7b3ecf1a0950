"""`bp-tui --list`: the bundled scenarios."""

from __future__ import annotations

import sys

from tui.commands.output import json_line
from tui.loading import catalog


def list_scenarios(as_json: bool) -> int:
    """Print name and title of each; returns the exit code."""
    entries = catalog.bundled()
    width = max(len(entry.name) for entry in entries)
    for entry in entries:
        if as_json:
            json_line({"event": "scenario", "name": entry.name, "title": entry.title}, sys.stdout)
        else:
            print(f"{entry.name:<{width}}  {entry.title}")
    return 0
