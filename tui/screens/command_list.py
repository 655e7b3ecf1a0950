"""The list of all commands, to search in: which ones match what is typed, and how they are told."""

from __future__ import annotations

from collections.abc import Sequence

from tui.actions import Action
from tui.widgets.items import Item


def matching(actions: Sequence[Action], typed: str) -> list[Action]:
    """The actions in whose key, name or help all typed words occur; those whose name begins with
    what is typed come first."""
    words = typed.lower().split()
    found = [
        action
        for action in actions
        if action.help
        and action.name != "commands"
        and all(word in _told(action).lower() for word in words)
    ]
    return sorted(found, key=lambda action: not name_of(action).startswith(typed.lower().strip()))


def name_of(action: Action) -> str:
    """An action in a word or two."""
    return action.short or action.name.rpartition(".")[2].replace("_", " ")


def command_items(actions: Sequence[Action], chosen: int) -> list[Item]:
    """The commands as rows of a page, the chosen one marked."""
    if not actions:
        return [("line", "no command has these words", "")]
    return [
        ("key", f"{'►' if i == chosen else ' '} {action.shown_key}", _told_after_key(action))
        for i, action in enumerate(actions)
    ]


def _told_after_key(action: Action) -> str:
    name = name_of(action)
    return action.help if action.help.startswith(name) else f"{name}: {action.help}"


def _told(action: Action) -> str:
    return f"{action.shown_key} {_told_after_key(action)}"
