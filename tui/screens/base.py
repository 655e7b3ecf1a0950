"""What all screens have: a header, a line of what comes next, a line of keys, help and log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, ClassVar, cast

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from tui.actions import QUIT, REDRAW, Action
from tui.screens.frame import PAGE_KEYS, header_line, line_of_keys
from tui.screens.page import SCROLLING, Page, small_items
from tui.screens.prompt import Prompt
from tui.timers import SureTimers
from tui.widgets import styles
from tui.widgets.bare import Bare, Room
from tui.widgets.items import Item
from tui.widgets.layout import LEAST_HEIGHT, LEAST_WIDTH
from tui.widgets.lines import Line, Lines

if TYPE_CHECKING:
    from tui.app import BpTui


ON_A_PAGE = (
    *("help", "log", "leave", "commands", "give_up", "save"),
    *("breakpoints", "condition", "breaks", "break_at"),
)
"""The actions that are possible while a page lies over the body."""

SUSPENDING = ("app.suspend_process", "suspend_process")
LEAVING = ("app.quit_program", "quit_program", *SUSPENDING)


def bindings(actions: Sequence[Action]) -> list[BindingType]:
    """Textual's bindings of a screen's actions."""
    return [Binding(key, action.name, action.help) for action in actions for key in action.keys]


class BaseScreen(SureTimers, Bare, Screen[None]):
    """A screen with a body between a header and two lines at the bottom.

    Over the body lies, where it is asked for, a page: the keys, or what the scenario printed.
    """

    ACTIONS: ClassVar[tuple[Action, ...]] = ()
    CHANGES: ClassVar[tuple[str, ...]] = ()
    """The actions that bring another screen of the same scenario."""
    KEEPS_KEYS: ClassVar[bool] = False
    """Whether what has no meaning here is kept for the screen that comes after this one."""
    WAITS: ClassVar[bool] = True
    """Whether what it shows is the debugged process's, which may let one wait."""

    def __init__(self) -> None:
        super().__init__()
        self._header_line = Lines(id="header", classes="line frame")
        self._next_line = Lines(id="next", classes="line frame")
        self._keys_line = Lines(id="keys", classes="line frame")
        self._will_draw = False
        self._page = Page()
        self._notice = ""
        self._question: tuple[str, Callable[[], object], Callable[[], object]] | None = None
        self._prompt: Prompt | None = None
        """Where the user is typing."""
        self._asked: Prompt | None = None
        """What was typed last; it comes back where it is refused."""
        self._command = ""
        """What was picked in the list of commands and is to be done, as Textual wants it."""
        self._too_small = False
        """Whether the terminal is, which then says what is needed, and nothing else."""

    @property
    def program(self) -> BpTui:
        """The application."""
        return cast("BpTui", self.app)

    def compose(self) -> ComposeResult:
        """Header, body, page, next, keys."""
        yield self._header_line
        with Room(id="body"):
            yield from self.compose_body()
        yield self._page
        yield self._next_line
        yield self._keys_line

    def compose_body(self) -> ComposeResult:
        """The widgets between header and footer."""
        return iter(())

    def on_mount(self) -> None:
        """Take up what was typed before."""
        self.call_after_refresh(self.program.typed_ahead.type)

    def on_screen_resume(self) -> None:
        """Show what has come while another screen lay over this one."""
        self.draw_soon()
        self.program.show_postponed()

    def on_resize(self, event: events.Resize) -> None:
        """Lay everything out anew."""
        self.draw_soon()

    # What subclasses say

    def offers(self, action: Action) -> bool:
        """Whether an action is of use now, and so stands in the line of keys."""
        return True

    def header(self) -> tuple[str, str]:
        """Left and right part of the header."""
        return "", ""

    def upcoming(self) -> Line:
        """The line above the keys."""
        return []

    def draw_body(self) -> None:
        """Show the body."""

    # Drawing

    def draw_soon(self) -> None:
        """Draw once all is laid out; once, however many parts of the screen ask for it."""
        if not self._will_draw:
            self._will_draw = True
            self.call_after_refresh(self._draw_now)

    def _draw_now(self) -> None:
        self._will_draw = False
        self.draw()

    def draw(self) -> None:
        """Show everything there is to show."""
        if not self.is_shown:
            return  # it is not there yet, or not any more, or lies under another screen
        width, height = self.size
        too_small = width < LEAST_WIDTH or height < LEAST_HEIGHT
        if too_small != self._too_small:
            self._too_small = too_small
            for line in (self._header_line, self._next_line, self._keys_line):
                line.display = not too_small
            self._cover_body()
            self.draw_soon()
        if too_small:
            self._draw_page()
            return
        self._draw_header()
        self.draw_footer()
        if self._page.kind is None:
            self.draw_body()
        else:
            self._show_page(self._page.kind)

    def draw_footer(self) -> None:
        """Show the two lines at the bottom."""
        if not self.is_complete:
            return  # they are drawn once they are there
        if self._too_small:
            self._draw_page()
        lines = self._next_line
        if self._question is not None:
            question: Line = [(f" {self._question[0]}  ", styles.PROBLEM), ("y / n", styles.KEY)]
            lines.show([question])
        elif self._prompt is not None:
            lines.show([self._prompt.line(self.size.width)])
        elif self.WAITS and self.program.watching.waits_for:
            lines.show([self._waiting()])
        elif self._notice:
            lines.show([[(f" {self._notice}", styles.SHOWN)]])
        else:
            lines.show([self.upcoming()])
        self._keys_line.show([self._keys()])

    def _waiting(self) -> Line:
        """What is waited for, and where in the user's code it is meanwhile."""
        return [
            (f" Waiting for {self.program.watching.waits_for}", styles.SHOWN),
            ("; Esc gives up  ", styles.PLAIN),
            (self.program.watching.place_in_words, styles.QUIET),
        ]

    def _draw_header(self) -> None:
        self._header_line.show([header_line(*self.header(), self.size.width)])

    def _keys(self) -> Line:
        if self._prompt is not None:
            return self._prompt.below(self.size.width)
        if self._page.kind is not None and any(a.name == "leave" for a in self.ACTIONS):
            return PAGE_KEYS
        offered = tuple(a for a in self.ACTIONS if a.short and self.offers(a))
        return line_of_keys(offered, self.size.width)

    # Notices and questions

    def notice(self, text: str) -> None:
        """Show a line until the next key."""
        self._notice = text
        if self.is_shown:
            self.draw_footer()

    def show_failure(
        self, text: str, message: str, where: str, nearby: Sequence[tuple[int, str, bool]]
    ) -> None:
        """Say why it does not go on: in a line, or on a page where it is too long for that.

        Args:
            text: why, and where.
            message: why.
            where: the place in the user's code; nothing for none.
            nearby: the lines that are to be read there, with their numbers, and whether each is
                the one that is meant.
        """
        if not self.is_shown or cell_len(text) < max(self.size.width, 80):
            self.notice(text)
            return
        items: list[Item] = [("text", message, "")]
        if where:
            items += [("gap", "", ""), ("line", where, "")]
        items += [
            ("strong" if is_meant else "quiet", f"  {number:>4}  {line}", "")
            for number, line, is_meant in nearby
        ]
        self.show_page("It goes no further", items)

    def ask(
        self,
        question: str,
        then: Callable[[], object],
        otherwise: Callable[[], object] = lambda: None,
    ) -> None:
        """Ask a question; `then` is called where the answer is y, else `otherwise`."""
        self._question = (question, then, otherwise)
        self.draw_footer()

    def prompt(
        self,
        label: str,
        then: Callable[[str], object],
        initial: str = "",
        hint: str = "",
        is_present: bool = False,
    ) -> None:
        """Let the user type a line; `then` is called with it once Enter is pressed.

        Args:
            label: what is asked for.
            then: called with what was typed. Where the session refuses it, the line comes back
                with the message, to be mended.
            initial: what stands there at first.
            hint: what can be typed.
            is_present: whether that is how it is now, see `Prompt`.
        """
        self._prompt = Prompt(label, then, initial, hint, is_present)
        self._notice = ""
        self.draw_footer()

    def refuse(self, message: str) -> None:
        """Say why what was typed last cannot be done, and let it be mended."""
        if self._asked is None:
            self.notice(message)
            return
        self._prompt, self._asked = self._asked, None
        self._prompt.error = message
        if self.is_shown:
            self.draw_footer()

    def _type(self, event: events.Key) -> None:
        """A key for the prompt."""
        prompt = self._prompt
        assert prompt is not None
        if event.key == "enter":
            self._prompt, self._asked = None, prompt
            self.draw_footer()
            prompt.then(prompt.text)
            self.program.show_postponed()
        elif event.key in ("escape", "ctrl+c"):
            self._prompt = self._asked = None
            if self._page.kind == "commands":
                self.close_page()
            self.draw_footer()
            self.program.show_postponed()
        elif self._page.kind == "commands" and event.key in ("up", "down"):
            self._page.choose(1 if event.key == "down" else -1)
            self._show_page("commands")
        else:
            prompt.type(event.key, event.character if event.is_printable else None)
            self.draw_footer()
            self._search_commands()

    async def take(self, event: events.Key | events.Paste) -> bool:
        """A key goes to what is open (a prompt, a question, a page), or does what it means here;
        one without a meaning is told so. What is pasted goes where one types, and nowhere else.
        Whether nobody else is to have it."""
        if isinstance(event, events.Paste):
            self._paste(event)
            return True
        taken = self._takes(event) or await self._acts(event)
        if self._command:
            target, self._command = self._command, ""
            await self.program.run_action(target, self)
        return taken

    def _paste(self, event: events.Paste) -> None:
        if not self.is_complete:
            self.program.typed_ahead.keep(event)
        elif self._prompt is not None:
            self._prompt.paste(event.text)
            self.draw_footer()
            self._search_commands()
        elif self.program.is_changing and self.CHANGES:
            self.program.typed_ahead.keep(event)

    def _takes(self, event: events.Key) -> bool:
        """Give a key to what comes before the screen's own actions; whether something took it."""
        waits = bool(self.WAITS and self.program.watching.waits_for)
        here = waits and _needs_no_answer(_meanings(self.ACTIONS).get(event.key, ""))
        if event.key in REDRAW.keys:
            self.program.action_redraw()  # whatever is open stays so
        elif not self.is_complete:
            self.program.typed_ahead.keep(event)
        elif self._too_small and self._question is None:
            if event.key in QUIT.keys:  # nothing else is done unseen
                self.program.action_quit_program()
        elif self._prompt is not None and event.key not in ("ctrl+q", "ctrl+z"):
            self._type(event)
        elif self._question is not None and event.key != "ctrl+z":
            self._answer(event)
        elif event.key == "escape" and self._page.kind is None and self.program.is_fetching:
            self.program.stop_fetching()
        elif waits and event.key == "escape":
            self.program.give_up()
        elif self.program.is_changing and self.CHANGES and not here:
            self.program.typed_ahead.keep(event)
        elif self._page.kind is not None and event.key in SCROLLING:
            self._page.scroll(SCROLLING[event.key])
            self._show_page(self._page.kind)
        else:
            return False
        return True

    async def _acts(self, event: events.Key) -> bool:
        """Do what a key means on this screen; whether it means something."""
        known = _meanings(self.ACTIONS)
        if self._page.kind is None and known.get(event.key) in self.CHANGES:
            # Keys that are typed ahead overtake the action of this one: keep them from now on.
            self.program.is_changing = True
        if self._notice:
            self._notice = ""
            self.draw_footer()
        if event.key in known:
            # Here and now: left to the program, it would come after the keys that were typed next.
            self._asked = None  # whatever is refused from here on is not what was typed before
            name = known[event.key]
            self.program.pressed = _shown(event)
            if self._page.kind is not None and not _possible_on_a_page(name):
                self.notice("Esc closes this page; then the keys act again")
            elif self.check_action(name, ()):
                await self.program.run_action(_target(name), self)
            return True
        if self.KEEPS_KEYS:
            self.program.typed_ahead.keep(event)
            self.notice(f"{_shown(event)} acts once the scenario is there")
            # Or Textual would give it to the screen that comes meanwhile, too.
            return True
        if event.is_printable:
            self.notice(f"{_shown(event)} has no meaning here; ? shows the keys")
        return False

    def _answer(self, event: events.Key) -> None:
        """A key for the question that is open."""
        assert self._question is not None
        _, then, otherwise = self._question
        self._question = None
        self.draw_footer()
        (then if event.key in ("y", "Y") else otherwise)()
        self.program.show_postponed()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a question or the prompt is open only what answers it counts; under a page nothing
        is done unseen."""
        if not self.is_complete:
            return False
        if self._question is not None and action not in SUSPENDING:
            return False
        if self._prompt is not None and action not in LEAVING:
            return False
        if self._page.kind is not None and not _possible_on_a_page(action):
            return False
        return super().check_action(action, parameters)

    # Pages

    def action_help(self) -> None:
        """Show the keys, or close them."""
        self._toggle_page("help")

    def action_log(self) -> None:
        """Show what the scenario has printed, or close it."""
        self._toggle_page("log")

    def action_commands(self) -> None:
        """List the commands, and let the user type what to search for."""
        self._page.choose(None)
        self.prompt(":", self._run_command, hint="words to search; up, down choose")
        self._show_page("commands")

    def _run_command(self, typed: str) -> None:
        """Do what is chosen in the list of commands."""
        chosen = self._page.chosen(typed)
        self._asked = None
        self.close_page()
        if chosen is not None:
            self._command = _target(chosen.name)

    def _search_commands(self) -> None:
        """What is searched for among the commands has changed."""
        if self._page.kind == "commands":
            self._page.choose(None)
            self._show_page("commands")

    @property
    def typed(self) -> str:
        """What stands in the prompt."""
        return "" if self._prompt is None else self._prompt.text

    def show_page(self, title: str, items: Sequence[Item], update: bool = False) -> None:
        """Show items over the body, under a title.

        Args:
            title: the page's heading.
            items: what it shows.
            update: whether they are shown only where a page of that title is still open.
        """
        if update and not self.shows_page(title):
            return
        self._page.tell(title, items, from_the_top=not update)
        if not update:
            self._notice = ""
            self._asked = None
        if self.is_shown:
            self.draw_footer()
            self._show_page("told")

    def shows_page(self, title: str) -> bool:
        """Whether the page that lies over the body is the one of this title."""
        return self._page.kind == "told" and self._page.title == title

    def refresh_log(self) -> None:
        """Show what was printed meanwhile, where the log is open."""
        if self._page.kind == "log" and self.is_shown:
            self._show_page("log")

    @property
    def is_asking(self) -> bool:
        """Whether the user is typing into a prompt, or has a question to answer."""
        return self._prompt is not None or self._question is not None

    @property
    def is_shown(self) -> bool:
        """Whether the screen is there, complete and on top."""
        return self.is_current and self.is_complete

    @property
    def is_complete(self) -> bool:
        """Whether all its widgets are there: a key may come before."""
        return self._keys_line in self.children

    def close_page(self) -> bool:
        """Close the page; whether there was one."""
        if self._page.kind is None:
            return False
        self._page.kind = None
        self._cover_body()
        self.draw_soon()
        return True

    def _cover_body(self) -> None:
        """Have the page over the body, where there is one."""
        is_covered = self._too_small or self._page.kind is not None
        self._page.display = is_covered
        self.query_one("#body").display = not is_covered

    def _toggle_page(self, kind: str) -> None:
        if self._page.kind == kind:
            self.close_page()
        else:
            self._show_page(kind)

    def _show_page(self, kind: str) -> None:
        is_another = self._page.open(kind)
        self._cover_body()
        if is_another:
            self.draw_footer()
        self.call_after_refresh(self._draw_page)

    def _draw_page(self) -> None:
        if not self.is_shown:
            return
        if self._too_small:
            question = self._question[0] if self._question is not None else ""
            self._page.show_items(small_items(*self.size, question))
        else:
            self._page.draw()


@cache
def _meanings(actions: Sequence[Action]) -> dict[str, str]:
    """The names of actions, by key."""
    return {key: action.name for action in actions for key in action.keys}


def _target(name: str) -> str:
    """An action's name, as Textual wants it."""
    return name if "." in name else f"screen.{name}"


def _possible_on_a_page(action: str) -> bool:
    return action in ON_A_PAGE or action.startswith("app.")


def _needs_no_answer(action: str) -> bool:
    """Whether an action is possible while the debugged process does not answer."""
    return action in ("help", "log") or action.startswith("app.")


def _shown(event: events.Key) -> str:
    """A key as the user knows it."""
    if event.character is not None and event.is_printable and event.character != " ":
        return event.character
    return event.key.capitalize()


def set_height(widget: Widget, height: int) -> None:
    """Give a widget so many rows; with none it is not there."""
    widget.display = height > 0
    widget.styles.height = height
