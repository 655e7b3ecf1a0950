"""A training's state as a file: a tree of plain numbers in the header, and the arrays.

The arrays are named by their place in the tree, so those of the model are `model.` and the name
that `state_dict()` gives them. Nothing is ever pickled, or read as if it were.
"""

from __future__ import annotations

import functools
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from tui.errors import ScenarioError
from tui.session.protocol import Array
from tui.session.training import checkpoint_file
from tui.session.training.checkpoint_file import Json, unusable

LONGEST_NAME = 200


def save(path: Path, header: Json, state: Json) -> None:
    """Write a checkpoint.

    Args:
        path: the file, in a folder that is there.
        header: JSON that describes the run.
        state: numbers, texts and arrays, in lists, tuples and dicts.

    Raises:
        OSError: it cannot be written.
    """
    arrays: dict[str, Array] = {}
    tree = _tree(state, "", arrays)
    writers = {name: functools.partial(_write, array=array) for name, array in arrays.items()}
    checkpoint_file.write(path, {**header, "state": tree}, writers)


def load(path: Path) -> tuple[Json, Json]:
    """The header and the state that `save` was given.

    Raises:
        ScenarioError: the file cannot be used; the message says why.
    """
    with checkpoint_file.opened(path) as (archive, header):
        try:
            state = _value(header.pop("state"), archive)
            if not isinstance(state, dict):
                raise ValueError("its state is none")
        except ScenarioError:
            raise
        except Exception as error:  # arrays and numbers of another content may raise anything
            raise unusable(path, f"its content is not what it has to be ({error})") from None
        return header, state


def _tree(value: Any, where: str, arrays: dict[str, Array]) -> Any:
    """A value as JSON; its arrays go to `arrays`, under names that are unique.

    What JSON has not is a dict of one item: {"$array": name}, {"$scalar": name} (of no dimension),
    {"$tuple": [...]}, {"$dict": [[key, value], ...]}.
    """
    if isinstance(value, np.ndarray | np.generic):
        # A zip archive has no room for every text.
        name = where if where.isprintable() and 0 < len(where) < LONGEST_NAME else "array"
        while name in arrays:
            name += "_"
        arrays[name] = np.asarray(value)
        return {"$array" if isinstance(value, np.ndarray) else "$scalar": name}
    if isinstance(value, list | tuple):
        parts = [_tree(part, f"{where}.{i}", arrays) for i, part in enumerate(value)]
        return parts if isinstance(value, list) else {"$tuple": parts}
    if not isinstance(value, dict):
        return value
    prefix = f"{where}." if where else ""
    items = {key: _tree(part, f"{prefix}{key}", arrays) for key, part in value.items()}
    if all(isinstance(key, str) and not key.startswith("$") for key in items):
        return items
    return {"$dict": [[key, part] for key, part in items.items()]}


def _value(tree: Any, archive: zipfile.ZipFile) -> Any:
    """The value of what `_tree` gave."""
    if isinstance(tree, list):
        return [_value(part, archive) for part in tree]
    if not isinstance(tree, dict):
        return tree
    if len(tree) != 1 or not next(iter(tree)).startswith("$"):
        return {key: _value(part, archive) for key, part in tree.items()}
    ((word, what),) = tree.items()
    if word == "$array":
        return _read(archive, what)
    if word == "$scalar":
        return _read(archive, what)[()]
    if word == "$tuple":
        return tuple(_value(part, archive) for part in what)
    if word == "$dict":
        return {key: _value(part, archive) for key, part in what}
    raise ValueError(f"it has a {word}")


def _write(file: IO[bytes], array: Array) -> None:
    np.lib.format.write_array(file, array, allow_pickle=False)


def _read(archive: zipfile.ZipFile, name: str) -> Array:
    with archive.open(f"{name}.npy") as file:
        array: Array = np.lib.format.read_array(file, allow_pickle=False)
    return array
