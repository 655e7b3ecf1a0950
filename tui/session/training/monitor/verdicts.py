"""What is wrong with a parameter's training, in words.

The thresholds are wide: a warning on a network that trains well would be worse than none. For the
size of updates the rule of thumb is about a thousandth of the value a batch (Andrej Karpathy's
CS231n notes, "Ratio of weights:updates"); networks that train well are found between a hundred
thousandth and a few hundredths. What the gradients of layers may differ by comes from how they
vanish and explode (Xavier Glorot and Yoshua Bengio 2010; Razvan Pascanu, Tomas Mikolov and Yoshua
Bengio 2013), that ReLUs die from how they do (Lu Lu et al. 2020).
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass

from tui.session import numbers
from tui.session.training.monitor.gates import Units
from tui.session.training.monitor.measuring import Measurement, Row

VANISHED = 1e-3
"""A weight's typical gradient has become so small a part of the last layer's."""

EXPLODED = 1e3
"""Or so many times as large."""

TOO_STEEP = 1e4
"""Or its norm so many times the weight's own: where all layers' weights are large, the gradients of
all of them are, since what comes down grows as much as what goes up."""

TOO_FAST = 0.3
"""So large an update, as a share of the value, changes a weight beyond what its gradient tells."""

OVERTURNED = 1.0
"""A share of which one batch is enough, once the first ones are over: a weight that has started at
0 is moved by any number of times its value at first."""

IN_A_ROW = 3
"""How many measured batches have to show a share that may be large for once."""

SHORT = 28
"""How many cells a short form may take."""

MANY_DEAD = 0.5
"""So many of a layer's units are more than a network can do without."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a parameter."""

    kind: str
    """What `advice` has a word on; empty where there is nothing to say."""
    is_warning: bool
    short: str
    """In at most 28 cells."""
    words: str


NOTHING = Verdict("", False, "", "")


def verdict(
    history: Sequence[Measurement], row: int, losses: Sequence[float], spoiled: Container[int] = ()
) -> Verdict:
    """What there is to say of one parameter, the worst first.

    Args:
        history: what was measured, the last one last; at least one.
        row: which of the parameters.
        losses: those of all batches so far.
        spoiled: the batches before which a parameter was not finite already.
    """
    rows = [measurement.rows[row] for measurement in history]
    now, last = rows[-1], history[-1]
    if not now.is_finite:
        since = _not_finite_since(losses, last.batch, spoiled)
        what = "Inf" if now.grad is not None and math.isinf(now.grad) else "NaN"
        return _warning("nan", f"{what} since batch {since}", f"{what} since batch {since}")
    if not now.is_trained:
        return Verdict("frozen", False, "frozen", "frozen: it does not require grad")
    if now.grad is None:
        return _without_gradient(rows)
    if not now.is_optimized:
        words = "not among the optimiser's parameters: it never changes"
        return _warning("left out", "not in the optimiser", words)
    if not now.is_cleared and not _is_cleared_at_times(rows, history):
        words = "holds the gradients of earlier batches, too: zero_grad() leaves them"
        return _warning("uncleared", "zero_grad() leaves it", words)
    if now.zeros == 1 and last.loss == 0:
        return Verdict("done", False, "the loss is 0", "gradient 0: the loss is 0")
    if now.zeros == 1 and now.feeds is not None and now.feeds.all_off:
        return _all_zero(now) or _all_off(now.feeds)
    if now.zeros == 1:
        return _zero_gradient(now)
    return (
        _too_fast(rows, last.batch)
        or _unlike_the_last(now, last)
        or _too_steep(now)
        or _dead(now)
        or _unmoved(rows)
        or _remark(now)
    )


def _is_cleared_at_times(rows: Sequence[Row], history: Sequence[Measurement]) -> bool:
    """Whether zero_grad() has cleared it before a batch after the first one, as it does now and
    then where gradients are summed over some batches on purpose."""
    return any(row.is_cleared for row, at in zip(rows, history, strict=True) if at.batch > 1)


def _warning(kind: str, short: str, words: str) -> Verdict:
    return Verdict(kind, True, short, words)


def _not_finite_since(losses: Sequence[float], batch: int, spoiled: Container[int]) -> int:
    """The first batch of those up to now whose loss, or whose update, is not finite."""
    since = batch
    while since > 1 and not math.isfinite(losses[since - 2]):
        since -= 1
    return since - 1 if since in spoiled else since


def _without_gradient(rows: Sequence[Row]) -> Verdict:
    if any(row.grad is not None for row in rows):
        return Verdict("skipped", False, "not used in this batch", "not used in this batch")
    words = "no gradient at all: not reached by the loss"
    return _warning("unreached", "not reached by the loss", words)


def _all_zero(now: Row) -> Verdict | None:
    if not now.is_weight or now.value != 0:
        return None
    words = "all of it is 0, and so is all that it feeds: start at random numbers"
    return _warning("all zero", "all 0: start at random", words)


def _all_off(units: Units) -> Verdict:
    off = f"{units.count} of {units.count} units off"
    return _warning("all off", off, f"{off}: nothing flows through {units.name} any more")


def _zero_gradient(now: Row) -> Verdict:
    if now.blocked_by is not None:
        name = now.blocked_by.name
        return _warning("blocked", _all_off_in(name), f"gradient 0: all is off in {name}")
    if now.hears is not None and now.hears.all_off:
        name = now.hears.name
        words = f"gradient 0: its input is 0, all is off in {name}"
        return _warning("deaf", _all_off_in(name), words)
    words = "gradient 0 in every element: the loss does not notice it"
    return _warning("zero", "gradient 0 everywhere", words)


def _all_off_in(name: str) -> str:
    short = f"0: all off in {name}"
    return short if len(short) <= SHORT - 2 else "0: all of a ReLU is off"


def _too_fast(rows: Sequence[Row], batch: int) -> Verdict | None:
    recent = [row.update or 0.0 for row in rows[-IN_A_ROW:]]
    overturned = batch > IN_A_ROW and recent[-1] >= OVERTURNED
    lasting = len(recent) == IN_A_ROW and min(recent) > TOO_FAST
    if not rows[-1].is_weight or not (overturned or lasting):
        return None
    share = percent(recent[-1])
    of = share.replace(" x", " times") if share.endswith("x") else f"{share} of"
    words = f"update {of} the value a batch: lower the rate"
    return _warning("too fast", f"update {share}: lower the rate", words)


def _unlike_the_last(now: Row, last: Measurement) -> Verdict | None:
    """A gradient that has vanished or exploded on its way from the last layer."""
    if last.last_weight is None or not now.is_weight:
        return None
    theirs, mine = last.rows[last.last_weight].typical_grad, now.typical_grad
    if not theirs or not mine or not math.isfinite(theirs) or not math.isfinite(mine):
        return None
    ratio = mine / theirs
    if ratio < VANISHED:
        factor = brief(ratio)
        words = f"gradient {factor} of the last layer's: it vanishes"
        return _warning("vanishes", f"vanishes: {factor} of last's", words)
    if ratio > EXPLODED:
        factor = brief(ratio)
        words = f"gradient {factor} times the last layer's: it explodes"
        return _warning("explodes", f"explodes: {factor} x last's", words)
    return None


def _too_steep(now: Row) -> Verdict | None:
    typical = now.typical_grad
    if not now.is_weight or not now.grad or not now.value or typical is None or typical < 1:
        return None  # a weight may be so small because it has started at 0
    if now.grad < TOO_STEEP * now.value:
        return None
    factor = brief(now.grad / now.value)
    words = f"gradient {factor} times the value: it explodes"
    return _warning("explodes", f"explodes: {factor} x value", words)


def _dead(now: Row) -> Verdict | None:
    units = now.feeds
    if units is None or units.dead < max(2, MANY_DEAD * units.count):
        return None
    of = f"{units.dead} of {units.count} units"
    words = f"{of} were off in all of epoch {units.epoch} ({units.name})"
    return _warning("dead", _shorter(f"{units.dead} of {units.count} dead", units), words)


def _shorter(text: str, units: Units) -> str:
    """With the ReLU's name where there is room for it, also behind the mark of a warning."""
    named = f"{text} ({units.name})"
    return named if len(named) <= SHORT - 2 else text


def _unmoved(rows: Sequence[Row]) -> Verdict | None:
    """A gradient, and an update that is below the value's last digit, or none at all."""
    recent = rows[-IN_A_ROW:]
    if len(recent) < IN_A_ROW or any(row.has_changed or not row.grad for row in recent):
        return None
    words = "has a gradient, and does not change: the update is below its last digit, or 0"
    return _warning("unmoved", "does not change", words)


def _remark(now: Row) -> Verdict:
    if now.feeds is not None and now.feeds.off:
        units = now.feeds
        dead = f", {units.dead} dead" if units.dead else ""
        short = f"{units.off} of {units.count} units off"
        words = f"{short}{dead} ({units.name})"
        return Verdict("off", False, _shorter(short + dead, units), words)
    if now.hears is not None and now.hears.off and now.zeros:
        short = f"from the {now.hears.off} units off" if now.hears.off > 1 else "from the unit off"
        return Verdict("hears", False, short, f"{short} in {now.hears.name}")
    return NOTHING


def percent(share: float) -> str:
    """A share in at most seven cells: `1.9 %`, `0.12 %`, `3e-5 %`, `12 x`, `2e4 x`."""
    if share == 0:
        return "0 %"
    if share >= 9.995:
        return f"{share:.0f} x" if share < 9999.5 else f"{brief(share)} x"
    if share >= 0.0995:
        return f"{share:.0%}".replace("%", " %")
    if share >= 1e-4:
        return f"{100 * share:#.2g} %"
    mantissa, exponent = f"{100 * share:.0e}".split("e")
    return f"{mantissa}e{int(exponent)} %"


def brief(value: float) -> str:
    """One significant digit of what is far from 1: `1e-9`, `0.0004`, `2,000`."""
    if 1e-4 <= value < 1e4:
        return numbers.number(float(f"{value:.1g}"))
    mantissa, exponent = f"{value:.0e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def three_digits(value: float | None) -> str:
    """A norm in at most seven cells; a dash for none."""
    if value is None:
        return "-"
    if not math.isfinite(value) or value == 0:
        return numbers.number(value)
    if 1e-3 <= value < 9999.5:
        return f"{value:#.3g}".rstrip(".") if value < 999.5 else f"{value:.0f}"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}e{int(exponent)}"
