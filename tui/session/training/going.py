"""Going to a batch: forwards by training, backwards as far as it is kept."""

from __future__ import annotations

import re
from typing import Any

from tui.errors import Refused
from tui.session.training.history import KEPT
from tui.session.training.session import TrainingSession

Json = dict[str, Any]


def go(session: TrainingSession, command: Json) -> None:
    """Train until so many batches are done, then pause; or go back to where that many were.

    Raises:
        Refused: it cannot be gone there; the message says what can be done.
    """
    training = session.training
    text = str(command["text"]).strip().lower()
    total, position = training.total_batches, training.position
    if text in ("start", "end"):
        text = "0" if text == "start" else str(total)
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Refused(f"type how many batches are to be done, 0 to {total}, or start or end")
    batch = int(text)
    if batch > total:
        raise Refused(f"the training ends with batch {total}; E trains for more epochs")
    if batch > position or (batch == position and training.awaits_evaluation):
        if session.state == "failed":
            raise Refused("the training has failed here; p goes back by a batch, r to the start")
        session.run_to(batch)
    elif batch == position:
        session.pause()
        session.say(f"it is there: {batch} of {total} batches are done")
    elif position - batch > len(session.history):
        kept = position - len(session.history)
        on = f", and then g {batch} trains up to there" if batch else ""
        raise Refused(f"kept are {kept} to {position}; r goes to the start{on}")
    else:
        while training.position > batch:
            session.back()


def back(session: TrainingSession, command: Json) -> None:
    """Go back by a batch, paused."""
    if not session.back():
        if session.training.position:
            session.say(f"no further back: up to {KEPT} batches of this session are kept")
        else:
            session.say("it is before the first batch")
