"""What is changed of a training while it is under way: its learning rate and its epochs."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

import engine
from tui.errors import Refused
from tui.session import numbers
from tui.session.explanation import Item
from tui.session.training.session import LrChange, TrainingSession

Json = dict[str, Any]

MOST_EPOCHS = 100_000
"""So many more at once at most."""


def set_lr(session: TrainingSession, command: Json) -> None:
    """Set the learning rate from the next batch on; the present one changes nothing at all.

    Raises:
        Refused: it is none, or the schedule cannot go on from it.
    """
    text = str(command["text"]).strip()
    training = session.training
    try:
        lr = float(text)
    except ValueError:
        lr = math.nan
    if not 0 <= lr < math.inf:
        raise Refused("a learning rate is a number from 0, such as 0.01 or 1e-3")
    session.look_away()
    before = training.lr
    if lr == before:
        session.say(f"the learning rate is {numbers.number(lr)} already")
        return
    try:
        training.lr = lr
    except ValueError as error:
        raise Refused(str(error)) from None
    now, then = numbers.apart(lr, before)
    session.lr_changes.append(LrChange(training.position, then))
    told = f"learning rate {now} from batch {training.position + 1} on; it was {then}"
    if training.scheduler is not None:
        told += f"; {type(training.scheduler).__name__} goes on in proportion"
    session.say(told)


def add_epochs(session: TrainingSession, command: Json) -> None:
    """Train for more epochs than it was to, also where it was at its end.

    Raises:
        Refused: it is no number of epochs.
    """
    text = str(command["text"]).strip()
    if not re.fullmatch(r"\+?[0-9]{1,6}", text) or not 1 <= int(text) <= MOST_EPOCHS:
        raise Refused(f"a whole number of epochs, 1 to {MOST_EPOCHS:,}")
    more, training = int(text), session.training
    before = training.epochs
    session.add_epochs(more)
    told = f"{more} more epoch{'s' if more > 1 else ''}: {training.epochs} in all"
    if isinstance(training.scheduler, engine.LRScheduler):
        session.show_page("More epochs", _schedule_items(training, before, told))
    else:
        session.say(told)


def _schedule_items(training: engine.Training, before: int, told: str) -> list[Item]:
    """What the schedule does in the epochs that are new."""
    scheduler = training.scheduler
    assert scheduler is not None
    an_epoch = training.batches_per_epoch if training.scheduler_each == "batch" else 1
    rates = [
        scheduler.lr_at(epoch * an_epoch - 1) * scheduler.factor
        for epoch in range(before, training.epochs + 1)
    ]
    first, last = numbers.number(rates[0]), numbers.number(rates[-1])
    name = type(scheduler).__name__
    items: list[Item] = [
        ("line", f"{told}.", ""),
        ("gap", "", ""),
        ("text", f"{name} was made for the epochs that there were; it goes on by its formula.", ""),
        ("line", f"learning rate at the end of epoch {before}", first),
        ("line", f"at the end of epoch {training.epochs}", last),
    ]
    if any(after > rate for rate, after in itertools.pairwise(rates)):
        rising = f"On the way it rises, up to {numbers.number(max(rates))}."
        items += [("gap", "", ""), ("text", f"{rising} L sets another one, at any batch.", "")]
    return items
