"""What all optimisers have in common."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from engine.errors import ShapeError
from engine.inplace import RepeatedChange
from engine.registry import Array
from engine.tensor import Tensor

State = dict[str, Any]
"""What an optimiser remembers of one parameter: arrays of its shape, and numbers."""


class Optimizer:
    """Holds parameters and changes them; subclasses say how, in `_update`.

    Args:
        params: the tensors to train: leaves that require grad, each once.
        lr: the learning rate; the attribute can be changed at any time.

    Raises:
        ValueError: there are no parameters, one cannot be trained, or the learning rate is
            negative or not a number.
        TypeError: a parameter is no Tensor, or not of floats.
    """

    _settings: ClassVar[tuple[str, ...]] = ("lr",)
    """The attributes that `state_dict` keeps, under PyTorch's names."""

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        self.params = _checked(type(self).__name__, params)
        self._check_setting("lr", lr)
        self.lr = lr
        self.initial_lr: float
        """Where a scheduler sets `lr`: what it was before."""
        self.state: list[State] = [{} for _ in self.params]
        """For each parameter what was remembered of it; empty before its first change."""
        self._scratch: list[Array] = []
        self._changes = RepeatedChange(f"{type(self).__name__}.step")

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for param in self.params:
            param._grad = None

    def step(self) -> None:
        """Change the parameters that have a gradient, in place and unrecorded."""
        grads: list[Any] = []
        arrays: list[Array] = []
        are_arrays = True
        for param in self.params:
            grad = param._grad
            if grad.__class__ is not np.ndarray:
                are_arrays = False
            grads.append(grad)
            arrays.append(param.array)
        if not self._scratch:
            self._scratch = [np.empty_like(array) for array in arrays]
        states, scratches = self.state, self._scratch
        if not are_arrays:
            given = [i for i, grad in enumerate(grads) if grad is not None]
            grads = [getattr(grads[i], "array", grads[i]) for i in given]
            arrays = [arrays[i] for i in given]
            states = [states[i] for i in given]
            scratches = [scratches[i] for i in given]
        self._update_all(arrays, grads, states, scratches)
        self._changes.mark(arrays)

    def _update_all(
        self, params: list[Array], grads: list[Array], states: list[State], scratch: list[Array]
    ) -> None:
        """Change all these parameters in place; `scratch` has an array of the shape of each."""
        for one in zip(params, grads, states, scratch, strict=True):
            self._update(*one)

    def _update(self, param: Array, grad: Array, state: State, scratch: Array) -> None:
        """Change `param` in place; `scratch` is an array of its shape to calculate in."""
        raise NotImplementedError(f"{type(self).__name__} has no _update()")

    def state_dict(self) -> dict[str, Any]:
        """Copies of all that `load_state_dict` needs to go on from here, in PyTorch's form."""
        return {
            "state": {
                i: {name: _copy(value) for name, value in state.items()}
                for i, state in enumerate(self.state)
                if state
            },
            "param_groups": [
                {name: getattr(self, name) for name in self._settings}
                | {"params": list(range(len(self.params)))}
            ],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` of the same kind of optimiser gave, ours or PyTorch's.

        Raises:
            ValueError: it is for another number of parameters, or a setting is missing.
            ShapeError: it is for parameters of other shapes.
        """
        name = f"{type(self).__name__}.load_state_dict"
        groups = state_dict["param_groups"]
        count = sum(len(group["params"]) for group in groups)
        if len(groups) != 1 or count != len(self.params):
            raise ValueError(
                f"{name}: the state is for {count} parameters in {len(groups)} group(s), but there "
                f"are {len(self.params)}, in one"
            )
        missing = [key for key in self._settings if key not in groups[0]]
        if missing:
            raise ValueError(f"{name}: the state lacks {', '.join(missing)}")
        loaded: list[State] = []
        for i, param in enumerate(self.params):
            state = {k: _own(v, param) for k, v in state_dict["state"].get(i, {}).items()}
            for key, value in state.items():
                if isinstance(value, np.ndarray) and value.shape != param.shape:
                    raise ShapeError(
                        f"{name}: {key} of parameter {i} has shape {value.shape}, the parameter "
                        f"{param.shape}"
                    )
            loaded.append({key: value for key, value in state.items() if value is not None})
        self.state = loaded
        for key in self._settings:
            setattr(self, key, groups[0][key])

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={getattr(self, name)}" for name in self._settings)
        return f"{type(self).__name__}({settings})"

    def _check_setting(self, name: str, value: float, below: float = float("inf")) -> None:
        if not 0 <= value < below:
            limit = "" if below == float("inf") else f" to below {below}"
            raise ValueError(
                f"{type(self).__name__}: {name} is a number from 0{limit}, not {value}"
            )


def _checked(optimizer: str, params: Iterable[Tensor]) -> list[Tensor]:
    if isinstance(params, Tensor):
        raise TypeError(f"{optimizer}: params is a list of Tensors, not a Tensor")
    checked = list(params)
    if not checked:
        raise ValueError(f"{optimizer}: there are no parameters to train")
    for i, param in enumerate(checked):
        if not isinstance(param, Tensor):
            raise TypeError(f"{optimizer}: parameters are Tensors, not {type(param).__name__}")
        which = f"{optimizer}: parameter {i} (shape {param.shape})"
        if not param.is_leaf:
            raise ValueError(f"{which} is no leaf: it was computed by {param.op}")
        if not param.requires_grad:
            raise ValueError(
                f"{which} does not require grad; leave it out, or set requires_grad first"
            )
        if param.dtype.kind != "f":
            raise TypeError(f"{which} holds {param.dtype}, which small steps cannot change")
    if len({id(param) for param in checked}) < len(checked):
        raise ValueError(f"{optimizer}: a parameter comes twice; it would be changed twice a step")
    return checked


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _own(value: Any, param: Tensor) -> Any:
    """A copy with the parameter's dtype and memory layout; a number where it has no dimension."""
    if value is None or isinstance(value, (int, float)):
        return value
    array = np.asarray(value.detach().numpy() if hasattr(value, "detach") else value)
    if array.ndim == 0 and param.ndim != 0:
        return array.item()
    if array.shape != param.shape:
        return array
    own = np.empty_like(param.array)
    own[...] = array
    return own
