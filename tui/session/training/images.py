"""The page of test images: what the network says of each, the wrong ones first."""

from __future__ import annotations

from typing import Any

from tui.session.explanation import Item
from tui.session.tensors.pictures import SIDE, draw_small
from tui.session.training.predictions import Predictions, predictions
from tui.session.training.session import TrainingSession

BLANK: Item = ("line", "", "")
"""Unlike a gap it stays on a page that is longer than the screen."""

MOST = 100
"""How many images a page has."""

CELL = SIDE // 2 + 2
"""How many columns an image takes, with the space beside it."""


def show_images(session: TrainingSession, width: int) -> None:
    """Show the page of test images.

    Args:
        session: whose test data is shown, with the weights of now.
        width: how many columns the page has.

    Raises:
        Refused: there are no classes to be right or wrong about.
    """
    found = predictions(session.training)
    inputs = found.inputs
    are_images = inputs[0].size == SIDE * SIDE
    pictures = inputs.reshape(len(inputs), SIDE, SIDE) if are_images else None
    order = found.worst_first()[:MOST]
    wrong = int((~found.is_right).sum())
    count = len(found.labels)
    items: list[Item] = [
        (
            "line",
            f"{wrong:,} of {count:,} wrong, the surest of them first"
            + (f"; {MOST} are shown" if count > MOST else ""),
            "",
        ),
        BLANK,
    ]
    if pictures is None:
        for i in order:
            said, is_label = _captions(found, int(i))
            items.append(("line" if found.is_right[i] else "strong", f"{i:>6}  {said}", is_label))
    else:
        across = max(1, (width - 2) // CELL)
        for first in range(0, len(order), across):
            items += _row(found, pictures, [int(i) for i in order[first : first + across]])
    session.show_page(f"Test images, after batch {session.training.position}", items)


def _row(found: Predictions, pictures: Any, examples: list[int]) -> list[Item]:
    drawn = [draw_small(pictures[i]) for i in examples]
    captions = [_captions(found, i) for i in examples]
    kind = "strong" if not all(found.is_right[i] for i in examples) else "line"
    return [
        *(("line", "".join(f"{rows[y]:<{CELL}}" for rows in drawn), "") for y in range(SIDE // 4)),
        (kind, "".join(f"{said:<{CELL}}" for said, _ in captions).rstrip(), ""),
        ("line", "".join(f"{label:<{CELL}}" for _, label in captions).rstrip(), ""),
        BLANK,
    ]


def _captions(found: Predictions, example: int) -> tuple[str, str]:
    """What the network says of an example, and what it is."""
    said, label = int(found.said[example]), int(found.labels[example])
    shares = found.shares[example]
    if said == label:
        return f"right: {said} {_share(shares[said])}", f"number {example}"
    return f"says {said}  {_share(shares[said])}", f"is a {label}  {_share(shares[label])}"


def _share(share: float) -> str:
    return f"{share:>5.0%}" if share == share else f"{'NaN':>5}"
