"""Finding the name under which the user knows a tensor, for messages."""

from __future__ import annotations

from engine.origin import user_frame


def name_in_caller(thing: object) -> str | None:
    """The name to which `thing` is bound in the user's innermost frame, None where there is none.

    Looks at the call stack, so it is meant for errors only.
    """
    frame = user_frame()
    while frame is not None:
        for name, value in frame.f_locals.items():
            if value is thing:
                return name
        if frame.f_code.co_name == "<module>":
            break
        frame = frame.f_back
    return None
