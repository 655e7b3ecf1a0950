"""Comparing the picture of a screen with the one that is kept in `snapshots/`.

Set BP_TUI_UPDATE_SNAPSHOTS=1 to write the pictures anew, and look at them before they are kept.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

FOLDER = Path(__file__).with_name("snapshots")

UPDATE = bool(os.environ.get("BP_TUI_UPDATE_SNAPSHOTS"))

STYLE = re.compile(r"^\s*\.screen-(r\d+) \{ (.*) \}$", re.M)
MARK = re.compile(r'<rect fill="(#\w+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"')
TEXT = re.compile(r'<text class="screen-(r\d+)" x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>')


def assert_same_picture(svg: str, name: str) -> None:
    """A picture shows the same text in the same places and colours as the one that is kept."""
    # Each picture's elements have a prefix of its own, so that several fit on a page.
    svg = re.sub(r"terminal-\d+", "screen", svg)
    path = FOLDER / f"{name}.svg"
    if UPDATE:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(svg, encoding="utf-8")
        return
    assert path.is_file(), f"{path.name} is not there: BP_TUI_UPDATE_SNAPSHOTS=1 writes it"
    was, now = drawn(path.read_text(encoding="utf-8")), drawn(svg)
    gone = [f"  - {part}" for part in was if part not in now]
    new = [f"  + {part}" for part in now if part not in was]
    assert was == now, "\n".join([f"{name} looks otherwise:", *gone[:12], *new[:12]])


def drawn(svg: str) -> list[str]:
    """What a picture shows: the coloured areas and the texts, with their places; not the window
    that Rich draws around them."""
    styles = dict(STYLE.findall(svg))
    areas = [f"x {x} y {y} width {width}: {fill}" for fill, x, y, width in MARK.findall(svg)]
    texts = [f"y {y} x {x}: {text!r} {styles[style]}" for style, x, y, text in TEXT.findall(svg)]
    assert texts
    return areas + texts
