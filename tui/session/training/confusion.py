"""The confusion matrix of the test data: what was taken for what."""

from __future__ import annotations

from typing import Any

import numpy as np

from tui.session.explanation import GAP, Item
from tui.session.training.predictions import predictions
from tui.session.training.session import TrainingSession

SHARE = 8
"""Columns for the share of a class that is right."""

WORST = 5
"""How many confusions are told in words."""


def show_confusion(session: TrainingSession, width: int) -> None:
    """Show the page of the confusion matrix.

    Args:
        session: whose test data is shown, with the weights of now.
        width: how many columns the page has.

    Raises:
        Refused: there are no classes to be confused.
    """
    found = predictions(session.training)
    counts = confusion(found.labels, found.said, found.classes)
    right = int(np.trace(counts))
    items: list[Item] = [
        (
            "line",
            f"{right:,} of {len(found.labels):,} right ({100 * right / len(found.labels):.1f} %)",
            "",
        ),
        GAP,
    ]
    matrix = _matrix(counts, width - 2)
    if matrix:
        items += [*matrix, GAP]
    items += _in_words(counts)
    session.show_page(f"Confusion matrix, after batch {session.training.position}", items)


def confusion(labels: Any, said: Any, classes: int) -> Any:
    """(classes, classes) how often a class, by rows, was said to be one, by columns."""
    flat = np.asarray(labels, np.intp) * classes + said
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


def _matrix(counts: Any, width: int) -> list[Item]:
    """The rows of the matrix; nothing where there is no room for them."""
    digits = len(str(int(counts.max()))) + 1
    needed = len("  0 |") + digits * len(counts)
    if needed > width:
        return []
    has_share = needed + SHARE <= width
    names = "".join(f"{i:>{digits}}" for i in range(len(counts)))
    items: list[Item] = [
        ("line", "is  | said to be", ""),
        ("line", f"    |{names}" + (f"{'right':>{SHARE}}" if has_share else ""), ""),
    ]
    for i, row in enumerate(counts):
        cells = "".join(f"{int(n) if n else '·':>{digits}}" for n in row)
        share = f"{row[i] / row.sum():.0%}" if row.sum() else "none"
        items.append(("line", f"{i:>3} |{cells}" + (f"{share:>{SHARE}}" if has_share else ""), ""))
    return items


def _in_words(counts: Any) -> list[Item]:
    confused = counts - np.diag(np.diag(counts))
    order = np.argsort(-confused, axis=None, kind="stable")[:WORST]
    places = [divmod(int(place), len(counts)) for place in order]
    told = [(int(confused[is_, said]), is_, said) for is_, said in places if confused[is_, said]]
    if not told:
        return [("line", "nothing was confused", "")]
    items: list[Item] = [("line", "Most often", "")]
    for count, is_, said in told:
        items.append(("line", f"  a {is_} was said to be a {said}", _times(count)))
    return items


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
