"""The table of parameters, as the training screen shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tui.session.numbers import share
from tui.session.training.monitor.measuring import Measurement, Row
from tui.session.training.monitor.spark import spark
from tui.session.training.monitor.verdicts import Verdict, percent, three_digits

Json = dict[str, Any]

SPARK_WIDTH = 12
"""The longest history that is sent; a narrower column shows the last of it."""


def table(
    history: Sequence[Measurement], verdicts: Sequence[Verdict], names: Sequence[str], rows: int
) -> Json:
    """The table in at most so many rows.

    Args:
        history: what was measured, the last one last; empty before the first batch.
        verdicts: what is said of each parameter, as last measured.
        names: the parameters.
        rows: how many there is room for. Where there are more parameters, those with a warning
            come first, and the last row is for saying how many more there are.
    """
    order = list(range(len(names)))
    if len(order) > rows:
        order.sort(key=lambda i: not (history and verdicts[i].is_warning))
        order = order[: max(0, rows - 1)]
    return {
        "batch": history[-1].batch if history else 0,
        "parameters": len(names),
        "name_width": max(map(len, names), default=0),
        "rows": [_row(history, verdicts, names, i) for i in order],
        "more": len(names) - len(order),
        "more_warned": sum(v.is_warning for v in verdicts)
        - sum(verdicts[i].is_warning for i in order if verdicts),
    }


def _row(
    history: Sequence[Measurement], verdicts: Sequence[Verdict], names: Sequence[str], i: int
) -> Json:
    if not history:
        return {"name": names[i], "grad": "", "history": "", "update": "", "zeros": ""} | {
            "short": "",
            "words": "",
            "warns": False,
        }
    row, verdict = history[-1].rows[i], verdicts[i]
    grads = [measurement.rows[i].grad for measurement in history]
    return {
        "name": row.name,
        "grad": three_digits(row.grad),
        "history": spark(grads, SPARK_WIDTH).lstrip(),
        "update": update_of(row),
        "zeros": zeros_of(row),
        "short": verdict.short,
        "words": verdict.words,
        "warns": verdict.is_warning,
    }


def update_of(row: Row) -> str:
    """The update as a share of the value; a dash where the value was 0."""
    return "-" if row.update is None else percent(row.update)


def zeros_of(row: Row) -> str:
    """The share of zeros in the gradient, where there is one."""
    return "-" if row.zeros is None else share(row.zeros)
