"""How parameters and ReLUs lie in the graph of a loss."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import engine
from engine.graph import backward_order
from tui.session.training.monitor.gates import gates_in

Gates = frozenset[int]
"""ReLUs, by their place among those of the graph."""


class Flow:
    """Which ReLU a parameter feeds, from which one it gets its input, and which ones its gradient
    has to come through.

    Args:
        loss: the root of the graph.
        parameters: the tensors that are asked for.
    """

    def __init__(self, loss: engine.Tensor, parameters: Iterable[engine.Tensor]) -> None:
        self._order = backward_order(loss)
        self._parents = {
            id(node): [p for p in node.parents() if p.requires_grad] for node in self._order
        }
        self.gates = gates_in(loss)
        self._place = {id(gate): i for i, gate in enumerate(self.gates)}
        self._wanted = {id(parameter) for parameter in parameters}
        self.reached = self._wanted & self._parents.keys()
        """The parameters below the loss, by id."""
        self.feeds: dict[int, int] = {}
        """By the parameter's id, the ReLU that it is before, with no other one between."""
        for i, gate in enumerate(self.gates):
            for parameter in self._parameters_before(gate):
                self.feeds.setdefault(parameter, i)
        self.hears: dict[int, int] = self._heard()
        """By the parameter's id, the ReLU whose result it is applied to."""

    def last_first(self, parameters: Sequence[engine.Tensor]) -> list[engine.Tensor]:
        """Those of the parameters that the loss depends on, the one nearest to it first."""
        steps, waiting = {id(self._order[0]): 0}, deque([self._order[0]])
        while waiting:
            node = waiting.popleft()
            for parent in self._parents[id(node)]:
                if id(parent) not in steps:
                    steps[id(parent)] = steps[id(node)] + 1
                    waiting.append(parent)
        return sorted((p for p in parameters if id(p) in steps), key=lambda p: steps[id(p)])

    def behind(self, gate: int) -> set[int]:
        """The ids of the parameters below a ReLU that are in no way but through it."""
        open_ways = self._below(self._order[0], self.gates[gate])
        return {p for p in self._wanted if p in self.reached and p not in open_ways}

    def _below(self, root: engine.Tensor, without: engine.Tensor) -> set[int]:
        seen: set[int] = set()
        stack = [root]
        while stack:
            node = stack.pop()
            if id(node) not in seen and node is not without:
                seen.add(id(node))
                stack += self._parents[id(node)]
        return seen

    def _parameters_before(self, gate: engine.Tensor) -> list[int]:
        found: list[int] = []
        seen: set[int] = set()
        stack = list(self._parents[id(gate)])
        while stack:
            node = stack.pop()
            if id(node) in seen or id(node) in self._place:
                continue
            seen.add(id(node))
            if id(node) in self._wanted:
                found.append(id(node))
            stack += self._parents[id(node)]
        return found

    def _heard(self) -> dict[int, int]:
        """Where a parameter (or a view of it) meets what came through a ReLU."""
        nearest: dict[int, Gates] = {}
        stands_for: dict[int, int] = {}  # a parameter, also seen through permute and the like
        heard: dict[int, int] = {}
        for node in reversed(self._order):
            parents = self._parents[id(node)]
            if id(node) in self._wanted:
                stands_for[id(node)] = id(node)
            elif len(parents) == 1 and id(parents[0]) in stands_for:
                stands_for[id(node)] = stands_for[id(parents[0])]
            nearest[id(node)] = gates = Gates().union(
                *(self._just_below(parent, nearest) for parent in parents)
            )
            if len(gates) == 1:
                for parent in parents:
                    parameter = stands_for.get(id(parent))
                    if parameter is not None and not nearest[id(parent)]:
                        heard.setdefault(parameter, next(iter(gates)))
        return heard

    def _just_below(self, parent: engine.Tensor, nearest: dict[int, Gates]) -> Gates:
        place = self._place.get(id(parent))
        return nearest[id(parent)] if place is None else Gates([place])
