"""Why a tensor of the engine's gets no gradient: the way from it to the loss, and what cuts it.

Operations that are not in the graph are known by the tensors' origins (`engine.record_origins`).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

import engine
from tui.session import labels
from tui.session.causes import nonfinite
from tui.session.causes.making import Made, inputs_of, leaves_above, made_of, users_below
from tui.session.protocol import Unreached

COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
INFIX = labels.INFIX | COMPARISONS
BINARY = {*INFIX, "maximum", "minimum", "pow"}

MOST = 4
"""So many reasons are given for one tensor."""


class Provenance:
    """Where the tensors of a graph, and those beside it, come from and go to.

    Args:
        root: where the backward pass starts.
        tensors: all of the graph.
        named: the user's tensors by their names, the graph's among them.
        filename: the scenario's file.
    """

    def __init__(
        self,
        root: engine.Tensor,
        tensors: Sequence[engine.Tensor],
        named: Sequence[tuple[str, engine.Tensor]],
        filename: str | None,
    ) -> None:
        self._root = root
        self._tensors = tensors
        self._named = named
        self._filename = filename
        self._inside = {id(tensor) for tensor in tensors}
        self._names = {made_of(tensor).key: name for name, tensor in named}
        self._users: dict[int, list[Made]] | None = None
        self._users_beside: dict[int, list[Made]] = {}

    def why_no_grad(self, tensor: engine.Tensor) -> list[str]:
        """Why a tensor does not require grad, and whom that costs a gradient, a sentence each."""
        made = made_of(tensor)
        reasons = self._why(made)
        losing = [self._names[m.key] for m in leaves_above(made) if m.key in self._names]
        if losing:
            reasons.append(f"So no gradient comes along this way to {_listed(losing)}.")
        return reasons

    def unreached(self) -> list[Unreached]:
        """The named tensors that require grad and are not below the root, leaves first."""
        found = [
            Unreached(name, tensor.shape, tensor.is_leaf)
            for name, tensor in self._named
            if tensor.requires_grad and id(tensor) not in self._inside
        ]
        return sorted(found, key=lambda unreached: not unreached.leaf)

    def broken(self, tensor: engine.Tensor) -> str | None:
        """Where the NaN or Inf of a tensor that no recorded operation made starts, as far as what
        it was made from is still there."""
        made = made_of(tensor)
        while True:
            inputs = [(m, m.tensor) for m in inputs_of(made)]
            further = next(
                (m for m, t in inputs if t is not None and not nonfinite.is_finite(t.array)), None
            )
            if further is None:
                break
            made = further
        if made.origin is None or made.tensor is None:
            return None
        value = made.tensor.array
        place = nonfinite.first_place(value)
        there = [(m, t.array) for m, t in inputs if t is not None]
        names = [self._name(m) for m, _ in there]
        arrays = tuple(array for _, array in there)
        return (
            f"{self._full(made)}: {nonfinite.counted(value, place)}"
            f"{nonfinite.made_from(made.origin.op, arrays, names, value.shape, place)}"
        )

    # A tensor that requires no grad

    def _why(self, made: Made) -> list[str]:
        if self._is_cause(made):
            return [self._cause(made)]
        inputs = {m.key: m for m in inputs_of(made)}
        if not inputs:
            return [f"{self._full(made)} was made from no tensor."]
        whose = _listed([self._name(m) for m in inputs.values()])
        reasons = [
            f"{self._full(made)} requires no grad, because none of what it was made from does: "
            f"{whose}."
        ]
        # With a list of its own: a history may be longer than Python's stack.
        waiting, seen = deque(inputs.values()), set(inputs)
        while waiting and len(reasons) < MOST:
            inner = waiting.popleft()
            if self._is_cause(inner):
                reasons.append(self._cause(inner))
                continue
            below = [m for m in inputs_of(inner) if m.key not in seen]
            seen.update(m.key for m in below)
            waiting += below
        return reasons

    def _cause(self, made: Made) -> str:
        name, origin = self._name(made), made.origin
        if origin is None:
            return self._why_given(name, made.tensor)
        if origin.op == "detach":
            whose = _listed([self._name(m) for m in inputs_of(made)])
            return (
                f"{name} is what detach() made of {whose}{self._at(origin)}: the values go on, "
                "and no gradient comes back."
            )
        if not origin.grad_enabled:
            return f"{self._full(made)} was computed under no_grad: no graph was recorded."
        return (
            f"{self._full(made)}: {origin.op} is not differentiable, so nothing flows through it."
        )

    @staticmethod
    def _is_cause(made: Made) -> bool:
        """Whether it is for itself that a tensor requires no grad, and not for its arguments."""
        origin = made.origin
        return (
            origin is None
            or origin.op == "detach"
            or not origin.grad_enabled
            or any(m.requires_grad for m in inputs_of(made))
        )

    def _why_given(self, name: str, tensor: engine.Tensor | None) -> str:
        if tensor is None:
            return f"{name} was given, and its requires_grad was False."
        owner = next((n for n, t in self._sharing(tensor) if t.requires_grad), None)
        if owner is not None:
            return (
                f"{name} is a new tensor on {owner}'s array: what goes through .array or numpy() "
                f"is not recorded, so no gradient comes back to {owner}."
            )
        if tensor.array.dtype.kind not in "fiu":
            return f"{name} was given, and holds {tensor.dtype}: that cannot carry a gradient."
        if isinstance(tensor, engine.Parameter):
            return f"{name} is a parameter that is frozen: its requires_grad is False."
        return f"{name} was given, and its requires_grad is False."

    def _sharing(self, tensor: engine.Tensor) -> Iterator[tuple[str, engine.Tensor]]:
        """The other named tensors whose elements lie in the same memory."""
        for name, other in self._named:
            if other is not tensor and np.may_share_memory(other.array, tensor.array):
                yield name, other

    # A tensor that is not below the root

    def why_unreached(self, name: str) -> list[str]:
        """Why a named tensor is not below the root, a sentence each."""
        tensor = next(t for n, t in self._named if n == name and id(t) not in self._inside)
        if self._users is None:
            self._users = users_below([made_of(self._root), *map(made_of, self._tensors)])
            self._users_beside = users_below([made_of(t) for _, t in self._named])
        made = made_of(tensor)
        if made.key in self._users:
            return self._cuts(name, made, self._users)
        inside = next(((n, t) for n, t in self._sharing(tensor) if id(t) in self._inside), None)
        if inside is not None:
            other, used = inside
            if used.requires_grad:
                return [
                    f"{other} is a tensor of its own on the same array, and that one is used: the "
                    f"gradient goes to {other}."
                ]
            return [
                f"{other}, a new tensor on its array, is used in its place: what goes through "
                ".array or numpy() is not recorded."
            ]
        users = self._users_beside.get(made.key)
        if users:
            return [
                f"It is used for {self._full(users[0])}, and no way leads from there to the loss."
            ]
        return [
            "No operation that was recorded uses it; what goes through .array or numpy() is not "
            "recorded."
        ]

    def _cuts(self, name: str, made: Made, users: Mapping[int, list[Made]]) -> list[str]:
        """What cuts the ways from a tensor up to the root, the nearest first."""
        cuts: dict[str, None] = {}
        # Each with the first operation on the way to it.
        waiting: deque[tuple[Made, Made | None]] = deque([(made, None)])
        seen = {made.key}
        while waiting:
            below, first = waiting.popleft()
            for user in users.get(below.key, ()):
                if user.key in seen:
                    continue
                seen.add(user.key)
                if self._is_cut(user):
                    cuts[self._cut(name, below, user, first)] = None
                else:
                    waiting.append((user, first or user))
        told = list(cuts)
        more = len(told) - MOST
        return told if more <= 0 else [*told[:MOST], f"And so it is {more} more times."]

    @staticmethod
    def _is_cut(made: Made) -> bool:
        origin = made.origin
        return origin is not None and (
            origin.op == "detach"
            or not origin.grad_enabled
            or (not made.requires_grad and bool(origin.inputs))
        )

    def _cut(self, name: str, below: Made, user: Made, first: Made | None) -> str:
        """How an operation cuts the way from a tensor that it, or what was made of that, uses."""
        origin = user.origin
        assert origin is not None
        way, what = "", self._full(user)
        if first is not None:
            way = f"{name} is used for {self._full(first)}; "
            way += "" if first.key == below.key else "further on, "
        if origin.op == "detach":
            whom = name if first is None else "it" if first.key == below.key else "that way"
            return f"{way}detach() cuts {whom} off{self._at(origin)}."
        if not origin.grad_enabled:
            return f"{way}{what} was computed under no_grad: nothing comes back through it."
        if not any(m.requires_grad for m in inputs_of(user) if m.key == below.key):
            return f"{name} did not require grad yet when {what} was computed from it."
        return f"{way}{what}: {origin.op} is not differentiable."

    # Words

    def _name(self, made: Made) -> str:
        name = self._names.get(made.key)
        if name is not None:
            return name
        return "a tensor without a name" if made.origin is None else self._expression(made)

    def _full(self, made: Made) -> str:
        """`h = w * x (line 8)`, or just the operation where there is no name."""
        name = self._names.get(made.key)
        if made.origin is None:
            return name or "a tensor without a name"
        expression = self._expression(made)
        return (f"{name} = {expression}" if name else expression) + self._at(made.origin)

    def _expression(self, made: Made, depth: int = 2) -> str:
        """An operation on its tensors; what else it was given is not known."""
        assert made.origin is not None
        op = made.origin.op
        names = [self._names.get(m.key) or self._nested(m, depth - 1) for m in inputs_of(made)]
        if op in INFIX and len(names) == 2:
            left, right = (
                f"({name})" if " " in name and "(" not in name else name for name in names
            )
            return f"{left} {INFIX[op]} {right}"
        return f"{op}({', '.join([*names, '...'] if op in BINARY and len(names) < 2 else names)})"

    def _nested(self, made: Made, depth: int) -> str:
        return self._expression(made, depth) if made.origin is not None and depth else "..."

    def _at(self, origin: engine.Origin | None) -> str:
        if origin is None or origin.line is None or origin.filename is None:
            return ""
        other = "" if origin.filename == self._filename else os.path.basename(origin.filename)
        return f" ({other + ', ' if other else ''}line {origin.line})"


def _listed(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
