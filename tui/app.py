"""The program on the screen: which screen is shown, and the process behind it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import signal
from collections.abc import Callable
from typing import Any

from textual import events
from textual.message import Message
from textual.screen import Screen

from tui.options import Options
from tui.panes import RememberedPanes
from tui.process import ending
from tui.process.client import Client
from tui.screens.base import BaseScreen
from tui.screens.message import LoadingScreen, ProblemScreen
from tui.screens.picker import PickerScreen
from tui.screens.stepping import SteppingScreen
from tui.screens.tensor import TensorScreen
from tui.screens.training import TrainingScreen
from tui.terminal.driver import CellApp, CellDriver
from tui.terminal.suspending import Suspending
from tui.typed_ahead import Typed, TypedAhead
from tui.watching import Watching
from tui.widgets.glyphs import has_unicode
from tui.widgets.lines import Lines

UPDATES, UPDATES_OVER_SSH = 10, 4
"""How often a second a running training is shown."""

LOADING_SHOWN_AFTER = 0.4
"""Seconds; most scenarios are there before, and a screen that flashes is no calm one."""

ALWAYS_QUITS = "ctrl+q"
"""Also where a question or a prompt is open."""

ViewScreen = SteppingScreen | TrainingScreen | TensorScreen
SCREENS: dict[str, type[ViewScreen]] = {
    "stepping": SteppingScreen,
    "training": TrainingScreen,
    "tensor": TensorScreen,
}
"""Which screen shows what the debugged process sends."""

OPENING = ("training.open", "training.close", "tensor.open", "tensor.close")
"""The commands that bring another screen."""


class BpTui(CellApp):
    """Shows what the debugged process says.

    Args:
        client: the process of the scenario to start with; None for picking one.
        options: how scenarios are loaded.
        slow_link: whether a running training is shown less often.
    """

    CSS_PATH = "bp_tui.tcss"
    ENABLE_COMMAND_PALETTE = False  # it repaints the whole screen, and needs a large one
    TITLE = "bp-tui"

    class Received(Message):
        """The debugged process said something."""

        def __init__(self, client: Client, content: dict[str, Any]) -> None:
            super().__init__()
            self.client = client
            self.content = content

    def __init__(self, client: Client | None, options: Options, slow_link: bool = False) -> None:
        super().__init__(driver_class=CellDriver, ansi_color=True)
        Lines.ascii_only = not has_unicode()
        self.client = client
        self.panes = RememberedPanes()
        self._options = self._given = options
        self._updates = UPDATES_OVER_SSH if slow_link else UPDATES
        self._would_be_lost = self._can_be_lost = False
        """Whether a training would be lost as it was shown last, or once it is changed."""
        self._runs: list[dict[str, Any]] = []
        """The runs of the training that was shown last: they stay as references where the file is
        read afresh."""
        self._answered = False
        """Whether the process has shown something since it was started."""
        self._shows_training = False
        """Whether what was shown last of a scenario was its training."""
        self.is_changing = False
        """Whether a command is under way that brings another screen."""
        self._postponed: dict[str, Any] | None = None
        """A view for another screen, which came while the user was asked something."""
        self.typed_ahead = TypedAhead(self)
        self._over = False
        """Whether it is known why it has come to its end."""
        self.pressed = ""
        """The key that the user has pressed last to have something done."""
        self.watching = Watching(self)
        self._successor: Client | None = None
        """Loads the same scenario with the full MNIST, while the present one stays."""
        self._arrived: dict[str, Any] | None = None
        """The first view of it, once it is loaded."""
        self._is_given_up = False
        """Whether the user has agreed that it takes the place of a training."""

    def on_mount(self) -> None:
        """Show the scenario that was named, or the ones to pick from."""
        self._leave_in_order_on_signals()
        self._suspending = Suspending(self)
        if self.client is None:
            self.push_screen(PickerScreen(has_scenario=False))
        else:
            self._attend(self.client)

    def _leave_in_order_on_signals(self) -> None:
        """A signal that ends the program ends it like q does, with the terminal in order."""
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None:
                with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                    asyncio.get_running_loop().add_signal_handler(
                        number, functools.partial(self.exit, return_code=128 + number)
                    )

    # The debugged process

    def send(self, **command: object) -> None:
        """Send a command to the debugged process."""
        if self.client is not None:
            if command["do"] in OPENING:
                self.is_changing = True
            self.client.send(**command)
            what = "" if command["do"] == "size" else self.pressed
            self.watching.sent(self.client.sent, str(command["do"]), what)

    def open_scenario(self, scenario: str, at_training: bool = False) -> None:
        """Load a scenario in a process of its own, in the place of the one before.

        Args:
            scenario: a path, or the name of a bundled one.
            at_training: whether its training is shown first, where it has one.
        """
        self.close()
        self.is_changing = True
        self._options = dataclasses.replace(self._options_for(scenario), at_training=at_training)
        self.client = Client(self._options)
        self._would_be_lost = False
        self._runs = []
        self._postponed = None
        self._attend(self.client)

    def _options_for(self, scenario: str) -> Options:
        """How to load a scenario. A training's folder, and what goes with it, is of one alone."""
        if self._given.out is None:
            return dataclasses.replace(self._options, scenario=scenario)
        if scenario == self._given.scenario:
            return self._given
        given = self._given
        return Options(scenario, given.seed, given.data, given.data_dir)

    def close(self) -> None:
        """End the debugged process."""
        self._drop_successor()
        if self.client is not None:
            self.client.close()

    def change_scenario(self, scenario: str) -> None:
        """Open another scenario, after asking where a training would be lost."""
        self.unless_lost("Open it, and lose the training?", lambda: self.open_scenario(scenario))

    def give_up(self) -> None:
        """End the process that does not answer, after asking where a training would be lost: what
        was trained before, since what is under way is given up knowingly."""
        self._ask_where(self._would_be_lost, "Give up, and lose the training?", self._give_up)

    def _give_up(self) -> None:
        loading = isinstance(self.screen, LoadingScreen)
        if not self.watching.waits_for and not loading:
            self.say("it has come back meanwhile")
            return
        what = "Loading" if loading else f"Waiting for {self.watching.waits_for}"
        message = "It was still running its own code. R loads it again."
        self._end(message, f"{what} was given up", self.watching.place)

    def fetch_full_mnist(self) -> None:
        """Load the scenario with all of MNIST, fetched through torchvision, after asking where a
        training would be lost; where that fails, what was in use stays."""
        if self.is_fetching:
            self.say("under way already; Esc stops it")
        else:
            self._is_given_up = self._may_be_lost  # then it is asked
            self.unless_lost("Load all of MNIST, and lose this training?", self._fetch_full_mnist)

    def _fetch_full_mnist(self) -> None:
        options = dataclasses.replace(self._options, data="torchvision")
        client = self._successor = Client(options)
        client.listen(self._deliver_from(client))
        client.send(do="size", updates=self._updates)
        client.send(do="training.open")
        self.say("getting all 70,000 images through torchvision; Esc stops it")

    @property
    def is_fetching(self) -> bool:
        """Whether all of MNIST is being got."""
        return self._successor is not None

    def stop_fetching(self) -> None:
        """Give that up; what was in use stays."""
        self._drop_successor()
        self.say("stopped: what was in use stays")

    def _consider_successor(self, content: dict[str, Any]) -> None:
        client = self._successor
        assert client is not None
        kind = content["type"]
        if kind == "progress":
            self.say(f"{content['text']}; Esc stops it")
        elif kind == "problem":
            self._drop_successor()
            screen = self.current()
            if isinstance(screen, BaseScreen):
                screen.show_page("What was in use stays", [("text", content["message"], "")])
        elif kind == "ended":
            self._drop_successor()
            told = ending.told(client.options.scenario, content["status"], content["report"])
            self.say(told["message"])
        elif kind in ("stepping", "training"):
            self._arrived = content
            self._offer_successor()

    def _offer_successor(self) -> None:
        """Have all of MNIST take over once it is there; ask before where a training would be lost
        that was begun since it was asked for."""
        screen = self.current()
        if self._arrived is None:
            return
        if self._is_given_up or not self._may_be_lost:
            self._take_over()
        elif isinstance(screen, BaseScreen) and not screen.is_asking:
            question = "All of MNIST is there: load it, and lose this training?"
            screen.ask(question, self._take_over, self.stop_fetching)

    def _take_over(self) -> None:
        client, content = self._successor, self._arrived
        if client is None or content is None:
            return  # it has come to its end meanwhile
        self._successor = self._arrived = None
        if self.client is not None:
            self.client.close()
        self.client, self._options = client, client.options
        self._answered = self._over = self._would_be_lost = False
        self.watching.start()
        self.on_bp_tui_received(self.Received(client, content))

    def _drop_successor(self) -> None:
        self._arrived = None
        if self._successor is not None:
            self._successor.close()
            self._successor = None

    def say(self, text: str) -> None:
        """Show a line until the next key."""
        screen = self.current()
        if isinstance(screen, BaseScreen):
            screen.notice(text)

    def _copy(self, what: str, text: str) -> None:
        """Copy to the clipboard of the terminal, which does not say whether it has done so."""
        self.copy_to_clipboard(text)
        self.say(f"copied {what}, if the terminal allows it (OSC 52)")

    def _deliver_from(self, client: Client) -> Callable[[dict[str, Any]], None]:
        def deliver(content: dict[str, Any]) -> None:
            self.post_message(self.Received(client, content))

        return deliver

    def _attend(self, client: Client) -> None:
        """Show the scenario when it is there; that it is loading only where it takes a while."""

        def if_still_loading() -> None:
            if self.client is client and not self._answered:
                screen = self.current()
                if screen is not None and not isinstance(screen, LoadingScreen):
                    self._show(LoadingScreen(client.options.scenario))
                client.ask_where()
                self.set_timer(1.0, if_still_loading)

        self._answered = self._over = False
        self.watching.start()
        client.listen(self._deliver_from(client))
        client.send(do="size", updates=self._updates)
        self.set_timer(LOADING_SHOWN_AFTER, if_still_loading)

    def _end(self, message: str, title: str, place: dict[str, Any]) -> None:
        """Close the process and show why, and where it was."""
        if self.client is None:
            return
        self.client.close()
        self.is_changing = False
        self.typed_ahead.forget()
        self._answered = self._over = True
        self._would_be_lost = False
        self.watching.start()
        problem = {**place, "message": message, "title": title}
        self._show(ProblemScreen(self._options.scenario, problem))

    def on_bp_tui_received(self, received: Received) -> None:
        """Show what the debugged process says."""
        content = received.content
        if received.client is self._successor:
            self._consider_successor(content)
            return
        if received.client is not self.client:
            return
        kind = content["type"]
        screen = self.current()
        if kind not in ("printed", "where"):
            self.watching.hear(content)
        if kind in SCREENS:
            first, self._answered = not self._answered, True
            self._shows_training = kind == "training"
            self._would_be_lost = content["would_be_lost"]
            self._can_be_lost = content.get("can_be_lost", False)
            self._runs = content.get("runs", self._runs)
            self._show_view(SCREENS[kind], content, first)
        elif kind == "problem":
            self._answered = self._over = True
            self.is_changing = False
            self.typed_ahead.forget()
            self._show(ProblemScreen(self._options.scenario, content))
        elif kind == "ended":
            if not self._over:
                problem = ending.told(self._options.scenario, content["status"], content["report"])
                self._end(problem.pop("message"), "This scenario cannot be used", problem)
        elif kind == "notice":
            self.say(content["text"])
            self._changed()
        elif kind == "copy":
            self._copy(content["what"], content["text"])
        elif kind == "failed" and isinstance(screen, BaseScreen):
            screen.show_failure(
                content["text"], content["message"], content["where"], content["nearby"]
            )
            self._changed()
        elif kind == "refused" and isinstance(screen, BaseScreen):
            screen.refuse(content["text"])
        elif kind == "page" and isinstance(screen, BaseScreen):
            screen.show_page(content["title"], content["items"], content["update"])
        elif kind == "progress":
            self._answered = True
            if not isinstance(screen, LoadingScreen):
                screen = LoadingScreen(self._options.scenario)
                self._show(screen)
            screen.show_progress(content["text"])
        elif kind == "where":
            self.watching.found(content)
            if isinstance(screen, LoadingScreen):
                screen.show_place(content)
        elif kind == "printed" and isinstance(screen, BaseScreen):
            screen.refresh_log()

    # Screens

    def current(self) -> Screen[Any] | None:
        """The screen that is shown; None between two, and once the program comes to its end: what
        a timer or the process brings may come then."""
        return self.screen if self.screen_stack else None

    def _show_view(self, kind: type[ViewScreen], content: dict[str, Any], first: bool) -> None:
        """Give a view to the screen that shows such views; the first one of a process, and one of
        another kind, get a screen of their own. A picker over it stays where it is."""
        showing = next((s for s in self.screen_stack if isinstance(s, ViewScreen)), None)
        self._postponed = None
        if isinstance(showing, kind) and not first:
            showing.show_view(content)
        elif first or showing is None or (showing is self.screen and not showing.is_asking):
            self._show(kind(content))
            self._changed()
        else:
            self._postponed = content

    def show_postponed(self) -> None:
        """Show what came while the user was asked something, now that they are not."""
        self._offer_successor()
        if (content := self._postponed) is not None:
            self._show_view(SCREENS[content["type"]], content, False)

    def on_key(self, event: events.Key) -> None:
        """Keep what is typed before there is a screen for it."""
        if self.shown is None and not self._answered:
            self.typed_ahead.keep(event)

    @property
    def shown(self) -> BaseScreen | None:
        """The screen that is on top, where it is one of ours."""
        screen = self.current()
        return screen if isinstance(screen, BaseScreen) else None

    def _changed(self) -> None:
        self.is_changing = False
        if self.typed_ahead:
            self.call_after_refresh(self.typed_ahead.type)

    def _show(self, screen: Screen[Any]) -> None:
        """Show a screen in the place of all others."""
        while len(self.screen_stack) > 2:
            self.pop_screen()
        if len(self.screen_stack) == 2:
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    # Keys that are the same everywhere

    def action_reload(self) -> None:
        """Read the scenario's file afresh."""
        self.unless_lost("Read the file afresh, and lose the training?", self._reload)

    def action_open_other(self) -> None:
        """Pick another scenario."""
        if not isinstance(self.screen, PickerScreen):
            self.push_screen(PickerScreen(has_scenario=True))

    def action_quit_program(self) -> None:
        """Quit."""
        self.unless_lost("Quit, and lose the training?", self.exit)

    def action_redraw(self) -> None:
        """Draw everything anew: something else has written on the terminal."""
        if isinstance(self._driver, CellDriver):
            self._driver.draw_anew()

    def action_suspend_process(self) -> None:
        """Back to the shell, until it continues the program."""
        self._suspending.suspend()

    async def on_event(self, event: events.Event) -> None:
        """What is typed goes to its screen at once, rather than by way of a queue. What is typed or
        clicked while the program ends finds no screen, and is for nobody."""
        if not self.screen_stack and isinstance(event, events.InputEvent | events.Paste):
            return
        if not isinstance(event, Typed) or event.is_forwarded:
            await super().on_event(event)
            return
        screen = self.shown
        self.app_focus = True
        if isinstance(event, events.Key) and event.key == ALWAYS_QUITS:
            self.action_quit_program()
        elif screen is None:
            await super().on_event(event)
        elif self.typed_ahead and not self.is_changing and not screen.KEEPS_KEYS:
            self.typed_ahead.keep(event)  # it comes after what is about to be typed
            self.call_after_refresh(self.typed_ahead.type)
        elif not await screen.take(event):
            await super().on_event(event)

    async def action_quit(self) -> None:
        """Textual's own way to quit."""
        self.action_quit_program()

    def _reload(self) -> None:
        # A training that is kept in a folder is gone on with: it is no earlier run of itself.
        runs = self._runs if self._options.out is None else self._runs[:-1]
        self.open_scenario(self._options.scenario, self._shows_training)
        self._runs = runs
        for run in runs:
            self.send(do="training.reference", **run)

    def unless_lost(self, question: str, then: Callable[[], object]) -> None:
        """Do something that ends the training; ask before where it would be lost, also where what
        was asked of it is not answered yet."""
        self._ask_where(self._may_be_lost, question, then)

    @property
    def _may_be_lost(self) -> bool:
        return self._would_be_lost or (self._can_be_lost and self.watching.may_be_training)

    def _ask_where(self, needed: bool, question: str, then: Callable[[], object]) -> None:
        if needed and isinstance(self.screen, BaseScreen):
            self.screen.ask(question, then)
        else:
            then()
