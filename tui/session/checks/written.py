"""Whether a backward function of the user's has written into what it was given."""

from __future__ import annotations

from typing import Any

from tui.places import is_ours
from tui.session import formulas
from tui.session.checks.saved import Saved
from tui.session.facts import function_name
from tui.session.protocol import DIRECT_WRITE, Graph


class Given:
    """What the backward functions of a node are about to be given, to be looked at once more when
    they have returned.

    Args:
        graph: its next step is that of the node.
        node: whose step it is.
    """

    def __init__(self, graph: Graph, node: int) -> None:
        self.node = node
        self._functions = [f for f in graph.upcoming(node) if not is_ours(f)]
        self._values: list[Any] = []
        if self._functions:
            self._values = [graph.grad(node), graph.value(node), *graph.arguments(node)]
        self._saved = Saved(self._values)

    @property
    def receivers(self) -> str:
        """The functions, by name."""
        return " or ".join(dict.fromkeys(map(function_name, self._functions)))

    def changes(self) -> list[str]:
        """What was written into, in words."""
        if not self._functions:
            return []
        names = formulas.parameter_names(self._functions[0])
        said = []
        for position, value in enumerate(self._values):
            difference = self._saved.difference(value)
            if difference is not None:
                name = names[position] if position < len(names) else f"argument {position - 2}"
                said.append(
                    f"{self.receivers} changed {name} in place: {difference}. Others use it, too: "
                    "a backward function only reads what it is given."
                )
        return said


class Writers:
    """Remembers whose step has changed what, so that it is not laid to the next node that uses it.

    Args:
        graph: whose steps they are.
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._writers: dict[int, str] = {}
        """By node, who has written into what may be its value."""

    def note(self, given: Given) -> None:
        """The functions that were given this have changed some of it."""
        who = f"{given.receivers} (node {given.node})"
        for node in self._with_arguments(given.node):
            self._writers.setdefault(node, who)

    def told(self, node: int, changed: str) -> str:
        """What was found changed of a node, with who has done it where that is known."""
        writers = (self._writers.get(other) for other in self._with_arguments(node))
        who = next(filter(None, writers), None)
        return changed if who is None else changed.replace(DIRECT_WRITE, f"was changed by {who}")

    def _with_arguments(self, node: int) -> list[int]:
        return [node, *(parent.node for parent in self._graph.nodes[node].parents)]
