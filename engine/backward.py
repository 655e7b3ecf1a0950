"""The backward pass as an object that can be advanced, taken back, or run to its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from engine.contributions import hooked, seed_of, store
from engine.graph import backward_order, sorted_computational_graph
from engine.hooks import STEP_HOOKS
from engine.propagation import propagate, waiting_in
from engine.registry import Array, BackFunc
from engine.steps import Edge, EdgeValues, Step, edges_of
from engine.straight import run_straight
from engine.tensor import FLOAT32, Tensor
from engine.watched import run_watched


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
        seed = seed_of(root, end_grad)
        self.root = root
        self._waiting: dict[Tensor, int] | None = {}
        self.order: list[Tensor] = backward_order(root, self._waiting)
        """The nodes that are steps, in the order of the steps."""
        self.position = 0
        """How many steps have been taken."""
        self._grads: dict[Tensor, Array] = {root: seed}
        self._steps: list[Step] = []
        self._edges_of_step: list[EdgeValues] | tuple[Edge, ...] = []
        """Of the step that is being taken."""

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
        return self._grads.get(node)

    def waiting(self, node: Tensor) -> int:
        """How many contributions a node still waits for."""
        return self._pending().get(node, 0)

    def upcoming(self, node: Tensor) -> list[BackFunc]:
        """The backward functions that a node's step calls, in the order of the arguments."""
        return [back for back in self.backward_functions(node).values() if back is not None]

    def backward_functions(self, node: Tensor) -> dict[int, BackFunc | None]:
        """The backward function of each argument that gets a gradient; None for a missing one."""
        if node._op is None:
            return {}
        return {
            arg: node._op.back_func(arg)
            for arg, parent in enumerate(node._inputs)
            if isinstance(parent, Tensor) and parent._requires_grad
        }

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
        unhooked, grad_before = self._grads[node], node._grad
        edges: list[EdgeValues] = []
        self._edges_of_step = edges
        try:
            if place == taken:
                self._steps.append(self._take_step(node, edges))
            else:
                self._apply(self._steps[place])
            self.position = place + 1
        except BaseException:
            # Also an interrupt, at whatever line it came, leaves nothing half done.
            self.position = place
            del self._steps[taken:]
            node._grad = grad_before
            self._grads[node] = unhooked
            self._take_back(edges_of(self._edges_of_step))
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
        for edge in step.edges:
            pending[edge.parent] += 1
        self._take_back(step.edges)
        if step.grad_out is not step.unhooked:
            self._grads[step.node] = step.unhooked
        return step

    def _take_back(self, edges: Sequence[Edge]) -> None:
        """Let the parents have what they had before these edges."""
        for edge in reversed(edges):
            if edge.before is None:
                self._grads.pop(edge.parent, None)
            else:
                self._grads[edge.parent] = edge.before

    def run(self, keep_steps: bool = True) -> None:
        """Take all steps that are left.

        Where an error or an interrupt ends the pass before its end, every `.grad` is put back to
        what it was when `run` was called.

        Args:
            keep_steps: whether the steps are to be looked at or taken back afterwards. Without,
                a pass costs less time and memory, and can only be taken from start to end.
        """
        if keep_steps or self._steps:
            self._run_in_steps()
            return
        if self.finished:
            return
        seed = self._grads[self.root]
        if STEP_HOOKS:
            run_watched(self.root, seed)
        else:
            run_straight(self.root, seed)
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

    def _take_step(self, node: Tensor, edges: list[EdgeValues]) -> Step:
        unhooked = grad_out = self._grads[node]
        grad_before = node.grad
        hooks = node._hooks
        if hooks is not None:
            grad_out = hooked(node, hooks, grad_out)
            self._grads[node] = grad_out
        if node._op is None or (hooks is not None and hooks.retains_grad):
            store(node, grad_out)
        if node._op is not None:
            propagate(node, grad_out, self._grads, self._pending(), edges)
        step = Step.__new__(Step)
        step.index, step.node = self.position, node
        step.grad_out, step.unhooked = grad_out, unhooked
        step.grad_before, step._grad_after = grad_before, node.grad
        step._edges = edges
        if STEP_HOOKS:
            for hook in STEP_HOOKS:
                hook(step)
        return step

    def _apply(self, step: Step) -> None:
        """Take a step that was computed before."""
        self._edges_of_step = step.edges
        pending = self._pending()
        self._grads[step.node] = step.grad_out
        step.node.grad = step.grad_after
        for edge in step.edges:
            pending[edge.parent] -= 1
            self._grads[edge.parent] = edge.accumulated

    def _pending(self) -> dict[Tensor, int]:
        """How many contributions each node waits for; counted when first asked for."""
        if self._waiting is None:
            self._waiting = waiting_in(self.order, self.position)
        return self._waiting


def backward(root: Tensor, end_grad: Any = None) -> None:
    """Run a whole backward pass; see `Tensor.backward`."""
    array = root.array
    if end_grad is None and array.dtype is FLOAT32 and not array.ndim and root._requires_grad:
        seed = np.array(1, FLOAT32)  # what `seed_of` gives, sooner
    else:
        seed = seed_of(root, end_grad)
    if STEP_HOOKS.added:
        run_watched(root, seed)
    else:
        run_straight(root, seed)


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
