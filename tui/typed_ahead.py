"""What is typed before there is a screen for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events

if TYPE_CHECKING:
    from tui.app import BpTui

Typed = events.Key | events.Paste


class TypedAhead:
    """Keeps keys, and what is pasted, in their order, and gives them to the screen that comes.

    Args:
        program: it knows which screen there is.
    """

    def __init__(self, program: BpTui) -> None:
        self._program = program
        self._kept: list[Typed] = []
        self._is_typing = False

    def __bool__(self) -> bool:
        """Whether something is kept, or on its way to a screen."""
        return bool(self._kept)

    def keep(self, event: Typed) -> None:
        """Keep it for the screen that is about to be shown."""
        self._kept.append(event)

    def forget(self) -> None:
        """What was typed is for a screen that will not come."""
        self._kept.clear()

    async def type(self) -> None:
        """Give what is kept to the screen that there is now, as far as that takes it."""
        if not self._is_typing:
            self._is_typing = True
            try:
                await self._type()
            finally:
                self._is_typing = False

    async def _type(self) -> None:
        screen = self._program.shown
        if screen is not None and screen.KEEPS_KEYS:
            kept, self._kept = self._kept, []
            for event in kept:
                await screen.take(event)
            return
        while self._kept and (screen := self._program.shown) is not None:
            # It stays the first one meanwhile, so that nothing overtakes it.
            event = self._kept[0]
            await screen.take(event)
            places = [place for place, kept_now in enumerate(self._kept) if kept_now is event]
            if places:
                del self._kept[places[-1]]
            if len(places) > 1:
                break  # it was kept once more: it has to wait still
