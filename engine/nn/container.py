"""Modules one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.nn.module import Module


class Sequential(Module):
    """Modules called in their order, each with the result of the one before; named 0, 1, 2 ..."""

    def __init__(self, *modules: Module) -> None:
        super().__init__()
        for i, module in enumerate(modules):
            setattr(self, str(i), module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __getitem__(self, index: int) -> Module:
        return list(self._modules.values())[index]

    def forward(self, x: Any) -> Any:
        """What the first module takes, to what the last one gives."""
        for module in self._modules.values():
            x = module(x)
        return x
