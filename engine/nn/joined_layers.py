"""Which of the modules of a Sequential are computed as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import zip_longest
from typing import Any

from engine.functions.linear_layers import FUSION, LinearLayers
from engine.nn.activation import ReLU
from engine.nn.linear import Linear
from engine.nn.module import ATTRIBUTES, Module
from engine.registry import BACK_FUNCS
from engine.state import STATE, SWITCHES
from engine.tensor import Tensor

Part = Callable[[Any], Any]


class JoinedLayers:
    """Puts one function in the place of Linear and ReLU modules that follow one another.

    It remembers them for as long as no attribute of any module is set, and no backward
    function.
    """

    def __init__(self) -> None:
        self._modules: list[Module] = []
        self._parts: list[Part] = []
        self._version = -1

    def __reduce__(self) -> tuple[type[JoinedLayers], tuple[()]]:
        return JoinedLayers, ()  # a copy's modules are others

    def parts_of(self, modules: Mapping[str, Module]) -> Iterable[Part]:
        """What is to be called in the place of the modules, in this order."""
        unpatched = (Linear.forward, ReLU.forward, Linear.__call__, ReLU.__call__) == _FORWARDS
        if (SWITCHES.turned and STATE.origins_enabled) or not unpatched:
            return modules.values()
        version = ATTRIBUTES.version + BACK_FUNCS.version
        if version != self._version or self._modules != [*modules.values()]:
            self._join([*modules.values()])
            self._version = version
        return self._parts

    def _join(self, modules: list[Module]) -> None:
        self._modules, self._parts = modules, []
        if not FUSION.allowed():
            self._parts += modules
            return
        run: list[Module] = []
        for module in modules:
            if _continues(run, module):
                run.append(module)
                continue
            self._add(run)
            run = []
            self._parts.append(module)
        self._add(run)

    def _add(self, run: list[Module]) -> None:
        parameters: list[tuple[Tensor, Tensor]] = []
        bends: list[bool] = []
        for module, after in zip_longest(run, run[1:]):
            if isinstance(module, Linear) and module.bias is not None:
                parameters.append((module.weight, module.bias))
                bends.append(isinstance(after, ReLU))
        if bends:
            self._parts.append(LinearLayers(parameters, bends))


def _continues(run: list[Module], module: Module) -> bool:
    """Whether a module can be joined to those before it, or be the first of others."""
    if "forward" in module.__dict__:
        return False
    if type(module) is Linear:
        return module.bias is not None
    return type(module) is ReLU and bool(run) and type(run[-1]) is Linear


_FORWARDS = Linear.forward, ReLU.forward, Linear.__call__, ReLU.__call__
"""What nobody may have replaced."""
