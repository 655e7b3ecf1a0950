"""The backward pass: an object that can be advanced, taken back, or run to its end.

There is one way in which a gradient moves from a node to its parents, `BackwardPass._propagate`;
running, stepping and hooks all go through it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from sys import getrefcount
from typing import Any

import numpy as np

from engine.errors import BackwardError, ShapeError
from engine.graph import backward_order, sorted_computational_graph
from engine.hooks import STEP_HOOKS, TensorHooks
from engine.inplace import CLOCK, check_unchanged
from engine.naming import name_in_caller
from engine.registry import Array, BackFunc
from engine.state import STATE
from engine.tensor import FLOAT32, Tensor, bare_tensor

UnbroadcastCall = tuple[Array, Array]
"""The array before and after one call of `unbroadcast`."""


@dataclass(frozen=True, eq=False, slots=True)
class Edge:
    """A gradient's way from a node to one of its arguments."""

    arg: int
    """The argument's position."""
    parent: Tensor
    """The tensor that was the argument."""
    backward: BackFunc
    """The backward function that was called."""
    contribution: Array
    """What it returned: the gradient that comes along this edge."""
    raw: Array | None
    """The contribution before it was unbroadcast, None where `unbroadcast` summed nothing."""
    before: Array | None
    """The parent's gradient before, None where nothing had arrived yet."""
    accumulated: Array
    """The parent's gradient with the contribution added."""
    waiting: int
    """How many contributions the parent still waits for."""


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """One node of a backward pass."""

    index: int
    """The step's place in the pass, from 0."""
    node: Tensor
    """The node whose gradient is handed on (or, for a leaf, stored)."""
    grad_out: Array
    """The gradient of the root with respect to the node, after its hooks."""
    unhooked: Array
    """The same before the node's hooks; the same array where there are none."""
    edges: tuple[Edge, ...]
    """One for each argument that gets a gradient; none for a leaf."""
    grad_before: Tensor | None
    """The node's `.grad` before the step."""
    grad_after: Tensor | None
    """The node's `.grad` after it: a leaf's, or that of a node that retains it, has changed."""


class BackwardPass:
    """A backward pass over everything that `root` was made from.

    Nothing is computed until `step` or `run` is called. Steps can be taken back one by one, and
    forth again: what was computed once is kept, so nothing is computed and no hook is called a
    second time.

    Args:
        root: where the pass starts; it has to require grad.
        end_grad: the gradient with respect to the root, an array or Tensor of its shape; ones
            where it is None.

    Raises:
        RuntimeError: the root does not require grad.
        ShapeError: the seed has another shape than the root.
        CycleError: the graph has a cycle.
    """

    def __init__(self, root: Tensor, end_grad: Any = None) -> None:
        if not root._requires_grad:
            raise RuntimeError(
                f"backward: {_described(root)} does not require grad, so there is nothing to "
                "compute: no tensor that it was made from has requires_grad=True, or it was made "
                "while the graph was not recorded"
            )
        self.root = root
        self.order: list[Tensor] = backward_order(root)
        """The nodes that are steps, in the order of the steps."""
        self.position = 0
        """How many steps have been taken."""
        self._grads: dict[int, Array] = {id(root): _seed(root, end_grad)}
        self._steps: list[Step] = []
        self._waiting: dict[int, int] | None = None

    @property
    def nodes(self) -> list[Tensor]:
        """Every tensor of the graph, the root first, with those that need no gradient."""
        return sorted_computational_graph(self.root)

    @property
    def finished(self) -> bool:
        """Whether every step has been taken."""
        return self.position == len(self.order)

    @property
    def steps(self) -> list[Step]:
        """The steps taken so far, the first one first."""
        return self._steps[: self.position]

    def taken(self, index: int) -> Step:
        """The step at a place in the pass.

        Raises:
            IndexError: it has not been taken.
        """
        if not 0 <= index < self.position:
            raise IndexError(f"step {index} has not been taken: {self.position} have")
        return self._steps[index]

    def grad(self, node: Tensor) -> Array | None:
        """What has arrived at a node so far (for a done node: all of it), None for nothing yet."""
        return self._grads.get(id(node))

    def waiting(self, node: Tensor) -> int:
        """How many contributions a node still waits for."""
        return self._pending().get(id(node), 0)

    def upcoming(self, node: Tensor) -> list[BackFunc]:
        """The backward functions that a node's step calls, in the order of the arguments."""
        if node._op is None:
            return []
        backs = [
            node._op.back_func(arg)
            for arg, parent in enumerate(node._inputs)
            if isinstance(parent, Tensor) and parent._requires_grad
        ]
        return [back for back in backs if back is not None]

    def step(self) -> Step:
        """Take the next step.

        Raises:
            StopIteration: there is none.
            BackwardError: a backward function is missing or wrong; the step is not taken.
        """
        if self.finished:
            raise StopIteration("the backward pass is at its end")
        place, taken = self.position, len(self._steps)
        node = self.order[place]
        before = [(id(t), self._grads.get(id(t))) for t in (node, *node.parents())]
        grad_before = node.grad
        try:
            if place == taken:
                self._steps.append(self._take_step(node))
            else:
                self._apply(self._steps[place])
            self.position = place + 1
        except BaseException:
            # Also an interrupt, at whatever line it came, leaves nothing half done.
            self.position = place
            del self._steps[taken:]
            node.grad = grad_before
            for key, grad in before:
                if grad is None:
                    self._grads.pop(key, None)
                else:
                    self._grads[key] = grad
            self._waiting = None
            raise
        return self._steps[place]

    def step_back(self) -> Step:
        """Take the last step back: all is again, bit for bit, as it was before it.

        Returns:
            The step that was taken back.

        Raises:
            StopIteration: the pass is at its start.
        """
        if self.position == 0:
            raise StopIteration("the backward pass is at its start")
        if not self._steps:
            raise RuntimeError("the backward pass was run without keeping its steps")
        self.position -= 1
        step = self._steps[self.position]
        step.node.grad = step.grad_before
        pending = self._pending()
        for edge in reversed(step.edges):
            key = id(edge.parent)
            pending[key] += 1
            if edge.before is None:
                del self._grads[key]
            else:
                self._grads[key] = edge.before
        if step.grad_out is not step.unhooked:
            self._grads[id(step.node)] = step.unhooked
        return step

    def run(self, keep_steps: bool = True) -> None:
        """Take all steps that are left.

        Where an error or an interrupt ends the pass before its end, every `.grad` is put back to
        what it was when `run` was called.

        Args:
            keep_steps: whether the steps are to be looked at or taken back afterwards. Without,
                a pass costs less time and memory, and can only be taken from start to end.
        """
        if keep_steps or STEP_HOOKS or self._steps:
            self._run_in_steps()
            return
        stored: list[tuple[Tensor, Tensor | None]] = []
        take = self._grads.pop
        propagate = self._propagate
        try:
            for node in self.order:
                grad_out = take(id(node))
                if node._hooks is not None:
                    grad_out = _hooked(node, node._hooks, grad_out)
                    if node._hooks.retains_grad and node._op is not None:
                        stored.append((node, node.grad))
                        _store(node, grad_out)
                if node._op is not None:
                    propagate(node, grad_out, None)
                    continue
                stored.append((node, node.grad))
                # An array that nobody else holds is kept as it is.
                if getrefcount(grad_out) == _HELD_ONCE and _owns_memory(grad_out):
                    _store(node, grad_out, alone=True)
                else:
                    _store(node, grad_out)
        except BaseException:
            for node, before in reversed(stored):
                node.grad = before
            raise
        self.position = len(self.order)
        self._waiting = None

    def _run_in_steps(self) -> None:
        start = self.position
        try:
            while not self.finished:
                self.step()
        except BaseException:
            while self.position > start:
                self.step_back()
            raise

    def _take_step(self, node: Tensor) -> Step:
        unhooked = grad_out = self._grads[id(node)]
        grad_before = node.grad
        hooks = node._hooks
        edges: list[Edge] = []
        if hooks is not None:
            grad_out = _hooked(node, hooks, grad_out)
            self._grads[id(node)] = grad_out
        if node._op is None or (hooks is not None and hooks.retains_grad):
            _store(node, grad_out)
        if node._op is not None:
            self._propagate(node, grad_out, edges)
        step = Step(self.position, node, grad_out, unhooked, tuple(edges), grad_before, node.grad)
        for hook in STEP_HOOKS:
            hook(step)
        return step

    def _apply(self, step: Step) -> None:
        """Take a step that was computed before."""
        pending = self._pending()
        self._grads[id(step.node)] = step.grad_out
        step.node.grad = step.grad_after
        for edge in step.edges:
            pending[id(edge.parent)] -= 1
            self._grads[id(edge.parent)] = edge.accumulated

    def _propagate(self, node: Tensor, grad_out: Array, edges: list[Edge] | None) -> None:
        """Hand a node's gradient to its parents; each edge is noted in `edges` where wanted."""
        grads = self._grads
        operation = node._op
        assert operation is not None
        out, args, kwargs = node.array, node._args, node._kwargs
        if node._made_at != CLOCK.time:
            check_unchanged(node)
        for arg, parent in enumerate(node._inputs):
            if not isinstance(parent, Tensor) or not parent._requires_grad:
                continue
            back = operation.back_func(arg)
            if back is None:
                raise BackwardError(
                    f"{operation.name} has no backward function for argument {arg}, which requires "
                    f"grad: add one with BACK_FUNCS.add_back_func({operation.name}, {arg}, ...)"
                )
            raw = None
            try:
                if edges is None:
                    if kwargs:
                        contribution = back(grad_out, out, *args, **kwargs)
                    else:
                        contribution = back(grad_out, out, *args)
                else:
                    contribution, raw = _watched(back, grad_out, out, args, kwargs)
            except Exception as error:
                raise BackwardError(
                    f"{_where(node, arg, back)} raised {type(error).__name__}: {error}"
                ) from error
            original = parent.array
            if (
                contribution.__class__ is not np.ndarray
                or contribution.shape != original.shape
                or contribution.dtype is not original.dtype
            ):
                contribution = _checked(contribution, node, arg, parent, back)
            key = id(parent)
            before = grads.get(key)
            if before is None:
                grads[key] = accumulated = contribution
            else:
                # Not added in place: the arrays may be shared with other nodes and with the user.
                grads[key] = accumulated = np.asarray(before + contribution)
            if edges is not None:
                pending = self._pending()
                pending[key] -= 1
                edges.append(
                    Edge(arg, parent, back, contribution, raw, before, accumulated, pending[key])
                )

    def _pending(self) -> dict[int, int]:
        """How many contributions each node waits for; counted when first asked for."""
        if self._waiting is None:
            waiting = dict.fromkeys(map(id, self.order), 0)
            for node in self.order[self.position :]:
                for parent in node.parents():
                    if parent._requires_grad:
                        waiting[id(parent)] += 1
            self._waiting = waiting
        return self._waiting


def backward_steps(root: Tensor, end_grad: Any = None) -> Iterator[Step]:
    """The steps of a backward pass over `root`, each taken when it is asked for.

    A loop that is left before the last step (also by an exception) leaves every `.grad` as it
    was before the first.

    Raises:
        The same as `BackwardPass` and `BackwardPass.step`.
    """
    backward_pass = BackwardPass(root, end_grad)
    try:
        while not backward_pass.finished:
            yield backward_pass.step()
    finally:
        if not backward_pass.finished:
            while backward_pass.position:
                backward_pass.step_back()


def _seed(root: Tensor, end_grad: Any) -> Array:
    dtype = _grad_dtype(root)
    if end_grad is None:
        return np.ones(root.array.shape, dtype)
    seed = np.asarray(end_grad.array if isinstance(end_grad, Tensor) else end_grad)
    if seed.shape != root.array.shape:
        raise ShapeError(
            f"backward: end_grad has shape {seed.shape}, but {_described(root)} has shape "
            f"{root.array.shape}; they have to be the same"
        )
    if seed.dtype.kind not in "fiu":
        raise TypeError(f"backward: end_grad holds {seed.dtype}, not numbers of a gradient")
    return seed.astype(dtype)


def _grad_dtype(tensor: Tensor) -> np.dtype[Any]:
    dtype = tensor.array.dtype
    return dtype if dtype.kind == "f" else FLOAT32


def _references_to_one_held_once() -> int:
    array = np.empty(1)
    return getrefcount(array)


_HELD_ONCE = _references_to_one_held_once()
"""What `getrefcount` gives in a function for an array that only a variable of it holds."""


def _references_to_a_base() -> int:
    array = np.empty((2, 2)).T
    base = array.base
    return getrefcount(base)


_BASE_HELD_ONCE = _references_to_a_base()


def _owns_memory(array: Array) -> bool:
    """Whether the array's memory is its own: it is no view, or the only one of an array that
    nobody else holds."""
    base = array.base
    if base is None:
        return True
    return (
        base.__class__ is np.ndarray
        and base.base is None
        and getrefcount(base) == _BASE_HELD_ONCE
        and base.size == array.size
        and array.flags.writeable
    )


def _store(node: Tensor, grad: Array, alone: bool = False) -> None:
    """Add to `.grad`, in an array that nobody else holds; `alone` says that of `grad` itself."""
    if node.grad is not None:
        grad = np.asarray(node.grad.array + grad)
    elif not alone:
        grad = grad.copy(order="K")
    node.grad = bare_tensor(grad)


def _hooked(node: Tensor, hooks: TensorHooks, grad: Array) -> Array:
    for hook in hooks:
        replaced = hook(Tensor(grad, dtype=grad.dtype))
        if replaced is None:
            continue
        array = np.asarray(replaced.array if isinstance(replaced, Tensor) else replaced)
        if array.shape != grad.shape:
            raise BackwardError(
                f"a hook of {_described(node)} returned a gradient of shape {array.shape}; it has "
                f"to be {grad.shape}"
            )
        grad = array.astype(grad.dtype, copy=False)
    return grad


def _watched(
    back: BackFunc, grad_out: Array, out: Array, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Array | None]:
    """What a backward function returns, and what that was before `unbroadcast` summed it (None:
    it did not)."""
    before, STATE.unbroadcasts = STATE.unbroadcasts, []
    try:
        contribution = back(grad_out, out, *args, **kwargs)
        calls = STATE.unbroadcasts
    finally:
        STATE.unbroadcasts = before
    summed = [(wide, result) for wide, result in calls if wide is not result]
    returned = [wide for wide, result in summed if result is contribution]
    raws = returned or [wide for wide, _ in summed]
    return contribution, raws[-1] if raws else None


def _checked(result: Any, node: Tensor, arg: int, parent: Tensor, back: BackFunc) -> Array:
    """A contribution as an array of its parent's shape and dtype.

    Raises:
        BackwardError: it is none.
    """
    if result is None:
        raise BackwardError(f"{_where(node, arg, back)} returned None instead of a gradient")
    array = np.asarray(result.array if isinstance(result, Tensor) else result)
    if array.dtype.kind not in "fiub":
        raise BackwardError(f"{_where(node, arg, back)} returned {array.dtype}, not numbers")
    if array.shape != parent.array.shape:
        raise BackwardError(
            f"{_where(node, arg, back)} returned a gradient of shape {array.shape}; its argument "
            f"has shape {parent.array.shape}, and its gradient must have the same"
        )
    return array.astype(_grad_dtype(parent), copy=False)


def _where(node: Tensor, arg: int, back: BackFunc) -> str:
    name = getattr(back, "__name__", repr(back))
    return f"{name}, the backward function of argument {arg} of {node.op} ({_described(node)}),"


def _described(tensor: Tensor) -> str:
    name = name_in_caller(tensor)
    if name:
        return f"{name} {tensor.shape}"
    return f"a tensor of shape {tensor.shape}" + (f" made by {tensor.op}" if tensor.op else "")
