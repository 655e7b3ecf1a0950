"""What the screen of a tensor can ask of a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tui.session.tensors.inspector import Inspector
from tui.session.tensors.slices import index_text

if TYPE_CHECKING:
    from tui.session.session import Session

Json = dict[str, Any]


def _open(session: Session, command: Json) -> None:
    session.inspect()


def _close(session: Session, command: Json) -> None:
    session.inspector = None


def _choose(session: Session, command: Json) -> None:
    """The element under the cursor is the one that the steps work through; once more, and it is
    the largest again."""
    inspector = _inspector(session)
    place = inspector.tensor.place
    if session.chosen.get(inspector.node) == place:
        del session.chosen[inspector.node]
        session.say("the steps work through the largest element again")
    elif place:
        session.chosen[inspector.node] = place
        session.say(f"the steps work through {index_text(place)}; u again: through the largest")


def _move(session: Session, command: Json) -> None:
    _inspector(session).tensor.move(int(command.get("rows", 0)), int(command.get("columns", 0)))


def _telling(find: Callable[[Inspector, Json], str]) -> Callable[[Session, Json], None]:
    """A command with something to say."""

    def command(session: Session, given: Json) -> None:
        said = find(_inspector(session), given)
        if said:
            session.say(said)

    return command


def _inspector(session: Session) -> Inspector:
    if session.inspector is None:  # it was closed by a command that came before this one
        session.inspect()
    assert session.inspector is not None
    return session.inspector


COMMANDS: dict[str, Callable[[Session, Json], object]] = {
    "tensor.open": _open,
    "tensor.close": _close,
    "tensor.other": lambda session, command: _inspector(session).toggle(),
    "tensor.move": _move,
    "tensor.page": lambda session, command: _inspector(session).tensor.page(int(command["by"])),
    "tensor.end": lambda session, command: _inspector(session).tensor.to_end(command["last"]),
    "tensor.slice": lambda session, command: _inspector(session).tensor.slice(command["text"]),
    "tensor.mark": lambda session, command: _inspector(session).tensor.mark(command["text"]),
    "tensor.element": _telling(lambda at, command: at.tensor.jump(command["text"])),
    "tensor.bad": _telling(lambda at, command: at.tensor.next_bad()),
    "tensor.largest": _telling(lambda at, command: at.tensor.largest()),
    "tensor.display": lambda session, command: _inspector(session).tensor.next_display(),
    "tensor.choose": _choose,
}
