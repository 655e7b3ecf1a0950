"""What a model makes of the test data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.registry import Array
from engine.tensor import Tensor
from engine.training.modes import testing

TEST_BATCH = 1000
"""How many examples are evaluated at once."""


class Evaluation:
    """Evaluates a model over data, a thousand examples at a time.

    Args:
        model: called with inputs, in evaluation mode.
        loss_fn: the mean loss of what it returns and the labels.
        data: inputs and labels; None for none.
    """

    def __init__(
        self,
        model: Any,
        loss_fn: Callable[[Any, Tensor], Tensor],
        data: tuple[Array, Array] | None,
    ) -> None:
        self._model = model
        self._loss_fn = loss_fn
        self._data = data if data is not None and len(data[0]) else None
        self._done = 0
        self._loss = 0.0
        self._right = 0
        self._has_classes = data is not None and data[1].dtype.kind in "iu" and data[1].ndim == 1

    def advance(self) -> bool:
        """Evaluate the next examples; whether that were the last ones."""
        if self._data is None:
            return True
        inputs, labels = self._data
        part = slice(self._done, self._done + TEST_BATCH)
        with testing(self._model):
            outputs = self._model(as_tensor(inputs[part]))
            loss = self._loss_fn(outputs, as_tensor(labels[part]))
        count = len(labels[part])
        self._loss += float(loss.item()) * count
        self._has_classes &= isinstance(outputs, Tensor) and outputs.ndim == 2
        if self._has_classes:
            self._right += int((outputs.array.argmax(axis=1) == labels[part]).sum())
        self._done += count
        return self._done == len(inputs)

    def result(self) -> tuple[float | None, float | None]:
        """The mean loss, and the accuracy: the fraction of examples whose largest output is their
        label; None where there is no data, and where the labels are not classes."""
        if self._data is None:
            return None, None
        return self._loss / self._done, self._right / self._done if self._has_classes else None


def as_tensor(array: Array) -> Tensor:
    """An array as a Tensor of its own dtype."""
    return Tensor(array, dtype=array.dtype)
