"""What takes long: it says now and then how far it is, and ends when the user wants otherwise."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.session.session import Session

BETWEEN_SIGNS = 0.5
"""Seconds from one sign of progress to the next; as long nothing that is typed ahead ends it."""


class Patience:
    """For something that takes many steps, asked after each of them.

    Args:
        session: in which they are taken.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._due = time.monotonic() + BETWEEN_SIGNS

    def is_over(self) -> bool:
        """Whether the user has asked for something else; where not, and it is time to, how far it
        is has been said."""
        if time.monotonic() < self._due:
            return False
        if self._session.is_interrupted():
            return True
        graph = self._session.graph
        self._session.say(f"{graph.position} of {graph.step_count} steps are done; any key stops")
        self._due = time.monotonic() + BETWEEN_SIGNS
        return False
