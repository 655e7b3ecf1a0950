"""How values are spread between the smallest and the largest: bars of block characters."""

from __future__ import annotations

import numpy as np

from tui.session.protocol import Array

BARS = " ▁▂▃▄▅▆▇█"


def merged(counts: Array, room: int) -> Array:
    """The counts of neighbouring bins added up, by so many that all bins stay equally wide and
    there are no more than fit."""
    bins = next(n for n in range(max(1, room), 0, -1) if len(counts) % n == 0)
    return np.asarray(counts.reshape(bins, -1).sum(axis=1))


def bar_rows(counts: Array, rows: int = 1) -> list[str]:
    """Bars of so many rows, one bar a bin, the tallest one full; a bin with few values still
    shows."""
    tallest = counts.max(initial=0)
    steps = rows * (len(BARS) - 1)
    heights = np.ceil(counts / tallest * steps).astype(int) if tallest else counts
    return [
        "".join(BARS[max(0, min(8, int(height) - 8 * row))] for height in heights)
        for row in reversed(range(rows))
    ]
