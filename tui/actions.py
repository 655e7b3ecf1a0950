"""The keys: what each does and how the help tells it. One key does the same thing everywhere."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """Something the user can do."""

    name: str
    """`action_NAME` of the screen does it; of the program, where `app.` stands before it."""
    keys: tuple[str, ...]
    """As Textual calls them; the first one is shown."""
    short: str
    """For the line of keys; empty where it is not shown there."""
    help: str

    @property
    def shown_key(self) -> str:
        """The key as the user knows it."""
        return _SHOWN.get(self.keys[0], self.keys[0])


_SHOWN = {
    "question_mark": "?",
    "escape": "Esc",
    "enter": "Enter",
    "space": "space",
    "plus": "+",
    "minus": "-",
    "colon": ":",
    "slash": "/",
    "f": "f, F",
    "up": "up, down",
    "left": "left, right",
    "tab": "Tab",
    "left_square_bracket": "[",
    "pageup": "PgUp, PgDn",
    "home": "Home, End",
    "less_than_sign": "<, >",
}

HELP = Action("help", ("question_mark",), "keys", "this page, and back")
QUIT = Action(
    "app.quit_program",
    ("q", "ctrl+q", "ctrl+c"),
    "quit",
    "quit (asks where a training would be lost)",
)
SUSPEND = Action(
    "app.suspend_process", ("ctrl+z",), "", "back to the shell, where `fg` continues the program"
)
REDRAW = Action(
    "app.redraw", ("ctrl+l",), "", "draw the screen anew, where something else has written on it"
)
OPEN = Action("app.open_other", ("o",), "", "open another scenario")
RELOAD = Action("app.reload", ("R",), "", "read the file afresh, in a new process")
LOG = Action("log", ("l",), "", "what the scenario has printed, and back")
COMMANDS = Action("commands", ("colon", "ctrl+p"), "", "all commands, to search in")
COPY = Action("copy", ("y",), "", "copy the node under the cursor: name, value, gradient")
SAVE = Action(
    "save",
    ("S",),
    "",
    "save: NAME.npy the value, NAME.grad.npy the gradient, NAME.json the whole pass as --trace "
    "writes it, NAME.svg the screen",
)
LEAVE = Action("leave", ("escape",), "", "closes help and log")

STEPPING = (
    Action("next", ("n",), "next", "next node; finishes the one under way"),
    Action("back", ("p",), "back", "undo one press of n or s"),
    Action("into", ("s",), "into", "into the node, edge by edge: formula first, then the result"),
    Action("continue", ("c",), "continue", "to the next breakpoint or condition, or to the end"),
    Action("breakpoint", ("b",), "break", "breakpoint on the node under the cursor, on or off"),
    Action("breakpoints", ("B",), "", "all breakpoints, conditions and watches, and back"),
    Action("condition", ("a",), "", "add a condition, or remove with -2 number 2 of the list"),
    Action("watch", ("W",), "", "watch the gradient of the node under the cursor, or no more"),
    Action("start", ("r",), "", "back to the start of the same graph"),
    Action("cursor_up", ("up", "k"), "", "move the cursor; on another node: its tensors"),
    Action("cursor_down", ("down", "j"), "", ""),
    Action("page_up", ("pageup",), "", "move it by a page"),
    Action("page_down", ("pagedown",), "", ""),
    Action("first", ("home",), "", "move it to the first or the last node"),
    Action("last", ("end",), "", ""),
    Action("run_to_cursor", ("enter",), "", "run to the cursor, forwards or backwards"),
    Action("go", ("g",), "go to", "go to so many steps done, a #node, a name, start or end"),
    Action("search", ("slash",), "", "search a name or operation; empty: the next one"),
    Action("fold", ("f",), "", "fold or unfold the module or function at the cursor; F: all"),
    Action("fold_all", ("F",), "", ""),
    Action("verify", ("v",), "", "verify: this node's backward functions and central differences"),
    Action("verify_all", ("V",), "", "verify all nodes"),
    Action("inspect", ("i",), "", "the tensors of the node under the cursor"),
    COPY,
    SAVE,
    Action("maximise", ("z",), "", "one pane alone: rail, step, tensors, source, then all"),
    Action("show_source", ("h",), "", "hide or show the source"),
    Action("show_tensors", ("T",), "", "hide or show the tensors beside the step"),
    Action("divider_left", ("less_than_sign",), "", "move the divider between the panes"),
    Action("divider_right", ("greater_than_sign",), "", ""),
    Action("train", ("t",), "train", "the training, paused"),
    Action("why", ("w",), "why", "why the node under the cursor has this gradient, or none"),
    RELOAD,
    OPEN,
    LOG,
    COMMANDS,
    Action("leave", ("escape",), "", "the cursor back to the step; closes help and log"),
    REDRAW,
    SUSPEND,
    HELP,
    QUIT,
)

TRAINING = (
    Action("run", ("c",), "run", "run, to the next break or to the end"),
    Action("pause", ("space",), "pause", "pause, or go on"),
    Action("batch", ("n",), "batch", "one batch, then pause; goes past breaks"),
    Action("back", ("p",), "back", "back by a batch, and pause; the last 20 are kept"),
    Action("into", ("s",), "into", "into the backward pass of the next batch"),
    Action(
        "break_at", ("b",), "break", "break at a batch, a loss, a condition; -2: number 2 no more"
    ),
    Action("breaks", ("B",), "", "all breaks of the training, how they are written, and back"),
    Action("faster", ("plus", "equals_sign"), "", "a quicker pace, up to full speed"),
    Action("slower", ("minus",), "+/- pace", "a slower pace, down to one batch a second"),
    Action("go", ("g",), "", "run until so many batches are done, or go back to there"),
    Action("learning_rate", ("L",), "", "another learning rate, from the next batch on"),
    Action("epochs", ("E",), "", "train for more epochs, also after the end"),
    Action("slope", ("v",), "", "verify: does the gradient fit the loss, for each parameter"),
    Action("restart", ("r",), "", "back to the weights before the first batch"),
    Action("images", ("i",), "", "the test images and what the network says, wrong ones first"),
    Action("confusion", ("M",), "", "the confusion matrix: what was taken for what"),
    Action("log_axis", ("A",), "", "a logarithmic axis for the loss, or a linear one"),
    Action("zoom", ("z",), "", "zoom: the last 500, 100, 20 batches, then all"),
    Action("form", ("P",), "", "plot in braille, blocks or ASCII"),
    Action("fetch", ("D",), "", "all 70,000 MNIST images, fetched through torchvision"),
    Action("save", ("S",), "", "save the picture of the screen: NAME.svg"),
    RELOAD,
    OPEN,
    LOG,
    COMMANDS,
    Action("leave", ("escape", "t"), "steps", "back to stepping, with the weights of now"),
    Action("why", ("w",), "why", "why: what the rows and warnings of the table mean, all of them"),
    Action("stop", ("x",), "stop", "end it here and test; c goes on"),
    REDRAW,
    SUSPEND,
    HELP,
    QUIT,
)

TENSOR = (
    Action("other", ("tab", "i"), "value/gradient", "the gradient instead of the value, and back"),
    Action("display", ("d",), "display", "numbers, a heat map, pictures where there are some"),
    Action("slice", ("left_square_bracket",), "slice", "show a slice, as [0, :, 3:7]"),
    Action("element", ("e", "g"), "element", "go to an element, as 3, 17"),
    Action("largest", ("m",), "largest", "the largest element by absolute value; the next largest"),
    Action("bad", ("x",), "NaN", "the next NaN or Inf"),
    Action("mark", ("H",), "", "mark (highlight) a range of values, as 0.1 to 0.5"),
    Action("choose", ("u", "enter"), "", "have the steps work through this element, or no more"),
    Action("cursor_up", ("up", "k"), "", "move the cursor; among pictures: to another one"),
    Action("cursor_down", ("down", "j"), "", ""),
    Action("cursor_left", ("left",), "", "move the cursor"),
    Action("cursor_right", ("right",), "", ""),
    Action("page_up", ("pageup",), "", "move it by a page"),
    Action("page_down", ("pagedown",), "", ""),
    Action("first", ("home",), "", "the first or the last element"),
    Action("last", ("end",), "", ""),
    Action("next", ("n",), "", "next node; this tensor stays on the screen"),
    Action("back", ("p",), "", "undo one press of n or s"),
    Action("into", ("s",), "", "into the node, edge by edge"),
    Action("copy", ("y",), "", "copy this node: name, value, gradient"),
    SAVE,
    RELOAD,
    OPEN,
    LOG,
    COMMANDS,
    Action("leave", ("escape",), "back", "back to the steps; closes help and log"),
    REDRAW,
    SUSPEND,
    HELP,
    QUIT,
)

PICKER = (
    Action("choose", ("enter",), "open", "open the scenario"),
    Action("cursor_up", ("up", "k"), "choose", "move the cursor"),
    Action("cursor_down", ("down", "j"), "", ""),
    Action("leave", ("escape",), "back", "back to where you were"),
    REDRAW,
    SUSPEND,
    HELP,
    QUIT,
)

PROBLEM = (
    Action("app.reload", ("R",), "read it afresh", RELOAD.help),
    Action("app.open_other", ("o",), "open another", OPEN.help),
    Action("log", ("l",), "log", LOG.help),
    LEAVE,
    REDRAW,
    SUSPEND,
    HELP,
    QUIT,
)

LOADING = (
    Action("give_up", ("escape",), "give up", "stop loading"),
    Action("log", ("l",), "log", LOG.help),
    REDRAW,
    SUSPEND,
    HELP,
    QUIT,
)
