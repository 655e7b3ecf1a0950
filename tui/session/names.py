"""How tensors and modules are called: as the scenario's author calls them."""

from __future__ import annotations

import ast
import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import engine


def named_tensors(
    namespace: Mapping[str, Any],
    training: engine.Training | None = None,
    source: Sequence[str] = (),
) -> list[tuple[str, engine.Tensor]]:
    """Names and tensors: of several module-level names the first bound one; parameters as
    `named_parameters` says, after the module's own name where there are several modules.

    Args:
        namespace: the module-level names in the order in which they were bound first.
        training: its model's parameters are named without a prefix.
        source: the scenario's lines; a name that is bound anew there got its tensor late.
    """
    again = _bound_again(tuple(source))
    parameters: dict[int, tuple[str, engine.Tensor]] = {}
    for prefix, module in _outermost_modules(namespace, training):
        for name, parameter in module.named_parameters():
            parameters.setdefault(id(parameter), (f"{prefix}{name}", parameter))
    names: dict[int, tuple[str, engine.Tensor]] = {}
    for name, value in sorted(namespace.items(), key=lambda item: item[0] in again):
        if isinstance(value, engine.Tensor):
            names.setdefault(id(value), parameters.get(id(value), (name, value)))
    return list({**names, **parameters}.values())


@functools.lru_cache(maxsize=2)
def _bound_again(source: tuple[str, ...]) -> set[str]:
    """The names to which a module binds something more than once."""
    count: Counter[str] = Counter()
    statements: list[ast.AST] = [ast.parse("\n".join(source))]
    while statements:
        node = statements.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            count[node.id] += 1
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            statements.extend(ast.iter_child_nodes(node))
    return {name for name, times in count.items() if times > 1}


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
