"""The screen of training: the loss live, the epochs, how far it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.cells import cell_len, set_cell_size
from textual.app import ComposeResult

from tui import actions
from tui.screens import saving
from tui.screens.base import BaseScreen, bindings
from tui.screens.training_parts import (
    EPOCHS_WIDTH,
    NARROW,
    Heights,
    caption_line,
    data_line,
    epoch_items,
    heights,
    progress_line,
    unseen_warning,
)
from tui.session.training import BREAKS_PAGE
from tui.widgets import styles
from tui.widgets.bare import Row
from tui.widgets.items import Items
from tui.widgets.lines import Line, Lines
from tui.widgets.parameters import slope_line, table_lines
from tui.widgets.plot import LossPlot

View = dict[str, Any]


ANSWERED_WITHIN = 0.2
"""After so many seconds without news it is told that a key was heard."""
PAUSING = "pausing after this batch"
HEARD = "heard; after this batch"


class TrainingScreen(BaseScreen):
    """Shows a training's view; each key is a command to it."""

    ACTIONS = actions.TRAINING
    CHANGES = ("into", "leave")
    BINDINGS = bindings(actions.TRAINING)

    def __init__(self, view: View) -> None:
        super().__init__()
        self._view = view
        self._asked_for: tuple[int, int, int] = (0, 0, 0)
        """How many columns of the curve, rows of the table and epochs are being sent."""
        self._views = 0
        """How many views have come."""
        self._waits = ""
        """What is to come after the batch under way, where that takes a while."""
        self._arranged: tuple[int, int, Heights] | None = None
        """The size of the screen, and the heights of its parts, when it was laid out last."""

    def compose_body(self) -> ComposeResult:
        """The plot at the left, the epochs beside or below it, then the parameters, progress at
        the bottom."""
        yield Lines(id="caption", classes="line")
        with Row(id="upper"):
            yield LossPlot(id="plot")
            yield Items(id="epochs")
        yield Lines(id="parameters")
        yield Lines(id="slope", classes="line")
        yield Lines(id="progress", classes="line")
        yield Lines(id="data", classes="line")

    def show_view(self, view: View) -> None:
        """Show how far the training is now."""
        self._view = view
        self._views += 1
        self._waits = ""
        self.draw()

    def header(self) -> tuple[str, str]:
        """What is trained; whether it runs."""
        view = self._view
        state = view["state"]
        if state in ("running", "paused"):
            to = "" if view["target"] is None else f" to batch {view['target']}"
            state = f"{state}{to}, {view['pace']}"
        return f"{view['name']}  training", self._waits or state

    def upcoming(self) -> Line:
        """What to do next, or what went wrong."""
        view = self._view
        if view["problem"]:
            return self._problem()
        if unseen := unseen_warning(view, heights(*self.size, view)):
            more = "  w says more" if cell_len(unseen) + 17 <= self.size.width else ""
            return [(f" ! {unseen}", styles.PROBLEM), (more, styles.PLAIN)]
        text = {
            "paused": "c runs, n trains on one batch, s steps through it, Esc leads back.",
            "running": "space pauses, + and - change the pace, Esc steps from here.",
            "stopped": "stopped; c goes on, r starts again, Esc steps with these weights.",
            "finished": "done; Esc steps with the trained weights, E trains on, r starts again.",
            "failed": "R reads the file afresh.",
        }[view["state"]]
        return [(" Next  ", styles.SHOWN), (text, styles.PLAIN)]

    def _problem(self) -> Line:
        """What went wrong, cut where what can be done has no room beside it."""
        steps = "s steps into it, " if self._view["can_look_in"] else ""
        way = f"{steps}p goes back" if self._view["batch"] else f"{steps}r starts again"
        room = max(1, self.size.width - cell_len(way) - 3)
        problem = self._view["problem"]
        if cell_len(problem) > room:
            problem = set_cell_size(problem, room - 1).rstrip() + "…"
        return [(f" {problem}", styles.PROBLEM), (f"  {way}", styles.PLAIN)]

    def draw_body(self) -> None:
        """Show plot, tables and progress."""
        if not self.is_shown:
            return
        width, height = self.size
        narrow = width < NARROW
        rows = heights(width, height, self._view)
        is_laid_out = self.query_one("#progress").size.width == width
        if is_laid_out and self._arranged == (width, height, rows):
            self._show_parts()  # in one frame with header and footer
            return
        self._arranged = width, height, rows
        for name, wanted in (
            ("caption", rows.caption),
            ("parameters", rows.table),
            ("slope", rows.slope),
            ("data", rows.data),
        ):
            part = self.query_one(f"#{name}")
            part.display = wanted > 0
            part.styles.height = max(1, wanted)
        self.query_one("#upper").styles.layout = "vertical" if narrow else "horizontal"
        plot, epochs = self.query_one(LossPlot), self.query_one("#epochs", Items)
        plot.styles.width = "1fr"
        plot.styles.height = "1fr"
        epochs.styles.width = "1fr" if narrow else EPOCHS_WIDTH
        epochs.styles.height = rows.epochs if narrow else "1fr"
        self.call_after_refresh(self._show_parts)

    def _show_parts(self) -> None:
        if not self.is_shown:
            return
        plot, view, width = self.query_one(LossPlot), self._view, self.size.width
        table = max(0, heights(*self.size, view).table - 1)
        wanted = plot.dot_columns(), table, self.size.height
        if wanted != self._asked_for:
            self._asked_for = wanted
            self.program.send(do="size", plot=wanted[0], table=wanted[1], epochs=wanted[2])
        self.query_one("#caption", Lines).show([caption_line(view, width)])
        plot.show_curve(view["curve"])
        epochs = self.query_one("#epochs", Items)
        epochs.show_items(epoch_items(view, epochs.size.height))
        self.query_one("#parameters", Lines).show(table_lines(view["monitor"], width))
        self.query_one("#slope", Lines).show([slope_line(view["monitor"]["slope"], width)])
        self.query_one("#progress", Lines).show([progress_line(view, width)])
        self.query_one("#data", Lines).show([data_line(view)])

    # Keys

    def _send(self, do: str, waits: str = PAUSING, **more: object) -> None:
        """Send a command; where a batch takes so long that nothing comes at once, tell that it was
        heard."""
        views = self._views

        def tell() -> None:
            if self._views == views and self.is_shown:
                self._waits = waits
                self.draw()

        self.program.send(do=f"training.{do}", **more)
        self.set_timer(ANSWERED_WITHIN, tell)

    def action_run(self) -> None:
        """Run."""
        self._send("run", "running")

    def action_pause(self) -> None:
        """Pause, or go on."""
        self._send("toggle", PAUSING if self._view["state"] == "running" else "running")

    def action_batch(self) -> None:
        """Train on one batch."""
        self._send("batch", "one batch under way")

    def action_back(self) -> None:
        """Back by a batch."""
        self._send("back")

    def action_into(self) -> None:
        """Step through the next batch."""
        self._send("close")

    def action_break_at(self) -> None:
        """Let the user type where to stop."""
        self.prompt(
            "break at",
            lambda text: self._send("change_breaks", HEARD, text=text),
            hint="200, nan, rise 2, isnan(grad_out) ...; B tells all",
        )

    def action_breaks(self) -> None:
        """List where the training stops, or close that list."""
        if not self.shows_page(BREAKS_PAGE):
            self._send("breaks", HEARD)
        else:
            self.close_page()

    def action_go(self) -> None:
        """Ask until which batch to run."""
        self.prompt(
            "run until so many batches are done:" if self.size.width >= 60 else "run to batch",
            lambda text: self._send("go", HEARD, text=text),
            hint="fewer than now: back, as far as they are kept",
        )

    def action_learning_rate(self) -> None:
        """Ask for another learning rate."""
        self.prompt(
            "learning rate",
            lambda text: self._send("lr", HEARD, text=text),
            self._view["lr_in_full"],
            "from the next batch on",
            is_present=True,
        )

    def action_epochs(self) -> None:
        """Ask for how many more epochs."""
        self.prompt(
            "more epochs",
            lambda text: self._send("epochs", HEARD, text=text),
            hint=f"now it is to train for {self._view['epochs']}",
        )

    def action_save(self) -> None:
        """Let the user type a file for the picture of the screen."""
        saving.ask(self, saving.PICTURE)

    def action_leave(self) -> None:
        """Close a page, or go back to stepping."""
        if not self.close_page():
            self._send("close")

    def action_faster(self) -> None:
        """A quicker pace."""
        self._send("faster", HEARD)

    def action_slower(self) -> None:
        """A slower pace."""
        self._send("slower", HEARD)

    def action_images(self) -> None:
        """The test images, wrong ones first."""
        self.program.send(do="training.images", width=self.size.width)

    def action_confusion(self) -> None:
        """The confusion matrix of the test data."""
        self.program.send(do="training.confusion", width=self.size.width)

    def action_log_axis(self) -> None:
        """A logarithmic axis, or a linear one."""
        self.program.send(do="training.log")

    def action_zoom(self) -> None:
        """Fewer of the last batches, then all."""
        self.program.send(do="training.zoom")

    def action_form(self) -> None:
        """Draw the curve in another form."""
        form = self.query_one(LossPlot).next_form()
        self.draw()
        self.notice(f"the curve is drawn in {form}; P draws it in another form")

    def action_stop(self) -> None:
        """End it here."""
        self._send("stop")

    def action_fetch(self) -> None:
        """The full MNIST, after asking where a training would be lost."""
        if self._view["kept"]:
            self.notice(
                "this training is kept with its images: --data torchvision and another --out"
            )
        elif not self._view["hint"]:
            self.notice("all of MNIST is in use already" if self._view["data"] else "no MNIST here")
        else:
            self.program.fetch_full_mnist()

    def action_slope(self) -> None:
        """Whether the gradient fits the loss, in detail."""
        self.program.send(do="training.slope")

    def action_why(self) -> None:
        """What the table's rows and warnings mean."""
        self.program.send(do="training.why")

    def action_restart(self) -> None:
        """Back to the start, after asking where something would be lost."""

        def restart() -> None:
            self._send("restart")

        if self._view["batch"] or self.program.watching.may_be_training:
            kept = self._view["kept"]
            lost = "this training" if kept is None else f"it in {Path(kept['folder']).name}/, too"
            self.ask(f"Back to the untrained weights, and lose {lost}?", restart)
        else:
            restart()
