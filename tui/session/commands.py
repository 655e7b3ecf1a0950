"""What the stepping screen can ask of a session: a name, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tui.session.breaking import commands as breaking
from tui.session.causes.why import why
from tui.session.explanation import problem_items
from tui.session.output.copying import copy_node
from tui.session.output.saving import save
from tui.session.patience import Patience
from tui.session.rail.finding import go, search
from tui.session.session import Session
from tui.session.tensors.commands import COMMANDS as TENSOR_COMMANDS
from tui.session.verifying.pages import verify_all, verify_node

Json = dict[str, Any]
Command = Callable[[Session, Json], object]
"""Carries out one command, with what came with it."""


def carry_out(session: Session, name: str, command: Json) -> None:
    """Carry out a command.

    Raises:
        Refused: it cannot be done as it was typed.
        RuntimeError: there is no such command.
    """
    if name not in COMMANDS:
        raise RuntimeError(f"there is no command {name!r}")
    COMMANDS[name](session, command)


def _continue(session: Session, command: Json) -> None:
    """Take steps to the next breakpoint or condition, or to the end; where that takes a while, a
    command that comes ends it."""
    patience = Patience(session)
    while session.run_on():
        if patience.is_over():
            return


def _run_to_cursor(session: Session, command: Json) -> None:
    if not session.run_to_cursor():
        session.say(f"node {session.cursor} needs no grad: it is no step to run to")


def _why(session: Session, command: Json) -> None:
    title, items = why(session.graph, session.labels, session.cursor)
    wrong = session.found_wrong.get(session.cursor, {}).values()
    session.show_page(title, [*problem_items(wrong), *items])


COMMANDS: dict[str, Command] = {
    "next": lambda session, command: session.next(),
    "into": lambda session, command: session.into(),
    "back": lambda session, command: session.back(),
    "continue": _continue,
    "start": lambda session, command: session.start(),
    "cursor": lambda session, command: session.move_cursor(int(command["by"])),
    "point": lambda session, command: session.point(int(command["node"])),
    "run_to_cursor": _run_to_cursor,
    "verify": lambda session, command: verify_node(session),
    "verify_all": lambda session, command: verify_all(session),
    "why": _why,
    **breaking.COMMANDS,
    "go": lambda session, command: go(session, str(command["text"])),
    "search": lambda session, command: search(session, str(command["text"])),
    "fold": lambda session, command: session.fold(),
    "fold_all": lambda session, command: session.fold_all(),
    "copy": lambda session, command: copy_node(session),
    "save": lambda session, command: save(session, command["what"], Path(command["path"])),
    "stop": lambda session, command: None,  # that it has come ends what takes long
    **TENSOR_COMMANDS,
}
