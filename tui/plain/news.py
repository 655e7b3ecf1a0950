"""What there is to tell after a command: of two views, what is in the second and not in the
first."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from tui.plain import training, wording

Json = dict[str, Any]


def since(before: Json | None, now: Json) -> list[str]:
    """What is new; nothing where all is as it was.

    Args:
        before: what was shown before, None for nothing.
        now: what is shown now.
    """
    same_kind = before is not None and before["type"] == now["type"]
    return _TELL[now["type"]](before if same_kind else None, now)


def all_of(view: Json) -> list[str]:
    """All that is shown."""
    return since(None, view)


def standing(view: Json) -> str:
    """How far it is, and what comes next."""
    if view["type"] == "training":
        return training.standing(view)
    if view["type"] == "stepping":
        return wording.said(f"{view['done']} of {view['steps']} done. Next: {view['next']}")
    return wording.said(f"{view['done']} of {view['steps']} done. {view['hint']}")


def heading(view: Json) -> list[str]:
    """What is debugged, where the lines that follow do not say so."""
    if view["type"] != "stepping":
        return []
    about = ", ".join(view["about"].split("  "))
    return [] if about in wording.told(shown(view))[:1] else [f"{view['name']}: {about}"]


def _stepping(before: Json | None, now: Json) -> list[str]:
    lines, old = wording.told(shown(now)), wording.told(shown(before)) if before else []
    news = [] if lines == old else lines
    if before and before["under_way"] and before["done"] <= now["done"] <= before["done"] + 1:
        news = _added(old, lines)
    news += _watches(before, now)
    if before is None or standing(before) != standing(now):
        news.append(standing(now))
    return news


def shown(view: Json) -> list[Any]:
    """The items of the step, or of the tensors of another node that the cursor is on."""
    items = view["tensors"] if view["step"] is None else view["step"]
    return list(items or [])


def _added(old: list[str], new: list[str]) -> list[str]:
    """Of a step under way the lines from the first that is new, and its title where that is."""
    pairs = zip(old[1:], new[1:], strict=False)
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
    return [*(new[:1] if new[:1] != old[:1] else []), *new[1 + same :]]


def _watches(before: Json | None, now: Json) -> list[str]:
    old = {row["id"]: row for row in before["watches"]["rows"]} if before else {}
    rows = [row for row in now["watches"]["rows"] if row != old.get(row["id"])]
    return [wording.watched(row) for row in rows]


def _tensor(before: Json | None, now: Json) -> list[str]:
    lines = wording.tensor(now)
    old = wording.tensor(before) if before else []
    if before is None:
        return [*lines, standing(now)]
    if lines == old:
        return []
    moved = lines[:1] == old[:1] and lines[2:] == old[2:]
    news = lines[1:2] if moved else lines
    return news if standing(before) == standing(now) else [*news, standing(now)]


_TELL: Mapping[str, Callable[[Json | None, Json], list[str]]] = {
    "stepping": _stepping,
    "tensor": _tensor,
    "training": training.since,
}
