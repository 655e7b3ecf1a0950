"""A training as arrays and plain numbers, to be kept in a file and gone on from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import StateError
from engine.nn.module import Module
from engine.nn.state_dict import named_state
from engine.optim import Optimizer
from engine.registry import Array
from engine.tensor import Tensor
from engine.training.attributes import pack, plain, unpack
from engine.training.events import EpochDone
from engine.training.snapshot import (
    TrainingSnapshot,
    global_random_state,
    own_attributes,
    tensors_of,
)

if TYPE_CHECKING:
    from engine.training.training import Training

State = dict[str, Any]


def state_of(training: Training, snapshot: TrainingSnapshot) -> State:
    """See `Training.state_dict`.

    Args:
        training: what the snapshot was taken of; may have gone on since.
        snapshot: how it was.

    Raises:
        StateError: the optimiser or the scheduler holds what cannot be kept.
    """
    tensors = tensors_of(training)
    named, others = _parts(training, tensors)
    position, seconds, losses, results = snapshot.progress
    schedule = snapshot.schedule
    return {
        "model": {name: snapshot.arrays[i].copy() for name, i in named.items()},
        "others": [snapshot.arrays[i].copy() for i in others],
        "grads": [None if grad is None else grad.copy() for grad in snapshot.grads],
        "optimizer": _optimizer_state(training.optimizer, snapshot, tensors),
        "scheduler": None if schedule is None else plain(schedule, _name(training.scheduler)),
        "random": snapshot.drawn,
        "global_random": list(snapshot.drawn_globally or global_random_state()),
        "position": position,
        "seconds": seconds,
        "losses": np.array(training.losses[:losses], np.float64),
        "results": [asdict(result) for result in training.results[:results]],
        "seed": training.seed,
        "batch_size": training.batch_size,
        "epochs": training.epochs,
        "types": _types(training),
    }


def load_state(training: Training, state: Mapping[str, Any]) -> None:
    """See `Training.load_state_dict`.

    Raises:
        StateError: it does not fit; the training is then as it was.
    """
    before = TrainingSnapshot(training)
    kept = {name: getattr(training, name) for name in ("seed", "batch_size", "epochs")}
    losses, results = list(training.losses), list(training.results)
    try:
        for wrong in (_other_types, _other_tensors):
            if problem := wrong(training, state):
                raise StateError(problem)
        _put(training, state, _snapshot_from(training, state))
    except Exception as error:
        for name, value in kept.items():
            setattr(training, name, value)
        training.losses[:], training.results[:] = losses, results
        before.put_back(training)
        if isinstance(error, StateError):
            raise
        raise StateError(
            f"this is no state that a training gave ({type(error).__name__}: {error})"
        ) from error


def _put(training: Training, state: Mapping[str, Any], snapshot: TrainingSnapshot) -> None:
    for name in ("seed", "batch_size", "epochs"):
        setattr(training, name, int(state[name]))
    training.check()
    training.losses[:] = [float(loss) for loss in state["losses"]]
    training.results[:] = [EpochDone(**result) for result in state["results"]]
    position = len(training.losses)
    epochs, into = divmod(position, training.batches_per_epoch)
    tested = (epochs,) if into else (epochs, epochs - 1)
    if state["position"] != position or len(training.results) not in tested:
        raise StateError(
            f"it has {position} losses and {len(training.results)} results, which do not go with "
            f"position {state['position']}"
        )
    if position > training.total_batches:
        raise StateError(f"it is at batch {position}, beyond the {training.total_batches} to train")
    training.forget_order()
    snapshot.put_back(training)


def _snapshot_from(training: Training, state: Mapping[str, Any]) -> TrainingSnapshot:
    """A snapshot that holds what a state holds, as far as the training has a place for it."""
    snapshot = TrainingSnapshot(training)
    tensors = tensors_of(training)
    named, others = _parts(training, tensors)
    for name, i in named.items():
        snapshot.arrays[i] = state["model"][name]
    for i, array in zip(others, state["others"], strict=True):
        snapshot.arrays[i] = array
    for i in range(len(snapshot.grads)):
        snapshot.grads[i] = state["grads"][i]
    optimizer = state["optimizer"]
    if isinstance(training.optimizer, Optimizer):
        (group,) = optimizer["param_groups"]
        snapshot.settings = {name: group[name] for name in snapshot.settings}
        count = len(training.optimizer.params)
        snapshot.states = [dict(optimizer["state"].get(i, {})) for i in range(count)]
    snapshot.own = unpack(optimizer["own"], tensors)
    snapshot.schedule = state["scheduler"]
    snapshot.drawn = state["random"]
    numpys, pythons = state["global_random"]
    snapshot.drawn_globally = (numpys, pythons)
    snapshot.progress = (
        int(state["position"]),
        float(state["seconds"]),
        len(state["losses"]),
        len(state["results"]),
    )
    return snapshot


def _optimizer_state(
    optimizer: Any, snapshot: TrainingSnapshot, tensors: list[Tensor]
) -> dict[str, Any]:
    """In PyTorch's form where it is one of the engine's, with what else it remembers as `own`."""
    name = _name(optimizer)
    for attribute, value in own_attributes(optimizer).items():
        if attribute not in snapshot.own:
            pack({attribute: value}, tensors, name)  # cannot be copied, so raises
            raise StateError(f"{name}.{attribute} cannot be copied, so it cannot be kept")
    kept: dict[str, Any] = {"own": pack(snapshot.own, tensors, name)}
    if isinstance(optimizer, Optimizer):
        kept["state"] = {
            i: plain(state, f"{name}.state[{i}]") for i, state in enumerate(snapshot.states)
        }
        settings = {k: plain(value, f"{name}.{k}") for k, value in snapshot.settings.items()}
        kept["param_groups"] = [settings | {"params": list(range(len(optimizer.params)))}]
    return kept


def _parts(training: Training, tensors: list[Tensor]) -> tuple[dict[str, int], list[int]]:
    """Which of the tensors the model's `state_dict` names (one may have several names), and which
    are left."""
    place = {id(tensor): i for i, tensor in enumerate(tensors)}
    model = training.model
    named = {}
    if isinstance(model, Module):
        named = {name: place[id(tensor)] for name, tensor in named_state(model)}
    return named, [i for i in range(len(tensors)) if i not in named.values()]


def _types(training: Training) -> dict[str, str | None]:
    scheduler = training.scheduler
    return {
        "optimizer": _name(training.optimizer),
        "scheduler": None if scheduler is None else _name(scheduler),
    }


def _name(thing: Any) -> str:
    return type(thing).__name__


def _other_types(training: Training, state: Mapping[str, Any]) -> str:
    for what, here in _types(training).items():
        there = state["types"][what]
        if there != here:
            return f"its {what} is {there or 'none'}, here it is {here or 'none'}"
    return ""


def _other_tensors(training: Training, state: Mapping[str, Any]) -> str:
    """What is wrong with the names, shapes and dtypes of the state's arrays; nothing where they
    fit."""
    tensors = tensors_of(training)
    named, others = _parts(training, tensors)
    model = state["model"]
    for what, names in (
        ("it lacks", [name for name in named if name not in model]),
        ("the model here lacks", [name for name in model if name not in named]),
    ):
        if names:
            return f"{what} {', '.join(names)}"
    if len(others) != len(state["others"]):
        return f"it has {len(state['others'])} tensors besides the model's, here are {len(others)}"
    arrays = {name: (model[name], tensors[i]) for name, i in named.items()}
    pairs = zip(others, state["others"], strict=True)
    arrays |= {f"tensor {n}": (array, tensors[i]) for n, (i, array) in enumerate(pairs)}
    for name, (array, tensor) in arrays.items():
        if _form(array) != _form(tensor.array):
            return f"{name} is {_form(array)} in it, and {_form(tensor.array)} here"
    params = getattr(training.optimizer, "params", [])
    if isinstance(training.optimizer, Optimizer):
        (group,) = state["optimizer"]["param_groups"]
        if len(group["params"]) != len(params):
            return f"its optimizer has {len(group['params'])} parameters, here are {len(params)}"
        return _other_memory(training.optimizer, state["optimizer"]["state"])
    return ""


def _other_memory(optimizer: Optimizer, states: Mapping[int, Any]) -> str:
    """Which array that one of the engine's optimisers remembers is not of its parameter's shape."""
    if not type(optimizer).__module__.startswith("engine."):
        return ""
    for i, param in enumerate(optimizer.params):
        for name, value in states.get(i, {}).items():
            if isinstance(value, np.ndarray) and _form(value) != _form(param.array):
                return (
                    f"{name} of the optimizer's parameter {i} is {_form(value)} in it, and the "
                    f"parameter {_form(param.array)} here"
                )
    return ""


def _form(array: Array) -> str:
    return f"{array.dtype} of shape {array.shape}"
