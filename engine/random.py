"""The engine's random numbers: one generator, one seed."""

from __future__ import annotations

from typing import Any

import numpy as np

_generator = np.random.default_rng(0)
_seed = 0


def manual_seed(seed: int) -> None:
    """Start the engine's random numbers anew; the same seed gives the same numbers."""
    global _generator, _seed
    _generator = np.random.default_rng(seed)
    _seed = seed


def initial_seed() -> int:
    """The seed that was set last (0 where none was)."""
    return _seed


def generator() -> np.random.Generator:
    """The generator that everything random in the engine draws from."""
    return _generator


def get_rng_state() -> dict[str, Any]:
    """The generator's state, to be given back to `set_rng_state`."""
    return dict(_generator.bit_generator.state)


def set_rng_state(state: dict[str, Any]) -> None:
    """Let the generator go on from `state`."""
    _generator.bit_generator.state = state
