"""What is typed to say where to stop or what to watch.

The command line checks it by this, too, so it imports no NumPy.
"""

from __future__ import annotations

import re

from tui.session.breaking.condition import Condition
from tui.session.breaking.syntax import ExpressionError
from tui.session.breaking.targets import Called, Operation

NODE = re.compile(r"(?:node\s+)?(\d{1,9})", re.ASCII)

TARGET = re.compile(r"(node|op|name)\s+(?![=!<>])(?!(?:in|not|and|or|is)[\s(])(.+)")
"""`op matmul`, but neither `op == "matmul"` nor `op in ("add", "matmul")`."""


def parse_stop(text: str) -> int | Operation | Called | Condition:
    """Where to stop: `12` or `node 12` (its number is given), `op matmul`, `name linear*.weight`,
    or a condition.

    Raises:
        ExpressionError: it is none of these.
    """
    target = _target(text)
    return Condition(text.strip()) if target is None else target


def parse_watch(text: str) -> int | Operation | Called:
    """What to watch: a node's number, `op matmul`, `name b`, or just a name.

    Raises:
        ExpressionError: there is nothing to watch.
    """
    if not text.strip():
        raise ExpressionError("a name is missing, such as linear*.weight", text)
    target = _target(text)
    return Called(text.strip()) if target is None else target


def _target(text: str) -> int | Operation | Called | None:
    if number := NODE.fullmatch(text.strip()):
        return int(number[1])
    if target := TARGET.fullmatch(text.strip()):
        kind, pattern = target.groups()
        if kind == "node":
            start = text.index(pattern)
            raise ExpressionError(
                f"a node is given by its number; for its name write: name {pattern}",
                text,
                start,
                start + len(pattern),
            )
        return Operation(pattern) if kind == "op" else Called(pattern)
    return None
