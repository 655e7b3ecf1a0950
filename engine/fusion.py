"""When several operations may be computed as one.

A fused operation is quicker, but hides its parts. It is used only where nobody looks at the parts
(origins are not recorded, as they are where a graph is stepped through), and where none of their
backward functions was replaced: a student's own must be called.
"""

from __future__ import annotations

from engine.registry import BACK_FUNCS, ForwardFunc
from engine.state import STATE, SWITCHES


class Fusion:
    """Watches the operations that a fused one stands for.

    Args:
        parts: the Tensor functions of the parts.
    """

    def __init__(self, *parts: ForwardFunc) -> None:
        self._parts = parts
        self._version = -1
        self._unreplaced = False

    def allowed(self) -> bool:
        """Whether the fused operation may be used now."""
        if SWITCHES.turned and STATE.origins_enabled:
            return False
        if self._version != BACK_FUNCS.version:
            self._version = BACK_FUNCS.version
            self._unreplaced = not any(BACK_FUNCS.is_replaced(part) for part in self._parts)
        return self._unreplaced
