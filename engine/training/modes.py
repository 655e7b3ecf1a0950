"""Looking at a model without changing it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from engine.grad_mode import no_grad
from engine.nn.module import Module
from engine.random import get_rng_state, set_rng_state


@contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """Whatever this block draws from random numbers (the engine's, NumPy's and Python's own), or
    changes in the model's buffers (such as running means), is put back."""
    drawn = get_rng_state(), np.random.get_state(), random.getstate()
    buffers = list(model.named_buffers()) if isinstance(model, Module) else []
    values = [buffer.array.copy() for _, buffer in buffers]
    try:
        yield
    finally:
        set_rng_state(drawn[0])
        np.random.set_state(drawn[1])
        random.setstate(drawn[2])
        for (_, buffer), value in zip(buffers, values, strict=True):
            buffer.array[...] = value


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """The model is in evaluation mode inside this block, and then each of its modules in the mode
    that it was in."""
    modules = [m for _, m in model.named_modules()] if isinstance(model, Module) else []
    modes = [module.training for module in modules]
    if modules:
        model.eval()
    try:
        yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode


@contextmanager
def testing(model: Any) -> Iterator[None]:
    """A block that evaluates the model: unrecorded, in evaluation mode, and nothing changes."""
    with no_grad(), unchanged(model), _evaluating(model):
        yield
