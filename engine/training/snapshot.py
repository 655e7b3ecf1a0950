"""All that a training changes as it goes on, kept so that it can be put back."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.inplace import mark_all_changed
from engine.nn.module import Module
from engine.optim import Optimizer
from engine.random import get_rng_state, set_rng_state
from engine.registry import Array
from engine.tensor import Tensor
from engine.training.attributes import attributes_of, copied

if TYPE_CHECKING:
    from engine.training.training import Training

BASE = ("params", "state", "_scratch", "_changes")
"""The attributes of every optimiser of the engine, besides its settings."""


class TrainingSnapshot:
    """Weights, buffers, optimiser, schedule, random numbers and position of a training.

    Args:
        training: what is kept.
        with_global_random: whether NumPy's and Python's own random numbers are kept, too. The
            engine draws from its own, but a scenario may draw from those.
    """

    def __init__(self, training: Training, with_global_random: bool = True) -> None:
        self._with_global_random = with_global_random
        self.arrays: list[Array] = []
        """Of `tensors_of(training)`."""
        self.states: list[dict[str, Any]] = []
        """What the optimiser remembers of each parameter."""
        self.take(training)

    def take(self, training: Training) -> None:
        """Keep how the training is now instead of what was kept; the arrays that are there already
        are used again."""
        tensors = tensors_of(training)
        if len(self.arrays) != len(tensors):
            self.arrays = [np.empty_like(tensor.array) for tensor in tensors]
        for i, tensor in enumerate(tensors):
            self.arrays[i] = _kept(tensor.array, self.arrays[i])
        optimizer = training.optimizer
        self.settings: dict[str, Any] = {}
        """The optimiser's, by name."""
        if isinstance(optimizer, Optimizer):
            old = self.states or [{} for _ in optimizer.state]
            self.states = [
                {name: _kept(value, before.get(name)) for name, value in state.items()}
                for state, before in zip(optimizer.state, old, strict=True)
            ]
            self.settings = {name: getattr(optimizer, name) for name in optimizer._settings}
        self.own = copied(own_attributes(optimizer), tensors)
        """Copies of the other attributes of an optimiser that is none of the engine's."""
        self.grads: list[Array | None] = []
        """The gradients that are left for the next batch to be added to, where the optimiser has a
        `zero_grad()` of its own, which may not clear them."""
        if _leaves_gradients(optimizer):
            grads = [tensor.grad for tensor in tensors]
            self.grads = [None if grad is None else grad.array.copy() for grad in grads]
        scheduler = training.scheduler
        self.schedule = None if scheduler is None else scheduler.state_dict()
        self.drawn = get_rng_state()
        self.drawn_globally = global_random_state() if self._with_global_random else None
        self.progress = training.progress()

    @property
    def position(self) -> int:
        """How many batches had been trained on."""
        return self.progress[0]

    def put_back(self, training: Training) -> None:
        """Let the training be again as it was when this was taken."""
        tensors = tensors_of(training)
        for tensor, array in zip(tensors, self.arrays, strict=True):
            tensor.array[...] = array
        mark_all_changed([tensor.array for tensor in tensors], "the training went back")
        optimizer = training.optimizer
        if isinstance(optimizer, Optimizer):
            for state, kept in zip(optimizer.state, self.states, strict=True):
                before = dict(state)
                state.clear()
                state.update({name: _kept(v, before.get(name)) for name, v in kept.items()})
        for name, value in (self.settings | copied(self.own, tensors)).items():
            setattr(optimizer, name, value)
        if _leaves_gradients(optimizer):
            for tensor, grad in zip(tensors, self.grads, strict=True):
                tensor.grad = None if grad is None else Tensor(grad.copy(), dtype=grad.dtype)
        if training.scheduler is not None and self.schedule is not None:
            training.scheduler.load_state_dict(self.schedule)
        set_rng_state(self.drawn)
        if self.drawn_globally is not None:
            np.random.set_state(self.drawn_globally[0])
            random.setstate(self.drawn_globally[1])
        training.set_progress(self.progress)

    def values(self, training: Training) -> dict[int, Array]:
        """What each tensor that the training changes held then, by `id(tensor)`; read only."""
        tensors = tensors_of(training)
        return {id(t): array for t, array in zip(tensors, self.arrays, strict=True)}

    def global_random_has_changed(self) -> bool:
        """Whether NumPy's or Python's own random numbers have been drawn from since."""
        if self.drawn_globally is None:
            return False
        numpys, pythons = self.drawn_globally
        now = np.random.get_state()
        return random.getstate() != pythons or any(
            not np.array_equal(a, b) for a, b in zip(now, numpys, strict=True)
        )

    def forget_global_random(self) -> None:
        """Keep NumPy's and Python's own random numbers no more."""
        self._with_global_random = False
        self.drawn_globally = None

    @property
    def nbytes(self) -> int:
        """How many bytes its arrays take."""
        states = (v for state in self.states for v in state.values() if isinstance(v, np.ndarray))
        return sum(array.nbytes for array in (*self.arrays, *states))


def _leaves_gradients(optimizer: Any) -> bool:
    zero_grad = getattr(optimizer, "zero_grad", None)
    return getattr(zero_grad, "__func__", None) is not Optimizer.zero_grad


def tensors_of(training: Training) -> list[Tensor]:
    """The tensors that a training changes: what is optimised, and the model's parameters and
    buffers; each once."""
    found = {id(tensor): tensor for tensor in getattr(training.optimizer, "params", ())}
    # Without names, which take longer to make than many a small network to be copied.
    modules = [training.model] if isinstance(training.model, Module) else []
    known: set[int] = set()
    while modules:
        module = modules.pop()
        if id(module) not in known:
            known.add(id(module))
            for tensors in (module._parameters, module._buffers):
                found.update((id(tensor), tensor) for tensor in tensors.values())
            modules += module._modules.values()
    return list(found.values())


def own_attributes(optimizer: Any) -> dict[str, Any]:
    """What an optimiser remembers besides what the engine's own do."""
    if isinstance(optimizer, Optimizer):
        return attributes_of(optimizer, without=(*BASE, *optimizer._settings))
    return attributes_of(optimizer)


def global_random_state() -> tuple[Any, Any]:
    """How far NumPy's and Python's own random numbers are."""
    return np.random.get_state(), random.getstate()


def _kept(value: Any, room: Any) -> Any:
    """A copy of a value; of an array in the room of an old one where it fits."""
    if not isinstance(value, np.ndarray):
        return value
    if not isinstance(room, np.ndarray) or room.shape != value.shape or room.dtype != value.dtype:
        return value.copy()
    room[...] = value
    return room
