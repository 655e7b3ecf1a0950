"""Names with wildcards: `*` stands for any characters, `?` for one."""

from __future__ import annotations

import fnmatch


def matches(text: str, pattern: str) -> bool:
    """Whether a text is what the pattern says, to its end, small and capital letters apart."""
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def has_wildcard(pattern: str) -> bool:
    """Whether a pattern stands for more than one text."""
    return "*" in pattern or "?" in pattern
