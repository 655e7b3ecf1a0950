"""What the engine's tensors were made from, also outside the graph, as far as it is known."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import engine


@dataclass(frozen=True, slots=True)
class Made:
    """A tensor that was made or given, be it still there or not."""

    tensor: engine.Tensor | None
    origin: engine.Origin | None
    requires_grad: bool

    @property
    def key(self) -> int:
        """The same for the same tensor, as long as it (or what was made of it) lives; all that
        were given and are gone have the same one."""
        return id(self.tensor) if self.origin is None else id(self.origin)


def made_of(tensor: engine.Tensor) -> Made:
    """A tensor that is still there."""
    return Made(tensor, tensor.origin, tensor.requires_grad)


def inputs_of(made: Made) -> list[Made]:
    """What a tensor was made from, as far as it is known."""
    if made.origin is not None and made.origin.inputs:
        return [Made(i.tensor(), i.origin, i.requires_grad) for i in made.origin.inputs]
    return [made_of(t) for t in made.tensor.parents()] if made.tensor is not None else []


def users_below(starts: Sequence[Made]) -> dict[int, list[Made]]:
    """For each tensor from which something here was made: what was made of it directly."""
    users: dict[int, list[Made]] = {}
    waiting, seen = list(starts), {made.key for made in starts}
    while waiting:
        made = waiting.pop()
        for below in inputs_of(made):
            users.setdefault(below.key, []).append(made)
            if below.key not in seen:
                seen.add(below.key)
                waiting.append(below)
    return users


def leaves_above(made: Made) -> list[Made]:
    """The leaves that require grad and that this tensor was made from, along whatever way."""
    leaves: list[Made] = []
    waiting, seen = deque([made]), {made.key}
    while waiting:
        for below in inputs_of(waiting.popleft()):
            if below.key in seen:
                continue
            seen.add(below.key)
            waiting.append(below)
            tensor = below.tensor
            if tensor is not None and tensor.requires_grad and tensor.is_leaf:
                leaves.append(below)
    return leaves
