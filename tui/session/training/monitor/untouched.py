"""Calling a scenario's own code so that it does not notice."""

from __future__ import annotations

import contextlib
import io
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import engine
from engine.nn.module import ATTRIBUTES
from engine.training.modes import unchanged

MOST = 10_000
"""Of a list, dict, set or array with more elements the contents are not kept; of a list at least
its length."""

Undo = Callable[[], object]


@contextlib.contextmanager
def untouched(training: engine.Training) -> Iterator[None]:
    """What this block prints is not seen, and what it draws at random, counts or sets is put back:
    the engine's, NumPy's and Python's random numbers and those sources of them that the scenario
    has made for itself, the attributes of the modules, the module-level names of the files that
    the model and the loss are written in, and what the lists, dicts, sets and arrays hold that are
    found there.

    What lies deeper than that is out of reach: a list in a list, an attribute of an object of
    the scenario's own.
    """
    undo: list[Undo] = []
    seen: set[int] = set()
    for names in _namespaces(training):
        undo.append(_contents_of(names))
        for value in list(names.values()):
            if id(value) not in seen:
                seen.add(id(value))
                undo += _kept(value)
    for cell in _cells(training.loss_fn):
        undo += [_cell_of(cell), *_kept(cell.cell_contents)]
    try:
        with unchanged(training.model), contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        for put_back in undo:
            put_back()
        ATTRIBUTES.note_change()


def _namespaces(training: engine.Training) -> list[dict[str, Any]]:
    """The dicts in which the names of the scenario's own code are bound."""
    model = training.model
    modules = [m for _, m in model.named_modules()] if isinstance(model, engine.Module) else []
    functions = [training.loss_fn, model, *(type(module).forward for module in modules)]
    found = [vars(module) for module in modules]
    found += [registry for module in modules for registry in module._registries()]
    for function in functions:
        names = getattr(function, "__globals__", None)
        if names is not None and not str(names.get("__name__")).startswith("engine"):
            found.append(names)
    if not isinstance(training.loss_fn, type) and hasattr(training.loss_fn, "__dict__"):
        found.append(vars(training.loss_fn))
    return list({id(names): names for names in found}.values())


def _cells(function: Any) -> list[Any]:
    """The variables of a function around it; those that are bound."""
    cells = getattr(function, "__closure__", None) or ()
    return [cell for cell in cells if _is_bound(cell)]


def _is_bound(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _cell_of(cell: Any) -> Undo:
    before = cell.cell_contents
    return lambda: setattr(cell, "cell_contents", before)


def _kept(value: Any) -> list[Undo]:
    """What puts back what a value holds, where that may be changed."""
    if isinstance(value, (list, dict, set)):
        return [_contents_of(value)]
    array = value.array if isinstance(value, engine.Tensor) else value
    if isinstance(array, np.ndarray):
        return [_elements_of(array)] if array.size <= MOST and array.flags.writeable else []
    if isinstance(value, np.random.Generator):
        state = value.bit_generator.state
        return [lambda: setattr(value.bit_generator, "state", state)]
    if isinstance(value, np.random.RandomState):
        numpys = value.get_state()
        return [lambda: value.set_state(numpys)]
    if isinstance(value, random.Random):
        pythons = value.getstate()
        return [lambda: value.setstate(pythons)]
    return []


def _elements_of(array: Any) -> Undo:
    before = array.copy()

    def put_back() -> None:
        array[...] = before

    return put_back


def _contents_of(value: Any) -> Undo:
    if len(value) > MOST:
        length = len(value)
        return (lambda: value.__delitem__(slice(length, None))) if type(value) is list else _nothing
    before = value.copy()

    def put_back() -> None:
        if type(value) is list:
            value[:] = before
        else:
            value.clear()
            value.update(before)

    return put_back


def _nothing() -> None:
    """There is nothing to be done."""
