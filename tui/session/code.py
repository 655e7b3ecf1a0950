"""The source pane: the scenario around the line that made a node, and a backward function."""

from __future__ import annotations

import functools
import io
import keyword
import token
import tokenize
from collections.abc import Callable, Sequence
from typing import Any

from tui.session.formulas import source_of
from tui.session.protocol import Graph

Json = dict[str, Any]

Mark = tuple[int, int, str]
"""From which column of a line to which there is a `keyword`, a `string` or a `comment`."""

SCENARIO_LINES = 40
"""How many lines of the scenario are sent, around the one that made the node."""

_STRINGS = {token.STRING} | {
    kind
    for name in ("FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END")
    if (kind := getattr(token, name, None)) is not None  # from Python 3.12 on
}


def scenario_code(filename: str, source: Sequence[str], line: int | None) -> Json:
    """The scenario's lines around one of them, with what is to be highlighted in each."""
    first = max(0, (line or 1) - 1 - SCENARIO_LINES // 2)
    last = first + SCENARIO_LINES
    return {
        "filename": filename,
        "line": line,
        "first": first + 1,
        "lines": list(source[first:last]),
        "marks": marks_of(tuple(source))[first:last],
    }


def called_code(graph: Graph, revealed: int | None) -> Json | None:
    """The backward function that the step shown has called last, or else the one that is called
    next: before the first step, where only a formula is shown yet, and after a leaf's step, which
    calls none. None where there is none, or its source is not to be had.

    Args:
        graph: its pass stands where the session does.
        revealed: how many half edges of the last step are shown; None for all of it.
    """
    function, is_next = _called(graph, revealed)
    lines = None if function is None else source_of(function)
    if lines is None:
        return None
    own = (getattr(function, "__module__", "") or "").startswith("engine.")
    return {
        "owner": "engine" if own else "yours",
        "when": "next" if is_next else "last",
        "lines": lines,
        "marks": marks_of(tuple(lines)),
    }


def _called(graph: Graph, revealed: int | None) -> tuple[Callable[..., Any] | None, bool]:
    """A backward function, and whether it is still to be called."""
    if graph.position:
        edges = graph.taken(graph.position - 1).edges
        if revealed is not None:
            return edges[(revealed - 1) // 2].backward, revealed % 2 == 1
        if edges:
            return edges[-1].backward, False
    if graph.position == graph.step_count:
        return None, False
    upcoming = graph.upcoming(graph.position)
    return (upcoming[0] if upcoming else None), True


@functools.lru_cache(maxsize=256)
def marks_of(lines: tuple[str, ...]) -> list[list[Mark]]:
    """For each line what is to be highlighted in it, from left to right.

    What follows a place that Python's tokenizer does not understand has no marks.
    """
    marks: list[list[Mark]] = [[] for _ in lines]
    reader = io.StringIO("\n".join(lines) + "\n").readline
    try:
        for found in tokenize.generate_tokens(reader):
            kind = _kind(found)
            if kind:
                (row, column), (last_row, end) = found.start, found.end
                for y in range(row, last_row + 1):
                    start = column if y == row else 0
                    stop = end if y == last_row else len(lines[y - 1])
                    if stop > start:
                        marks[y - 1].append((start, stop, kind))
    except (tokenize.TokenError, SyntaxError):
        pass
    return marks


def _kind(found: tokenize.TokenInfo) -> str:
    if found.type == token.NAME and keyword.iskeyword(found.string):
        return "keyword"
    if found.type in _STRINGS:
        return "string"
    return "comment" if found.type == token.COMMENT else ""
