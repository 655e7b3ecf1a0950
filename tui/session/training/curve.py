"""The curve of the loss, in as many bins as there are columns to draw."""

from __future__ import annotations

import math


def binned(losses: list[float], total: int, columns: int) -> list[list[float | int | None]]:
    """The losses in at most `columns` bins of equal width over the whole training: for each bin
    that has any its column, smallest and largest loss (over the finite ones)."""
    bins: dict[int, list[float]] = {}
    per_bin = max(1.0, total / max(1, columns))
    for i, loss in enumerate(losses):
        if math.isfinite(loss):
            column = min(
                columns - 1, int(i / per_bin) if per_bin > 1 else _spread(i, total, columns)
            )
            bins.setdefault(column, []).append(loss)
    return [[column, min(values), max(values)] for column, values in sorted(bins.items())]


def _spread(i: int, total: int, columns: int) -> int:
    return round(i * (columns - 1) / max(1, total - 1))
