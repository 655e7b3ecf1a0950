"""What the names of a condition stand for at a step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tui.session import numbers
from tui.session.breaking.syntax import FLAGS
from tui.session.labels import Labels
from tui.session.protocol import Array, EdgeFacts, Graph, StepFacts


class StepValues:
    """The values of one step; those of an edge's names are of one of its edges.

    Args:
        graph: whose step it is.
        labels: the names of its nodes.
        step: the step, which has been taken.
        edge: one of its edges; None where no edge's name is asked for.
    """

    def __init__(
        self, graph: Graph, labels: Labels, step: StepFacts, edge: EdgeFacts | None = None
    ) -> None:
        self._graph = graph
        self._labels = labels
        self._step = step
        self._edge = edge
        self._node = graph.nodes[step.node]

    def get(self, name: str) -> Any:
        """What a name of `syntax.NAMES` stands for."""
        if name in FLAGS:
            return self.why(name) is not None
        if name in ("contribution", "accumulated"):
            assert self._edge is not None
            return getattr(self._edge, name)
        node = self._node
        match name:
            case "grad_out":
                return self._step.grad_out
            case "value":
                return self._graph.value(node.id)
            case "op":
                return node.op or "leaf"
            case "name":
                return self._labels.short(node.id)
            case "shape":
                return node.shape
            case "dtype":
                return node.dtype
            case "step":
                return self._step.index
        raise KeyError(name)

    def why(self, name: str) -> str | None:
        """Why a flag holds, in words; None where it does not."""
        if name == "changed":
            return self._graph.changed(self._step.node)
        told = {"nan": _nan, "inf": _inf, "zero": _zero, "mismatch": _mismatch}[name]
        return next(
            (
                f"{called} {words}"
                for called, gradient, tensor in self._gradients()
                if (words := told(gradient, self._graph.nodes[tensor].shape, self._dtype(tensor)))
            ),
            None,
        )

    def _gradients(self) -> Iterator[tuple[str, Array, int]]:
        """Each gradient of the step: what it is called, itself, and the tensor that it is of."""
        yield "grad_out", self._step.grad_out, self._step.node
        for edge in self._step.edges:
            parent = self._labels.short(edge.parent)
            yield f"the contribution to {parent}", edge.contribution, edge.parent
            yield f"what {parent} has now", edge.accumulated, edge.parent

    def _dtype(self, tensor: int) -> str:
        return self._graph.nodes[tensor].dtype


def _nan(gradient: Array, shape: tuple[int, ...], dtype: str) -> str | None:
    count = int(np.isnan(gradient).sum())
    return f"has {count:,} NaN" if count else None


def _inf(gradient: Array, shape: tuple[int, ...], dtype: str) -> str | None:
    count = int(np.isinf(gradient).sum())
    return f"has {count:,} Inf" if count else None


def _zero(gradient: Array, shape: tuple[int, ...], dtype: str) -> str | None:
    return "is 0 throughout" if gradient.size and not gradient.any() else None


def _mismatch(gradient: Array, shape: tuple[int, ...], dtype: str) -> str | None:
    if gradient.shape != shape:
        return f"is {numbers.shape(gradient.shape)}, its tensor {numbers.shape(shape)}"
    # A tensor of integers gets its gradient in float32.
    expected = dtype if dtype.startswith("float") else "float32"
    if str(gradient.dtype) != expected:
        return f"is {gradient.dtype}, its tensor {dtype}"
    return None
