"""Picking a scenario: the bundled ones, and those in the folder the program was started in."""

from __future__ import annotations

from pathlib import Path

from textual import events

from tui import actions
from tui.loading import catalog
from tui.screens.base import BaseScreen, bindings
from tui.widgets import styles
from tui.widgets.lines import Line, Lines

IMPORT = ("from engine import", "import engine")


class PickerScreen(BaseScreen):
    """A list of scenarios; Enter opens the one under the cursor."""

    ACTIONS = actions.PICKER
    BINDINGS = bindings(actions.PICKER)
    WAITS = False

    def __init__(self, has_scenario: bool) -> None:
        super().__init__()
        self._has_scenario = has_scenario
        self._entries = [*catalog.bundled(), *_own_scenarios(Path.cwd())]
        self._bundled = len(catalog.bundled())
        self._cursor = 0
        self._first = 0

    def compose_body(self):  # type: ignore[no-untyped-def]
        """The list."""
        yield _List(id="list")

    def header(self) -> tuple[str, str]:
        """What this is."""
        return "bp-tui  step through a backward pass", f"{len(self._entries)} scenarios"

    def upcoming(self) -> Line:
        """What Enter opens."""
        return [
            (" Next  ", styles.SHOWN),
            (f"Enter opens {self._entries[self._cursor].path}", styles.PLAIN),
        ]

    def draw_body(self) -> None:
        """Show the list around the cursor."""
        widget = self.query_one(_List)
        rows = max(1, widget.size.height - 1)
        self._first = max(min(self._first, self._cursor), self._cursor - rows + 1)
        names = max(len(entry.name) for entry in self._entries)
        lines: list[Line] = [[(" Pick a scenario", styles.TITLE)]]
        for i in range(self._first, min(len(self._entries), self._first + rows)):
            entry = self._entries[i]
            own = "" if i < self._bundled else "  (in this folder)"
            line = [
                (f"   {entry.name:<{names}}  ", styles.BOLD),
                (entry.title, styles.PLAIN),
                (own, styles.QUIET),
            ]
            if i == self._cursor:
                text = "".join(part for part, _ in line)
                line = [(" ► " + text[3:], styles.CURSOR), (" " * self.size.width, styles.CURSOR)]
            lines.append(line)
        widget.show(lines)

    def action_cursor_up(self) -> None:
        """The entry above."""
        self._move(-1)

    def action_cursor_down(self) -> None:
        """The entry below."""
        self._move(1)

    def action_choose(self) -> None:
        """Open the entry."""
        self.program.change_scenario(str(self._entries[self._cursor].path))

    def action_leave(self) -> None:
        """Back to the scenario that was open, where there is one."""
        if self.close_page():
            return
        if self._has_scenario:
            self.program.pop_screen()
        else:
            self.notice("there is nothing to go back to; q quits")

    def clicked(self, row: int) -> None:
        """Point at a row; a click on the one pointed at opens it."""
        index = self._first + row - 1
        if row < 1 or index >= len(self._entries):
            return
        if index == self._cursor:
            self.action_choose()
        else:
            self._move(index - self._cursor)

    def _move(self, by: int) -> None:
        self._cursor = max(0, min(len(self._entries) - 1, self._cursor + by))
        self.draw()


class _List(Lines):
    def on_click(self, event: events.Click) -> None:
        screen = self.screen
        if isinstance(screen, PickerScreen):
            screen.clicked(event.y)


def _own_scenarios(folder: Path) -> list[catalog.Entry]:
    """The Python files of a folder that use the engine."""
    found = []
    if folder.resolve() == catalog.FOLDER.resolve():
        return []
    for path in sorted(folder.glob("*.py"))[:200]:
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if any(line.startswith(IMPORT) for line in text.splitlines()):
            found.append(catalog.Entry(path.name, catalog.docstring_title(text), Path(path.name)))
    return found
