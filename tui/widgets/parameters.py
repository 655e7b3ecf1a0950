"""The lines of the table of parameters, and of the slope, on the training screen."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len

from tui.widgets import styles
from tui.widgets.lines import Line

WIDE = 100
"""From so many columns on there is room for longer names, a longer history and fuller headings."""

NAME_AT_MOST = 16, 32
HISTORY = 8, 12
HEADINGS = ("|grad|", "lately", "update", "is 0"), ("|grad|", "lately", "update/value", "grad is 0")


def table_lines(monitor: dict[str, Any], width: int) -> list[Line]:
    """A heading, and a line for each parameter that is sent.

    Args:
        monitor: what the training's view says of its parameters.
        width: how many columns there are.
    """
    wide = width >= WIDE
    name_width = max(9, min(monitor["name_width"], NAME_AT_MOST[wide]))
    history = HISTORY[wide]
    grad, lately, update, zeros = HEADINGS[wide]
    columns = [7, history, max(7, len(update)), max(5, len(zeros))]
    heads = [
        grad.rjust(7),
        lately.rjust(history),
        update.rjust(columns[2]),
        zeros.rjust(columns[3]),
    ]
    head = f" {'parameter':<{name_width}} {' '.join(heads)}  in words (w: more)"
    batch = f"batch {monitor['batch']:,} " if monitor["batch"] else ""
    space = " " * max(2, width - len(head) - len(batch))
    lines: list[Line] = [[(f"{head}{space}{batch}", styles.QUIET)]]
    for row in monitor["rows"]:
        cells = (row["grad"], row["history"][-history:], row["update"], row["zeros"])
        numbers = " ".join(cell.rjust(w) for cell, w in zip(cells, columns, strict=True))
        start = f" {_cut(row['name'], name_width):<{name_width}} {numbers}  "
        lines.append([(start, styles.PLAIN), _words(row, width - len(start))])
    if monitor["more"]:
        warned = f", {monitor['more_warned']} with a warning" if monitor["more_warned"] else ""
        lines.append([(f" … {monitor['more']:,} more{warned}: w shows all", styles.QUIET)])
    return lines


def _cut(name: str, width: int) -> str:
    """The end of a name says more than its beginning."""
    return name if len(name) <= width else "…" + name[1 - width :]


def _words(row: dict[str, Any], room: int) -> tuple[str, Any]:
    mark = "! " if row["warns"] else ""
    fits = cell_len(mark + row["words"]) < room
    text = mark + (row["words"] if fits else row["short"])
    return (text, styles.PROBLEM if row["warns"] else styles.QUIET)


def slope_line(slope: dict[str, Any], width: int) -> Line:
    """Whether the gradient fits the loss, in as many words as there is room for."""
    wrong = slope["level"] == "wrong"
    room = width - cell_len(LABEL) - (2 if wrong else 0)
    texts = [slope[length] for length in ("words", "short", "brief")]
    text = next((text for text in texts if cell_len(text) <= room), texts[-1])
    if wrong:
        return [(LABEL, styles.SHOWN), (f"! {text}", styles.PROBLEM)]
    return [
        (LABEL, styles.QUIET),
        (text, styles.PLAIN if slope["level"] == "fits" else styles.QUIET),
    ]


LABEL = " Slope  "
