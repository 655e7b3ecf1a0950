"""Modules that hold other modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, overload

from engine.nn.joined_layers import JoinedLayers
from engine.nn.module import Module


class _Numbered(Module):
    """Modules in their order, named 0, 1, 2 ... (or otherwise)."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> Module | Self:
        if not isinstance(index, slice):
            return list(self._modules.values())[index]
        part = type(self)()
        for name, module in list(self._modules.items())[index]:
            setattr(part, name if isinstance(part, Sequential) else str(len(part)), module)
        return part

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, list(self._modules)[index], _checked(self, module))

    def append(self, module: Module) -> Self:
        """Put a module at the end."""
        setattr(self, str(len(self)), _checked(self, module))
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Put modules at the end."""
        for module in modules:
            self.append(module)
        return self


class Sequential(_Numbered):
    """Modules called in their order, each with the result of the one before; named 0, 1, 2 ...

    A single dict names them otherwise.
    """

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        super().__init__()
        self._joined = JoinedLayers()
        named: Mapping[str, Any] = {str(i): module for i, module in enumerate(modules)}
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            named = modules[0]
        for name, module in named.items():
            setattr(self, name, _checked(self, module))

    def forward(self, x: Any) -> Any:
        """What the first module takes, to what the last one gives."""
        for part in self._joined.parts_of(self._modules):
            x = part(x)
        return x


class ModuleList(_Numbered):
    """A list whose modules are registered; it cannot be called itself."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        self.extend(modules)

    def __repr__(self) -> str:
        """Equal neighbours on one line, as PyTorch shows them."""
        runs: list[tuple[int, int, str]] = []
        for i, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], i, text)
            else:
                runs.append((i, i, text))
        lines = [
            (f"({a}): {text}" if a == b else f"({a}-{b}): {b - a + 1} x {text}").replace(
                "\n", "\n  "
            )
            for a, b, text in runs
        ]
        if not lines:
            return "ModuleList()"
        return "ModuleList(\n" + "".join(f"  {line}\n" for line in lines) + ")"


def _checked(container: Module, module: Any) -> Module:
    if not isinstance(module, Module):
        raise TypeError(f"{type(container).__name__} holds Modules, not {type(module).__name__}")
    return module
