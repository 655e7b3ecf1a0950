"""Hooks that can be removed, also while they are being called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.steps import Step

Hook = Callable[[Any], Any]


class HookHandle:
    """Removes a hook: with `remove()`, or at the end of a `with` block. Twice does no harm."""

    def __init__(self, hooks: dict[int, Hook], key: int) -> None:
        self._hooks = hooks
        self._key = key

    def remove(self) -> None:
        """Take the hook away."""
        self._hooks.pop(self._key, None)

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()


class HookList:
    """Hooks in the order in which they were added."""

    def __init__(self) -> None:
        self.added: dict[int, Hook] = {}
        """By their keys; to ask whether there are any costs least here."""
        self._next = 0

    def add(self, hook: Hook) -> HookHandle:
        """Add a hook and get the handle that removes it."""
        if not callable(hook):
            raise TypeError(f"a hook is a function, not {hook!r}")
        self._next += 1
        self.added[self._next] = hook
        return HookHandle(self.added, self._next)

    def __bool__(self) -> bool:
        return bool(self.added)

    def __iter__(self) -> Iterator[Hook]:
        """The hooks in their order; one that is removed meanwhile is passed over."""
        if len(self.added) == 1:  # which takes a third of the time
            return iter(tuple(self.added.values()))
        return self._one_by_one()

    def _one_by_one(self) -> Iterator[Hook]:
        for key in list(self.added):
            hook = self.added.get(key)
            if hook is not None:
                yield hook


class TensorHooks(HookList):
    """What happens when a tensor's gradient is complete."""

    def __init__(self) -> None:
        super().__init__()
        self.retains_grad = False


STEP_HOOKS = HookList()
"""Called with every step of every backward pass of this process."""


def add_step_hook(hook: Callable[[Step], None]) -> HookHandle:
    """Call `hook` with each step of every backward pass, once the step has been taken."""
    return STEP_HOOKS.add(hook)
