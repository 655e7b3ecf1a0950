"""The tensors of one node, looked into: what the screen of a tensor is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tui.errors import Refused
from tui.session import numbers
from tui.session.labels import Labels
from tui.session.protocol import Array, Graph
from tui.session.tensors.slices import Index
from tui.session.tensors.view import NUMBERS, TensorView

Json = dict[str, Any]


class Inspector:
    """Looks into the value or the gradient of a node.

    Args:
        graph: whose node it is.
        labels: what nodes are called.
        grad: gives what has arrived at a node, as far as it is shown.
        node: its id.
    """

    def __init__(
        self, graph: Graph, labels: Labels, grad: Callable[[int], Array | None], node: int
    ) -> None:
        self.node = node
        self.is_grad = False
        """Whether the gradient is looked into, not the value."""
        self._graph = graph
        self._labels = labels
        self._grad = grad
        self._view = TensorView()
        self._view.caption = self._said_of_picture
        self._view.open(graph.value(node))

    @property
    def is_counting(self) -> bool:
        """Whether `count` has more to do."""
        return self._array() is not None and self._view.is_counting

    def count(self, seconds: float) -> None:
        """Count for a while."""
        self._view.count(seconds)

    @property
    def tensor(self) -> TensorView:
        """What is looked into.

        Raises:
            Refused: there is no gradient yet.
        """
        array = self._array()
        if array is None:
            raise Refused("there is no gradient here yet; Tab shows the value")
        self._view.open(array)
        return self._view

    def toggle(self) -> None:
        """From the value to the gradient, or back.

        Raises:
            Refused: the node needs no gradient.
        """
        if not self.is_grad and not self._graph.nodes[self.node].requires_grad:
            raise Refused(f"{self._labels.short(self.node)} needs no grad: it has only its value")
        self.is_grad = not self.is_grad

    def view(self, width: int, height: int, chosen: Index | None) -> Json:
        """All that the screen of a tensor shows.

        Args:
            width: columns of its body.
            height: rows of its body.
            chosen: the element of this node that the steps work through.
        """
        array = self._array()
        what = "gradient" if self.is_grad else "value"
        if array is None:
            kind = "none yet"
            rows = [[], [(f" no gradient yet: it waits for {self._waiting()}", "plain")]]
        else:
            self._view.open(array)
            kind = f"{self._view.title()}{self._state()}"
            rows = self._view.draw(width, height, chosen)
        return {
            "node": self.node,
            "label": self._labels.short(self.node),
            "kind": f"{what} {kind}",
            "rows": rows,
            "width": width,
            "height": height,
            "slice": "" if array is None or self._view.where.is_all else self._view.where.text,
            "hint": self._hint(),
            "counting": self.is_counting,
        }

    def _array(self) -> Array | None:
        return self._grad(self.node) if self.is_grad else self._graph.value(self.node)

    def _state(self) -> str:
        waiting = self._graph.waiting(self.node) if self.is_grad else 0
        return f", {waiting} to come" if waiting else ""

    def _waiting(self) -> str:
        count = self._graph.waiting(self.node)
        return f"{count} contribution" + ("s" if count != 1 else "")

    def _hint(self) -> str:
        has_grad = self._graph.nodes[self.node].requires_grad
        other = f"Tab the {'value' if self.is_grad else 'gradient'}, " if has_grad else ""
        if self._view.display == NUMBERS:
            return f"{other}d a heat map, u works this element through."
        return f"{other}d another display, arrows move."

    def _said_of_picture(self, place: Index) -> str:
        """Of an input its label, and what the network makes of it; of a row of weights, whose they
        are."""
        node, batch = self._graph.nodes[self.node], self._graph.batch
        if not place:
            return ""
        is_input = batch is not None and self.node == batch.inputs and not self.is_grad
        if batch is not None and is_input and len(batch.labels) == node.shape[0]:
            return _answer(place[0], batch.labels, batch.outputs)
        is_row_of_weights = node.leaf and node.requires_grad and len(place) == 1
        return f"unit {place[0]}" if is_row_of_weights else ""


def _answer(example: int, labels: Array, outputs: Array | None) -> str:
    if labels.ndim != 1:
        return ""
    label = f"a {numbers.number(labels[example])}"
    if outputs is None or outputs.ndim != 2 or len(outputs) != len(labels):
        return label
    return f"{label}, network says {int(np.argmax(outputs[example]))}"
