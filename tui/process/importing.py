"""Importing quickly, and no more than is needed."""

from __future__ import annotations

import contextlib
import gc
import random
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import cast

ALLOCATIONS = 20_000
"""After so many more objects Python looks for garbage, instead of after 700. A graph has none, but
would be looked through so often while it grows that one of 100,000 nodes takes a quarter longer."""


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Look for no garbage while a block imports, nor later among what it has made: modules stay,
    and looking through them takes a tenth of the time that they take to import. From then on it is
    looked for more rarely."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        gc.set_threshold(ALLOCATIONS, *gc.get_threshold()[1:])


@contextlib.contextmanager
def without(name: str) -> Iterator[None]:
    """Let a module seem not to be installed to what a block imports; afterwards it can be imported
    as ever. Nothing is done where it has been imported before."""
    if name in sys.modules:
        yield
        return
    modules = cast("dict[str, ModuleType | None]", sys.modules)
    modules[name] = None
    try:
        yield
    finally:
        del modules[name]


@contextlib.contextmanager
def without_openssl() -> Iterator[None]:
    """Let `secrets` be what NumPy takes from it, to seed random numbers, while a block imports
    NumPy: all of it would bring OpenSSL, 3.5 MB that nobody needs here. Afterwards it can be
    imported as ever. Nothing is done where it has been imported before."""
    if "secrets" in sys.modules:
        yield
        return
    secrets = sys.modules["secrets"] = ModuleType("secrets")
    vars(secrets)["randbits"] = random.SystemRandom().getrandbits
    try:
        yield
    finally:
        del sys.modules["secrets"]
