"""The base of everything that has parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from engine.nn.parameter import Parameter
from engine.nn.state_dict import LoadResult, load_state, state_of
from engine.origin import calling
from engine.registry import Array
from engine.state import STATE, SWITCHES
from engine.tensor import Tensor


class _Attributes:
    """Counts how often attributes of modules were set or deleted."""

    def __init__(self) -> None:
        self.version = 0

    def note_change(self) -> None:
        """One was: to be called by whoever does it past `setattr`."""
        self.version += 1


ATTRIBUTES = _Attributes()
"""What was found out of modules holds for as long as `ATTRIBUTES.version` stays."""


class Module:
    """A function with parameters. Subclasses set attributes and define `forward`.

    Attributes that are Parameters or Modules are registered under their names, in the order in
    which they were first set.
    """

    _modules: dict[str, Module]
    _parameters: dict[str, Parameter]
    _buffers: dict[str, Tensor]
    _passing: set[str]
    """The names of the buffers that are no part of `state_dict()`."""

    training: bool
    """Whether layers that behave otherwise in evaluation are to behave as in training."""

    def __init__(self) -> None:
        object.__setattr__(self, "_modules", {})
        object.__setattr__(self, "_parameters", {})
        object.__setattr__(self, "_buffers", {})
        object.__setattr__(self, "_passing", set())
        object.__setattr__(self, "training", True)

    def __setattr__(self, name: str, value: Any) -> None:
        if "training" not in self.__dict__:
            if isinstance(value, (Module, Parameter)):
                raise AttributeError(
                    f"{type(self).__name__}: call super().__init__() before setting {name}"
                )
            object.__setattr__(self, name, value)
            return
        registries = self._registries()
        kept: dict[str, Any] | None = None
        if isinstance(value, Parameter):
            kept = self._parameters
        elif isinstance(value, Module):
            kept = self._modules
        elif isinstance(value, Tensor) and name in self._buffers:
            kept = self._buffers
        for registry in registries:
            if registry is not kept:
                registry.pop(name, None)
        if kept is not None:
            kept[name] = value
        # Registered or not, it is an ordinary attribute: reading it costs no more than that.
        object.__setattr__(self, name, value)
        ATTRIBUTES.note_change()

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        for registry in self._registries():
            registry.pop(name, None)
        ATTRIBUTES.note_change()

    def _registries(self) -> tuple[dict[str, Any], ...]:
        return self._parameters, self._buffers, self._modules

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Keep a tensor that is no parameter but belongs to the module's state.

        Args:
            name: the attribute that it becomes.
            tensor: None only sets the attribute to None.
            persistent: whether it is part of `state_dict()`.

        Raises:
            TypeError: it is no Tensor.
            KeyError: the name is taken, or cannot be an attribute's.
        """
        if not name or "." in name or hasattr(self, name):
            raise KeyError(f"register_buffer: {name!r} is taken, or no name of an attribute")
        if tensor is not None:
            if not isinstance(tensor, Tensor):
                raise TypeError(
                    f"register_buffer: {name} is to be a Tensor, not {type(tensor).__name__}"
                )
            self._buffers[name] = tensor
            if not persistent:
                self._passing.add(name)
        setattr(self, name, tensor)

    def modules(self) -> Iterator[Module]:
        """The direct children."""
        yield from self._modules.values()

    def children(self) -> Iterator[Module]:
        """The direct children."""
        yield from self._modules.values()

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct children with their names."""
        yield from self._modules.items()

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
        yield from self._named("_parameters", recurse)

    def named_buffers(self, recurse: bool = True) -> Iterator[tuple[str, Tensor]]:
        """The buffers with their dotted names, this module's own first; each once."""
        yield from self._named("_buffers", recurse)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, this module's own first, then (with `recurse`) those below."""
        for _, buffer in self.named_buffers(recurse):
            yield buffer

    def _named(self, registry: str, recurse: bool) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules() if recurse else [("", self)]
        for path, module in modules:
            for name, tensor in module.__dict__[registry].items():
                if id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield _joined(path, name), tensor

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, this module's own first, then (with `recurse`) those below."""
        for _, parameter in self.named_parameters(recurse):
            yield parameter

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and in all modules below."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """The same as `train(False)`."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set `requires_grad` of all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` with every module below, children before their parents, and with this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def state_dict(self) -> dict[str, Array]:
        """Copies of all parameters and buffers under PyTorch's names."""
        return state_of(self)

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> LoadResult:
        """Copy a state into the parameters and buffers, in place: an optimiser goes on with them.

        Nothing is changed where there is an error.

        Args:
            state: arrays, our Tensors or PyTorch's, under the names of `state_dict()`.
            strict: whether a name that is missing or not known is an error.

        Returns:
            The missing and the unexpected names.

        Raises:
            RuntimeError: names are missing or not known: all of them are told.
            ShapeError: something has another shape: its name and both shapes are told.
            TypeError: something has a dtype that cannot become its own, or is no array.
        """
        return load_state(self, state, strict)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What a call computes: subclasses say."""
        raise NotImplementedError(f"{type(self).__name__} has no forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not (SWITCHES.turned and STATE.origins_enabled):
            if len(args) == 1 and not kwargs:
                return self.forward(args[0])
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
