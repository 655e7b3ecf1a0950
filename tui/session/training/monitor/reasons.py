"""Why the loss does not fall, as far as what was measured tells."""

from __future__ import annotations

from collections.abc import Sequence

from tui.session.training.monitor.measuring import Measurement
from tui.session.training.monitor.progress import Trend
from tui.session.training.monitor.slope import Slope
from tui.session.training.monitor.verdicts import IN_A_ROW, TOO_FAST, Verdict, percent

TOO_SLOW = 2e-4
"""An update that is a smaller share of every weight is a fifth of what is usual, or less."""


def reason(
    trend: Trend, measured: Sequence[Measurement], verdicts: Sequence[Verdict], slope: Slope | None
) -> str:
    """The most likely reason, and what can be done.

    Args:
        trend: how the loss goes; it is a warning.
        measured: the last batches, the last one last.
        verdicts: what is said of each parameter.
        slope: whether the gradient fits the loss; None where that is not known.
    """
    if slope is not None and slope.wrong is not None:
        return "The gradient does not fit the loss (see Slope below): a backward function is wrong."
    if trend.kind == "plunges":
        return (
            "It is a loss without a least value: a sign is wrong in it, or it is given what it is "
            "not made for (nll_loss takes log-probabilities, as log_softmax gives them)."
        )
    lately = measured[-IN_A_ROW:]
    goes_up = len(lately) == IN_A_ROW and all(measurement.along > 0 for measurement in lately)
    if goes_up and not trend.has_fallen:  # one with momentum may go up for a while
        return (
            "The updates go along the gradient, and so uphill: the optimiser adds where it should "
            "subtract, or the loss is one that was meant to grow."
        )
    if any(verdict.is_warning for verdict in verdicts):
        return "The warnings of the parameters, below, may say why."
    share = measured[-1].largest_update if measured else None
    if share is not None and share > TOO_FAST:
        return (
            f"The last update was {percent(share)} of a weight's value, where about 0.1 % is "
            "usual: a lower rate is worth a try (L sets it)."
        )
    if share is not None and share < TOO_SLOW and trend.kind == "still":
        return (
            f"The last update was at most {percent(share)} of a weight's value, where about 0.1 % "
            "is usual: a higher rate is worth a try (L sets it)."
        )
    if trend.kind == "rises":
        return (
            "The usual cause is a rate that is too high, or too high for the momentum: a tenth of "
            "it is worth a try (p goes back, L sets it)."
        )
    return (
        "Gradient and updates look usual. Do the labels belong to their inputs, and is the loss "
        "the one that is meant? A few examples alone should soon be learned by heart: where they "
        "are not, the network cannot tell them apart."
    )
