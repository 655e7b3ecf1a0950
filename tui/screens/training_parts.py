"""The parts of the training screen: how high each is, and the lines of those without a widget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len, set_cell_size

from tui.widgets import styles
from tui.widgets.items import Item
from tui.widgets.layout import FOOTER, HEADER
from tui.widgets.lines import Line
from tui.widgets.plot import caption

View = dict[str, Any]

NARROW = 70
"""With fewer columns the epochs stand below the curve, and the table has no room."""

ROOMY = 16
"""With fewer rows the curve gets those of the caption, the slope and the data."""

EPOCHS_WIDTH = 34

BREAKS_SHOWN = 3
"""So many of the places at which the training is to stop are told beside the plot."""

PLOT_LEAST = 9
"""Rows that the curve keeps; on a high terminal it keeps two of five."""

TABLE_LEAST = 3
"""A table of fewer parameters is not worth its rows; w shows it."""


@dataclass(frozen=True)
class Heights:
    """Rows of each part; 0 for one that is not there. The curve gets what is left."""

    caption: int
    epochs: int
    """Below the curve; 0 where they stand beside it."""
    table: int
    """With its heading."""
    slope: int
    data: int


def heights(width: int, height: int, view: View) -> Heights:
    """The rows of the parts on a screen of this size."""
    narrow, roomy = width < NARROW, height >= ROOMY
    data = int(roomy and bool(view["data"] or view["note"] or view["kept"]))
    epochs = min(len(view["results"]) + 6, max(3, (height - 6) // 2)) if narrow else 0
    body = height - HEADER - FOOTER
    plot = max(PLOT_LEAST, body * 2 // 5)
    left = body - 2 * roomy - 1 - data - plot - 1
    parameters = view["monitor"]["parameters"]
    table = min(parameters, left) if not narrow and left >= min(parameters, TABLE_LEAST) else 0
    return Heights(int(roomy), epochs, table + 1 if table > 0 else 0, int(roomy), data)


def epoch_items(view: View, height: int) -> list[Item]:
    """The epochs so far, as many as there is room for, and what the numbers of now are."""
    items: list[Item] = [("quiet", "epoch    train    test accuracy", "")]
    rows = [_epoch_row(result) for result in view["results"]]
    if view["stopped"] is not None:
        stopped = view["stopped"]
        rows.append(
            f"{'now':>5}{'':>9}{_loss(stopped['test_loss']):>8}"
            f"{_percent(stopped['test_accuracy']):>9}"
        )
    elif view["batch"] < view["total"]:
        state = "under way" if view["batch"] else "to come"
        rows.append(f"{view['epoch']:>5}    {state}")
    told = [text for text in (view["lr_change"], *_breaks(view)) if text]
    others = 3 + 2 * bool(view["batch"]) + len(told) + bool(view["samples"])
    room = max(1, height - others)
    items += [("line", row, "") for row in rows[-room:]]
    items.append(("gap", "", ""))
    if view["batch"]:
        items.append(("line", f"loss of batch {view['batch']}", view["last_loss"]))
        items.append(("line", f"mean of the last {view['recent']}", view["recent_loss"]))
    items.append(("line", f"{view['optimizer']}, learning rate", view["lr"]))
    items += [("quiet", text, "") for text in told]
    if view["samples"]:
        items.append(("line", "samples a second", view["samples"]))
    return items


def _breaks(view: View) -> list[str]:
    """Where the training is to stop, as far as that has room beside the plot."""
    breaks, room = view["breaks"], EPOCHS_WIDTH - 3
    told = [f"stops {one}" for one in breaks[:BREAKS_SHOWN]]
    if len(breaks) > len(told):
        told[-1] = f"{len(breaks) - len(told) + 1} more, B lists them"
    return [one if cell_len(one) <= room else set_cell_size(one, room - 1) + "…" for one in told]


def _epoch_row(result: dict[str, Any]) -> str:
    return (
        f"{result['epoch']:>5}{_loss(result['train_loss']):>9}{_loss(result['test_loss']):>8}"
        f"{_percent(result['test_accuracy']):>9}"
    )


def _loss(loss: float | str | None) -> str:
    if loss is None or isinstance(loss, str):
        return loss or ""
    text = f"{loss:.4g}"
    if "e" not in text:
        return text
    mantissa, exponent = f"{loss:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _percent(fraction: float | None) -> str:
    return "" if fraction is None else f"{fraction:.1%}".replace("%", " %")


def caption_line(view: View, width: int) -> Line:
    """What is wrong with how the loss goes; where nothing is, what is drawn below."""
    loss, room = view["monitor"]["loss"], width - 4
    if not loss["warns"]:
        return [(f" {caption(view['curve'], width - 2)}", styles.QUIET)]
    texts = (f"{loss['words']}; w says more", loss["words"], loss["brief"])
    text = next((text for text in texts if cell_len(text) <= room), loss["brief"])
    return [(f" ! {text}", styles.PROBLEM)]


def unseen_warning(view: View, rows: Heights) -> str:
    """What is wrong, in a few words, where the part that would tell has no room."""
    monitor = view["monitor"]
    if not rows.slope and monitor["slope"]["level"] == "wrong":
        return str(monitor["slope"]["brief"])
    if not rows.caption and monitor["loss"]["warns"]:
        return str(monitor["loss"]["brief"])
    warned = monitor["more_warned"] + sum(row["warns"] for row in monitor["rows"])
    if not rows.table and warned:
        return f"{warned} parameter{'s' if warned > 1 else ''} with a warning"
    return ""


def progress_line(view: View, width: int) -> Line:
    """How far epoch and training are, and how long it will take."""
    left = f" epoch {view['epoch']} of {view['epochs']}"
    left += f", batch {view['batch_in_epoch']} of {view['per_epoch']}  "
    right = f"  {view['batch']} of {view['total']}"
    if view["state"] in ("running", "paused") and view["left"] is not None:
        right += f"  {_duration(view['left']):>9} left "
    bar = max(0, min(40, width - len(left) - len(right)))
    done = round(bar * view["batch"] / view["total"])
    return [
        (left, styles.PLAIN),
        ("█" * done, styles.BAR),
        ("·" * (bar - done), styles.QUIET),
        (right, styles.PLAIN),
    ]


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def data_line(view: View) -> Line:
    """Where the training is kept, else which images are in use."""
    kept = view["kept"]
    if kept is not None:
        at = f"batch {kept['batch']}" if kept["batch"] else "before the first batch"
        if kept["problem"]:
            return [(f" ! not kept since {at}, in {kept['folder']}", styles.PROBLEM)]
        return [(f" Kept  {at}, in {kept['folder']}", styles.QUIET)]
    if view["note"]:
        return [(f" {view['note']}", styles.SHOWN)]
    if not view["data"]:
        return []
    hint = f"; {view['hint']}" if view["hint"] else ""
    return [(" Data  ", styles.QUIET), (view["data"] + hint, styles.QUIET)]
