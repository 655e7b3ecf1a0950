"""What is shown before the first step: what is wrong already, what the scenario says, and what
will get no gradient."""

from __future__ import annotations

from collections.abc import Iterable

from tui.session.causes import nonfinite
from tui.session.explanation import GAP, Item
from tui.session.labels import Labels
from tui.session.protocol import Graph


def warnings_of(graph: Graph, labels: Labels, warned: Iterable[str]) -> list[Item]:
    """That the parameters are no longer those of the graph, the earliest value that is not finite,
    and what NumPy has warned of; nothing where all is well."""
    problems = [*_outdated(graph), *nonfinite.earliest(graph, labels)]
    problems += [f"NumPy warns of {warning}" for warning in warned]
    items: list[Item] = [("problem", f"! {problem}", "") for problem in problems]
    return [*items, GAP] if items else []


def _outdated(graph: Graph) -> list[str]:
    step = graph.trained_since()
    if step is None:
        return []
    return [
        f"{step} has changed the parameters since this loss was computed, so its pass ends where "
        "it needs them as they were. Compute the loss once more after the loop, or leave a "
        "Training, as the scenario mlp does."
    ]


def unreached(graph: Graph) -> list[Item]:
    """The user's leaves that the pass does not reach; nothing where there are none."""
    leaves = [tensor.name for tensor in graph.unreached() if tensor.leaf]
    if not leaves:
        return []
    return [GAP, ("text", f"No gradient will come to {', '.join(leaves)}: w says why.", "")]


def introduction(title: str, text: str) -> list[Item]:
    """A scenario's title and its introduction, in paragraphs; lists stay lists."""
    items: list[Item] = [("title", title, ""), GAP]
    paragraph: list[str] = []

    def flush() -> None:
        if paragraph:
            items.append(("text", " ".join(paragraph), ""))
            paragraph.clear()

    for line in text.splitlines():
        if not line.strip():
            flush()
            items.append(GAP)
        elif line.lstrip().startswith("- ") or paragraph == ["Look for"]:
            flush()
            paragraph.append(line.strip())
        else:
            paragraph.append(line.strip())
    flush()
    return items
