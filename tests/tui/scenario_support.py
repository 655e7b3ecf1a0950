"""The bundled scenarios for their tests: as text, as stepped to their end, and on PyTorch."""

from __future__ import annotations

import contextlib
import sys
import types
from typing import Any
from unittest import mock

import numpy as np
import pytest
from tui_support import load, session_on, text_of, view_of

import engine
from tui.loading import catalog


def source_of(name: str) -> str:
    return (catalog.FOLDER / f"{name}.py").read_text(encoding="utf-8")


class Lesson:
    """A scenario whose pass was stepped as far as it goes."""

    def __init__(self, name: str) -> None:
        self.session = session_on(name)
        self.graph = self.session.graph
        self.ids = {node.name: node.id for node in self.graph.nodes if node.name}
        with contextlib.suppress(engine.BackwardError):
            while self.session.next():
                pass

    def value(self, name: str) -> Any:
        return self.graph.value(self.ids[name]).tolist()

    def grad(self, name: str) -> Any:
        """What has arrived at a node, in numbers that stand in a docstring."""
        grad = self.graph.grad(self.ids[name])
        return None if grad is None else rounded(grad)

    def handed(self, name: str, parent: str) -> list[Any]:
        """What a node's step contributed to a parent, edge by edge."""
        edges = self.graph.taken(self.ids[name]).edges
        return [rounded(e.contribution) for e in edges if e.parent == self.ids[parent]]

    def explained(self, name: str) -> str:
        """What the screen says of a node's step."""
        self.session.go_to(self.ids[name] + 1)
        return text_of(view_of(self.session)["step"])


def rounded(array: Any) -> Any:
    return np.round(np.asarray(array, np.float64), 6).tolist()


def docstring(name: str) -> str:
    """A scenario's docstring with its line breaks taken for blanks."""
    return " ".join((load(name).namespace["__doc__"] or "").split())


def in_torch(name: str) -> dict[str, Any]:
    """The names of a scenario that was run, word for word, on PyTorch."""
    torch = pytest.importorskip("torch")
    names = ("exp", "log", "no_grad", "relu", "sigmoid", "sqrt", "where")
    shim = types.ModuleType("engine")
    vars(shim).update({one: getattr(torch, one) for one in names})
    vars(shim)["Tensor"] = torch.tensor
    namespace: dict[str, Any] = {}
    with mock.patch.dict(sys.modules, {"engine": shim}):
        exec(compile(source_of(name), name, "exec"), namespace)
    return namespace
