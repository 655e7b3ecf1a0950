"""The base of everything that has parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.nn.parameter import Parameter
from engine.origin import calling
from engine.state import STATE


class Module:
    """A function with parameters. Subclasses set attributes and define `forward`.

    Attributes that are Parameters or Modules are registered under their names, in the order in
    which they were first set.
    """

    _modules: dict[str, Module]
    _parameters: dict[str, Parameter]

    def __init__(self) -> None:
        object.__setattr__(self, "_modules", {})
        object.__setattr__(self, "_parameters", {})

    def __setattr__(self, name: str, value: Any) -> None:
        registered = self.__dict__.get("_modules"), self.__dict__.get("_parameters")
        modules, parameters = registered
        if modules is None or parameters is None:
            if isinstance(value, (Module, Parameter)):
                raise AttributeError(
                    f"{type(self).__name__}: call super().__init__() before setting {name}"
                )
            object.__setattr__(self, name, value)
            return
        kept: dict[str, Any] | None = None
        if isinstance(value, Parameter):
            kept = parameters
        elif isinstance(value, Module):
            kept = modules
        for registry in registered:
            if registry is not kept and registry is not None:
                registry.pop(name, None)
        if kept is None:
            object.__setattr__(self, name, value)
        else:
            self.__dict__.pop(name, None)
            kept[name] = value

    def __getattr__(self, name: str) -> Any:
        for registry in ("_parameters", "_modules"):
            registered = self.__dict__.get(registry, {})
            if name in registered:
                return registered[name]
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        for registry in (self._parameters, self._modules):
            if name in registry:
                del registry[name]
                return
        object.__delattr__(self, name)

    def modules(self) -> Iterator[Module]:
        """The direct children."""
        yield from self._modules.values()

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module (named `prefix`) and all below it, with dotted names; each once."""
        seen: set[int] = set()
        open_modules = [(prefix, self)]
        while open_modules:
            path, module = open_modules.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            open_modules.extend(
                (_joined(path, name), child)
                for name, child in reversed(list(module._modules.items()))
            )

    def named_parameters(self, recurse: bool = True) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their dotted names, this module's own first; each once."""
        seen: set[int] = set()
        modules = self.named_modules() if recurse else [("", self)]
        for path, module in modules:
            for name, parameter in module._parameters.items():
                if id(parameter) not in seen:
                    seen.add(id(parameter))
                    yield _joined(path, name), parameter

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, this module's own first, then (with `recurse`) those below."""
        for _, parameter in self.named_parameters(recurse):
            yield parameter

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What a call computes: subclasses say."""
        raise NotImplementedError(f"{type(self).__name__} has no forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not STATE.origins_enabled:
            return self.forward(*args, **kwargs)
        with calling(self):
            return self.forward(*args, **kwargs)

    def extra_repr(self) -> str:
        """What stands between the parentheses of the repr, before the children."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        if not self._modules:
            return f"{type(self).__name__}({extra})"
        lines = [extra] if extra else []
        for name, child in self._modules.items():
            lines.append(f"({name}): " + repr(child).replace("\n", "\n  "))
        return f"{type(self).__name__}(\n" + "".join(f"  {line}\n" for line in lines) + ")"


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
