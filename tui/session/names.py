"""How tensors and modules are called: as the scenario's author calls them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import engine


def tensor_names(
    namespace: Mapping[str, Any], training: engine.Training | None = None
) -> dict[int, str]:
    """Names by `id(tensor)`: of several module-level names the first bound one; parameters as
    `named_parameters` says, after the module's own name where there are several modules."""
    names: dict[int, str] = {}
    for name, value in namespace.items():
        if isinstance(value, engine.Tensor):
            names.setdefault(id(value), name)
    for prefix, module in _outermost_modules(namespace, training):
        for name, parameter in module.named_parameters():
            names.setdefault(id(parameter), f"{prefix}{name}")
    return names


def module_names(
    namespace: Mapping[str, Any], training: engine.Training | None = None
) -> dict[int, str]:
    """Dotted names by `id(module)`; the only (or the trained) model itself has an empty one."""
    names: dict[int, str] = {}
    for prefix, module in _outermost_modules(namespace, training):
        for name, inner in module.named_modules():
            names.setdefault(id(inner), f"{prefix}{name}".rstrip("."))
    return names


def _outermost_modules(
    namespace: Mapping[str, Any], training: engine.Training | None
) -> list[tuple[str, engine.Module]]:
    """Modules with the prefix of their parameters, the trained model first."""
    found: dict[int, tuple[str, engine.Module]] = {}
    if training is not None and isinstance(training.model, engine.Module):
        found[id(training.model)] = ("", training.model)
    bound = {
        id(v): (f"{name}.", v) for name, v in namespace.items() if isinstance(v, engine.Module)
    }
    inner = {
        id(part) for _, module in bound.values() for name, part in module.named_modules() if name
    }
    outermost = [pair for key, pair in bound.items() if key not in inner]
    if training is None and len(outermost) == 1:
        outermost = [("", outermost[0][1])]
    for prefix, module in outermost:
        found.setdefault(id(module), (prefix, module))
    return list(found.values())
