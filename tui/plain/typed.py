"""Reading what is typed: a key or a command's name, how often, and what goes with it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tui.actions import Action
from tui.errors import Refused
from tui.plain.meanings import ACTIONS, argument_of, help_of

CHARACTERS = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "left_square_bracket": "[",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "escape": "esc",
    "pageup": "pgup",
    "pagedown": "pgdn",
}
"""What is typed for the keys that Textual has other names for."""

MOST_TIMES = 1_000_000

TIMES_FIRST = re.compile(r"(\d+)\s*(\D.*)", re.ASCII | re.DOTALL)


@dataclass(frozen=True)
class Typed:
    """What was typed."""

    action: Action
    argument: str
    times: int


def read(kind: str, line: str) -> Typed:
    """Read a line.

    Args:
        kind: what is shown, which decides what a key means.
        line: what was typed; not empty.

    Raises:
        Refused: it means nothing here.
    """
    text = line.strip()
    before = TIMES_FIRST.fullmatch(text)
    times = _times(before[1]) if before else 1
    word, argument = _divided(kind, before[2] if before else text)
    action = _words(kind).get(word) or _words(kind).get(word.lower() if len(word) > 1 else word)
    takes = None if action is None else argument_of(kind, action)
    if action is None or takes is None:
        raise Refused(_meaningless(word, action))
    if takes:
        if before:
            raise Refused(f"{word} takes {takes}, not a number of times")
    elif argument:
        if before or not re.fullmatch(r"\d+", argument, re.ASCII):
            raise Refused(f"{word} takes nothing but a number of times, as {word} 5")
        times = _times(argument)
        argument = ""
    return Typed(action, argument, times)


def _meaningless(word: str, action: Action | None) -> str:
    if action is not None:
        return f"{word} is about the screen, and there is none; ? tells what can be typed"
    if word.isascii() and word.isdigit():
        return f"{word} is no command; g {word} goes to where so many steps are done"
    return f"{word} has no meaning here; ? tells what can be typed"


def _times(text: str) -> int:
    if not 0 < int(text[:20]) <= MOST_TIMES:
        raise Refused(f"a command is repeated 1 to {MOST_TIMES:,} times")
    return int(text)


def _divided(kind: str, text: str) -> tuple[str, str]:
    """The command and what goes with it; behind a key that is no letter, no space is needed."""
    first, _, rest = text.partition(" ")
    if len(first) > 1 and not first[0].isalnum() and first[0] in _words(kind):
        if first[0] == "[":  # as NumPy has it, with both brackets
            return "[", text
        return first[0], text[1:].strip()
    return first, rest.strip()


def _words(kind: str) -> dict[str, Action]:
    """What can be typed for each action: its keys, and its name."""
    words = {action.name.removeprefix("app."): action for action in ACTIONS[kind]}
    for action in ACTIONS[kind]:
        words |= {CHARACTERS.get(key, key): action for key in action.keys if "ctrl+" not in key}
    return words


def help_page(kind: str) -> list[str]:
    """What can be typed, one command a line, as the screens' table of keys tells it."""
    lines = []
    for action in ACTIONS[kind]:
        takes, text = argument_of(kind, action), help_of(kind, action)
        if takes is not None and text:
            lines.append(f"{action.shown_key}{f' {takes}' if takes else ''}: {text}")
    return [*lines, *ALWAYS]


ALWAYS = (
    "n 5 or 5 n: the same five times; an empty line: the last command again",
    "Ctrl+C: stop what takes long; # and the rest of a line: a comment",
)
"""What the help says whatever is shown."""
