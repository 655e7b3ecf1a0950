"""What is saved to a file of which name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tui.errors import Refused

ENDINGS = {
    ".grad.npy": "gradient",
    ".npy": "value",
    ".json": "pass",
    ".jsonl": "pass",
    ".svg": "picture",
}
"""What is saved, by how the file's name ends; a longer ending goes before a shorter one."""

MEANINGS = {
    "value": ".npy value",
    "gradient": ".grad.npy gradient",
    "pass": ".json pass",
    "picture": ".svg screen",
}


@dataclass(frozen=True)
class Target:
    """Where to save what."""

    path: Path
    """Absolute."""
    what: str
    """One of `MEANINGS`."""

    @property
    def is_there(self) -> bool:
        """Whether something would be overwritten."""
        return os.path.exists(self.path)


def target_of(text: str, wanted: tuple[str, ...]) -> Target:
    """What was typed, as a file; a relative one is relative to where the program was started.

    Args:
        text: the file's name.
        wanted: which of `MEANINGS` can be saved here.

    Raises:
        Refused: nothing can be saved under that name.
    """
    text = text.strip()
    name = os.path.basename(text)
    found = next((ending for ending in ENDINGS if name.lower().endswith(ending)), name)
    if name == found or ENDINGS[found] not in wanted:
        can = ", ".join(MEANINGS[what] for what in wanted)
        raise Refused(f"the ending says what: {can}")
    try:
        path = Path(os.path.abspath(os.path.expanduser(text)))
    except OSError:
        raise Refused(
            "the folder in which bp-tui was started is gone: give the whole path"
        ) from None
    # Of os.path, whose answer is no also where the system refuses to look.
    if not os.path.isdir(path.parent):
        raise Refused(f"there is no folder {path.parent}")
    if os.path.isdir(path):
        raise Refused(f"{name} is a folder")
    if os.path.exists(path) and not os.path.isfile(path):
        raise Refused(f"{name} is no ordinary file")
    return Target(path, ENDINGS[found])
