"""All that the training screen shows."""

from __future__ import annotations

import math
from typing import Any

import engine
from tui.session import numbers
from tui.session.facts import plain
from tui.session.training.curve import RECENT
from tui.session.training.session import TrainingSession

Json = dict[str, Any]


def view_of(
    session: TrainingSession, columns: int, rows: int = 0, epochs: int = 0, told: int = 0
) -> Json:
    """All that the training screen shows.

    Args:
        session: what is shown.
        columns: how many columns of points the plot of the loss has.
        rows: for how many parameters the table has room.
        epochs: for how many of the last epochs there is room.
        told: of how many epochs the results were told before; those of the others are, too.
    """
    training = session.training
    session.monitor.refresh(session.running)
    losses = training.losses
    recent = losses[-RECENT:]
    results = training.results
    return {
        "state": session.state,
        "problem": session.problem,
        "can_look_in": session.can_look_in,
        "target": session.target,
        "breaks": session.breaks.to_come(training.position),
        "pace": str(session.pace),
        "batch": training.position,
        "total": training.total_batches,
        "epoch": training.epoch,
        "epochs": training.epochs,
        "batch_in_epoch": _batch_in_epoch(training),
        "per_epoch": training.batches_per_epoch,
        "curve": session.curve.view(columns),
        "runs": _runs(session),
        "last_loss": numbers.number(losses[-1]) if losses else "",
        "recent_loss": numbers.number(sum(recent) / len(recent)) if recent else "",
        "recent": len(recent),
        "results": [
            {
                "epoch": r.epoch,
                "batch": r.epoch * training.batches_per_epoch,
                "train_loss": plain(r.train_loss),
                "test_loss": plain(r.test_loss),
                "test_accuracy": r.test_accuracy,
            }
            for r in results[max(0, min(told, len(results) - epochs)) :]
        ],
        "stopped": _stopped_facts(session),
        "optimizer": type(training.optimizer).__name__,
        "lr": numbers.number(training.optimizer.lr),
        "lr_in_full": repr(training.lr),
        "lr_change": _lr_change(session),
        "left": _seconds_left(session),
        "kept": None if session.keeper is None else session.keeper.facts(),
        "samples": session.throughput.shown(session.running),
        "monitor": session.monitor.facts(rows),
        "would_be_lost": session.would_be_lost,
        "can_be_lost": not session.is_kept,
    }


def _runs(session: TrainingSession) -> list[Json]:
    """All runs, so that they can stay as references where the file is read afresh."""
    runs = [*session.curve.references, session.curve.run()]
    return [
        {"about": run.about, "points": [[b, float(f"{loss:.4g}")] for b, loss in run.points]}
        for run in runs
        if run is not None
    ]


def _lr_change(session: TrainingSession) -> str:
    """Where the user has set the learning rate last; nothing where nowhere."""
    if not session.lr_changes:
        return ""
    last = session.lr_changes[-1]
    return f"set at batch {last.position + 1}, {last.before} before"


def _stopped_facts(session: TrainingSession) -> Json | None:
    if session.stopped_at is None or session.stopped_at[0] != session.training.position:
        return None
    batch, loss, accuracy = session.stopped_at
    return {"batch": batch, "test_loss": plain(loss), "test_accuracy": accuracy}


def _seconds_left(session: TrainingSession) -> float | None:
    """At the present pace; None where nothing is known yet."""
    training, pace = session.training, session.pace.batches_a_second
    left = training.total_batches - training.position
    took = training.seconds / training.position if training.position else None
    if pace == math.inf:
        return None if took is None else left * took
    return left * max(1 / pace, took or 0.0)


def _batch_in_epoch(training: engine.Training) -> int:
    """How many batches of the epoch under way (or just ended) are done."""
    if training.position >= training.total_batches:
        return training.batches_per_epoch
    return training.position % training.batches_per_epoch
