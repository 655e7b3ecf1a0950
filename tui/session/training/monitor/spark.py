"""A few numbers as a row of blocks, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
MIDDLE = 3
"""The block of what is as large as all of them are on average; each next one is twice as large."""

NONE = "·"
BROKEN = "!"


def spark(values: Sequence[float | None], width: int) -> str:
    """The last `width` of the numbers, at the right; a dot for 0 and for none, `!` for NaN and Inf.

    Healthy numbers give a quiet line in the middle: a step of a block is a factor of two.
    """
    shown = values[-width:]
    logs = [math.log2(v) for v in shown if v is not None and math.isfinite(v) and v > 0]
    middle = sum(logs) / len(logs) if logs else 0.0
    return "".join(_block(value, middle) for value in shown).rjust(width)


def _block(value: float | None, middle: float) -> str:
    if value is None or value == 0:
        return NONE
    if not math.isfinite(value):
        return BROKEN
    return BLOCKS[
        max(0, min(len(BLOCKS) - 1, MIDDLE + math.floor(math.log2(value) - middle + 0.5)))
    ]
