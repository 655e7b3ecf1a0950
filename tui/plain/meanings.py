"""What a typed command asks of the session, by the name of its action."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tui import actions
from tui.actions import Action

Json = dict[str, Any]


@dataclass(frozen=True)
class Meaning:
    """A command of the session."""

    do: str
    """Its name, see `tui.session.commands`."""
    fields: Mapping[str, object] = field(default_factory=dict)
    """What goes with it."""
    argument: str = ""
    """What is typed behind the key, as the help calls it; empty where nothing is."""
    steps: str = ""
    """The field that a number of times multiplies; without one the command is sent so often."""

    takes_width: bool = False
    """Whether it is told how wide a line may be."""

    def commands(self, argument: str, times: int, width: int) -> list[Json]:
        """What to send for what was typed.

        Args:
            argument: what stands behind the key.
            times: how often it is asked for.
            width: columns of a line.
        """
        command = {"do": self.do, **self.fields}
        if self.takes_width:
            command["width"] = width
        if self.argument:
            return [{**command, "text": argument}]
        if self.steps:
            by = self.fields[self.steps]
            assert isinstance(by, int)
            return [{**command, self.steps: by * times}]
        return [command] * times


PAGE = 20
"""Rows that a page moves the cursor by."""

LAST = 1 << 60
"""Behind every node: the session goes to the last one there is."""

ONE_BY_ONE = 0
"""A width in which no two images stand side by side."""

_STEPS = {"next": Meaning("next"), "back": Meaning("back"), "into": Meaning("into")}

STEPPING: Mapping[str, Meaning] = {
    **_STEPS,
    "continue": Meaning("continue"),
    "breakpoint": Meaning("breakpoint"),
    "breakpoints": Meaning("breakpoints"),
    "condition": Meaning("change_breakpoints", argument="WHERE"),
    "watch": Meaning("watch"),
    "start": Meaning("start"),
    "cursor_up": Meaning("cursor", {"by": -1}, steps="by"),
    "cursor_down": Meaning("cursor", {"by": 1}, steps="by"),
    "page_up": Meaning("cursor", {"by": -PAGE}, steps="by"),
    "page_down": Meaning("cursor", {"by": PAGE}, steps="by"),
    "first": Meaning("point", {"node": 0}),
    "last": Meaning("point", {"node": LAST}),
    "run_to_cursor": Meaning("run_to_cursor"),
    "go": Meaning("go", argument="WHERE"),
    "search": Meaning("search", argument="TEXT"),
    "fold": Meaning("fold"),
    "fold_all": Meaning("fold_all"),
    "verify": Meaning("verify"),
    "verify_all": Meaning("verify_all"),
    "inspect": Meaning("tensor.open"),
    "copy": Meaning("copy"),
    "train": Meaning("training.open"),
    "why": Meaning("why"),
}

TENSOR: Mapping[str, Meaning] = {
    **_STEPS,
    "other": Meaning("tensor.other"),
    "display": Meaning("tensor.display"),
    "slice": Meaning("tensor.slice", argument="SLICE"),
    "element": Meaning("tensor.element", argument="INDEX"),
    "largest": Meaning("tensor.largest"),
    "bad": Meaning("tensor.bad"),
    "mark": Meaning("tensor.mark", argument="RANGE"),
    "choose": Meaning("tensor.choose"),
    "cursor_up": Meaning("tensor.move", {"rows": -1}, steps="rows"),
    "cursor_down": Meaning("tensor.move", {"rows": 1}, steps="rows"),
    "cursor_left": Meaning("tensor.move", {"columns": -1}, steps="columns"),
    "cursor_right": Meaning("tensor.move", {"columns": 1}, steps="columns"),
    "page_up": Meaning("tensor.page", {"by": -1}, steps="by"),
    "page_down": Meaning("tensor.page", {"by": 1}, steps="by"),
    "first": Meaning("tensor.end", {"last": False}),
    "last": Meaning("tensor.end", {"last": True}),
    "copy": Meaning("copy"),
    "leave": Meaning("tensor.close"),
}

TRAINING: Mapping[str, Meaning] = {
    "run": Meaning("training.run"),
    "pause": Meaning("training.toggle"),
    "batch": Meaning("training.batch"),
    "back": Meaning("training.back"),
    "into": Meaning("training.close"),
    "break_at": Meaning("training.change_breaks", argument="WHERE"),
    "breaks": Meaning("training.breaks"),
    "go": Meaning("training.go", argument="BATCH"),
    "learning_rate": Meaning("training.lr", argument="RATE"),
    "epochs": Meaning("training.epochs", argument="NUMBER"),
    "slope": Meaning("training.slope"),
    "why": Meaning("training.why"),
    "faster": Meaning("training.faster"),
    "slower": Meaning("training.slower"),
    "stop": Meaning("training.stop"),
    "images": Meaning("training.images", {"width": ONE_BY_ONE}),
    "confusion": Meaning("training.confusion", takes_width=True),
    "leave": Meaning("training.close"),
}

MEANINGS = {"stepping": STEPPING, "tensor": TENSOR, "training": TRAINING}
"""By the kind of what is shown."""

LIST = Action("list", ("L",), "", "the nodes around the cursor, one a line; L 100: so many")
AGAIN = Action("again", (".",), "", "all that is shown now, once more")

ACTIONS: Mapping[str, tuple[Action, ...]] = {
    "stepping": (*actions.STEPPING, LIST, AGAIN),
    "tensor": (*actions.TENSOR, AGAIN),
    "training": (*actions.TRAINING, AGAIN),
    "nothing": (actions.RELOAD, actions.OPEN, actions.LOG, actions.HELP, actions.QUIT),
}
"""What can be typed, by the kind of what is shown."""

OWN: Mapping[str, str] = {
    "save": "FILE",
    "app.reload": "",
    "app.open_other": "NAME",
    "log": "",
    "help": "",
    "app.quit_program": "",
    "show_source": "",
    "show_tensors": "",
    "leave": "",
    "list": "NUMBER",
    "again": "",
    "restart": "",
    "fetch": "",
}
"""The actions that are no command of the session alone, with what is typed behind them."""

OF_THE_SCREEN = (("training", "save"),)
"""What saves or changes no more than the screen, by what is shown."""

HELP: Mapping[str, str] = {
    "copy": "name, value and gradient of the node under the cursor",
    "save": "save: NAME.npy the value, NAME.grad.npy the gradient, NAME.json the whole pass as "
    "--trace writes it",
    "show_source": "the source: the line that made the node, and the backward function",
    "show_tensors": "the tensors of the node under the cursor",
    "search": "search a name or operation; without TEXT: the next one",
    "log": "what the scenario has printed",
    "help": "what can be typed",
    "stepping.leave": "the cursor back to the step",
    "tensor.leave": "back to the steps",
    "run": "run, to the end or to Ctrl+C, which pauses",
    "pause": "the same",
    "app.open_other": "open another scenario; without NAME: which there are",
    "app.quit_program": "quit",
}
"""What the help says where the screen's own words do not fit."""


def help_of(kind: str, action: Action) -> str:
    """What an action does, in the help."""
    return HELP.get(f"{kind}.{action.name}") or HELP.get(action.name, action.help)


def argument_of(kind: str, action: Action) -> str | None:
    """What is typed behind an action's key, empty for nothing; None where the action means nothing
    without a screen."""
    if (kind, action.name) in OF_THE_SCREEN:
        return None
    meaning = MEANINGS.get(kind, {}).get(action.name)
    return OWN.get(action.name) if meaning is None else meaning.argument
