"""What the training screen can ask of a training: a name, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tui.session.training import break_commands, changing, going
from tui.session.training.confusion import show_confusion
from tui.session.training.images import show_images
from tui.session.training.monitor import pages
from tui.session.training.session import TrainingSession

Json = dict[str, Any]
Command = Callable[[TrainingSession, Json], object]
"""Carries out one command, with what came with it."""


def carry_out(session: TrainingSession, name: str, command: Json) -> None:
    """Carry out a command.

    Raises:
        Refused: it cannot be done as it was typed.
        RuntimeError: there is no such command.
    """
    if name not in COMMANDS:
        raise RuntimeError(f"there is no command training.{name!r}")
    COMMANDS[name](session, command)


def _add_reference(session: TrainingSession, command: Json) -> None:
    """An earlier run, of another process."""
    points = [[int(batch), float(loss)] for batch, loss in command["points"]]
    session.curve.add_reference(str(command["about"]), points)


def _slope(session: TrainingSession, command: Json) -> None:
    session.show_page(pages.SLOPE, pages.slope_items(session.monitor))


def _why(session: TrainingSession, command: Json) -> None:
    session.monitor.refresh(running=False)
    session.show_page(pages.TABLE, pages.table_items(session.monitor))


COMMANDS: dict[str, Command] = {
    "run": lambda session, command: session.run(),
    "pause": lambda session, command: session.pause(),
    "toggle": lambda session, command: session.toggle(),
    "batch": lambda session, command: session.one_batch(),
    "back": going.back,
    "go": going.go,
    "stop": lambda session, command: session.stop(),
    "lr": changing.set_lr,
    "epochs": changing.add_epochs,
    "breaks": break_commands.show,
    "change_breaks": break_commands.change,
    "faster": lambda session, command: session.faster(),
    "slower": lambda session, command: session.slower(),
    "slope": _slope,
    "why": _why,
    "restart": lambda session, command: session.restart(),
    "log": lambda session, command: session.curve.toggle_log(),
    "zoom": lambda session, command: session.curve.zoom(),
    "reference": _add_reference,
    "images": lambda session, command: show_images(session, int(command["width"])),
    "confusion": lambda session, command: show_confusion(session, int(command["width"])),
}
