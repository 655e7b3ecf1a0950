"""Trainings that stop by themselves, without a screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tui_support import REGRESSION, load, write

from tui.loading.loader import Scenario
from tui.session.breaking.breakpoints import Breakpoints
from tui.session.opening import open_graph
from tui.session.training.commands import carry_out
from tui.session.training.session import TrainingSession

LONGER = REGRESSION + "training.epochs = 20\n"
"""60 batches."""


def session_on(scenario: Scenario, debugger: Breakpoints | None = None) -> TrainingSession:
    assert scenario.training is not None
    session = TrainingSession(scenario.training, lambda: open_graph(scenario), debugger)
    for _ in range(10):
        session.faster()
    return session


def session_for(folder: Path, body: str = LONGER) -> TrainingSession:
    return session_on(load(write(folder, body)))


def do(session: TrainingSession, name: str, **more: Any) -> str:
    """Carry out a command; the last notice that comes of it."""
    session.messages.clear()
    carry_out(session, name, more)
    return next((m["text"] for m in reversed(session.messages) if m["type"] == "notice"), "")


def break_at(session: TrainingSession, text: str) -> str:
    return do(session, "change_breaks", text=text)


def run(session: TrainingSession) -> str:
    """Run until it stops; why it did by itself, nothing where it did not."""
    session.broken = None
    session.run()
    while session.running:
        assert session.train_when_due()
    return str(session.broken or "")


def undisturbed(folder: Path, body: str = LONGER) -> list[float]:
    session = session_for(folder, body)
    assert run(session) == ""
    return list(session.training.losses)
