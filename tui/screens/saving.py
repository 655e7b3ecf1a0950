"""Asking for a file, and saving to it."""

from __future__ import annotations

from pathlib import Path

from tui import files, picture, saving
from tui.errors import Refused
from tui.screens.base import BaseScreen

EVERYTHING = tuple(saving.MEANINGS)
PICTURE = ("picture",)


def ask(screen: BaseScreen, wanted: tuple[str, ...]) -> None:
    """Let the user type a file, then save to it; before one is overwritten ask.

    Args:
        screen: whose picture may be taken, and which shows what goes wrong.
        wanted: which of `saving.MEANINGS` can be saved here.
    """
    endings = " ".join(saving.MEANINGS[what].split()[0] for what in wanted)
    label = f"save as NAME {endings}" if screen.size.width >= 70 else "save as"

    def consider(text: str) -> None:
        try:
            target = saving.target_of(text, wanted)
        except Refused as refusal:
            screen.refuse(str(refusal))
            return
        if target.is_there:
            screen.ask(
                f"{target.path.name} is there; write over it?", lambda: _save(screen, target)
            )
        else:
            _save(screen, target)

    screen.prompt(label, consider)


def _save(screen: BaseScreen, target: saving.Target) -> None:
    if target.what == "picture":
        # Once the prompt has gone from the screen.
        screen.call_after_refresh(_save_picture, screen, target.path)
    else:
        screen.program.send(do="save", what=target.what, path=str(target.path))


def _save_picture(screen: BaseScreen, path: Path) -> None:
    title = f"bp-tui {screen.header()[0].partition('  ')[0]}"
    svg = picture.placed(screen.program.export_screenshot(title=title))
    try:
        with files.replacing(path) as file:
            file.write(svg.encode())
    except OSError as error:
        screen.refuse(f"cannot be written: {error.strerror} ({path.name})")
    else:
        screen.notice(f"saved {path.name}: the screen as it was")
