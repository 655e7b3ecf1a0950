"""The loss of a batch computed again in float64, so that nothing of the training changes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

import engine
from engine.graph import backward_order
from engine.straight import run_straight
from engine.training.evaluation import as_tensor
from engine.training.snapshot import tensors_of
from tui.session.protocol import Array
from tui.session.training.monitor.untouched import untouched

FLOAT64 = np.dtype(np.float64)


class Uncomputable(Exception):
    """The loss cannot be computed again so that it means anything; the message says why."""


class Recomputed:
    """The loss of a batch, in float64, near where the parameters are; see `recomputed`."""

    def __init__(
        self, training: engine.Training, tensors: Sequence[engine.Tensor], inputs: Any, labels: Any
    ) -> None:
        self._training = training
        self._inputs, self._labels = inputs, labels
        self._here = [tensor.array for tensor in tensors]
        self.tensors = tensors
        """The parameters, whose arrays are in float64 now."""
        self.gradients: list[Array | None] = []
        """By the user's backward functions; None where none arrives."""
        self.loss = self._with_gradients()
        self.length = float(np.sqrt(sum(float(np.vdot(a, a)) for a in self._here)))
        """The norm of all parameters together."""
        again = self.at([None] * len(tensors), 0.0)
        if again != self.loss:
            raise Uncomputable("the loss is not the same when it is computed again")

    def at(self, direction: Sequence[Array | None], step: float) -> float:
        """The loss, a step along a direction away."""
        try:
            for tensor, here, way in zip(self.tensors, self._here, direction, strict=True):
                if way is not None:
                    tensor.array = here + step * way
            with engine.no_grad(), untouched(self._training):
                return float(self._loss().item())
        finally:
            self._put_back()

    def _put_back(self) -> None:
        for tensor, here in zip(self.tensors, self._here, strict=True):
            tensor.array = here

    def _loss(self) -> engine.Tensor:
        return self._training.loss(self._training.model(self._inputs), self._labels)

    def _with_gradients(self) -> float:
        with untouched(self._training):
            loss = self._loss()
            if not isinstance(loss, engine.Tensor) or not loss.requires_grad:
                raise Uncomputable("the loss has no gradient")
            order = backward_order(loss)
            if any(node.dtype != FLOAT64 for node in order if not node.is_leaf):
                raise Uncomputable("something in it computes in less than float64")
            value = float(loss.item())
            if not np.isfinite(value):
                raise Uncomputable(f"the loss is {'NaN' if np.isnan(value) else 'Inf'}")
            leaves = [(node, node._grad) for node in order if node.is_leaf]
            kept = [tensor._grad for tensor in self.tensors]
            try:
                for tensor in (*self.tensors, *(leaf for leaf, _ in leaves)):
                    tensor._grad = None
                # Not by `backward()`: whoever watches the steps of a pass did not ask for this one.
                run_straight(loss, np.ones(loss.shape))
                self.gradients = [_array(tensor._grad) for tensor in self.tensors]
            finally:
                for leaf, grad in leaves:
                    leaf._grad = grad
                for tensor, grad in zip(self.tensors, kept, strict=True):
                    tensor._grad = grad
        for gradient in self.gradients:
            if gradient is not None and not np.isfinite(gradient).all():
                raise Uncomputable("the gradient is not finite")
        return value


@contextlib.contextmanager
def recomputed(
    training: engine.Training, inputs: Array, labels: Array, at_most: int
) -> Iterator[Recomputed]:
    """The loss of the first examples of a batch; all of them where it does not take fewer.

    In this block parameters and buffers are in float64. Afterwards each of them has the very array
    back that it had, also where something is raised; every `.grad` is as before, and of what the
    scenario's code does otherwise nothing is left either, see `untouched`.

    Raises:
        Uncomputable: it cannot be done; nothing of the scenario's own errors comes out.
    """
    floats = [tensor for tensor in tensors_of(training) if tensor.dtype.kind == "f"]
    arrays = [tensor.array for tensor in floats]
    parameters = [tensor for tensor in floats if tensor.requires_grad]
    try:
        for tensor, array in zip(floats, arrays, strict=True):
            tensor.array = array.astype(FLOAT64)
        with np.errstate(all="ignore"):
            yield _first_that_works(training, parameters, inputs, labels, at_most)
    finally:
        for tensor, array in zip(floats, arrays, strict=True):
            tensor.array = array


def _first_that_works(
    training: engine.Training,
    parameters: Sequence[engine.Tensor],
    inputs: Array,
    labels: Array,
    at_most: int,
) -> Recomputed:
    counts = [at_most, len(inputs)] if len(inputs) > at_most else [len(inputs)]
    for count in counts:
        try:
            few, theirs = _in_float64(inputs[:count]), _in_float64(labels[:count])
            return Recomputed(training, parameters, few, theirs)
        except Uncomputable:
            raise
        except (Exception, SystemExit) as error:  # whatever the scenario's own code does
            problem = f"{type(error).__name__}: {error}"
    raise Uncomputable(problem)


def _in_float64(array: Array) -> engine.Tensor:
    return as_tensor(array.astype(FLOAT64) if array.dtype.kind == "f" else array)


def _array(grad: Any) -> Array | None:
    return None if grad is None else np.asarray(getattr(grad, "array", grad), FLOAT64)
