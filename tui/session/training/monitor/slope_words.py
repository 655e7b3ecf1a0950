"""What the slope check has found, in a line."""

from __future__ import annotations

import math
from typing import Any

from tui.session.training.monitor.slope import Line, Slope

Json = dict[str, Any]

SMALL_STEP = 1e-3
"""How long the step is whose change of the loss is told. It is told from the slope, which was
measured over less, where a kink would not be met."""

ADVICE = "a backward function is wrong; Esc, then V finds it"


def facts(slope: Slope | None) -> Json:
    """Whether it `fits`, and the words in the three lengths `brief` (40 columns), `short` (80) and
    `words` (120)."""
    if slope is None:
        return _told("quiet", "not yet computed")
    if slope.problem:
        return _told(
            "quiet", f"not computed in float64: {slope.problem}", "not computed in float64"
        )
    wrong = slope.wrong
    if wrong is not None:
        return _wrong(wrong, along_gradient=wrong is slope.down)
    if slope.unclear:
        return _told("quiet", "nothing can be told here: the loss is too rough", "cannot be told")
    down = slope.down
    if down is None:
        text = "the gradient is 0, and a small step does not change the loss (no proof)"
        return _told("fits", text, "gradient 0, agrees (no proof)")
    says, does = for_a_step(down.says), for_a_step(down.does)
    return {
        "level": "fits",
        "brief": "agrees (no proof)",
        "short": f"a small step should bring {says}, brings {does}: agrees (no proof)",
        "words": f"a small step against the gradient should change the loss by {says}; it does, "
        f"by {does}: agrees (no proof)",
    }


def takes_long(seconds: float) -> Json:
    """That it is left to be asked for."""
    return _told("quiet", f"v checks it; it takes {seconds:.1f} s here")


def _wrong(line: Line, along_gradient: bool) -> Json:
    says, does = for_a_step(line.says), for_a_step(line.does)
    where = "" if along_gradient else " in a random direction"
    return {
        "level": "wrong",
        "brief": "a backward function is wrong",
        "short": f"should bring {says}, brings {does}: a backward function is wrong",
        "words": f"the loss {_moved(line.does)}{where} where the gradient says {_said(line)}: "
        f"{ADVICE}",
    }


def _said(line: Line) -> str:
    """As in `the loss falls by 0.0010 where the gradient says 0.0040`; another way is said so."""
    same_way = line.does * line.says > 0
    return for_a_step(abs(line.says)) if same_way else f"that it {_moved(line.says)}"


def _told(level: str, words: str, brief: str = "") -> Json:
    return {"level": level, "brief": brief or words, "short": words, "words": words}


def _moved(by: float) -> str:
    if by == 0:
        return "does not change"
    return f"{'falls' if by < 0 else 'rises'} by {for_a_step(abs(by))}"


def for_a_step(slope: float) -> str:
    """The change of the loss over a small step."""
    return change(slope * SMALL_STEP)


def change(by: float) -> str:
    """A change of the loss with three digits: `-0.00241`, `-1.2e-5`."""
    if by == 0 or not math.isfinite(by):
        return "0" if by == 0 else str(by)
    if 1e-3 <= abs(by) < 1e4:
        return f"{by:#.3g}".rstrip(".")
    mantissa, exponent = f"{by:.2e}".split("e")
    return f"{mantissa}e{int(exponent)}"
