"""What the screen shows, in lines of words: no columns, no bars, no glyph that has to be seen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tui.session.breaking import PAGE as BREAKPOINTS
from tui.widgets import glyphs

Json = dict[str, Any]
Item = Sequence[str]
"""(kind, left, right), see `tui.session.explanation`."""

SAID = (
    (re.compile(r"\s*≈"), " is about"),
    (re.compile(r" → "), " to "),
    (re.compile(r"…"), "..."),
    (re.compile(r"any key stops it"), "Ctrl+C stops it"),
    (re.compile(r"^! "), "Problem: "),
)
"""What stands for glyphs, and for keys that are none here."""

PICTURED = re.compile("[\u2580-\u259f\u2801-\u28ff]")
"""In a row of a picture."""

NONE = re.compile(r"(?<= )·(?= |$)")
"""In a table, in the place of a 0."""

UNSEEN = ("gap", "rule")
"""Items that only the eye needs."""

RESULT_FOLLOWS = ("=", "gives", "is about", "is not")
"""How a formula ends whose result is the item's right part."""

STATES = {"rests": "needs no gradient"}
"""How far a node is, where the screen's own word would not do."""


def said(text: str) -> str:
    """A text of the session's in words."""
    for glyph, words in SAID:
        text = glyph.sub(words, text)
    return text


def told(items: Iterable[Item]) -> list[str]:
    """Items as lines."""
    return [line for item in items if (line := _line(*item)).strip()]


def _line(kind: str, left: str, right: str) -> str:
    if kind in UNSEEN:
        return ""
    if kind == "bars":
        low, *_, high = left.split()
        return f"  from {low} to {high}"
    if kind == "key":
        return said(f"{left.strip()}: {right}" if left.strip() else right)
    if not right:
        return said(left)
    indent = left[: len(left) - len(left.lstrip())]
    left = said(" ".join(left.split()))
    if left.endswith(RESULT_FOLLOWS):
        return f"{indent}{left} {said(right)}"
    return f"{indent}{left}{', ' if kind in ('title', 'given') else ': '}{said(right)}"


def page(title: str, items: Sequence[Item]) -> list[str]:
    """A page that lies over the body on the screen."""
    if title == BREAKPOINTS:  # without what its glyphs in the rail mean
        items = [item for item in items if tuple(item[:2]) != ("key", "rail")]
    items = [item for item in items if not PICTURED.search(item[1])]
    return [title, *(NONE.sub("0", line) for line in told(items))]


def tensors(view: Json) -> list[str]:
    """The tensors of the node under the cursor."""
    return told(view["tensors"])


def rail(view: Json) -> Iterator[str]:
    """The nodes that stand in the rows of the rail: one a line, its state in words."""
    for row in view["rail"]:
        words = [row["label"]]
        if row["shape"]:
            words.append(row["shape"])
        words += _arrived(row)
        if row["mark"]:
            words.append(_mark(row["mark"]))
        if row["id"] == view["cursor"]:
            words.append("the cursor")
        state = STATES.get(row["state"], row["state"])
        yield said(f"node {row['id']}, {state}: {', '.join(words)}")


def _mark(mark: str) -> str:
    return {
        "breakpoint": "breakpoint",
        "off": "breakpoint that is off",
        "both": "breakpoint and watched",
    }.get(mark, mark)


def watched(row: Json) -> str:
    """A watched node."""
    amount = ", ".join(_arrived(row)) or "nothing yet"
    return said(f"watched node {row['id']}, {row['label']}: {amount}")


def _arrived(row: Json) -> list[str]:
    """What has come to a row's node, and the note on it."""
    norm = "norm " if row["shape"] else ""
    words = [f"gradient {norm}{row['grad']}"] if row["grad"] else []
    if row["note"] and row["state"] != "rests":
        of = " contributions" if row["state"] == "waits" and " of " in row["note"] else ""
        words.append(row["note"] + of)
    return words


def source(view: Json) -> list[str]:
    """The scenario around the line that made the node under the cursor, and the backward function
    that is or was called."""
    code, called = view["source"], view["called"]
    current = code["line"]
    lines = [code["filename"] + ("" if current is None else f", line {current} made the node")]
    around = range(code["first"], code["first"] + len(code["lines"]))
    lines += [
        f"{number:>4}  {text}"
        for number, text in zip(around, code["lines"], strict=True)
        if current is None or abs(number - current) <= AROUND
    ]
    if called:
        lines += [f"{called['owner']}, called {called['when']}", *called["lines"]]
    return lines


AROUND = 6
"""So many lines of the scenario are told before and after the one that made a node."""


def tensor(view: Json) -> list[str]:
    """The window of a tensor: where the cursor is, the numbers, how they are spread."""
    rows = [
        glyphs.to_ascii(said("".join(_part(*part) for part in row))).rstrip()
        for row in view["rows"]
        if not any(mark == "bar" for _, mark in row)
    ]
    return [f"{view['label']}, {view['kind']}", *(row for row in rows if row.strip())]


def _part(text: str, mark: str) -> str:
    return text.removeprefix("► ") if mark == "chosen" and len(text) > 2 else text
