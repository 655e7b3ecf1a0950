"""Rows of text with marks, which the screen turns into styles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Part = tuple[str, str]
"""Text and its mark: plain, strong, quiet, title, cursor, marked, bad, chosen, negative,
positive or bar."""
Row = list[Part]


def joined(parts: Iterable[Part]) -> Row:
    """The parts, those with the same mark made one."""
    row: Row = []
    for text, mark in parts:
        if row and row[-1][1] == mark:
            row[-1] = (row[-1][0] + text, mark)
        elif text:
            row.append((text, mark))
    return row


def plain_text(row: Row) -> str:
    """A row without its marks."""
    return "".join(text for text, _ in row)


def flowing(words: Sequence[Part], width: int, column: int = 1) -> list[Row]:
    """Words that are not to be broken, at least two blanks apart, in rows of at most `width`.

    Args:
        words: with their marks.
        width: of a row.
        column: each word begins at a multiple of so many cells.
    """
    rows: list[Row] = []
    used = width + 1
    for text, mark in words:
        gap = 2 + -(used + 1) % column
        if used + gap + len(text) > width:
            rows.append([(f" {text}", mark)])
            used = 1 + len(text)
        else:
            rows[-1] += [(" " * gap, "plain"), (text, mark)]
            used += gap + len(text)
    return rows
