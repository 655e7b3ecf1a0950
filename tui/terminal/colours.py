"""Whether the terminal has colours, and whether the user wants them."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

MONOCHROME = ("vt1", "vt2", "vt3")
"""How the names of terminals without colours start: vt100, vt220, vt320 ..."""

MONOCHROME_KINDS = ("-m", "-mono")
"""How the names end of those that others have also without."""


def has_colours(environment: Mapping[str, str]) -> bool:
    """Whether anything may be drawn in colour (see no-color.org for NO_COLOR)."""
    term = environment.get("TERM", "")
    return not (
        environment.get("NO_COLOR")
        or term.startswith(MONOCHROME)
        or term.endswith(MONOCHROME_KINDS)
    )


def settle(environment: MutableMapping[str, str]) -> None:
    """Have NO_COLOR say it, which is what Textual asks (for whether it is there at all)."""
    if has_colours(environment):
        environment.pop("NO_COLOR", None)
    else:
        environment["NO_COLOR"] = "1"
