"""The attributes of an object that the engine does not know, such as a student's own optimiser, as
plain numbers and arrays, and back."""

from __future__ import annotations

import copy
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.errors import StateError
from engine.nn.module import Module
from engine.tensor import Tensor

PLAIN = (type(None), bool, int, float, str)
"""Types that are kept as they are."""

CODE = (types.FunctionType, types.BuiltinFunctionType, np.ufunc, type, types.ModuleType)
"""What does not change by running it, and is there again when the file has run again."""

WHAT_CAN = "numbers, texts, arrays and Tensors, and lists, tuples and dicts of them can be kept"


def plain(value: Any, where: str) -> Any:
    """A copy of a value of numbers, arrays, lists, tuples and dicts.

    Raises:
        StateError: something else is in it; `where` names the place.
    """
    if type(value) in PLAIN or isinstance(value, np.generic):
        return value
    if type(value) is np.ndarray and not value.dtype.hasobject:
        return value.copy()
    if type(value) in (list, tuple):
        return type(value)(plain(part, f"{where}[{i}]") for i, part in enumerate(value))
    if type(value) is dict:
        return {key: plain(part, f"{where}[{key!r}]") for key, part in value.items()}
    raise _cannot_be_kept(value, where)


def attributes_of(thing: Any, without: Sequence[str] = ()) -> dict[str, Any]:
    """An object's attributes that are neither code nor modules, which have their own way to be
    kept; those of `__slots__` included."""
    slots = [
        name
        for kind in type(thing).__mro__
        for name in _names(getattr(kind, "__slots__", ()))
        if not name.startswith("__") and hasattr(thing, name)
    ]
    found = {name: getattr(thing, name) for name in slots} | getattr(thing, "__dict__", {})
    return {
        name: value
        for name, value in found.items()
        if name not in without and not isinstance(value, (*CODE, Module))
    }


def copied(attributes: Mapping[str, Any], tensors: Sequence[Tensor]) -> dict[str, Any]:
    """Deep copies of attributes in which the tensors, and their arrays, are the same ones. What
    cannot be copied, such as a lock, is left out."""
    memo: dict[int, Any] = {id(tensor): tensor for tensor in tensors}
    memo |= {id(tensor.array): tensor.array for tensor in tensors}
    copies: dict[str, Any] = {}
    for name, value in attributes.items():
        try:
            copies[name] = copy.deepcopy(value, memo)
        except Exception:
            continue
    return copies


def pack(attributes: Mapping[str, Any], tensors: Sequence[Tensor], where: str) -> dict[str, Any]:
    """Attributes as plain numbers and arrays.

    What is there twice stays one thing, and the training's tensors are only named: by their place
    in `tensors`, also where an `id()` of one is the key of a dict. (Of arrays that are views of one
    memory each becomes an array of its own.)

    Raises:
        StateError: one holds what cannot be kept; it names the attribute, as `where.name`.
    """
    packer = _Packer(tensors)
    values = {name: packer.pack(value, f"{where}.{name}") for name, value in attributes.items()}
    return {"attributes": values, "objects": packer.objects}


def unpack(packed: Mapping[str, Any], tensors: Sequence[Tensor]) -> dict[str, Any]:
    """The attributes that `pack` was given, as new objects; the tensors are those given here."""
    unpacker = _Unpacker(packed["objects"], tensors)
    return {name: unpacker.value(value) for name, value in packed["attributes"].items()}


class _Packer:
    """A value becomes itself, or a list that starts with a word: ["tensor", 3], ["array", 3] (that
    tensor's), ["id", 3] (that tensor's), ["tuple", [...]], ["object", 7] (of `objects`)."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self.objects: list[dict[str, Any]] = []
        self._kept: list[Any] = []  # alive, so that no other object takes over an id
        self._packed: dict[int, list[Any]] = {}
        self._ids: dict[int, int] = {}
        for i, tensor in enumerate(tensors):
            self._packed |= {id(tensor): ["tensor", i], id(tensor.array): ["array", i]}
            self._ids[id(tensor)] = i
            self._kept += [tensor, tensor.array]

    def pack(self, value: Any, where: str) -> Any:
        if type(value) in PLAIN or isinstance(value, np.generic):
            return value
        if id(value) in self._packed:
            return self._packed[id(value)]
        if type(value) is tuple:
            return ["tuple", [self.pack(part, f"{where}[{i}]") for i, part in enumerate(value)]]
        if type(value) is np.ndarray and not value.dtype.hasobject:
            return self._add(value, {"array": value.copy()})
        if isinstance(value, Tensor) and value.is_leaf:
            kept = {"tensor": value.array.copy(), "requires_grad": value.requires_grad}
            return self._add(value, kept)
        if type(value) is list:
            parts: list[Any] = []
            reference = self._add(value, {"list": parts})
            parts += [self.pack(part, f"{where}[{i}]") for i, part in enumerate(value)]
            return reference
        if type(value) is dict:
            items: list[Any] = []
            reference = self._add(value, {"dict": items})
            for key, part in value.items():
                place = f"{where}[{key if isinstance(key, int | str) else type(key).__name__!r}]"
                items.append([self._key(key, place), self.pack(part, place)])
            return reference
        raise _cannot_be_kept(value, where)

    def _add(self, value: Any, kept: dict[str, Any]) -> list[Any]:
        self.objects.append(kept)
        self._kept.append(value)
        self._packed[id(value)] = reference = ["object", len(self.objects) - 1]
        return reference

    def _key(self, key: Any, where: str) -> Any:
        if type(key) is int and key in self._ids:
            return ["id", self._ids[key]]
        if type(key) is tuple:
            return ["tuple", [self._key(part, where) for part in key]]
        return self.pack(key, where)


class _Unpacker:
    def __init__(self, objects: Sequence[Mapping[str, Any]], tensors: Sequence[Tensor]) -> None:
        self._objects = objects
        self._tensors = tensors
        self._made: dict[int, Any] = {}

    def value(self, packed: Any) -> Any:
        if not isinstance(packed, list):
            return packed
        word, what = packed
        known: dict[str, Callable[[], Any]] = {
            "tensor": lambda: self._tensors[what],
            "array": lambda: self._tensors[what].array,
            "id": lambda: id(self._tensors[what]),
            "tuple": lambda: tuple(self.value(part) for part in what),
            "object": lambda: self._made[what] if what in self._made else self._make(what),
        }
        return known[word]()

    def _make(self, number: int) -> Any:
        kept = self._objects[number]
        if "array" in kept:
            self._made[number] = kept["array"].copy()
        elif "tensor" in kept:
            array = kept["tensor"]
            self._made[number] = Tensor(array.copy(), kept["requires_grad"], dtype=array.dtype)
        elif "list" in kept:
            parts = self._made[number] = []
            parts += [self.value(part) for part in kept["list"]]
        else:
            items = self._made[number] = {}
            for key, part in kept["dict"]:
                items[self.value(key)] = self.value(part)
        return self._made[number]


def _names(slots: Any) -> tuple[str, ...]:
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _cannot_be_kept(value: Any, where: str) -> StateError:
    kind = type(value)
    if isinstance(value, Tensor):
        what = "a Tensor that was computed (detach() it)"
    elif isinstance(value, np.ndarray):
        what = "an array of objects"
    else:
        what = f"a {kind.__qualname__ if kind.__module__ == 'builtins' else _dotted(kind)}"
    return StateError(f"{where} is {what}, which cannot be kept: {WHAT_CAN}")


def _dotted(kind: type) -> str:
    module = kind.__module__
    return kind.__qualname__ if module.startswith("__") else f"{module}.{kind.__qualname__}"
