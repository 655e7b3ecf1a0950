"""The pages of v and w: the slope in detail, and what the table says."""

from __future__ import annotations

from collections.abc import Sequence

from tui.session import numbers
from tui.session.explanation import GAP, Item
from tui.session.training.monitor import slope_words
from tui.session.training.monitor.advice import ADVICE
from tui.session.training.monitor.measuring import Measurement, Row
from tui.session.training.monitor.monitor import Monitor
from tui.session.training.monitor.reasons import reason
from tui.session.training.monitor.recomputing import Uncomputable
from tui.session.training.monitor.slope import EXAMPLES, Line, ParameterSlope, Slope
from tui.session.training.monitor.slope_words import change
from tui.session.training.monitor.table import update_of, zeros_of
from tui.session.training.monitor.verdicts import Verdict, three_digits

SLOPE = "Does the gradient fit the loss?"
TABLE = "What the table says"

PATIENCE = 2.0
"""Parameters are checked one by one for so many seconds."""

HOW_SLOPE: Item = (
    "text",
    f"The loss of the first {EXAMPLES} examples of the batch was computed again in float64, a "
    "small step to either side: against the gradient, and in a direction of fixed random numbers, "
    "in which also a gradient that is too small shows. The gradient is that of the backward "
    "functions. Nothing of the training has changed. That both agree is no proof: a mistake may "
    "lie where this batch does not come, or be too small.",
    "",
)

NEEDS = (
    "The check needs a loss that is computed in float64 where its parameters are, and that is the "
    "same each time. The training itself does not."
)

COLUMNS: tuple[Item, ...] = (
    ("title", "The columns", ""),
    (
        "text",
        "- |grad|: the norm of the gradient, before it is clipped. Beside it how it was lately: a "
        "block higher is twice as much.",
        "",
    ),
    (
        "text",
        "- update: |update| / |value|, what the batch has changed. A rule of thumb for weights is "
        "0.1 %; from 0.001 % to a few percent is common, 10 % and more too fast.",
        "",
    ),
    (
        "text",
        "- is 0: the share of the gradient's elements that are 0.",
        "",
    ),
    (
        "text",
        "- off: a unit whose ReLU gives 0 for every example of the batch (of a convolution: a "
        "channel, everywhere); dead: for every example of the last whole epoch.",
        "",
    ),
)


def slope_items(monitor: Monitor) -> list[Item]:
    """The slope of all parameters together, then of each."""
    slope = monitor.check_now()
    if slope.problem:
        return [
            ("strong", "It cannot be computed here.", ""),
            ("text", slope.problem, ""),
            GAP,
            ("text", NEEDS, ""),
        ]
    items = _together(slope)
    try:
        each = monitor.slope_of_each(PATIENCE)
    except Uncomputable as reason:
        return [*items, GAP, ("text", f"Not of each parameter: {reason}", "")]
    items += [GAP, ("title", "Each parameter alone", "slope: says, is")]
    for one in each:
        items += _one(one)
    left = sum(tensor.requires_grad for _, tensor in monitor.parameters) - len(each)
    if left > 0:
        items.append(("line", f"and {left} more, for which there was no time", ""))
    return [*items, GAP, *_conclusion(each), HOW_SLOPE]


def _together(slope: Slope) -> list[Item]:
    told = slope_words.facts(slope)
    kind = "problem" if told["level"] == "wrong" else "strong"
    items: list[Item] = [(kind, told["words"][0].upper() + told["words"][1:], ""), GAP]
    for what, line in (
        ("against the gradient", slope.down),
        ("in a random direction", slope.across),
    ):
        if line is None:
            items.append(("line", what, "the gradient is 0"))
        else:
            items.append(("line", f"slope {what}", _verdict(line)))
            items.append(("line", "  as the gradient says", change(line.says)))
            items.append(
                ("line", f"  over {numbers.number(line.step)} to both sides", change(line.does))
            )
    return items


def _verdict(line: Line) -> str:
    return {True: "agrees", False: "does not fit", None: "cannot be told"}[line.fits]


def _one(one: ParameterSlope) -> list[Item]:
    """A line for a parameter, with more only where it does not fit."""
    line = one.down if one.down is not None and one.down.fits is not True else one.across
    if one.fits:
        line = one.down or one.across
    says, does = change(line.says), change(line.does)
    if one.grad is None:
        if one.fits is not False:
            return [("line", one.name, "no gradient")]
        return [("problem", f"! {one.name}: no gradient, but the loss changes with it", "")]
    if one.fits is False:
        return [("problem", f"! {one.name} does not fit: it says {says}, the slope is {does}", "")]
    verdict = "agrees" if one.fits else "cannot be told"
    return [("line", f"{one.name}  {verdict}", f"{says}, {does}")]


def _conclusion(each: Sequence[ParameterSlope]) -> list[Item]:
    wrong = [one.name for one in each if one.grad is not None and one.fits is False]
    cut = [one.name for one in each if one.grad is None and one.fits is False]
    items: list[Item] = []
    if wrong:
        right = [one.name for one in each if one.fits and one.grad is not None]
        tail = f", and fits at {_listed(right)}" if right else ""
        items.append(
            (
                "text",
                f"The gradient is wrong at {_listed(wrong)}{tail}. The backward function at fault "
                "lies between the loss and these, where no other's gradient comes through. Leave "
                "with Esc and press V: it checks each backward function by itself.",
                "",
            )
        )
    if cut:
        items.append(
            (
                "text",
                f"The loss depends on {_listed(cut)}, but no gradient arrives: something on the "
                "way, such as detach(), no_grad or .array, cuts it off.",
                "",
            )
        )
    return [*items, GAP] if items else []


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:6]) + ([f"{len(names) - 6} more"] if len(names) > 6 else [])
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]


def table_items(monitor: Monitor) -> list[Item]:
    """What is wrong, in words; the whole table; the ReLUs; what the columns mean."""
    loss = _about_the_loss(monitor)
    if not monitor.measured:
        nothing = "Nothing is measured yet: n trains on one batch, c runs."
        return [*loss, ("text", nothing, ""), GAP, *COLUMNS]
    last = monitor.measured[-1]
    told = slope_words.facts(monitor.slope)
    is_wrong = loss or told["level"] == "wrong" or any(v.is_warning for v in monitor.verdicts)
    items: list[Item] = [
        ("strong", "Warnings" if is_wrong else "No warning.", f"batch {last.batch:,}"),
        *loss,
        *_warnings(last.rows, monitor.verdicts),
    ]
    kind = "problem" if told["level"] == "wrong" else "text"
    items += [GAP, (kind, f"Slope: {told['words']}", "")]
    items += [GAP, ("title", "The parameters", "|grad|, update, grad is 0")]
    for row, verdict in zip(last.rows, monitor.verdicts, strict=True):
        numbers_of = f"{three_digits(row.grad):>7} {update_of(row):>7} {zeros_of(row):>5}"
        items.append(("line", row.name, numbers_of))
        if verdict.words and not verdict.is_warning:
            items.append(("quiet", f"  {verdict.words}", ""))
    return [*items, *_units(last), GAP, *COLUMNS]


def _about_the_loss(monitor: Monitor) -> list[Item]:
    """That it rises or stands still, and why; nothing where it falls."""
    trend = monitor.progress.trend()
    if not trend.kind:
        return []
    why = reason(trend, monitor.measured, monitor.verdicts, monitor.slope)
    said = f"! {trend.words[0].upper()}{trend.words[1:]}"
    return [("problem", said, ""), ("text", why, ""), GAP]


def _warnings(rows: Sequence[Row], verdicts: Sequence[Verdict]) -> list[Item]:
    """The warnings of each kind with what they mean, then the remarks' meanings."""
    warned: dict[str, list[tuple[Row, Verdict]]] = {}
    for row, verdict in zip(rows, verdicts, strict=True):
        if verdict.is_warning:
            warned.setdefault(verdict.kind, []).append((row, verdict))
    items: list[Item] = []
    for kind, found in warned.items():
        items += [("problem", f"! {row.name}: {verdict.words}", "") for row, verdict in found]
        items += [("text", ADVICE[kind], ""), GAP]
    remarks = dict.fromkeys(v.kind for v in verdicts if v.kind and not v.is_warning)
    items += [("text", ADVICE[kind], "") for kind in remarks]
    return items


def _units(last: Measurement) -> list[Item]:
    if not last.units:
        return []
    items: list[Item] = [GAP, ("title", "The ReLUs", "off in this batch, dead")]
    for units in last.units:
        dead = f"{units.dead} in epoch {units.epoch}" if units.epoch else "no whole epoch yet"
        off = "-" if units.off is None else f"{units.off} of {units.count}"
        items.append(("line", units.name, f"{off}, {dead}"))
    return items
