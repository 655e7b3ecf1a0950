"""Finding the name under which the user knows a tensor, for messages."""

from __future__ import annotations

import inspect
import sys

from engine.origin import user_frame

_ARE_SNAPSHOTS = sys.version_info < (3, 13)
"""Whether asking a function's frame for its variables makes a dict that the frame then keeps."""


def name_in_caller(thing: object) -> str | None:
    """The name to which `thing` is bound in the user's innermost frame, None where there is none.

    Looks at the call stack, so it is meant for errors only.
    """
    frame = user_frame()
    while frame is not None:
        names = frame.f_locals
        found = next((name for name, value in names.items() if value is thing), None)
        if _ARE_SNAPSHOTS and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
            names.clear()  # or the frame would keep all that its variables hold now alive
        if found is not None:
            return found
        if frame.f_code.co_name == "<module>":
            break
        frame = frame.f_back
    return None
