"""What has no look of its own: Textual would draw borders, paddings and tints, line by line, also
where there are none."""

from __future__ import annotations

from functools import lru_cache

from textual.containers import Container, Horizontal, Vertical
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


@lru_cache(maxsize=64)
def blank(width: int) -> Strip:
    """So many blanks: always the same strip, which remembers its parts."""
    return Strip.blank(width)


class Bare(Widget):
    """Blank, where nothing else lies on it."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """Blank lines."""
        return [blank(crop.width)] * crop.height


class Room(Bare, Container):
    """Holds others."""


class Row(Bare, Horizontal):
    """Holds others side by side."""


class Column(Bare, Vertical):
    """Holds others below each other."""
