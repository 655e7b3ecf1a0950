"""The backward pass: an object that can be advanced, taken back, or run to its end.

There is one way in which a gradient moves from a node to its parents, `BackwardPass._propagate`;
running, stepping and hooks all go through it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine import inplace
from engine.errors import BackwardError, ShapeError
from engine.graph import sorted_computational_graph
from engine.hooks import STEP_HOOKS, TensorHooks
from engine.naming import name_in_caller
from engine.registry import Array, BackFunc
from engine.state import STATE
from engine.tensor import FLOAT32, Tensor

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
        self.nodes: list[Tensor] = sorted_computational_graph(root)
        """Every tensor of the graph, the root first, with those that need no gradient."""
        self.order: list[Tensor] = [n for n in self.nodes if n._requires_grad]
        """The nodes that are steps, in the order of the steps."""
        self.position = 0
        """How many steps have been taken."""
        self._grads: dict[int, Array] = {id(root): _seed(root, end_grad)}
        self._steps: list[Step] = []
        self._waiting: dict[int, int] | None = None

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
        if self.position < len(self._steps):
            step = self._steps[self.position]
            self._apply(step)
        else:
            step = self._take_step(self.order[self.position])
            self._steps.append(step)
        self.position += 1
        return step

    def step_back(self) -> Step:
        """Take the last step back: all is again, bit for bit, as it was before it.

        Returns:
            The step that was taken back.

        Raises:
            StopIteration: the pass is at its start.
        """
        if self.position == 0:
            raise StopIteration("the backward pass is at its start")
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

    def run(self) -> None:
        """Take all steps that are left.

        Where an error or an interrupt ends the pass before its end, every `.grad` is put back to
        what it was when `run` was called.
        """
        if STEP_HOOKS or self._steps:
            self._run_in_steps()
            return
        stored: list[tuple[Tensor, Tensor | None]] = []
        grads = self._grads
        try:
            for node in self.order:
                grad_out = grads.pop(id(node))
                hooks = node._hooks
                if hooks is not None:
                    grad_out = _hooked(node, hooks, grad_out)
                if node._op is None or (hooks is not None and hooks.retains_grad):
                    stored.append((node, node.grad))
                    _store(node, grad_out)
                if node._op is not None:
                    self._propagate(node, grad_out, None)
        except BaseException:
            for node, before in reversed(stored):
                node.grad = before
            raise
        self.position = len(self.order)

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
        try:
            if hooks is not None:
                grad_out = _hooked(node, hooks, grad_out)
                self._grads[id(node)] = grad_out
            if node._op is None or (hooks is not None and hooks.retains_grad):
                _store(node, grad_out)
            if node._op is not None:
                self._propagate(node, grad_out, edges)
            step = Step(
                self.position, node, grad_out, unhooked, tuple(edges), grad_before, node.grad
            )
            for hook in STEP_HOOKS:
                hook(step)
        except BaseException:
            self._grads[id(node)] = unhooked
            for edge in reversed(edges):
                key = id(edge.parent)
                self._pending()[key] += 1
                if edge.before is None:
                    del self._grads[key]
                else:
                    self._grads[key] = edge.before
            node.grad = grad_before
            raise
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
        if node._made_at != inplace.CLOCK.time:
            _check_unchanged(node)
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
            if edges is None:
                contribution = _contribution(node, arg, parent, back, grad_out)
            else:
                contribution, raw = _watched_contribution(node, arg, parent, back, grad_out)
            key = id(parent)
            before = grads.get(key)
            # Never added in place: the arrays may be shared with other nodes and with the user.
            accumulated = contribution if before is None else np.asarray(before + contribution)
            grads[key] = accumulated
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


def _store(node: Tensor, grad: Array) -> None:
    """Add to `.grad`, in an array that nobody else holds."""
    node.grad = Tensor(
        grad.copy() if node.grad is None else node.grad.array + grad, dtype=grad.dtype
    )


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


def _watched_contribution(
    node: Tensor, arg: int, parent: Tensor, back: BackFunc, grad_out: Array
) -> tuple[Array, Array | None]:
    """The contribution, and what it was before `unbroadcast` summed it (None: it did not)."""
    before, STATE.unbroadcasts = STATE.unbroadcasts, []
    try:
        contribution = _contribution(node, arg, parent, back, grad_out)
        calls = STATE.unbroadcasts
    finally:
        STATE.unbroadcasts = before
    summed = [wide for wide, result in calls if wide is not result]
    return contribution, summed[-1] if summed else None


def _contribution(node: Tensor, arg: int, parent: Tensor, back: BackFunc, grad_out: Array) -> Array:
    result: Any
    try:
        result = back(grad_out, node.array, *node._args, **node._kwargs)
    except Exception as error:
        raise BackwardError(
            f"{_where(node, arg, back)} raised {type(error).__name__}: {error}"
        ) from error
    if type(result) is not np.ndarray:
        if result is None:
            raise BackwardError(f"{_where(node, arg, back)} returned None instead of a gradient")
        result = np.asarray(result.array if isinstance(result, Tensor) else result)
    if result.shape != parent.array.shape:
        raise BackwardError(
            f"{_where(node, arg, back)} returned a gradient of shape {result.shape}; its argument "
            f"has shape {parent.array.shape}, and its gradient must have the same"
        )
    wanted = _grad_dtype(parent)
    if result.dtype != wanted:
        if result.dtype.kind not in "fiub":
            raise BackwardError(f"{_where(node, arg, back)} returned {result.dtype}, not numbers")
        result = result.astype(wanted)
    contribution: Array = result
    return contribution


def _check_unchanged(node: Tensor) -> None:
    """Refuse to go on with values that were changed in place after the node was made."""
    saved = [(f"argument {i}", array) for i, array in enumerate(node._args)]
    saved.append(("its result", node.array))
    for what, array in saved:
        if not isinstance(array, np.ndarray):
            continue
        change = inplace.last_change(array)
        if change is not None and change.time > node._made_at:
            where = f" by {change.filename}, line {change.line}" if change.filename else ""
            raise BackwardError(
                f"{node.op} saved {what} (shape {array.shape}) for its backward function, and "
                f"{change.op} changed it in place afterwards{where}; the gradient would be wrong. "
                "Write a new tensor instead, or change it after backward()"
            )


def _where(node: Tensor, arg: int, back: BackFunc) -> str:
    name = getattr(back, "__name__", repr(back))
    return f"{name}, the backward function of argument {arg} of {node.op} ({_described(node)}),"


def _described(tensor: Tensor) -> str:
    name = name_in_caller(tensor)
    if name:
        return f"{name} {tensor.shape}"
    return f"a tensor of shape {tensor.shape}" + (f" made by {tensor.op}" if tensor.op else "")
